using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Squall.Rpc;

/// Adds each method that a generated service announces. The delegates are made once, here: a call needs no reflection.
internal sealed class ServiceBinder<TService>(
    ServiceMethodProviderContext<TService> methods, ServiceDescriptor? descriptor) : ServiceBinderBase
    where TService : class
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var target = Bind<UnaryServerMethod<TService, TRequest, TResponse>>(method.Name, out object[] notes);
        MethodOptions? options = descriptor?.FindMethodByName(method.Name)?.GetOptions();
        bool hasNoSideEffects = options?.IdempotencyLevel == MethodOptions.Types.IdempotencyLevel.NoSideEffects;
        methods.AddUnaryMethod(method, notes, target, hasNoSideEffects);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var target = Bind<ClientStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, out object[] notes);
        methods.AddClientStreamingMethod(method, notes, target);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var target = Bind<ServerStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, out object[] notes);
        methods.AddServerStreamingMethod(method, notes, target);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var target = Bind<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, out object[] notes);
        methods.AddDuplexStreamingMethod(method, notes, target);
    }

    /// Finds the service's own method of this name and the delegate's parameters; a virtual one is called as such.
    private static TDelegate Bind<TDelegate>(string name, out object[] notes)
        where TDelegate : Delegate
    {
        Type[] parameters = [.. typeof(TDelegate).GetMethod("Invoke")!.GetParameters()
            .Skip(1).Select(parameter => parameter.ParameterType)];
        MethodInfo method = typeof(TService).GetMethod(
            name, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance, parameters)
            ?? throw new InvalidOperationException($"{typeof(TService)} has no method {name} as its contract asks.");
        notes = [.. typeof(TService).GetCustomAttributes(inherit: true), .. method.GetCustomAttributes(inherit: true)];
        return method.CreateDelegate<TDelegate>();
    }
}

/// Adds the methods of a definition, which hold on to what serves them.
internal sealed class DefinitionBinder(ServiceMethodProviderContext<ServerServiceDefinition> methods)
    : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        methods.AddUnaryMethod(method, [], (_, request, context) => handler!(request, context));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.AddClientStreamingMethod(method, [], (_, requests, context) => handler!(requests, context));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.AddServerStreamingMethod(
            method, [], (_, request, responses, context) => handler!(request, responses, context));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.AddDuplexStreamingMethod(
            method, [], (_, requests, responses, context) => handler!(requests, responses, context));
}
