using System.Buffers;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Connect's answer to a stream: frames, of which the last tells in JSON how the call ended.
internal sealed class ConnectStreamResponse(CallRequest call, HttpResponseMessage http, Stream body)
    : FramedResponse(call, http, body, Frame.Compressed | EndFlag)
{
    public const string EncodingHeader = "connect-content-encoding";
    public const string AcceptHeader = "connect-accept-encoding";

    private const byte EndFlag = 2;
    private const string TypePrefix = "application/connect+";

    private CallOutcome? end;

    public static string Type(CallRequest call) => TypePrefix + call.Channel.Options.Codec.Name;

    public override Task BeginAsync(CancellationToken cancellationToken)
    {
        Headers = ReadMetadata(Http.Headers, Http.Content.Headers);
        if (HttpStatus != 200)
        {
            EndWith(ConnectStatus.FromHttp(HttpStatus), $"The server answered with HTTP status {HttpStatus}.");
        }
        else if (MediaType == Type(Call))
        {
            UseEncoding(Field(EncodingHeader));
        }
        else if (MediaType.StartsWith(TypePrefix, StringComparison.Ordinal))
        {
            EndWith(StatusCode.Internal, $"The response's format '{ContentType}' is not the request's.");
        }
        else
        {
            EndWith(StatusCode.Unknown, $"The response is not Connect's: its content type is '{ContentType}'.");
        }

        return Task.CompletedTask;
    }

    public override async ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (end is not null)
        {
            return null;
        }

        if (await Frames.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } frame)
        {
            throw Broken("The stream ends without its last frame.");
        }

        ReadOnlySequence<byte> payload = Plain(frame);
        if ((Frames.Flags & EndFlag) == 0)
        {
            return payload;
        }

        var trailers = new Metadata();
        Status status = ConnectStatus.ReadEnd(payload, trailers);
        end = new CallOutcome(status, trailers);
        return await Frames.ReadAsync(cancellationToken).ConfigureAwait(false) is null
            ? null : throw Broken("The stream goes on after its last frame.");
    }

    public override CallOutcome End() => end!;

    private void EndWith(StatusCode code, string detail) => Outcome = new CallOutcome(new Status(code, detail), []);

    private static RpcException Broken(string how) => new(new Status(StatusCode.Internal, how));
}
