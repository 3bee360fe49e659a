using System.IO.Pipelines;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc;

/// One call: who may still write to it, how long it may take, and how it ends.
internal sealed class ServerCall(
    HttpContext http, RpcMethod method, RpcProtocol protocol, RpcServerOptions options, TimeProvider time, ILogger log)
    : HandlerContext(http, method), IServerCallContextFeature, IDisposable
{
    private const int Http2NoError = 0;
    private const int Http2Cancel = 8;

    // How long a call that is ended early waits for a write that its client does not take.
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(1);

    // What is more than Kestrel would keep by itself is waited for here, where the wait has an end.
    private const int UnflushedBytesMax = 32 * 1024;

    private CallLife? life;
    private WriteTurn turn;
    private DateTime deadline = DateTime.MaxValue;
    private bool isWaitedFor;
    private CancellationTokenRegistration drain;
    private Task? ended;
    private bool headersSent;

    // Kestrel takes what nobody will read as well: a handler that does not look at its token would not end.
    private bool isUnread;

    public RpcProtocol Protocol => protocol;

    public CallPolicy Policy => Called.Policy;

    /// What ended the call before its handler did.
    public CallEnd? CancelledBy =>
        life is not null ? life.Cause : Http.RequestAborted.IsCancellationRequested ? CallEnd.Cancelled : null;

    /// Whether the deadline that stands, if one does, is the server's own.
    public bool HasDefaultDeadline { get; private set; } = true;

    ServerCallContext IServerCallContextFeature.ServerCallContext => this;

    protected override DateTime DeadlineCore => deadline;

    protected override CancellationToken CancellationTokenCore => Life.Token;

    private CallLife Life =>
        life ?? Interlocked.CompareExchange(ref life, new CallLife(this, Http.RequestAborted, time), null) ?? life;

    /// Lets the call take no longer; a time that is over already is refused.
    public void Bound(TimeSpan? timeout, bool isDefault)
    {
        if (timeout is not { } bound)
        {
            return;
        }

        if (bound <= TimeSpan.Zero)
        {
            throw new RpcException(CallEnd.DeadlineExceeded.Status);
        }

        HasDefaultDeadline = isDefault;
        DateTime now = time.GetUtcNow().UtcDateTime;
        deadline = bound < DateTime.MaxValue - now ? now + bound : DateTime.MaxValue;

        // The server's own deadline is for calls that take their time: most are over before it is waited for.
        if (!isDefault || Volatile.Read(ref isWaitedFor))
        {
            Life.Arm();
        }
    }

    /// Waits for the deadline: the handler has begun, and goes on elsewhere.
    public void WaitForDeadline()
    {
        Volatile.Write(ref isWaitedFor, true);
        if (deadline != DateTime.MaxValue)
        {
            Life.Arm();
        }
    }

    /// Ends the call when the token fires.
    public void EndOn(CancellationToken stopping, Func<CallEnd> end) =>
        drain = stopping.Register(() => EndEarly(end()));

    /// Leaves it to the handler to end the call when the server stops.
    public void KeepThroughDrain() => drain.Dispose();

    /// Waits for what the caller has to send: a request that is one message, or the rest of one that has begun.
    public ValueTask<T> WithinReadTimeAsync<T>(ValueTask<T> pending) =>
        WithinAsync(pending, options.RequestReadTimeMax, static call => call.EndEarly(CallEnd.RequestLate));

    /// Writes to the response, when it is this writer's turn. Most writes are taken at once, and cost no more than
    /// they have to.
    public Task WriteAsync(object message, CancellationToken cancellationToken)
    {
        WriteFlags flags = Flags;
        return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken)
            : turn.TryTake() ? WriteInTurnAsync(message, flags, cancellationToken)
            : WaitAsync();

        async Task WaitAsync()
        {
            await turn.TakeAsync(options.WaitingWritesMax, cancellationToken);
            await WriteInTurnAsync(message, flags, cancellationToken);
        }
    }

    /// Says how the call ended, unless that has been said, and returns what is said. A message that cannot be written
    /// changes the end.
    public ValueTask<StatusCode> EndAsync(CallEnd end, object? response)
    {
        if (Interlocked.CompareExchange(ref ended, Task.CompletedTask, null) is { } early)
        {
            return WasToldAsync(early, end);
        }

        life?.StopTimer();
        if (!turn.TryTake())
        {
            return WaitForWritersAsync(end, response);
        }

        turn.Release();
        return FinishAsync(end, response);
    }

    private async ValueTask<StatusCode> WasToldAsync(Task early, CallEnd end)
    {
        await early;
        return CancelledBy?.Status.StatusCode ?? end.Status.StatusCode;
    }

    private async ValueTask<StatusCode> WaitForWritersAsync(CallEnd end, object? response)
    {
        await WithinAsync(LastTurnAsync(default), options.StalledWriteMax, static call => call.Cut());
        return await FinishAsync(end, response);
    }

    private ValueTask<StatusCode> FinishAsync(CallEnd end, object? response)
    {
        if (life?.Cause is { } cause)
        {
            // Whoever stopped the call came too late to tell of it: its handler was that quick to end.
            (end, response) = (cause, null);
        }

        if (response is not null && end.Status.StatusCode == StatusCode.OK)
        {
            try
            {
                Called.WriteResponse(protocol, response, MayCompress);
            }
            catch (Exception exception)
            {
                end = Faults.EndOf(exception, this, log);
            }
        }

        ValueTask telling = TellAsync(end);
        return telling.IsCompletedSuccessfully && !HasMuch(Http.Response.BodyWriter)
            ? new(end.Status.StatusCode)
            : SendAsync(telling, end.Status.StatusCode);
    }

    private async ValueTask<StatusCode> SendAsync(ValueTask telling, StatusCode code)
    {
        await telling;
        PipeWriter body = Http.Response.BodyWriter;
        if (HasMuch(body))
        {
            await WithinAsync(body.FlushAsync(), options.StalledWriteMax, static call => call.Cut());
        }

        return code;
    }

    private static bool HasMuch(PipeWriter body) =>
        body.CanGetUnflushedBytes && body.UnflushedBytes > UnflushedBytesMax;

    /// Ends the call while its handler runs: its token fires, its caller is told, its stream is closed for good.
    public void EndEarly(CallEnd end)
    {
        if (!Life.Stop(end))
        {
            return;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref ended, done.Task, null) is null)
        {
            _ = EndEarlyAsync(end, done);
        }
    }

    public void Dispose()
    {
        drain.Dispose();
        life?.Dispose();
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        await turn.TakeAsync(options.WaitingWritesMax, default);
        try
        {
            ThrowIfEnded();
            if (headersSent)
            {
                throw new InvalidOperationException("Response headers can only be sent once per call.");
            }

            headersSent = true;
            await protocol.SendHeadersAsync(responseHeaders);
        }
        finally
        {
            turn.Release();
        }
    }

    /// Waits for what the call's caller has to do, and does something else where that takes too long.
    private ValueTask<T> WithinAsync<T>(ValueTask<T> pending, TimeSpan? max, Action<ServerCall> late)
    {
        return pending.IsCompleted || max is null ? pending : WaitAsync(pending, max.Value, late);

        async ValueTask<T> WaitAsync(ValueTask<T> pending, TimeSpan max, Action<ServerCall> late)
        {
            await using ITimer timer = time.CreateTimer(_ => late(this), null, max, Timeout.InfiniteTimeSpan);
            return await pending;
        }
    }

    /// Closes the call's stream, or where it has none its connection, without a word.
    private void Cut(int error = Http2Cancel)
    {
        if (Http.Features.Get<IHttpResetFeature>() is { } stream)
        {
            stream.Reset(error);
        }
        else
        {
            Http.Abort();
        }
    }

    private async Task EndEarlyAsync(CallEnd end, TaskCompletionSource done)
    {
        // A caller that was told of a stop keeps what it was told; every other end is a cut.
        int reset = Http2Cancel;
        bool told = false;
        try
        {
            // Here, where nothing thrown gets out: the stream may be gone by now.
            protocol.StopReading();
            using var grace = new CancellationTokenSource(EndGrace, time);
            await LastTurnAsync(grace.Token);
            await TellAsync(end);
            await Http.Response.CompleteAsync().WaitAsync(grace.Token);
            told = true;
            reset = end.Status.StatusCode == StatusCode.Unavailable ? Http2NoError : Http2Cancel;
        }
        catch (Exception exception)
        {
            // A client that does not read cannot be told; a reset reaches it all the same.
            CallLog.EndNotTold(log, exception, Method);
        }
        finally
        {
            // Over HTTP/1.1 the end of what is told is the end of the call.
            if (!told || Http.Features.Get<IHttpResetFeature>() is not null)
            {
                Cut(reset);
            }

            done.SetResult();
        }
    }

    /// Waits for who is writing. Those who come after see that the call has ended, and do not wait for ever.
    private async ValueTask<bool> LastTurnAsync(CancellationToken cancellationToken)
    {
        await turn.TakeAsync(int.MaxValue, cancellationToken);
        turn.Release();
        return true;
    }

    private Task WriteInTurnAsync(object message, WriteFlags flags, CancellationToken cancellationToken)
    {
        bool compress = (flags & WriteFlags.NoCompress) == 0;
        ValueTask<bool> flush;
        try
        {
            ThrowIfEnded();
            if (message is IEncodedMessage encoded)
            {
                protocol.WriteEncoded(encoded, compress);
            }
            else
            {
                Called.WriteResponse(protocol, message, compress);
            }

            headersSent = true;
            // The call's own token must not cancel a flush: that would reset the call before its status is told.
            flush = (flags & WriteFlags.BufferHint) != 0 && protocol.UnflushedBytes <= UnflushedBytesMax
                ? default
                : protocol.FlushAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            flush = ValueTask.FromException<bool>(exception);
        }

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
                isUnread |= await WithinAsync(
                    flush, options.StalledWriteMax, static call => call.EndEarly(CallEnd.ReaderStalled));
            }
            finally
            {
                turn.Release();
            }
        }
    }

    /// Trailers that cannot be carried must not hide how the call ended: they become its end.
    private ValueTask TellAsync(CallEnd end)
    {
        Metadata? trailers = CallMetadata.Join(TrailersSet, end.Trailers);
        return trailers is null ? protocol.EndAsync(end.Status, null) : TellWithAsync(trailers);

        async ValueTask TellWithAsync(Metadata trailers)
        {
            try
            {
                await protocol.EndAsync(end.Status, trailers);
            }
            catch (RpcException exception)
            {
                await protocol.EndAsync(end.Status.StatusCode == StatusCode.OK ? exception.Status : end.Status, null);
            }
        }
    }

    private void ThrowIfEnded()
    {
        if (ended is null && !isUnread)
        {
            return;
        }

        life?.Token.ThrowIfCancellationRequested();
        throw ended is null
            ? new ConnectionAbortedException("The caller has gone away.")
            : new InvalidOperationException("Can't write the message because the request is complete.");
    }
}
