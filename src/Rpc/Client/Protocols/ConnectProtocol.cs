using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Connect: a unary call is a plain POST, or a GET where that is safe, a stream is frames as gRPC's.
internal sealed class ConnectProtocol(ConnectOptions options) : CallProtocol
{
    private const string TimeoutHeader = "connect-timeout-ms";
    private const long TimeoutMillisecondsMax = 9_999_999_999;

    public override string Name => "connect_rpc";

    /// The lowest that can do it: whoever wants HTTP/2 for unary calls in clear text says so.
    public override Version DefaultVersion(Uri address, IMethod method) =>
        address.Scheme == Uri.UriSchemeHttp && method.Type != MethodType.DuplexStreaming
            ? HttpVersion.Version11 : HttpVersion.Version20;

    public override HttpVersionPolicy DefaultPolicy(Uri address) => address.Scheme == Uri.UriSchemeHttp
        ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower;

    /// A unary body is compressed as a whole, and its header tells that it is.
    public override int CompressBytesMin(IMethod method) =>
        method.Type == MethodType.Unary ? 0 : base.CompressBytesMin(method);

    public override HttpRequestMessage CreateRequest(CallRequest call, int previousAttempts)
    {
        HttpRequestMessage request = call.Method.Type != MethodType.Unary ? CreateStream(call)
            : options.IsSafe(call.Method) && GetAddress(call) is { } address ? CreateGet(call, address)
            : CreatePost(call);
        request.Headers.Host = call.Host;
        AddMetadata(request, call);
        if (call.Lifetime.TimeLeft is { } left)
        {
            long milliseconds = (long)Math.Clamp(Math.Ceiling(left.TotalMilliseconds), 1, TimeoutMillisecondsMax);
            Add(request, TimeoutHeader, milliseconds.ToString(CultureInfo.InvariantCulture));
        }

        return request;
    }

    public override CallResponse CreateResponse(CallRequest call, HttpResponseMessage http, Stream body) =>
        call.Method.Type == MethodType.Unary
            ? new ConnectUnaryResponse(call, http, body)
            : new ConnectStreamResponse(call, http, body);

    private static bool IsCompressed(CallRequest call) => (call.Flow.Only![0] & Frame.Compressed) != 0;

    private static Uri Address(CallRequest call) => new(call.Channel.Address, call.Method.FullName);

    private static HttpRequestMessage CreatePost(CallRequest call)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Address(call))
        {
            Content = new RequestContent(call.Flow, ConnectUnaryResponse.Type(call), isBare: true),
        };
        Add(request, "connect-protocol-version", "1");
        AddAccepted(request, "accept-encoding", call);
        if (IsCompressed(call))
        {
            Add(request, "content-encoding", call.Encoding!.EncodingName);
        }

        return request;
    }

    private static HttpRequestMessage CreateGet(CallRequest call, Uri address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        AddAccepted(request, "accept-encoding", call);
        return request;
    }

    private static HttpRequestMessage CreateStream(CallRequest call)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Address(call))
        {
            Content = new RequestContent(call.Flow, ConnectStreamResponse.Type(call)),
        };
        Add(request, "connect-protocol-version", "1");
        AddAccepted(request, ConnectStreamResponse.AcceptHeader, call);
        if (call.Encoding is { } encoding)
        {
            Add(request, ConnectStreamResponse.EncodingHeader, encoding.EncodingName);
        }

        return request;
    }

    private static void AddAccepted(HttpRequestMessage request, string header, CallRequest call)
    {
        if (call.Channel.Encodings.Names is { Length: > 0 } names)
        {
            Add(request, header, names);
        }
    }

    /// The address that holds the message, its parameters in the order that caches know; null if it is too long.
    private Uri? GetAddress(CallRequest call)
    {
        ReadOnlySpan<byte> message = call.Flow.Only.AsSpan(Frame.HeaderBytes);
        bool compressed = IsCompressed(call);
        bool isText = call.Channel.Options.Codec == ClientCodec.Json && !compressed;
        var query = new StringBuilder("?connect=v1");
        query.Append(isText ? "" : "&base64=1");
        query.Append(compressed ? "&compression=" + call.Encoding!.EncodingName : "");
        query.Append("&encoding=").Append(call.Channel.Options.Codec.Name).Append("&message=");
        query.Append(isText
            ? Uri.EscapeDataString(Encoding.UTF8.GetString(message)) : Base64Url.EncodeToString(message));
        string address = Address(call).AbsoluteUri + query;
        return address.Length <= options.GetAddressMax ? new Uri(address) : null;
    }
}
