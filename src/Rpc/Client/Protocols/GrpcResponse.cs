using System.Buffers;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// gRPC's response: messages in frames, the status in trailers or, where there is nothing else, in the headers.
internal sealed class GrpcResponse(CallRequest call, HttpResponseMessage http, Stream body)
    : FramedResponse(call, http, body, Frame.GrpcFlags)
{
    /// What gRPC suggests that each peer takes.
    private const int HeaderBytesSure = 8 * 1024;

    /// Reads how a response begins: (1) an HTTP status other than 200, (2) a content type other than gRPC's,
    /// (3) a status in the headers, which counts if nothing follows, (4) an encoding that was not asked for.
    public override async Task BeginAsync(CancellationToken cancellationToken)
    {
        Status? status = ReadStatus(Http.Headers);
        if (HttpStatus != 200)
        {
            EndWith(status ?? FromHttp());
        }
        else if (status is null && CheckContentType() is { } wrong)
        {
            EndWith(wrong);
        }
        else if (status is not null && await IsBareAsync(cancellationToken).ConfigureAwait(false))
        {
            EndWith(status.Value);
        }
        else
        {
            Headers = ReadMetadata(Http.Headers, Http.Content.Headers);
            UseEncoding(Field(HttpFields.Encoding));
        }
    }

    public override async ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            ReadOnlySequence<byte>? frame = await Frames.ReadAsync(cancellationToken).ConfigureAwait(false);
            return frame is { } payload ? Plain(payload) : null;
        }
        catch (RpcException) when (ReadStatus(Http.TrailingHeaders) is { StatusCode: not StatusCode.OK })
        {
            // Cut off within a message, but the server says why.
            return null;
        }
    }

    public override CallOutcome End()
    {
        Status status = ReadStatus(Http.TrailingHeaders) ?? new Status(
            StatusTables.FromHttp(HttpStatus), "The server ended the response without a grpc-status.");
        return new CallOutcome(status, ReadMetadata(Http.TrailingHeaders));
    }

    /// 431 alone is UNKNOWN, as all that gRPC's table does not name; after many headers it is the call's own doing.
    private Status FromHttp() => HttpStatus == 431 && RequestHeaderBytes() > HeaderBytesSure
        ? new(StatusCode.Internal, "The call's metadata is more than the server takes: its HTTP status is 431.")
        : new(StatusTables.FromHttp(HttpStatus), $"The server answered with HTTP status {HttpStatus}.");

    private int RequestHeaderBytes() => Http.RequestMessage?.Headers.NonValidated
        .Sum(field => field.Value.Sum(value => field.Key.Length + value.Length)) ?? 0;

    private void EndWith(Status status) =>
        Outcome = new CallOutcome(status, ReadMetadata(Http.Headers, Http.Content.Headers));

    private async Task<bool> IsBareAsync(CancellationToken cancellationToken)
    {
        ReadResult read = await Pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
        bool bare = read.IsCompleted && read.Buffer.IsEmpty && !Http.TrailingHeaders.NonValidated.Any();
        Pipe.AdvanceTo(read.Buffer.Start);
        return bare;
    }

    private Status? CheckContentType()
    {
        const string Grpc = "application/grpc";
        string type = MediaType;
        ClientCodec codec = Call.Channel.Options.Codec;
        if (type == Grpc + "+" + codec.Name || type == Grpc && codec == ClientCodec.Proto)
        {
            return null;
        }

        return type == Grpc || type.StartsWith(Grpc + "+", StringComparison.Ordinal)
            ? new(StatusCode.Internal, $"The response's format '{ContentType}' is not the request's.")
            : new(StatusCode.Unknown, $"The response is not gRPC: its content type is '{ContentType}'.");
    }

    private static Status? ReadStatus(HttpHeaders headers) =>
        StatusTrailers.Read(Field(headers, StatusTrailers.Code), Field(headers, StatusTrailers.Message));
}
