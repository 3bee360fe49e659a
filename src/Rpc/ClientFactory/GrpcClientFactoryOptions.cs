using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Grpc.Net.ClientFactory;

/// <summary>How the clients of a name are made.</summary>
public class GrpcClientFactoryOptions
{
    /// <summary>The server's address.</summary>
    public Uri? Address { get; set; }

    /// <summary>What configures the channel.</summary>
    public IList<Action<GrpcChannelOptions>> ChannelOptionsActions { get; } = [];

    /// <summary>What configures each call.</summary>
    public IList<Action<CallOptionsContext>> CallOptionsActions { get; } = [];

    /// <summary>The interceptors, the first outermost.</summary>
    public IList<InterceptorRegistration> InterceptorRegistrations { get; } = [];

    /// <summary>What makes a client, in place of its constructor.</summary>
    public Func<CallInvoker, object>? Creator { get; set; }
}

/// <summary>For how long an interceptor lives.</summary>
public enum InterceptorScope
{
    /// <summary>As long as the channel: one for all clients of a name.</summary>
    Channel,

    /// <summary>As long as one client.</summary>
    Client,
}

/// <summary>An interceptor that is made when its channel or its client is.</summary>
public class InterceptorRegistration
{
    /// <summary>Registers what makes an interceptor.</summary>
    public InterceptorRegistration(InterceptorScope scope, Func<IServiceProvider, Interceptor> creator)
    {
        ArgumentNullException.ThrowIfNull(creator);
        Scope = scope;
        Creator = creator;
    }

    /// <summary>For how long it lives.</summary>
    public InterceptorScope Scope { get; }

    /// <summary>What makes it.</summary>
    public Func<IServiceProvider, Interceptor> Creator { get; }
}

/// <summary>The options of one call, for a configuration to change.</summary>
public sealed class CallOptionsContext
{
    internal CallOptionsContext(CallOptions callOptions, IServiceProvider serviceProvider)
    {
        CallOptions = callOptions;
        ServiceProvider = serviceProvider;
    }

    /// <summary>The options.</summary>
    public CallOptions CallOptions { get; set; }

    /// <summary>The services that the client was made from.</summary>
    public IServiceProvider ServiceProvider { get; }
}
