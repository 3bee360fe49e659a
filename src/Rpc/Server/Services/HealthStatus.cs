using Grpc.Health.V1;

namespace Squall.Rpc;

/// <summary>What <c>grpc.health.v1</c> tells of the server (the empty name) and of its services.</summary>
public sealed class HealthStatus
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, HealthCheckResponse.Types.ServingStatus> statuses =
        new(StringComparer.Ordinal) { [""] = HealthCheckResponse.Types.ServingStatus.Serving };

    private TaskCompletionSource changed = NewSignal();
    private bool stopping;

    /// <summary>Sets the status of a service; the empty name is the whole server.</summary>
    public void Set(string service, HealthCheckResponse.Types.ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (gate)
        {
            // Each check of health says it anew: whoever watches is not to be woken by that.
            if (!stopping && !(statuses.TryGetValue(service, out var now) && now == status))
            {
                statuses[service] = status;
                Ring();
            }
        }
    }

    /// <summary>Says NOT_SERVING for everything, for good.</summary>
    public void Shutdown()
    {
        lock (gate)
        {
            stopping = true;
            foreach (string service in statuses.Keys.ToList())
            {
                statuses[service] = HealthCheckResponse.Types.ServingStatus.NotServing;
            }

            Ring();
        }
    }

    internal HealthCheckResponse.Types.ServingStatus? Find(string service) => Look(service).Status;

    internal IReadOnlyDictionary<string, HealthCheckResponse.Types.ServingStatus> All()
    {
        lock (gate)
        {
            return new Dictionary<string, HealthCheckResponse.Types.ServingStatus>(statuses);
        }
    }

    /// The status of a service, null if it is not known, and what completes when any has changed since.
    internal (HealthCheckResponse.Types.ServingStatus? Status, bool Stopping, Task Changed) Look(string service)
    {
        lock (gate)
        {
            return (statuses.TryGetValue(service, out var status) ? status : null, stopping, changed.Task);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Ring()
    {
        changed.SetResult();
        changed = NewSignal();
    }
}
