using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Primitives;

namespace Squall.Server;

/// <summary>
/// Lets calls in: (1) what the resolved method needs, (2) no secret over clear text, (3) who calls, if it asks for
/// that, (4) not too often, (5) whether this version has the method. The handler finds the caller by
/// <see cref="Caller.Of"/>; what it refuses, or the gate does, is noted.
/// </summary>
internal sealed class Gate(
    Sessions sessions, RequestRates rates, KeyUses keyUses, Refusals refusals, Origins origins) : Interceptor
{
    private const string Scheme = "Bearer ";

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ValueTask entering = EnterAsync(context);
        Task<TResponse>? running = null;
        if (entering.IsCompletedSuccessfully)
        {
            try
            {
                running = continuation(request, context);
            }
            catch (RpcException refused)
            {
                refusals.Note(context, refused);
                throw;
            }

            // Of a call that is done there is nothing to wait for.
            if (running.IsCompletedSuccessfully)
            {
                return running;
            }
        }

        return WaitAsync(entering, running, request, context, continuation);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await EnterAsync(context);
            return await continuation(requestStream, context);
        }
        catch (RpcException refused)
        {
            refusals.Note(context, refused);
            throw;
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await EnterAsync(context);
            await continuation(request, responseStream, context);
        }
        catch (RpcException refused)
        {
            refusals.Note(context, refused);
            throw;
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await EnterAsync(context);
            await continuation(requestStream, responseStream, context);
        }
        catch (RpcException refused)
        {
            refusals.Note(context, refused);
            throw;
        }
    }

    // No closure, which each call would pay for.
    private async Task<TResponse> WaitAsync<TRequest, TResponse>(
        ValueTask entering,
        Task<TResponse>? running,
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation)
        where TRequest : class
        where TResponse : class
    {
        try
        {
            await entering;
            return await (running ?? continuation(request, context));
        }
        catch (RpcException refused)
        {
            refusals.Note(context, refused);
            throw;
        }
    }

    private ValueTask EnterAsync(ServerCallContext context)
    {
        // What needs nothing waits for nothing, and costs no state machine.
        Need need = Needs.Of(context.Method);
        return need is { Proof: Proof.Nothing, HasSecret: false, IsLater: false }
            ? ValueTask.CompletedTask
            : EnterAsync(context, need);
    }

    private async ValueTask EnterAsync(ServerCallContext context, Need need)
    {
        if (need.HasSecret || need.Proof != Proof.Nothing)
        {
            origins.RequirePrivate(context);
        }

        if (need.Proof != Proof.Nothing)
        {
            string token = TokenOf(context.GetHttpContext().Request.Headers.Authorization);
            Caller caller = await sessions.AuthenticateAsync(token, need, context.CancellationToken);
            Origin origin = origins.Of(context);
            caller.Origin = origin;
            caller.Attach(context);
            keyUses.Note(caller);
            rates.Count(caller.AccountId, origin);
            RequireReach(need, caller.Key);
        }

        if (need.IsLater)
        {
            throw Fault.NotYet();
        }
    }

    private static void RequireReach(Need need, KeyReach? key)
    {
        if (key is not null && need.Proof == Proof.Session)
        {
            throw Fault.Denied("SESSION_REQUIRED", "This needs a session: an API key does not do.");
        }

        if (key is { CreatesLists: false } && need.CreatesLists)
        {
            throw Fault.Denied(
                "KEY_LIMITED", "An API key that names task lists, or has a role below owner, creates no task lists.");
        }
    }

    private static string TokenOf(StringValues header) => header switch
    {
        [] => throw Fault.Unauthenticated("TOKEN_MISSING", "This call needs an access token."),
        [{ } one] when one.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) => one[Scheme.Length..].Trim(),
        _ => throw Garbled(),
    };

    private static RpcException Garbled() =>
        Fault.Unauthenticated("TOKEN_INVALID", "The header \"authorization\" is not of the form \"Bearer <token>\".");
}
