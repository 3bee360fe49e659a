using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client.Web;

/// How the body of gRPC-Web is written.
public enum GrpcWebMode
{
    /// As it is.
    GrpcWeb,

    /// In base64, for what takes text alone.
    GrpcWebText,
}

/// Makes gRPC-Web of a channel's calls, for servers behind a proxy that ends HTTP/2.
public sealed class GrpcWebHandler : DelegatingHandler
{
    private const string Grpc = "application/grpc";
    private const string Web = "application/grpc-web";
    private const string WebText = "application/grpc-web-text";

    /// A handler whose inner one is set later.
    public GrpcWebHandler()
    {
    }

    public GrpcWebHandler(HttpMessageHandler innerHandler)
        : base(innerHandler)
    {
    }

    /// A handler of this mode, whose inner one is set later.
    public GrpcWebHandler(GrpcWebMode mode) => GrpcWebMode = mode;

    public GrpcWebHandler(GrpcWebMode mode, HttpMessageHandler innerHandler)
        : base(innerHandler) => GrpcWebMode = mode;

    /// The version of HTTP. Null: what the channel's options name; where they name none, 2 or, where server and scheme
    /// do not offer that, a lower one.
    public Version? HttpVersion { get; set; }

    public GrpcWebMode GrpcWebMode { get; set; }

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Content?.Headers.ContentType?.MediaType is { } type && FormatOf(type, Grpc) is { } format
            ? SendWebAsync(request, format, cancellationToken)
            : base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendWebAsync(
        HttpRequestMessage request, string format, CancellationToken cancellationToken)
    {
        string type = (GrpcWebMode == GrpcWebMode.GrpcWebText ? WebText : Web) + format;
        request.Content = new WebRequestContent(
            request.Content!, new MediaTypeHeaderValue(type), GrpcWebMode == GrpcWebMode.GrpcWebText);
        request.Headers.Remove("te");
        request.Headers.TryAddWithoutValidation("accept", type);
        request.Headers.TryAddWithoutValidation("x-grpc-web", "1");
        if (HttpVersion is not null)
        {
            request.Version = HttpVersion;
        }
        else if (!request.Options.TryGetValue(ChannelTransport.VersionIsNamed, out _)
            && request.VersionPolicy == HttpVersionPolicy.RequestVersionExact)
        {
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        }

        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        string answered = response.Content.Headers.ContentType?.MediaType ?? "";
        bool isText = FormatOf(answered, WebText) is not null;
        if (response.StatusCode == HttpStatusCode.OK && (FormatOf(answered, WebText) ?? FormatOf(answered, Web))
            is { } answeredFormat)
        {
            response.Content = new WebResponseContent(response, isText, Grpc + answeredFormat);
        }

        return response;
    }

    /// What follows a type, such as +proto; null if it is another type.
    private static string? FormatOf(string mediaType, string type) =>
        mediaType.StartsWith(type, StringComparison.OrdinalIgnoreCase)
            && (mediaType.Length == type.Length || mediaType[type.Length] == '+')
                ? mediaType[type.Length..] : null;

    /// The request's body, in base64 where it is to be text.
    private sealed class WebRequestContent : HttpContent
    {
        private readonly HttpContent grpc;
        private readonly bool isText;

        public WebRequestContent(HttpContent grpc, MediaTypeHeaderValue type, bool isText)
        {
            this.grpc = grpc;
            this.isText = isText;
            foreach ((string name, HeaderStringValues values) in grpc.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(name, values);
            }

            Headers.ContentType = type;
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            if (!isText)
            {
                await grpc.CopyToAsync(stream, context, cancellationToken).ConfigureAwait(false);
                return;
            }

            var text = new Base64Stream(stream);
            await using (text.ConfigureAwait(false))
            {
                await grpc.CopyToAsync(text, context, cancellationToken).ConfigureAwait(false);
                await text.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = -1;
            return false;
        }
    }

    /// The response's body as gRPC has it, its trailers taken out of it.
    private sealed class WebResponseContent : HttpContent
    {
        private readonly HttpResponseMessage response;
        private readonly HttpContent web;
        private readonly bool isText;

        public WebResponseContent(HttpResponseMessage response, bool isText, string type)
        {
            this.response = response;
            this.isText = isText;
            web = response.Content;
            foreach ((string name, HeaderStringValues values) in web.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(name, values);
            }

            Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        protected override Task<Stream> CreateContentReadStreamAsync() =>
            CreateContentReadStreamAsync(CancellationToken.None);

        protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
        {
            PipeReader pipe = PipeReader.Create(
                await web.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            return new WebResponseStream(isText ? new Base64Reader(pipe, NotBase64) : pipe, response);
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            Stream body = await CreateContentReadStreamAsync().ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                await body.CopyToAsync(stream).ConfigureAwait(false);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = -1;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            web.Dispose();
            base.Dispose(disposing);
        }

        private static RpcException NotBase64() =>
            new(new Status(StatusCode.Internal, "The response's body is not base64."));
    }
}
