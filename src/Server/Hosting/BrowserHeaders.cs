namespace Squall.Server;

/// <summary>
/// Tells browsers to make nothing of answers but what they are for: data for a page that asked for it. gRPC alone,
/// which no browser speaks, goes without.
/// </summary>
internal sealed class BrowserHeaders(ServerOptions options) : IStartupFilter
{
    private const string Grpc = "application/grpc";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(rest => http =>
        {
            string? content = http.Request.ContentType;
            if (content is null || !IsGrpc(content))
            {
                Add(http);
            }

            return rest(http);
        });
        next(app);
    };

    private static bool IsGrpc(string content) => content.StartsWith(Grpc, StringComparison.OrdinalIgnoreCase)
        && (content.Length == Grpc.Length || content[Grpc.Length] is '+' or ';');

    private void Add(HttpContext http)
    {
        IHeaderDictionary headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";

        // Answers hold what is its caller's alone, tokens for one.
        headers.CacheControl = "no-store";

        // Not with a certificate that browsers do not trust: they would let nobody pass it, and "localhost" has others.
        if (http.Request.IsHttps && options.CertificatePath is not null)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
    }
}
