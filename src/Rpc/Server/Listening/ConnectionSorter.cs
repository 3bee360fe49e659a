using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc;

/// Accepts connections and tells by their first bytes which version of HTTP they speak.
internal sealed partial class ConnectionSorter : IAsyncDisposable
{
    private readonly IConnectionListener listener;
    private readonly int connectionsMax;
    private readonly TimeSpan startTimeMax;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Channel<ConnectionContext> http1 = Channel.CreateUnbounded<ConnectionContext>();
    private readonly Channel<ConnectionContext> http2 = Channel.CreateUnbounded<ConnectionContext>();
    private readonly ConcurrentDictionary<ConnectionContext, Task> waiting = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;
    private int open;
    private int unbound;
    private int disposals;

    /// Cuts a connection off that has not said within `startTimeMax` which version it speaks, and closes at once what
    /// is more than `connectionsMax`, of both versions together.
    public ConnectionSorter(
        IConnectionListener listener, int connectionsMax, TimeSpan startTimeMax, TimeProvider time, ILogger log)
    {
        this.listener = listener;
        this.connectionsMax = connectionsMax;
        this.startTimeMax = startTimeMax;
        this.time = time;
        this.log = log;
        accepting = AcceptAsync();
    }

    public EndPoint EndPoint => listener.EndPoint;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// The next connection of a version; null once there will be no more.
    public async ValueTask<ConnectionContext?> AcceptAsync(bool isHttp2, CancellationToken cancellationToken)
    {
        ChannelReader<ConnectionContext> sorted = (isHttp2 ? http2 : http1).Reader;
        while (await sorted.WaitToReadAsync(cancellationToken))
        {
            if (sorted.TryRead(out ConnectionContext? connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// Stops accepting; who has not said which version it speaks is cut off.
    public async Task UnbindAsync()
    {
        if (Interlocked.Exchange(ref unbound, 1) == 0)
        {
            await listener.UnbindAsync();
            await accepting;
            await stopping.CancelAsync();
            await Task.WhenAll(waiting.Values);
            http1.Writer.Complete();
            http2.Writer.Complete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Each of the two listeners disposes of it once.
        if (Interlocked.Increment(ref disposals) != 2)
        {
            return;
        }

        await UnbindAsync();
        foreach (Channel<ConnectionContext> sorted in (Channel<ConnectionContext>[])[http1, http2])
        {
            while (sorted.Reader.TryRead(out ConnectionContext? connection))
            {
                await connection.DisposeAsync();
            }
        }

        await listener.DisposeAsync();
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (await listener.AcceptAsync() is { } connection)
            {
                if (Interlocked.Increment(ref open) > connectionsMax)
                {
                    Interlocked.Decrement(ref open);
                    await connection.DisposeAsync();
                    continue;
                }

                connection.ConnectionClosed.UnsafeRegister(
                    static sorter => Interlocked.Decrement(ref ((ConnectionSorter)sorter!).open), this);

                // Sorting goes on elsewhere: a slow starter delays nobody.
                waiting[connection] = Task.CompletedTask;
                Task sorting = Task.Run(() => SortAsync(connection));
                waiting.TryUpdate(connection, sorting, Task.CompletedTask);
            }
        }
        catch (Exception exception)
        {
            AcceptFailed(log, exception, listener.EndPoint);
            http1.Writer.TryComplete(exception);
            http2.Writer.TryComplete(exception);
        }
    }

    private async Task SortAsync(ConnectionContext connection)
    {
        try
        {
            using var late = new CancellationTokenSource(startTimeMax, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping.Token);
            Channel<ConnectionContext> sorted =
                await SpeaksHttp2Async(connection.Transport.Input, both.Token) ? http2 : http1;
            sorted.Writer.TryWrite(connection);
        }
        catch (Exception exception)
        {
            // A scanner, a health check that only connects, a client that went away: nobody's error.
            Cut(log, exception.GetType().Name, connection.ConnectionId);
            connection.Abort();
            await connection.DisposeAsync();
        }
        finally
        {
            waiting.TryRemove(connection, out _);
        }
    }

    /// Looks at the first bytes and leaves them where they are.
    public static async Task<bool> SpeaksHttp2Async(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> buffer = result.Buffer;
            bool? http2 = buffer.IsEmpty && !result.IsCompleted ? null : Matches(buffer);
            if (http2 is null && result.IsCompleted)
            {
                input.AdvanceTo(buffer.Start, buffer.End);
                throw new ConnectionAbortedException("The connection ended before it said what it speaks.");
            }

            // What is not examined is there again at the next read, at once.
            input.AdvanceTo(buffer.Start, http2 is null ? buffer.End : buffer.Start);
            if (http2 is not null)
            {
                return http2.Value;
            }
        }
    }

    /// Null while the bytes are the beginning of the preface, and not yet all of it.
    private static bool? Matches(ReadOnlySequence<byte> buffer)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        int length = (int)Math.Min(buffer.Length, Preface.Length);
        buffer.Slice(0, length).CopyTo(first);
        return !Preface.StartsWith(first[..length]) ? IsNeither(buffer) : length == Preface.Length ? true : null;
    }

    /// Whether what is here is a line of text that cannot ask for anything: HTTP/1's lines have a slash, in the version
    /// at least. HTTP/2 takes it for its preface, says that it is broken, and ends the connection.
    private static bool IsNeither(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryPeek(out byte first) && char.IsAsciiLetter((char)first)
            && reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n')
            && line.PositionOf((byte)'/') is null;
    }

    [LoggerMessage(5, LogLevel.Debug, "Connection {Connection} was cut before it sent a request: {Reason}.")]
    private static partial void Cut(ILogger log, string reason, string connection);

    [LoggerMessage(6, LogLevel.Critical, "No more connections are accepted on {EndPoint}.")]
    private static partial void AcceptFailed(ILogger log, Exception exception, EndPoint endPoint);
}

/// What Kestrel accepts connections of one version from.
internal sealed class SortedListener(ConnectionSorter sorter, bool isHttp2) : IConnectionListener
{
    public EndPoint EndPoint => sorter.EndPoint;

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        sorter.AcceptAsync(isHttp2, cancellationToken);

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await sorter.UnbindAsync();

    public ValueTask DisposeAsync() => sorter.DisposeAsync();
}
