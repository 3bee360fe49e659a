using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// gRPC-Web, for those who see no trailers: they are the body's last frame. As text, all of the body is base64, of
/// each flush by itself. What the request's type is and what its caller accepts may differ.
internal sealed class GrpcWebProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
    : FramedProtocol(
        http, method, codec,
        IsText(MediaType(http.Request)) ? new Base64Reader(http.Request.BodyReader, NotBase64) : null)
{
    public const string Type = "application/grpc-web";
    public const string TextType = "application/grpc-web-text";

    private const byte Trailers = 0x80;

    private readonly bool isText = AcceptsText(http.Request);

    protected override bool HoldsAll => isText;

    public static bool IsText(string type) => type.StartsWith(TextType, StringComparison.Ordinal);

    public override TimeSpan? Open()
    {
        string type = MediaType(Http.Request);
        string format = type.IndexOf('+') is >= 0 and int plus ? type[plus..] : "";
        Http.Response.ContentType = (isText ? TextType : Type) + format;
        IHeaderDictionary request = Http.Request.Headers;
        IHeaderDictionary response = Http.Response.Headers;
        response[HttpFields.AcceptEncoding] = Method.Policy.Encodings.Accepted;
        response.GrpcEncoding = SettleEncodings(request.GrpcEncoding, request.GrpcAcceptEncoding)?.EncodingName;
        return GrpcHeaders.ReadTimeout(request);
    }

    public override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        var lines = new StringBuilder();
        foreach ((string name, string value) in StatusTrailers.Write(status, trailers))
        {
            lines.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        WriteLast(Trailers, Encoding.ASCII.GetBytes(lines.ToString()));
        LetGo();
        return ValueTask.CompletedTask;
    }

    /// As text, with padding of its own.
    protected override void Send(ReadOnlySpan<byte> frames, PipeWriter body)
    {
        if (!isText)
        {
            base.Send(frames, body);
            return;
        }

        Base64.EncodeToUtf8(
            frames, body.GetSpan(Base64.GetMaxEncodedToUtf8Length(frames.Length)), out _, out int length);
        body.Advance(length);
    }

    private static RpcException NotBase64() => RequestFault.Of("The request's body is not base64.");

    private static bool AcceptsText(HttpRequest request)
    {
        foreach (string? line in request.Headers.Accept)
        {
            foreach (Range part in line.AsSpan().Split(','))
            {
                ReadOnlySpan<char> accepted = line.AsSpan(part).Trim();
                if (accepted.StartsWith(Type, StringComparison.OrdinalIgnoreCase))
                {
                    return accepted.StartsWith(TextType, StringComparison.OrdinalIgnoreCase);
                }
            }
        }

        return IsText(MediaType(request));
    }
}
