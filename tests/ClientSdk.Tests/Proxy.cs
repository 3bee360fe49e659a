using System.Net;
using System.Net.Sockets;

namespace Squall.Client.Tests;

/// <summary>
/// Stands between a client and a server, at an address that stays, and cuts, stalls or half-closes connections as a
/// test says. What a test does to it holds for the connections that are open; those that come after pass.
/// </summary>
internal sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Lock gate = new();
    private readonly List<Link> links = [];
    private readonly Task accepting;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int accepted;
    private bool refuses;
    private long nextCut = long.MaxValue;
    private int cuts;

    private Proxy(Uri upstream)
    {
        Upstream = upstream;
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>Where connections lead that come from now on; another after a server's restart.</summary>
    public Uri Upstream { get; set; }

    /// <summary>How many connections there were.</summary>
    public int Accepted
    {
        get
        {
            lock (gate)
            {
                return accepted;
            }
        }
    }

    /// <summary>How often <see cref="CutAfter"/> and <see cref="CutNextAfter"/> have cut.</summary>
    public int Cuts => Volatile.Read(ref cuts);

    public static Proxy To(Uri upstream) => new(upstream);

    /// <summary>Waits until there were that many connections.</summary>
    public async Task AcceptedAsync(int count)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (accepted >= count)
                {
                    return;
                }

                next = changed.Task;
            }

            await next.WaitAsync(Net.TimeMax);
        }
    }

    /// <summary>Resets the connections.</summary>
    public void Cut() => Take().ForEach(link => link.Cut());

    /// <summary>
    /// Passes so many more bytes of answers on, by each connection, and closes it then: its client gets them all.
    /// </summary>
    public void CutAfter(int bytes) => Open().ForEach(link => link.Down.CutAfter(bytes));

    /// <summary>The same for the next connection that comes, from its beginning.</summary>
    public void CutNextAfter(int bytes)
    {
        lock (gate)
        {
            nextCut = bytes;
        }
    }

    /// <summary>Resets the connections, and those that come until <see cref="Admit"/>.</summary>
    public void Refuse()
    {
        lock (gate)
        {
            refuses = true;
        }

        Cut();
    }

    public void Admit()
    {
        lock (gate)
        {
            refuses = false;
        }
    }

    /// <summary>Passes nothing on any more, in either direction, and says so to nobody.</summary>
    public void Stall() => Open().ForEach(link =>
    {
        link.Up.Hold();
        link.Down.Hold();
    });

    /// <summary>Passes requests on, and holds back what the server answers.</summary>
    public void HoldAnswers() => Open().ForEach(link => link.Down.Hold());

    /// <summary>Tells clients that the server will say nothing more, and goes on listening to them.</summary>
    public void HalfClose() => Open().ForEach(link => link.HalfClose());

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await accepting;
        Cut();
    }

    private List<Link> Open()
    {
        lock (gate)
        {
            return [.. links];
        }
    }

    private List<Link> Take()
    {
        lock (gate)
        {
            List<Link> all = [.. links];
            links.Clear();
            return all;
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // It was stopped.
                return;
            }

            lock (gate)
            {
                if (refuses)
                {
                    client.Close(0);
                    continue;
                }

                var link = new Link(client, () => Interlocked.Increment(ref cuts));
                link.Down.CutAfter(nextCut);
                nextCut = long.MaxValue;
                link.Run(Upstream);
                links.Add(link);
                accepted++;
                changed.TrySetResult();
                changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>One connection, and what it leads to.</summary>
    private sealed class Link
    {
        private readonly Socket client;
        private readonly Socket server = new(SocketType.Stream, ProtocolType.Tcp);

        public Link(Socket client, Action wasCut)
        {
            this.client = client;
            Up = new Direction(client, server, () => { });
            Down = new Direction(server, client, wasCut);
        }

        public Direction Up { get; }

        public Direction Down { get; }

        public void Run(Uri upstream) => _ = RunAsync(upstream);

        public void Cut()
        {
            client.Close(0);
            server.Close(0);
            Up.Release();
            Down.Release();
        }

        public void HalfClose()
        {
            Down.Hold();
            client.Shutdown(SocketShutdown.Send);
        }

        private async Task RunAsync(Uri upstream)
        {
            try
            {
                client.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(upstream.DnsSafeHost, upstream.Port);
                await Task.WhenAll(Up.PumpAsync(), Down.PumpAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One of the two is gone, which the other is to see.
                Cut();
            }
        }
    }

    /// <summary>What goes one way.</summary>
    private sealed class Direction(Socket from, Socket to, Action wasCut)
    {
        private volatile TaskCompletionSource? held;
        private long left = long.MaxValue;

        public void CutAfter(long bytes) => Volatile.Write(ref left, bytes);

        public void Hold() => held ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => held?.TrySetResult();

        public async Task PumpAsync()
        {
            var buffer = new byte[64 << 10];
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
            {
                await (held?.Task ?? Task.CompletedTask);
                var passed = (int)Math.Min(count, Volatile.Read(ref left));
                await to.SendAsync(buffer.AsMemory(0, passed));
                if (Interlocked.Add(ref left, -passed) <= 0)
                {
                    wasCut();
                    break;
                }
            }

            await (held?.Task ?? Task.CompletedTask);
            to.Shutdown(SocketShutdown.Send);
        }
    }
}

/// <summary>What keeps a test that waits for a signal from waiting for ever.</summary>
internal static class Net
{
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);
}
