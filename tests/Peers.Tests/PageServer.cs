using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Squall.Peers.Tests;

/// <summary>A page with a script, at an origin of its own, and what the script tells.</summary>
internal sealed class PageServer : IAsyncDisposable
{
    private const string Page = """
        <!doctype html><title>Checks</title>
        <script type="module" src="/page.js"></script>
        """;

    private readonly TaskCompletionSource<string> _lines = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _app;

    private PageServer(string script)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/", () => Results.Text(Page, "text/html; charset=utf-8"));
        _app.MapGet("/page.js", () => Results.Text(script, "text/javascript; charset=utf-8"));
        _app.MapPost("/lines", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            _lines.TrySetResult(await reader.ReadToEndAsync());
        });
    }

    /// <summary>The page's origin, as browsers write it.</summary>
    public string Origin => _app.Urls.Single();

    /// <summary>What the script told.</summary>
    public Task<string> Lines => _lines.Task;

    public static async Task<PageServer> StartAsync(string script)
    {
        var server = new PageServer(script);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
