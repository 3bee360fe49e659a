using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// Connect's unary calls by GET, whose message is in the URL; for methods that have no side effects.
internal sealed class ConnectGetProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
    : ConnectUnaryProtocol(http, method, codec)
{
    public const string EncodingParameter = "encoding";

    protected override StringValues RequestEncoding => Http.Request.Query["compression"];

    protected override string AnswerType => "application/" + Http.Request.Query[EncodingParameter];

    public override TimeSpan? Open()
    {
        IHeaderDictionary response = Http.Response.Headers;
        // What is answered depends on who asks, so that nobody may keep it for others.
        response.CacheControl = "no-store";
        response.Vary = StringValues.Concat(response.Vary, "Accept-Encoding");
        return base.Open();
    }

    protected override void CheckVersion()
    {
        StringValues version = Http.Request.Query["connect"];
        if (version.Count > 0 && version != "v1")
        {
            throw ConnectHeaders.Invalid(
                ErrorReasons.UnknownVersion, "The parameter connect has to be v1, or not to be there.");
        }
    }

    protected override ValueTask<ReadOnlySequence<byte>> ReadMessageAsync(CancellationToken cancellationToken)
    {
        IQueryCollection query = Http.Request.Query;
        if (!query.ContainsKey(EncodingParameter) || !query.TryGetValue("message", out StringValues message))
        {
            throw ConnectHeaders.Invalid(
                ErrorReasons.InvalidQuery, "The parameters encoding and message are missing, or one of them is.");
        }

        string text = message.ToString();
        byte[] bytes = query["base64"] == "1" ? Decoded(text) : Encoding.UTF8.GetBytes(text);
        return bytes.Length <= Method.Policy.ReceiveBytesMax
            ? ValueTask.FromResult(new ReadOnlySequence<byte>(bytes))
            : throw TooLarge(bytes.Length);
    }

    private static byte[] Decoded(string text)
    {
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            throw ConnectHeaders.Invalid(
                ErrorReasons.InvalidQuery, "The parameter message is not URL-safe base64.");
        }
    }
}
