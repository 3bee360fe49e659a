using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Squall.Rpc;

/// grpc.health.v1 over what HealthStatus knows.
internal sealed class HealthRpcs(HealthStatus health, Drain drain, HealthChecks? checks = null) : Health.HealthBase
{
    public override async Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        await LookAsync(request.Service, context);
        return health.Find(request.Service) is { } status
            ? new HealthCheckResponse { Status = status }
            : throw Refusal.Of(
                new Status(StatusCode.NotFound, $"The server does not know the service '{request.Service}'."),
                ErrorReasons.UnknownService);
    }

    public override async Task<HealthListResponse> List(HealthListRequest request, ServerCallContext context)
    {
        await LookAsync(null, context);
        var response = new HealthListResponse();
        foreach ((string service, ServingStatus status) in health.All())
        {
            response.Statuses[service] = new HealthCheckResponse { Status = status };
        }

        return response;
    }

    public override async Task Watch(
        HealthCheckRequest request,
        IServerStreamWriter<HealthCheckResponse> responseStream,
        ServerCallContext context)
    {
        // Whoever watches is told NOT_SERVING before the stream ends, which the drain would do at once.
        (context as ServerCall)?.KeepThroughDrain();
        await LookAsync(request.Service, context);
        ServingStatus? told = null;
        while (true)
        {
            (ServingStatus? status, bool stopping, Task changed) = health.Look(request.Service);
            ServingStatus now = status ?? ServingStatus.ServiceUnknown;
            if (now != told)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = now }, context.CancellationToken);
                told = now;
            }

            if (stopping)
            {
                throw drain.Stopping();
            }

            await changed.WaitAsync(context.CancellationToken);
        }
    }

    private Task LookAsync(string? service, ServerCallContext context) =>
        checks?.RunAsync(service, context.CancellationToken) ?? Task.CompletedTask;
}
