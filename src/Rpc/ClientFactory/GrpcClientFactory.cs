using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.Net.ClientFactory;

/// <summary>Makes the clients that were registered, by their names.</summary>
public abstract class GrpcClientFactory
{
    /// <summary>A client; its channel is shared by all of its name.</summary>
    public abstract TClient CreateClient<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(string name)
        where TClient : class;
}

/// The channels, one a name, and the clients over them.
internal sealed class ChannelFactory(
    IServiceProvider root, IHttpMessageHandlerFactory handlers, IOptionsMonitor<GrpcClientFactoryOptions> options)
    : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<(GrpcChannel Channel, CallInvoker Invoker)>> channels =
        new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<Type, ObjectFactory> constructors = new();

    public TClient Create<TClient>(string name, IServiceProvider services)
        where TClient : class
    {
        GrpcClientFactoryOptions client = options.Get(name);
        CallInvoker invoker = channels.GetOrAdd(name, key => new(() => Open(key))).Value.Invoker;
        if (client.CallOptionsActions.Count > 0)
        {
            invoker = invoker.Intercept(new CallOptionsInterceptor(client.CallOptionsActions, services));
        }

        invoker = Intercept(invoker, client, InterceptorScope.Client, services);
        if (client.Creator is null)
        {
            return (TClient)constructors.GetOrAdd(typeof(TClient), type => ActivatorUtilities.CreateFactory(
                type, [typeof(CallInvoker)]))(services, [invoker]);
        }

        return client.Creator(invoker) as TClient ?? throw new InvalidOperationException(
            $"The creator of {name} made no {typeof(TClient)}.");
    }

    public void Dispose()
    {
        foreach (Lazy<(GrpcChannel Channel, CallInvoker Invoker)> opened in channels.Values)
        {
            if (opened.IsValueCreated)
            {
                opened.Value.Channel.Dispose();
            }
        }
    }

    private (GrpcChannel Channel, CallInvoker Invoker) Open(string name)
    {
        GrpcClientFactoryOptions client = options.Get(name);
        var channel = new GrpcChannelOptions
        {
            LoggerFactory = root.GetService<ILoggerFactory>(),
            ServiceProvider = root,
            HttpHandler = handlers.CreateHandler(name),
        };
        foreach (Action<GrpcChannelOptions> configure in client.ChannelOptionsActions)
        {
            configure(channel);
        }

        Uri address = client.Address ?? throw new InvalidOperationException(
            $"The gRPC client {name} has no address: set GrpcClientFactoryOptions.Address.");
        GrpcChannel opened = GrpcChannel.ForAddress(address, channel);
        return (opened, Intercept(opened.CreateCallInvoker(), client, InterceptorScope.Channel, root));
    }

    /// Those that were registered first see a call first.
    private static CallInvoker Intercept(
        CallInvoker invoker, GrpcClientFactoryOptions client, InterceptorScope scope, IServiceProvider services) =>
        client.InterceptorRegistrations.Where(registration => registration.Scope == scope).Reverse().Aggregate(
            invoker, (inner, registration) => inner.Intercept(registration.Creator(services)));
}

internal sealed class DefaultClientFactory(ChannelFactory channels, IServiceProvider services) : GrpcClientFactory
{
    public override TClient CreateClient<TClient>(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return services.GetServices<ClientName>().Any(known => known.Name == name && known.Client == typeof(TClient))
            ? channels.Create<TClient>(name, services)
            : throw new InvalidOperationException(
                $"There is no gRPC client {typeof(TClient)} with the name {name}: add it with AddGrpcClient.");
    }
}

/// What was registered.
internal sealed record ClientName(string Name, Type Client);
