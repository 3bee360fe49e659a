using Grpc.Core;

namespace Squall.Rpc;

/// A method that can be called, of whatever kind and whatever messages.
internal abstract class RpcMethod(IMethod definition, CallPolicy policy, IReadOnlyList<object> metadata)
{
    public IMethod Definition => definition;

    public CallPolicy Policy => policy;

    /// The attributes of the service and of the method that serves, for policies to look at.
    public IReadOnlyList<object> Metadata => metadata;

    /// Whether its contract says that it changes nothing, so that it can be called by GET.
    public bool HasNoSideEffects { get; init; }

    /// Whether it may stay open for long, and is therefore told when the server stops.
    public bool IsStreaming => definition.Type != MethodType.Unary;

    /// Reads what the kind of call asks for and runs the handler. The result is the one response of a kind that has
    /// one: it is not written yet, since by then somebody else may have ended the call.
    public abstract ValueTask<object?> RunAsync(ServerCall call);

    /// Encodes a response, and returns how many bytes it has.
    public abstract int WriteResponse(RpcProtocol protocol, object response, bool compress);
}

/// What stands for a method that does not exist, so that its refusal takes the way of every call.
internal sealed class UnknownMethod(string path, CallPolicy policy)
    : RpcMethod(new Unknown(path), policy, [])
{
    public override ValueTask<object?> RunAsync(ServerCall call) => throw Refusal.Of(
        new Status(
            StatusCode.Unimplemented, $"There is no method {Definition.FullName}. Paths are case-sensitive."),
        ErrorReasons.UnknownMethod);

    public override int WriteResponse(RpcProtocol protocol, object response, bool compress) =>
        throw new NotSupportedException();

    private sealed class Unknown(string path) : IMethod
    {
        public MethodType Type => MethodType.Unary;

        public string ServiceName => "";

        public string Name => "";

        public string FullName => path;
    }
}

internal abstract class RpcMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, CallPolicy policy, IReadOnlyList<object> metadata)
    : RpcMethod(method, policy, metadata)
    where TRequest : class
    where TResponse : class
{
    protected Method<TRequest, TResponse> Method => method;

    public override int WriteResponse(RpcProtocol protocol, object response, bool compress) =>
        protocol.Write((TResponse)response, method.ResponseMarshaller, compress);

    protected static TResponse Answered(TResponse? response) => response ?? throw Refusal.Of(
        new Status(StatusCode.Cancelled, "No message returned from method."), ErrorReasons.NoResponse);
}

internal sealed class UnaryMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallPolicy policy,
    IReadOnlyList<object> metadata,
    UnaryServerMethod<TRequest, TResponse> handler) : RpcMethod<TRequest, TResponse>(method, policy, metadata)
    where TRequest : class
    where TResponse : class
{
    public override ValueTask<object?> RunAsync(ServerCall call)
    {
        ValueTask<TRequest> reading = SingleRequest.ReadAsync(call, Method.RequestMarshaller);
        if (!reading.IsCompletedSuccessfully)
        {
            return ReadAsync(reading, call);
        }

        // Most requests are here, and many handlers are done at once.
        Task<TResponse> running = handler(reading.Result, call);
        return running.IsCompletedSuccessfully ? new(Answered(running.Result)) : WaitAsync(running);
    }

    private async ValueTask<object?> ReadAsync(ValueTask<TRequest> reading, ServerCall call) =>
        Answered(await handler(await reading, call));

    private static async ValueTask<object?> WaitAsync(Task<TResponse> running) => Answered(await running);
}

internal sealed class ClientStreamingMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallPolicy policy,
    IReadOnlyList<object> metadata,
    ClientStreamingServerMethod<TRequest, TResponse> handler) : RpcMethod<TRequest, TResponse>(method, policy, metadata)
    where TRequest : class
    where TResponse : class
{
    public override async ValueTask<object?> RunAsync(ServerCall call) =>
        Answered(await handler(new RequestStream<TRequest>(call, Method.RequestMarshaller), call));
}

internal sealed class ServerStreamingMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallPolicy policy,
    IReadOnlyList<object> metadata,
    ServerStreamingServerMethod<TRequest, TResponse> handler) : RpcMethod<TRequest, TResponse>(method, policy, metadata)
    where TRequest : class
    where TResponse : class
{
    public override async ValueTask<object?> RunAsync(ServerCall call)
    {
        TRequest request = await SingleRequest.ReadAsync(call, Method.RequestMarshaller);
        await handler(request, ResponseStream<TResponse>.Of(call, this), call);
        return null;
    }
}

internal sealed class DuplexMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallPolicy policy,
    IReadOnlyList<object> metadata,
    DuplexStreamingServerMethod<TRequest, TResponse> handler) : RpcMethod<TRequest, TResponse>(method, policy, metadata)
    where TRequest : class
    where TResponse : class
{
    public override async ValueTask<object?> RunAsync(ServerCall call)
    {
        var requests = new RequestStream<TRequest>(call, Method.RequestMarshaller);
        await handler(requests, ResponseStream<TResponse>.Of(call, this), call);
        return null;
    }
}
