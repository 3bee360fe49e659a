using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Squall.Rpc;

/// Tells streaming calls that the server stops. Kestrel only waits for them, and they never end by themselves.
internal sealed class Drain : IDisposable
{
    private readonly CancellationTokenSource begun = new();
    private readonly CancellationTokenRegistration registration;
    private readonly RpcServerOptions options;
    private readonly Action<object?> end;

    public Drain(HealthStatus health, IOptions<RpcServerOptions> options, IHostApplicationLifetime? lifetime = null)
    {
        this.options = options.Value;
        end = call => ((ServerCall)call!).EndEarly(Stopping());
        registration = lifetime?.ApplicationStopping.Register(() =>
        {
            // First whoever asks is told to go elsewhere; then those who are here are sent away.
            health.Shutdown();
            begun.Cancel();
        }) ?? default;
    }

    public CancellationToken Token => begun.Token;

    public void Watch(ServerCall call) => call.EndOn(begun.Token, end);

    /// UNAVAILABLE, with the time after which to come back.
    public RpcException Stopping() => Refusal.Of(
        new Grpc.Core.Status(StatusCode.Unavailable, "The server is stopping. Call again in a moment."),
        ErrorReasons.ServerStopping,
        new RetryInfo { RetryDelay = Duration.FromTimeSpan(options.DrainRetryDelay) });

    public void Dispose()
    {
        registration.Dispose();
        begun.Dispose();
    }
}
