using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// What a channel does by itself for the calls of some methods.
public sealed class ServiceConfig
{
    public IList<MethodConfig> MethodConfigs { get; } = [];

    /// Null: what fails is tried again however much fails.
    public RetryThrottlingPolicy? RetryThrottling { get; set; }

    /// The entry that names the method; else its service; else the one for all.
    internal MethodConfig? Find(IMethod method) =>
        Find(method.ServiceName, method.Name) ?? Find(method.ServiceName, null) ?? Find(null, null);

    /// Throws where a policy makes no sense, before any call is held to it.
    internal void Check()
    {
        RetryThrottling?.Check();
        foreach (MethodConfig config in MethodConfigs)
        {
            config.Check();
        }
    }

    private MethodConfig? Find(string? service, string? method) => MethodConfigs.FirstOrDefault(
        config => config.Names.Any(name => Same(name.Service, service) && Same(name.Method, method)));

    private static bool Same(string? one, string? other) => (one ?? "") == (other ?? "");
}

/// What is done for the methods that it names.
public sealed class MethodConfig
{
    public IList<MethodName> Names { get; } = [];

    /// Null: each call is tried once.
    public RetryPolicy? RetryPolicy { get; set; }

    /// Not offered: a channel with one is refused.
    public HedgingPolicy? HedgingPolicy { get; set; }

    internal void Check()
    {
        if (HedgingPolicy is not null)
        {
            throw new NotSupportedException("Hedging is not offered: use a RetryPolicy.");
        }

        RetryPolicy?.Check();
    }
}

/// Names a method; without Method a whole service; without either, everything.
public sealed class MethodName
{
    public static readonly MethodName Default = new();

    public string? Service { get; set; }

    public string? Method { get; set; }
}
