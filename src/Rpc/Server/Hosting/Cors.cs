using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// Lets pages of other origins call, those that are configured. A browser asks before it sends what a page could not
/// send by itself, and shows a page only what the answer names.
internal sealed class Cors(IEnumerable<string> origins)
{
    private const string Methods = "GET, POST";
    private const string MaxAgeSeconds = "7200";
    private const string RequestMethod = "Access-Control-Request-Method";
    private const string RequestHeaders = "Access-Control-Request-Headers";

    // What every call may carry. Metadata may have any name: what is asked for besides is allowed too.
    private static readonly string[] Allowed =
    [
        "Content-Type", "Authorization", "Connect-Protocol-Version", "Connect-Timeout-Ms", "Grpc-Timeout", "X-Grpc-Web",
        "X-User-Agent",
    ];

    private static readonly string[] Exposed = [StatusTrailers.Code, StatusTrailers.Message, StatusTrailers.Details];

    private readonly HashSet<string> origins = [.. origins.Select(origin => origin.TrimEnd('/').ToLowerInvariant())];

    /// True if the request was a browser's question, which is answered; false if it is a call.
    public bool Answers(HttpContext http)
    {
        if (origins.Count == 0)
        {
            return false;
        }

        IHeaderDictionary response = http.Response.Headers;
        string? origin = http.Request.Headers.Origin;
        bool isAllowed = origin is not null && (origins.Contains("*") || origins.Contains(origin.ToLowerInvariant()));
        bool isQuestion = HttpMethods.IsOptions(http.Request.Method)
            && http.Request.Headers.ContainsKey(RequestMethod);
        response.Vary = isQuestion ? $"Origin, {RequestMethod}, {RequestHeaders}" : "Origin";
        if (isAllowed)
        {
            response.AccessControlAllowOrigin = origin;
            if (isQuestion)
            {
                response.AccessControlAllowMethods = Methods;
                response.AccessControlAllowHeaders = AllowedWith(http.Request.Headers[RequestHeaders]);
                response.AccessControlMaxAge = MaxAgeSeconds;
            }
            else
            {
                http.Response.OnStarting(static response => Expose((HttpResponse)response), http.Response);
            }
        }

        if (isQuestion)
        {
            http.Response.StatusCode = isAllowed ? StatusCodes.Status204NoContent : StatusCodes.Status403Forbidden;
        }

        return isQuestion;
    }

    private static string AllowedWith(StringValues asked) => string.Join(", ", Allowed.Concat(asked
            .SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries))
            .Where(name => HttpFields.IsName(name.ToLowerInvariant())))
        .Distinct(StringComparer.OrdinalIgnoreCase));

    /// Names what the answer holds by then, metadata and trailers that are headers among it.
    private static Task Expose(HttpResponse response)
    {
        response.Headers.AccessControlExposeHeaders = string.Join(", ", Exposed.Concat(response.Headers.Keys
                .Where(name => !name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)))
            .Distinct(StringComparer.OrdinalIgnoreCase));
        return Task.CompletedTask;
    }
}
