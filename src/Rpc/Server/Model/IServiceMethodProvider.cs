using Grpc.Core;

namespace Grpc.AspNetCore.Server.Model;

/// <summary>Tells which methods a service class has, beside or instead of those of its contract.</summary>
/// <remarks>All that are registered as a service are asked, once, when the class is mapped.</remarks>
public interface IServiceMethodProvider<TService>
    where TService : class
{
    /// <summary>Adds the methods that it knows.</summary>
    void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context);
}

/// <summary>Serves a unary call with an instance of the service.</summary>
public delegate Task<TResponse> UnaryServerMethod<TService, TRequest, TResponse>(
    TService service, TRequest request, ServerCallContext serverCallContext)
    where TService : class
    where TRequest : class
    where TResponse : class;

/// <summary>Serves a client-streaming call with an instance of the service.</summary>
public delegate Task<TResponse> ClientStreamingServerMethod<TService, TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> stream, ServerCallContext serverCallContext)
    where TService : class
    where TRequest : class
    where TResponse : class;

/// <summary>Serves a server-streaming call with an instance of the service.</summary>
public delegate Task ServerStreamingServerMethod<TService, TRequest, TResponse>(
    TService service, TRequest request, IServerStreamWriter<TResponse> stream, ServerCallContext serverCallContext)
    where TService : class
    where TRequest : class
    where TResponse : class;

/// <summary>Serves a duplex call with an instance of the service.</summary>
public delegate Task DuplexStreamingServerMethod<TService, TRequest, TResponse>(
    TService service,
    IAsyncStreamReader<TRequest> input,
    IServerStreamWriter<TResponse> output,
    ServerCallContext serverCallContext)
    where TService : class
    where TRequest : class
    where TResponse : class;
