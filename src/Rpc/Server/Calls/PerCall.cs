using Grpc.AspNetCore.Server;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc;

/// Gets the instance of a service or an interceptor that serves a call.
internal static class PerCall
{
    /// None where the methods ask for none.
    public static PerCall<TService> OfService<TService>(IServiceProvider root, bool isSuppressed)
        where TService : class
    {
        if (isSuppressed)
        {
            return new PerCall<TService>(root);
        }

        return root.GetService<IGrpcServiceActivator<TService>>() is { } activator
            ? new PerCall<TService>(root, activator.Create, activator.ReleaseAsync)
            : new PerCall<TService>(root, typeof(TService));
    }

    public static PerCall<Interceptor> OfInterceptor(IServiceProvider root, InterceptorRegistration registration)
    {
        Type own = typeof(IGrpcInterceptorActivator<>).MakeGenericType(registration.Type);
        return root.GetService(own) is IGrpcInterceptorActivator activator
            ? new PerCall<Interceptor>(
                root, services => activator.Create(services, registration), activator.ReleaseAsync)
            : new PerCall<Interceptor>(root, registration.Type, [.. registration.Arguments]);
    }
}

/// The registered instance, or else a new one, which is disposed of when the call is over; or what an activator gives.
internal sealed class PerCall<T>
    where T : class
{
    private readonly Func<IServiceProvider, GrpcActivatorHandle<T>>? activate;
    private readonly Func<GrpcActivatorHandle<T>, ValueTask>? release;
    private readonly IServiceProvider root;
    private readonly Type type;
    private readonly object[] arguments = [];
    private readonly ObjectFactory? create;
    private readonly bool isRegistered;

    // A scope costs each call more than its handler may; what needs none is taken without.
    private readonly bool needsScope;
    private readonly bool isNone;
    private T? single;

    public PerCall(IServiceProvider root, Type type, params object[] arguments)
    {
        this.root = root;
        this.type = type;
        this.arguments = arguments;
        create = ActivatorUtilities.CreateFactory(type, [.. arguments.Select(argument => argument.GetType())]);
        Lifetimes lifetimes = root.GetRequiredService<Lifetimes>();
        isRegistered = arguments.Length == 0 && lifetimes.Of(type) is not null;
        IsSingle = isRegistered && lifetimes.Of(type) == ServiceLifetime.Singleton;
        needsScope = !IsSingle && (isRegistered || !lifetimes.NeedNoScope(type, arguments));
    }

    /// No instance.
    public PerCall(IServiceProvider root)
    {
        this.root = root;
        type = typeof(T);
        isNone = true;
    }

    public PerCall(
        IServiceProvider root,
        Func<IServiceProvider, GrpcActivatorHandle<T>> activate,
        Func<GrpcActivatorHandle<T>, ValueTask> release)
    {
        this.root = root;
        this.activate = activate;
        this.release = release;
        type = typeof(T);
    }

    /// Whether it is the same for all calls, and asks for nothing of theirs.
    public bool IsSingle { get; }

    public T Single => single ??= (T)root.GetRequiredService(type);

    /// Runs something with the instance. A struct for the state spares each call a closure.
    public Task<TResult> UseAsync<TState, TResult>(
        HttpContext http, TState state, Func<T, TState, Task<TResult>> use)
    {
        if (activate is not null)
        {
            return UseActivatedAsync(http, state, use);
        }

        T instance = isNone ? null! : Take(http);
        return IsOwned(instance) ? UseAndDisposeAsync(instance, state, use) : use(instance, state);
    }

    /// The same for what has no result: what waits for nothing but its handler costs a stream nothing.
    public Task UseAsync<TState>(HttpContext http, TState state, Func<T, TState, Task> use)
    {
        if (activate is not null)
        {
            return UseActivatedAsync(http, (state, use), AwaitAsync);
        }

        T instance = isNone ? null! : Take(http);
        return IsOwned(instance) ? UseAndDisposeAsync(instance, (state, use), AwaitAsync) : use(instance, state);

        static async Task<bool> AwaitAsync(T instance, (TState State, Func<T, TState, Task> Use) call)
        {
            await call.Use(instance, call.State);
            return true;
        }
    }

    private async Task<TResult> UseActivatedAsync<TState, TResult>(
        HttpContext http, TState state, Func<T, TState, Task<TResult>> use)
    {
        GrpcActivatorHandle<T> handle = activate!(http.RequestServices);
        try
        {
            return await use(handle.Instance, state);
        }
        finally
        {
            await release!(handle);
        }
    }

    private static async Task<TResult> UseAndDisposeAsync<TState, TResult>(
        T instance, TState state, Func<T, TState, Task<TResult>> use)
    {
        await using (new Owned(instance))
        {
            return await use(instance, state);
        }
    }

    private T Take(HttpContext http)
    {
        if (IsSingle)
        {
            return Single;
        }

        IServiceProvider services = needsScope ? http.RequestServices : root;
        return isRegistered ? (T)services.GetRequiredService(type) : (T)create!(services, arguments);
    }

    private bool IsOwned(T instance) => !isRegistered && (instance is IDisposable or IAsyncDisposable);

    private readonly struct Owned(T instance) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            switch (instance)
            {
                case IAsyncDisposable disposable:
                    return disposable.DisposeAsync();
                case IDisposable disposable:
                    disposable.Dispose();
                    break;
            }

            return ValueTask.CompletedTask;
        }
    }
}

/// How long the registered services live.
internal sealed class Lifetimes(IServiceCollection services)
{
    /// Null if the type is not registered.
    public ServiceLifetime? Of(Type type)
    {
        ServiceDescriptor? found = services.LastOrDefault(service =>
            !service.IsKeyedService && (service.ServiceType == type || type.IsConstructedGenericType
                && service.ServiceType == type.GetGenericTypeDefinition()));
        return found?.Lifetime;
    }

    /// Whether a new instance asks for nothing but these arguments and services that live as long as the server.
    public bool NeedNoScope(Type type, object[] arguments) =>
        type.GetConstructors() is [var constructor] && constructor.GetParameters().All(parameter =>
            arguments.Any(parameter.ParameterType.IsInstanceOfType)
            || Of(parameter.ParameterType) == ServiceLifetime.Singleton);
}
