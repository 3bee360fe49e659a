using Grpc.Core.Interceptors;

namespace Grpc.AspNetCore.Server;

/// <summary>Makes the instances of a service, and lets go of them; register one to take that over.</summary>
public interface IGrpcServiceActivator<TGrpcService>
    where TGrpcService : class
{
    /// <summary>An instance for a call, whose services these are.</summary>
    GrpcActivatorHandle<TGrpcService> Create(IServiceProvider serviceProvider);

    /// <summary>Lets go of it, after the call.</summary>
    ValueTask ReleaseAsync(GrpcActivatorHandle<TGrpcService> service);
}

/// <summary>Makes the instances of interceptors, and lets go of them.</summary>
public interface IGrpcInterceptorActivator
{
    /// <summary>An instance for a call, whose services these are.</summary>
    GrpcActivatorHandle<Interceptor> Create(
        IServiceProvider serviceProvider, InterceptorRegistration interceptorRegistration);

    /// <summary>Lets go of it, after the call.</summary>
    ValueTask ReleaseAsync(GrpcActivatorHandle<Interceptor> interceptor);
}

/// <summary>The same for one class of them; register one to take that over.</summary>
public interface IGrpcInterceptorActivator<TInterceptor> : IGrpcInterceptorActivator
    where TInterceptor : Interceptor
{
}

/// <summary>An instance, and what its activator has to know to let go of it.</summary>
public readonly struct GrpcActivatorHandle<T>(T instance, bool created, object? state)
{
    /// <summary>The instance.</summary>
    public T Instance { get; } = instance;

    /// <summary>Whether it was made for this call.</summary>
    public bool Created { get; } = created;

    /// <summary>What the activator keeps with it.</summary>
    public object? State { get; } = state;
}
