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
    HttpContext http, RpcMethod method, RpcProtocol protocol, RpcServer server)
    : HandlerContext(http, method), IServerCallContextFeature, IDisposable
{
    private const int Http2NoError = 0;
    private const int Http2Cancel = 8;

    // How long a call that is ended early waits for a write that its client does not take.
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(1);

    private CallLife? life;
    private CallOutput? output;

    // In ticks: when the call has to be over, or below zero how long it may take, counted from when that is asked for.
    private long deadline = DateTime.MaxValue.Ticks;
    private bool isShown;
    private bool isWaitedFor;
    private CancellationTokenRegistration drain;
    private Task? ended;

    public RpcProtocol Protocol => protocol;

    public CallPolicy Policy => Called.Policy;

    /// What ended the call before its handler did.
    public CallEnd? CancelledBy =>
        life is not null ? life.Cause : Http.RequestAborted.IsCancellationRequested ? CallEnd.Cancelled : null;

    /// Whether the deadline that stands, if one does, is the server's own.
    public bool HasDefaultDeadline { get; private set; } = true;

    /// How many may wait for their turn to write.
    public int WaitingWritesMax => server.Options.WaitingWritesMax;

    ServerCallContext IServerCallContextFeature.ServerCallContext => this;

    protected override DateTime DeadlineCore => Settle();

    protected override CancellationToken CancellationTokenCore => Life.Token;

    protected override WriteOptions? WriteOptionsCore
    {
        get => base.WriteOptionsCore;
        set
        {
            base.WriteOptionsCore = value;
            output?.Flags = Flags;
        }
    }

    private CallLife Life =>
        life ?? Interlocked.CompareExchange(ref life, new(this, Http.RequestAborted, server.Time), null) ?? life;

    /// Lets the call be found in its request's features: one more costs a request as much as a small handler. Once the
    /// call is over, the request may be another's.
    public void Show()
    {
        if (!isShown && Volatile.Read(ref ended) is null)
        {
            isShown = true;
            Http.Features[typeof(IServerCallContextFeature)] = this;
        }
    }

    /// Lets the call take no longer; a time that is over already is refused.
    public void Bound(TimeSpan? timeout, bool isDefault)
    {
        if (timeout is not { } bound)
        {
            return;
        }

        if (bound <= TimeSpan.Zero)
        {
            throw CallEnd.DeadlinePassed();
        }

        HasDefaultDeadline = isDefault;
        Volatile.Write(ref deadline, -bound.Ticks);

        // The server's own deadline is for calls that take their time: most are over before it is waited for, and ask
        // no clock.
        if (!isDefault)
        {
            Life.Arm();
        }
    }

    /// The same by the handler, which may be waited for by now.
    public void Rebound(TimeSpan timeout)
    {
        Bound(timeout, isDefault: true);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref isWaitedFor))
        {
            Life.Arm();
        }
    }

    /// Waits for the deadline: the handler has begun, and goes on elsewhere.
    public void WaitForDeadline()
    {
        Volatile.Write(ref isWaitedFor, true);
        Interlocked.MemoryBarrier(); // Of this and a handler that sets its deadline, one sees the other.
        if (Settle() != DateTime.MaxValue)
        {
            Life.Arm();
        }
    }

    /// Ends the call when the token fires, by what is the same for all calls.
    public void EndOn(CancellationToken stopping, Action<object?> end) => drain = stopping.UnsafeRegister(end, this);

    /// Leaves it to the handler to end the call when the server stops.
    public void KeepThroughDrain() => drain.Dispose();

    /// Waits for what the caller has to send: a request that is one message, or the rest of one that has begun.
    public ValueTask<T> WithinReadTimeAsync<T>(ValueTask<T> pending) =>
        WithinAsync(pending, server.Options.RequestReadTimeMax, static call => call.EndEarly(CallEnd.RequestLate()));

    /// Waits for the client to take what was sent to it.
    public ValueTask<bool> WithinWriteTimeAsync(ValueTask<bool> pending) =>
        WithinAsync(pending, server.Options.StalledWriteMax, static call => call.EndEarly(CallEnd.ResponseNotRead()));

    /// Where its one writer of messages goes, before there is any other.
    public void WriteBy(CallOutput stream)
    {
        Open(stream);
        stream.EnterFlow(server.Time);
    }

    public void ThrowIfCancelled() => life?.Token.ThrowIfCancellationRequested();

    /// Says how the call ended, unless that has been said, and returns what is said. A message that cannot be written
    /// changes the end.
    public ValueTask<StatusCode> EndAsync(CallEnd end, object? response)
    {
        if (Interlocked.CompareExchange(ref ended, Task.CompletedTask, null) is { } early)
        {
            return WasToldAsync(early, end);
        }

        life?.StopTimer();
        CallOutput? written = Volatile.Read(ref output);
        written?.Close();
        return written is null || written.IsIdle()
            ? FinishAsync(end, response)
            : WaitForWriterAsync(written, end, response);
    }

    private async ValueTask<StatusCode> WasToldAsync(Task early, CallEnd end)
    {
        await early;
        return CancelledBy?.Status.StatusCode ?? end.Status.StatusCode;
    }

    private async ValueTask<StatusCode> WaitForWriterAsync(CallOutput written, CallEnd end, object? response)
    {
        await WithinAsync(written.LastTurnAsync(default), server.Options.StalledWriteMax, static call => call.Cut());
        return await FinishAsync(end, response);
    }

    private ValueTask<StatusCode> FinishAsync(CallEnd end, object? response)
    {
        if (life?.Cause is { } cause)
        {
            // Whoever stopped the call came too late to tell of it: its handler was that quick to end.
            (end, response) = (cause, null);
        }

        bool isSmall = false;
        if (response is not null && end.Status.StatusCode == StatusCode.OK)
        {
            try
            {
                isSmall = Called.WriteResponse(protocol, response, MayCompress) <= MessageWriter.SmallBytesMax;
            }
            catch (Exception exception)
            {
                end = Faults.EndOf(exception, this, server.Log);
            }
        }

        ValueTask telling = TellAsync(end);
        return telling.IsCompletedSuccessfully && (isSmall || !HasMuch(Http.Response.BodyWriter))
            ? new(end.Status.StatusCode)
            : SendAsync(telling, end.Status.StatusCode);
    }

    private async ValueTask<StatusCode> SendAsync(ValueTask telling, StatusCode code)
    {
        await telling;
        PipeWriter body = Http.Response.BodyWriter;
        if (HasMuch(body))
        {
            await WithinAsync(body.FlushAsync(), server.Options.StalledWriteMax, static call => call.Cut());
        }

        return code;
    }

    private static bool HasMuch(PipeWriter body) =>
        body.CanGetUnflushedBytes && body.UnflushedBytes > CallOutput.WaitingBytesMax;

    /// Ends the call while its handler runs: its token fires, its caller is told, its stream is closed for good.
    public void EndEarly(RpcException why)
    {
        CallEnd end = CallEnd.By(why, Policy.ErrorDomain);
        if (!Life.Stop(end))
        {
            return;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref ended, done.Task, null) is null)
        {
            Volatile.Read(ref output)?.Close();
            _ = EndEarlyAsync(end, done);
        }
    }

    public void Dispose()
    {
        drain.Dispose();
        output?.LeaveFlow();
        life?.Dispose();
    }

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        return (output ?? Open(new CallOutput(this, Called, protocol))).SendHeadersAsync(responseHeaders);
    }

    /// Makes this its output, unless it has one by now.
    private CallOutput Open(CallOutput made)
    {
        CallOutput opened = Interlocked.CompareExchange(ref output, made, null) ?? made;
        if (Volatile.Read(ref ended) is not null)
        {
            opened.Close(); // Whoever ended the call may not have seen it.
        }

        return opened;
    }

    private DateTime Settle()
    {
        long seen = Volatile.Read(ref deadline);
        while (seen < 0)
        {
            long now = server.Time.GetUtcNow().UtcTicks;
            long end = -seen < DateTime.MaxValue.Ticks - now ? now - seen : DateTime.MaxValue.Ticks;
            long was = Interlocked.CompareExchange(ref deadline, end, seen);
            seen = was == seen ? end : was;
        }

        return new DateTime(seen, DateTimeKind.Utc);
    }

    /// Waits for what the call's caller has to do, and does something else where that takes too long.
    private ValueTask<T> WithinAsync<T>(ValueTask<T> pending, TimeSpan? max, Action<ServerCall> late)
    {
        return pending.IsCompleted || max is null ? pending : WaitAsync(pending, max.Value, late);

        async ValueTask<T> WaitAsync(ValueTask<T> pending, TimeSpan max, Action<ServerCall> late)
        {
            await using ITimer timer = server.Time.CreateTimer(_ => late(this), null, max, Timeout.InfiniteTimeSpan);
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
            using var grace = new CancellationTokenSource(EndGrace, server.Time);
            if (Volatile.Read(ref output) is { } written)
            {
                await written.LastTurnAsync(grace.Token);
            }

            await TellAsync(end);
            await Http.Response.CompleteAsync().WaitAsync(grace.Token);
            told = true;
            reset = end.Status.StatusCode == StatusCode.Unavailable ? Http2NoError : Http2Cancel;
        }
        catch (Exception exception)
        {
            // A client that does not read cannot be told; a reset reaches it all the same.
            CallLog.EndNotTold(server.Log, exception, Method);
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

    /// Trailers that cannot be carried must not hide how the call ended: they become its end.
    private ValueTask TellAsync(CallEnd end)
    {
        protocol.Hold(false);
        Metadata? trailers = CallMetadata.Join(TrailersSet, end.Trailers);
        return trailers is null ? protocol.EndAsync(end.Status, null) : TellWithAsync(end, trailers);
    }

    private async ValueTask TellWithAsync(CallEnd end, Metadata trailers)
    {
        try
        {
            await protocol.EndAsync(end.Status, trailers);
        }
        catch (RpcException exception)
        {
            CallEnd told = end.Status.StatusCode == StatusCode.OK ? CallEnd.By(exception, Policy.ErrorDomain) : end;
            await protocol.EndAsync(told.Status, CallMetadata.DetailsOf(told.Trailers));
        }
    }
}
