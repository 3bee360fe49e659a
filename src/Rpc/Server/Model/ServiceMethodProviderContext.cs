using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Squall.Rpc;

namespace Grpc.AspNetCore.Server.Model;

/// <summary>
/// Takes the methods of a service class, and makes each one that can be called: with an instance of the service, and
/// the interceptors around it.
/// </summary>
public class ServiceMethodProviderContext<TService>
    where TService : class
{
    private readonly CallPolicy policy;
    private readonly PerCall<TService> service;
    private readonly List<PerCall<Interceptor>> interceptors;

    internal ServiceMethodProviderContext(IServiceProvider root, CallPolicy policy, object? argument)
    {
        this.policy = policy;
        Argument = argument;
        service = PerCall.OfService<TService>(root, policy.SuppressCreatingService);
        interceptors = [.. policy.Interceptors.Reverse().Select(
            registration => PerCall.OfInterceptor(root, registration))];
    }

    /// <summary>What was given when the service was mapped; null: nothing.</summary>
    public object? Argument { get; }

    internal List<RpcMethod> Methods { get; } = [];

    internal List<RequestMethod> RequestMethods { get; } = [];

    /// <summary>Adds a unary method.</summary>
    public void AddUnaryMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        IList<object> metadata,
        UnaryServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class =>
        AddUnaryMethod(method, metadata, invoker, hasNoSideEffects: false);

    /// <summary>Adds a client-streaming method.</summary>
    public void AddClientStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        IList<object> metadata,
        ClientStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        ClientStreamingServerMethod<TRequest, TResponse> handler = (requests, context) => service.UseAsync(
            context.GetHttpContext(),
            (invoker, requests, context),
            static (instance, call) => call.invoker(instance, call.requests, call.context));
        foreach (PerCall<Interceptor> interceptor in interceptors)
        {
            ClientStreamingServerMethod<TRequest, TResponse> next = handler;
            handler = (requests, context) => interceptor.UseAsync(
                context.GetHttpContext(),
                (requests, context, next),
                static (instance, call) =>
                    instance.ClientStreamingServerHandler(call.requests, call.context, call.next));
        }

        Methods.Add(new ClientStreamingMethod<TRequest, TResponse>(method, policy, [.. metadata], handler));
    }

    /// <summary>Adds a server-streaming method.</summary>
    public void AddServerStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        IList<object> metadata,
        ServerStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        ServerStreamingServerMethod<TRequest, TResponse> handler = (request, responses, context) => service.UseAsync(
            context.GetHttpContext(),
            (invoker, request, responses, context),
            static (instance, call) => call.invoker(instance, call.request, call.responses, call.context));
        foreach (PerCall<Interceptor> interceptor in interceptors)
        {
            ServerStreamingServerMethod<TRequest, TResponse> next = handler;
            handler = (request, responses, context) => interceptor.UseAsync(
                context.GetHttpContext(),
                (request, responses, context, next),
                static (instance, call) =>
                    instance.ServerStreamingServerHandler(call.request, call.responses, call.context, call.next));
        }

        Methods.Add(new ServerStreamingMethod<TRequest, TResponse>(method, policy, [.. metadata], handler));
    }

    /// <summary>Adds a duplex method.</summary>
    public void AddDuplexStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        IList<object> metadata,
        DuplexStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        DuplexStreamingServerMethod<TRequest, TResponse> handler = (requests, responses, context) => service.UseAsync(
            context.GetHttpContext(),
            (invoker, requests, responses, context),
            static (instance, call) => call.invoker(instance, call.requests, call.responses, call.context));
        foreach (PerCall<Interceptor> interceptor in interceptors)
        {
            DuplexStreamingServerMethod<TRequest, TResponse> next = handler;
            handler = (requests, responses, context) => interceptor.UseAsync(
                context.GetHttpContext(),
                (requests, responses, context, next),
                static (instance, call) =>
                    instance.DuplexStreamingServerHandler(call.requests, call.responses, call.context, call.next));
        }

        Methods.Add(new DuplexMethod<TRequest, TResponse>(method, policy, [.. metadata], handler));
    }

    /// <summary>Adds what serves a method's requests by itself, at a path of its own.</summary>
    public void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, RoutePattern pattern, IList<object> metadata, RequestDelegate invoker)
        where TRequest : class
        where TResponse : class =>
        RequestMethods.Add(new RequestMethod(method, pattern, [.. metadata], invoker));

    internal void AddUnaryMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        IList<object> metadata,
        UnaryServerMethod<TService, TRequest, TResponse> invoker,
        bool hasNoSideEffects)
        where TRequest : class
        where TResponse : class
    {
        UnaryServerMethod<TRequest, TResponse> handler = service.IsSingle
            ? (request, context) => invoker(service.Single, request, context)
            : (request, context) => service.UseAsync(
                context.GetHttpContext(),
                (invoker, request, context),
                static (instance, call) => call.invoker(instance, call.request, call.context));
        foreach (PerCall<Interceptor> interceptor in interceptors)
        {
            handler = interceptor.IsSingle ? Around(interceptor, handler) : AroundEach(interceptor, handler);
        }

        Methods.Add(new UnaryMethod<TRequest, TResponse>(method, policy, [.. metadata], handler)
        {
            HasNoSideEffects = hasNoSideEffects,
        });
    }

    private static UnaryServerMethod<TRequest, TResponse> AroundEach<TRequest, TResponse>(
        PerCall<Interceptor> interceptor, UnaryServerMethod<TRequest, TResponse> next)
        where TRequest : class
        where TResponse : class =>
        (request, context) => interceptor.UseAsync(
            context.GetHttpContext(),
            (request, context, next),
            static (instance, call) => instance.UnaryServerHandler(call.request, call.context, call.next));

    /// A generic method that is virtual is looked up at each call, unless that has been done.
    private static UnaryServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(
        PerCall<Interceptor> interceptor, UnaryServerMethod<TRequest, TResponse> next)
        where TRequest : class
        where TResponse : class
    {
        Func<TRequest, ServerCallContext, UnaryServerMethod<TRequest, TResponse>, Task<TResponse>>? found = null;
        return (request, context) =>
            (found ??= interceptor.Single.UnaryServerHandler<TRequest, TResponse>)(request, context, next);
    }
}

/// A method whose requests somebody else serves.
internal sealed record RequestMethod(
    IMethod Definition, RoutePattern Pattern, IReadOnlyList<object> Metadata, RequestDelegate Invoker);
