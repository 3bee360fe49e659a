using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;

namespace Squall.Rpc;

/// What a call's handler writes: one message at a time, in the order in which they were asked for, each sent at once or
/// held for those that come right after it. All that most writes look at is here, close together: with ten thousand
/// streams, what a write costs is how much memory it visits.
internal class CallOutput(ServerCall call, RpcMethod method, RpcProtocol protocol)
{
    // What is more than Kestrel would keep by itself is waited for here, where the wait has an end.
    public const int WaitingBytesMax = 32 * 1024;

    private WriteTurn turn;
    private HandlerFlow? flow;
    private bool isClosed;
    private bool headersSent;

    // Where encoded messages go as they are; null: they do not.
    private readonly PipeWriter? plain = protocol.Plain;

    // Whether the protocol holds what is written, and whether any of that waits for the handler to give its thread
    // away. Changed by whoever has the turn.
    private bool isHolding;
    private bool isHeld;

    // Kestrel takes what nobody will read as well: a handler that does not look at its token would not end.
    private bool isUnread;

    /// What holds for the next message.
    public WriteFlags Flags { get; set; }

    protected ServerCall Call => call;

    /// Writes to the response, when it is this writer's turn. Most writes are taken at once, and cost no more than
    /// they have to.
    public Task WriteAsync(object message, CancellationToken cancellationToken)
    {
        WriteFlags flags = Flags;
        return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken)
            : turn.TryTake() ? WriteInTurnAsync(message, flags, cancellationToken)
            : WaitForTurnAsync(message, flags, cancellationToken);
    }

    public async Task SendHeadersAsync(Metadata headers)
    {
        await turn.TakeAsync(call.WaitingWritesMax, default);
        try
        {
            ThrowIfClosed();
            if (headersSent)
            {
                throw new InvalidOperationException("Response headers can only be sent once per call.");
            }

            headersSent = true;
            await protocol.SendHeadersAsync(headers);
        }
        finally
        {
            turn.Release();
        }
    }

    /// Lets messages that the handler writes in one go be sent together. To be called where HandlerFlow.Enter may be.
    public void EnterFlow(TimeProvider time) => (flow = new HandlerFlow(this, time)).Enter();

    public void LeaveFlow() => flow?.Dispose();

    /// Sends what is held. False: somebody else writes, and may hold more.
    public bool TrySendHeld()
    {
        if (!Volatile.Read(ref isHeld))
        {
            return true;
        }

        if (!turn.TryTake())
        {
            return false;
        }

        ValueTask<bool> flush = default;
        if (!isClosed)
        {
            isHeld = false;
            try
            {
                flush = protocol.FlushAsync(default);
            }
            catch (Exception exception)
            {
                flush = ValueTask.FromException<bool>(exception);
            }
        }

        Task sending = SentAsync(flush);
        if (!sending.IsCompletedSuccessfully)
        {
            _ = NotedAsync(sending);
        }

        return true;

        // Whoever writes next is told that the client has gone.
        async Task NotedAsync(Task sending)
        {
            try
            {
                await sending;
            }
            catch (Exception)
            {
                isUnread = true;
            }
        }
    }

    /// Takes no more. Whoever is writing goes on.
    public void Close() => Volatile.Write(ref isClosed, true);

    /// Whether nobody is writing. To be asked when it is closed.
    public bool IsIdle()
    {
        if (!turn.TryTake())
        {
            return false;
        }

        turn.Release();
        return true;
    }

    /// Waits for who is writing. Those who come after see that it is closed, and do not wait for ever.
    public async ValueTask<bool> LastTurnAsync(CancellationToken cancellationToken)
    {
        await turn.TakeAsync(int.MaxValue, cancellationToken);
        turn.Release();
        return true;
    }

    // No closure, which each write would pay for.
    private async Task WaitForTurnAsync(object message, WriteFlags flags, CancellationToken cancellationToken)
    {
        await turn.TakeAsync(call.WaitingWritesMax, cancellationToken);
        await WriteInTurnAsync(message, flags, cancellationToken);
    }

    private Task WriteInTurnAsync(object message, WriteFlags flags, CancellationToken cancellationToken)
    {
        bool compress = (flags & WriteFlags.NoCompress) == 0;
        bool isHinted = (flags & WriteFlags.BufferHint) != 0;
        ValueTask<bool> flush;
        try
        {
            ThrowIfClosed();
            bool mayWait = isHinted || flow is not null && flow.MayHold();
            if (mayWait != isHolding)
            {
                protocol.Hold(isHolding = mayWait);
            }

            if (message is IEncodedMessage encoded)
            {
                if (!mayWait && TryWritePlain(encoded, cancellationToken, out flush))
                {
                    isHeld = false;
                    return SentAsync(flush);
                }

                protocol.WriteEncoded(encoded, compress);
            }
            else
            {
                method.WriteResponse(protocol, message, compress);
            }

            headersSent = true;
            bool waits = mayWait && protocol.HeldBytes <= WaitingBytesMax;
            isHeld = waits && (isHeld || !isHinted);
            // The call's own token must not cancel a flush: that would reset the call before its status is told.
            flush = waits ? default : protocol.FlushAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            flush = ValueTask.FromException<bool>(exception);
        }

        return SentAsync(flush);
    }

    /// Sends a message that nothing is to be done to past the protocol, which is an object less to visit.
    private bool TryWritePlain(IEncodedMessage message, CancellationToken cancellationToken, out ValueTask<bool> flush)
    {
        ReadOnlyMemory<byte> frame = message.Frame;
        if (plain is null || frame.Length - Frame.HeaderBytes > method.Policy.SendBytesMax)
        {
            flush = default;
            return false;
        }

        if (!headersSent)
        {
            protocol.Begin();
            headersSent = true;
        }

        plain.Write(frame.Span);
        flush = RpcProtocol.FlushAsync(plain, cancellationToken);
        return true;
    }

    /// Gives the turn away, as soon as the client has taken what was sent.
    private Task SentAsync(ValueTask<bool> flush)
    {
        if (!flush.IsCompletedSuccessfully)
        {
            return WaitAsync(flush);
        }

        isUnread |= flush.Result;
        turn.Release();
        return Task.CompletedTask;

        async Task WaitAsync(ValueTask<bool> flush)
        {
            try
            {
                isUnread |= await call.WithinWriteTimeAsync(flush);
            }
            finally
            {
                turn.Release();
            }
        }
    }

    private void ThrowIfClosed()
    {
        if (!isClosed && !isUnread)
        {
            return;
        }

        call.ThrowIfCancelled();
        throw isClosed
            ? new InvalidOperationException("Can't write the message because the request is complete.")
            : new ConnectionAbortedException("The caller has gone away.");
    }
}
