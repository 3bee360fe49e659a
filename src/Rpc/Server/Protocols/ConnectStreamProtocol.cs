using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// Connect's streams: framed messages under an HTTP status of 200, whose last frame tells in JSON how it went.
internal sealed class ConnectStreamProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
    : FramedProtocol(http, method, codec)
{
    private const byte EndOfStream = 2;
    private const string Encoding = "connect-content-encoding";
    private const string Accept = "connect-accept-encoding";

    public override string SystemName => "connect_rpc";

    public override TimeSpan? Open()
    {
        IHeaderDictionary request = Http.Request.Headers;
        IHeaderDictionary response = Http.Response.Headers;
        response.ContentType = MediaType(Http.Request);
        ConnectHeaders.CheckVersion(request["connect-protocol-version"]);
        response[Accept] = Method.Policy.Encodings.Accepted;
        if (SettleEncodings(request[Encoding], request[Accept]) is { } deflater)
        {
            response[Encoding] = deflater.EncodingName;
        }

        return ConnectHeaders.ReadTimeout(request);
    }

    public override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        WriteLast(EndOfStream, ConnectError.EndOfStream(status, trailers, Codec.Shown).Span);
        return ValueTask.CompletedTask;
    }
}
