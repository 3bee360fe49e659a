using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// The one request of a kind of call that has one. None, or a second one, is UNIMPLEMENTED.
internal static class SingleRequest
{
    public static ValueTask<T> ReadAsync<T>(ServerCall call, Marshaller<T> marshaller)
    {
        if (call.Protocol.TryTakeOnly(out ReadOnlySequence<byte> only))
        {
            try
            {
                return new(call.Protocol.Codec.Decode(only, marshaller));
            }
            finally
            {
                call.Protocol.GiveBack(only.End);
            }
        }

        ValueTask<ReadOnlySequence<byte>?> first = call.Protocol.ReadAsync(default);
        if (!first.IsCompletedSuccessfully)
        {
            return call.WithinReadTimeAsync(RestAsync(call, marshaller, first));
        }

        // Most are here already, with the end after them.
        T message = Decode(call, marshaller, first.Result);
        ValueTask<ReadOnlySequence<byte>?> second = call.Protocol.ReadAsync(default);
        return second.IsCompletedSuccessfully
            ? new(Only(call, message, second.Result))
            : call.WithinReadTimeAsync(EndAsync(call, message, second));
    }

    private static async ValueTask<T> RestAsync<T>(
        ServerCall call, Marshaller<T> marshaller, ValueTask<ReadOnlySequence<byte>?> first)
    {
        T message = Decode(call, marshaller, await first);
        return await EndAsync(call, message, call.Protocol.ReadAsync(default));
    }

    private static async ValueTask<T> EndAsync<T>(
        ServerCall call, T message, ValueTask<ReadOnlySequence<byte>?> second) => Only(call, message, await second);

    private static T Decode<T>(ServerCall call, Marshaller<T> marshaller, ReadOnlySequence<byte>? payload) =>
        call.Protocol.Codec.Decode(payload ?? throw Miscounted(call, "none"), marshaller);

    private static T Only<T>(ServerCall call, T message, ReadOnlySequence<byte>? second) =>
        second is null ? message : throw Miscounted(call, "more");

    private static RpcException Miscounted(ServerCall call, string found) => Refusal.Of(
        new Status(StatusCode.Unimplemented, $"{call.Method} takes exactly one request message, and {found} came."),
        ErrorReasons.WrongRequestCount);
}
