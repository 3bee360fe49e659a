using System.Collections;
using Grpc.AspNetCore.HealthChecks;
using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Squall.Rpc;
using CheckedStatus = Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Squall.Rpc
{
    /// Tells grpc.health.v1 what ASP.NET's health checks find: when it is asked, and when they are run by themselves.
    internal sealed class HealthChecks(
        HealthCheckService service, HealthStatus health, IOptions<GrpcHealthChecksOptions> options)
        : IHealthCheckPublisher
    {
        /// Runs the checks of a service, or of all that are mapped.
        public async Task RunAsync(string? name, CancellationToken cancellationToken)
        {
            foreach (ServiceMapping mapping in options.Value.Services.Where(one => name is null || one.Name == name))
            {
                HealthReport report = await service.CheckHealthAsync(
                    check => Asks(mapping, check.Name, check.Tags), cancellationToken);
                health.Set(mapping.Name, StatusOf([.. report.Entries.Values]));
            }
        }

        public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
        {
            foreach (ServiceMapping mapping in options.Value.Services)
            {
                health.Set(mapping.Name, StatusOf([.. report.Entries
                    .Where(entry => Asks(mapping, entry.Key, entry.Value.Tags)).Select(entry => entry.Value)]));
            }

            return Task.CompletedTask;
        }

        private static bool Asks(ServiceMapping mapping, string name, IEnumerable<string> tags) =>
            mapping.HealthCheckPredicate(new HealthCheckMapContext(name, tags));

        /// Nobody knows of what nobody checks.
        private static ServingStatus StatusOf(HealthReportEntry[] entries) =>
            entries.Length == 0 ? ServingStatus.Unknown
            : entries.Any(entry => entry.Status == CheckedStatus.Unhealthy) ? ServingStatus.NotServing
            : ServingStatus.Serving;
    }
}

namespace Grpc.AspNetCore.HealthChecks
{
    /// <summary>Which health checks tell of which services.</summary>
    public sealed class GrpcHealthChecksOptions
    {
        /// <summary>The services; unless changed, all checks tell of the server, whose name is empty.</summary>
        public ServiceMappingCollection Services { get; } = [];
    }

    /// <summary>A service, and the checks that tell of it: it serves while none of them is unhealthy.</summary>
    public sealed class ServiceMapping(string name, Func<HealthCheckMapContext, bool> predicate)
    {
        /// <summary>The service's name, as health checkers ask for it.</summary>
        public string Name { get; } = name;

        /// <summary>Whether a check tells of it.</summary>
        public Func<HealthCheckMapContext, bool> HealthCheckPredicate { get; } = predicate;
    }

    /// <summary>A check.</summary>
    public sealed class HealthCheckMapContext(string name, IEnumerable<string> tags)
    {
        /// <summary>Its name.</summary>
        public string Name { get; } = name;

        /// <summary>Its tags.</summary>
        public IEnumerable<string> Tags { get; } = tags;
    }

    /// <summary>The services, each once.</summary>
    public sealed class ServiceMappingCollection : ICollection<ServiceMapping>
    {
        private readonly List<ServiceMapping> mappings = [];

        /// <summary>How many there are.</summary>
        public int Count => mappings.Count;

        bool ICollection<ServiceMapping>.IsReadOnly => false;

        /// <summary>Lets the checks tell of the service for which the predicate says so, instead of others.</summary>
        public void Map(string name, Func<HealthCheckMapContext, bool> predicate)
        {
            Remove(name);
            Add(new ServiceMapping(name, predicate));
        }

        /// <summary>Adds a service that is not there.</summary>
        /// <exception cref="InvalidOperationException">It is.</exception>
        public void Add(ServiceMapping service)
        {
            ArgumentNullException.ThrowIfNull(service);
            if (mappings.Any(mapping => mapping.Name == service.Name))
            {
                throw new InvalidOperationException($"The service '{service.Name}' is mapped already.");
            }

            mappings.Add(service);
        }

        /// <summary>Takes a service away, if it is there.</summary>
        public void Remove(string name) => mappings.RemoveAll(mapping => mapping.Name == name);

        /// <summary>Takes all away.</summary>
        public void Clear() => mappings.Clear();

        /// <inheritdoc/>
        public IEnumerator<ServiceMapping> GetEnumerator() => mappings.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        bool ICollection<ServiceMapping>.Contains(ServiceMapping item) => mappings.Contains(item);

        void ICollection<ServiceMapping>.CopyTo(ServiceMapping[] array, int arrayIndex) =>
            mappings.CopyTo(array, arrayIndex);

        bool ICollection<ServiceMapping>.Remove(ServiceMapping item) => mappings.Remove(item);
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Registers ASP.NET's health checks for grpc.health.v1.</summary>
    public static class GrpcHealthChecksServiceExtensions
    {
        /// <summary>Lets all checks tell of the server.</summary>
        public static IHealthChecksBuilder AddGrpcHealthChecks(this IServiceCollection services)
        {
            ArgumentNullException.ThrowIfNull(services);
            services.Configure<GrpcHealthChecksOptions>(options => options.Services.Map("", _ => true));
            services.AddSingleton<HealthChecks>();
            services.AddSingleton<IHealthCheckPublisher>(provider => provider.GetRequiredService<HealthChecks>());
            return services.AddHealthChecks();
        }

        /// <summary>Lets checks tell of the services that are configured.</summary>
        public static IHealthChecksBuilder AddGrpcHealthChecks(
            this IServiceCollection services, Action<GrpcHealthChecksOptions> configure)
        {
            IHealthChecksBuilder builder = services.AddGrpcHealthChecks();
            services.Configure(configure);
            return builder;
        }
    }
}
