using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>Calls any method of the contract over gRPC, with whatever bytes.</summary>
internal static class RawCalls
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    public static Task<IMessage?> CallAsync(
        this ChannelBase channel, MethodDescriptor method, IMessage request, Metadata headers) =>
        channel.CallAsync(method, request.ToByteArray(), headers);

    /// <summary>
    /// The answer; of a stream the first one, null if it ends without any. Of a stream of requests, one is sent if it
    /// is not empty.
    /// </summary>
    /// <exception cref="RpcException">It was refused.</exception>
    public static async Task<IMessage?> CallAsync(
        this ChannelBase channel, MethodDescriptor method, byte[] request, Metadata headers)
    {
        CallInvoker invoker = channel.CreateCallInvoker();
        var options = new CallOptions(headers);
        byte[]? answer;
        if (method is { IsClientStreaming: false, IsServerStreaming: false })
        {
            using AsyncUnaryCall<byte[]> call =
                invoker.AsyncUnaryCall(Of(method, MethodType.Unary), null, options, request);
            answer = await call;
        }
        else if (method is { IsClientStreaming: false })
        {
            using AsyncServerStreamingCall<byte[]> call =
                invoker.AsyncServerStreamingCall(Of(method, MethodType.ServerStreaming), null, options, request);
            answer = await FirstAsync(call.ResponseStream);
        }
        else
        {
            using AsyncDuplexStreamingCall<byte[], byte[]> call =
                invoker.AsyncDuplexStreamingCall(Of(method, MethodType.DuplexStreaming), null, options);
            if (request.Length > 0)
            {
                await call.RequestStream.WriteAsync(request);
            }

            answer = await FirstAsync(call.ResponseStream);
        }

        return answer is null ? null : method.OutputType.Parser.ParseFrom(answer);
    }

    private static async Task<byte[]?> FirstAsync(IAsyncStreamReader<byte[]> stream) =>
        await stream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)) ? stream.Current : null;

    private static Method<byte[], byte[]> Of(MethodDescriptor method, MethodType type) =>
        new(type, method.Service.FullName, method.Name, Bytes, Bytes);
}
