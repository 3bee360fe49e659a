using System.Net;
using System.Net.Sockets;

namespace Squall.Faults;

/// <summary>A way to break a connection in use.</summary>
internal enum Cut
{
    /// <summary>Both ends are reset.</summary>
    Drop,

    /// <summary>What the server sends is held back for a while.</summary>
    Stall,

    /// <summary>It is held back, and then lost with the connection, though the server saw it taken.</summary>
    StallAndDrop,

    /// <summary>The subscriber is told that no more comes; the server goes on sending.</summary>
    CloseToReader,

    /// <summary>The server is told that no more comes; the subscriber goes on reading.</summary>
    CloseToServer,
}

/// <summary>
/// Stands between one subscriber and a server that comes and goes, and cuts its connection: after so many more bytes
/// of the server's, anywhere in a message.
/// </summary>
internal sealed class Proxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private volatile Link? _newest;

    public Proxy()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Where the connections lead that come from now on.</summary>
    public Uri? Upstream { get; set; }

    /// <summary>
    /// Cuts the newest connection once so many more bytes have come from the server. A stall ends after so many held.
    /// </summary>
    /// <returns>
    /// Whether it came to that, once the stall, or for any other cut the connection, is over; false: the connection
    /// ended before.
    /// </returns>
    public Task<bool> CutAsync(Cut cut, int passed, int held) =>
        _newest?.CutAsync(new Order(cut, passed, held)) ?? Task.FromResult(false);

    public void Dispose()
    {
        _listener.Stop();
        _newest?.Reset();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var link = new Link(await _listener.AcceptSocketAsync());
                _newest = link;
                _ = link.RunAsync(Upstream!);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // Nobody else comes.
        }
    }

    private sealed class Order(Cut cut, int passed, int held)
    {
        public Cut Cut => cut;

        public int Passed { get; set; } = passed;

        public int Held => held;

        public bool Made { get; set; }

        public TaskCompletionSource<bool> Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>One connection, and what it leads to.</summary>
    private sealed class Link(Socket client)
    {
        private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp);
        private readonly Lock _gate = new();
        private Order? _order;
        private bool _ended;

        public Task<bool> CutAsync(Order order)
        {
            lock (_gate)
            {
                if (_ended)
                {
                    return Task.FromResult(false);
                }

                _order = order;
                return order.Over.Task;
            }
        }

        public void Reset()
        {
            client.Close(0);
            _server.Close(0);
        }

        /// <summary>Either direction's end is the end of both, but of what was half-closed on purpose.</summary>
        public async Task RunAsync(Uri upstream)
        {
            try
            {
                client.NoDelay = _server.NoDelay = true;
                await _server.ConnectAsync(upstream.Host, upstream.Port);
                using var up = new NetworkStream(_server);
                using var down = new NetworkStream(client);
                Task asking = down.CopyToAsync(up);
                await Task.WhenAny(asking, AnswerAsync(up, down));
            }
            catch (SocketException)
            {
                // The server is gone, which the subscriber is to see.
            }
            finally
            {
                Reset();
                lock (_gate)
                {
                    _ended = true;
                    _order?.Over.TrySetResult(_order.Made);
                }
            }
        }

        private async Task AnswerAsync(NetworkStream from, NetworkStream to)
        {
            var buffer = new byte[16 << 10];
            int count;
            while ((count = await from.ReadAsync(buffer)) > 0)
            {
                ReadOnlyMemory<byte> came = buffer.AsMemory(0, count);
                if (Volatile.Read(ref _order) is { Made: false } order)
                {
                    ReadOnlyMemory<byte> passed = came[..Math.Min(count, order.Passed)];
                    await to.WriteAsync(passed);
                    order.Passed -= passed.Length;
                    came = came[passed.Length..];
                    if (came.Length > 0 && !await CutAsync(order, came, from, to))
                    {
                        return;
                    }
                }
                else
                {
                    await to.WriteAsync(came);
                }
            }
        }

        /// <summary>False: nothing more is to be passed on.</summary>
        private async Task<bool> CutAsync(
            Order order, ReadOnlyMemory<byte> came, NetworkStream from, NetworkStream to)
        {
            switch (order.Cut)
            {
                case Cut.Drop:
                    order.Made = true;
                    return false;
                case Cut.CloseToReader:
                    order.Made = true;
                    client.Shutdown(SocketShutdown.Send);
                    await from.CopyToAsync(Stream.Null);
                    return false;
                case Cut.CloseToServer:
                    order.Made = true;
                    _server.Shutdown(SocketShutdown.Send);
                    await to.WriteAsync(came);
                    return true;
                default:
                    byte[] held = await HoldAsync(order, came, from);
                    order.Made = true;
                    if (order.Cut == Cut.StallAndDrop)
                    {
                        return false;
                    }

                    await to.WriteAsync(held);
                    order.Over.TrySetResult(true);
                    return true;
            }
        }

        private static async Task<byte[]> HoldAsync(Order order, ReadOnlyMemory<byte> came, NetworkStream from)
        {
            using var held = new MemoryStream();
            held.Write(came.Span);
            var buffer = new byte[order.Held];
            int count;
            while (held.Length < order.Held && (count = await from.ReadAsync(buffer)) > 0)
            {
                held.Write(buffer, 0, count);
            }

            return held.Length < order.Held ? throw new EndOfStreamException() : held.ToArray();
        }
    }
}
