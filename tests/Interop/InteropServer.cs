using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Squall.Rpc;

namespace Squall.Interop;

/// <summary>Our runtime with the interop service, on one clear-text port for all protocols.</summary>
public sealed class InteropServer : IAsyncDisposable
{
    // A request here is answered when no call is served any more, those included that their callers have given up.
    private const string IdlePath = "/idle";

    private readonly WebApplication app;

    private InteropServer(WebApplication app)
    {
        this.app = app;
        Address = app.Services.ListeningAddresses().Single();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Starts it, on a free port unless one is named.</summary>
    public static async Task<InteropServer> StartAsync(int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddGrpc(options => options.ResponseCompressionAlgorithm = "gzip");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseRpcDefaults();
            kestrel.ListenClearText(new IPEndPoint(IPAddress.Loopback, port));
        });
        WebApplication app = builder.Build();
        var serving = new Serving();
        app.Use((http, next) => http.Request.Path == IdlePath ? serving.IdleAsync() : serving.CountAsync(http, next));
        app.Use((http, next) =>
        {
            if (http.Request.ContentType is not ("application/proto" or "application/json"))
            {
                http.Request.Body = new FrameFlags(http.Request.Body);
            }

            return next(http);
        });
        app.UseRouting();
        app.MapGrpcService<TestRpcs>();
        await app.StartAsync();
        return new InteropServer(app);
    }

    /// <summary>Ends when the server does.</summary>
    public Task WaitAsync() => ((IHost)app).WaitForShutdownAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app.DisposeAsync();
}

/// <summary>How many requests are being served.</summary>
internal sealed class Serving
{
    private readonly object turn = new();
    private int count;
    private TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task IdleAsync()
    {
        lock (turn)
        {
            return count == 0 ? Task.CompletedTask : idle.Task;
        }
    }

    public async Task CountAsync(HttpContext http, RequestDelegate next)
    {
        Add(1);
        try
        {
            await next(http);
        }
        finally
        {
            Add(-1);
        }
    }

    private void Add(int change)
    {
        lock (turn)
        {
            count += change;
            if (count == 0)
            {
                idle.SetResult();
                idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
