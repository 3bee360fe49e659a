using System.Globalization;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// gRPC over HTTP/2; and gRPC-Web, which a handler beneath makes of it.
internal sealed class GrpcProtocol : CallProtocol
{
    public static readonly GrpcProtocol Instance = new();

    public override string Name => "grpc";

    /// The request's and the response's content type for the messages of a channel.
    public static string ContentType(ClientCodec codec) =>
        codec == ClientCodec.Proto ? "application/grpc" : "application/grpc+" + codec.Name;

    public override HttpRequestMessage CreateRequest(CallRequest call, int previousAttempts)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(call.Channel.Address, call.Method.FullName))
        {
            Content = new RequestContent(call.Flow, ContentType(call.Channel.Options.Codec)),
        };
        request.Headers.Host = call.Host;
        Add(request, "te", "trailers");
        Add(request, HttpFields.AcceptEncoding, call.Channel.Encodings.Accepted);
        if (call.Encoding is { } encoding)
        {
            Add(request, HttpFields.Encoding, encoding.EncodingName);
        }

        AddMetadata(request, call);
        if (previousAttempts > 0)
        {
            Add(request, HttpFields.PreviousAttempts, previousAttempts.ToString(CultureInfo.InvariantCulture));
        }

        if (call.Lifetime.TimeLeft is { } left)
        {
            Add(request, GrpcTimeout.Header, GrpcTimeout.Format(left));
        }

        return request;
    }

    public override CallResponse CreateResponse(CallRequest call, HttpResponseMessage http, Stream body) =>
        new GrpcResponse(call, http, body);
}
