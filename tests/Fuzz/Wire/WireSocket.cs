using System.Net;
using System.Net.Sockets;

namespace Squall.Fuzz;

/// <summary>A connection in bytes. That the other end closes or resets it is no error here.</summary>
internal sealed class WireSocket : IDisposable
{
    // Each has ports of its own, of which a closed connection keeps one for a minute.
    private const int Sources = 200;
    private static int _connections;
    private readonly Socket _socket;
    private byte[] _buffer = new byte[16 * 1024];
    private int _from;
    private int _to;

    private WireSocket(Socket socket) => _socket = socket;

    /// <summary>The other end has closed it.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>As the server sees its other end.</summary>
    public required string Name { get; init; }

    public ReadOnlySpan<byte> Received => _buffer.AsSpan(_from, _to - _from);

    public static async Task<WireSocket> ConnectAsync(IPEndPoint server, int? receiveBytes = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        try
        {
            byte source = (byte)(Interlocked.Increment(ref _connections) % Sources + 1);
            socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, source]), 0));
            await socket.ConnectAsync(server);
            return new WireSocket(socket) { Name = $"{socket.LocalEndPoint}" };
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, TimeSpan max)
    {
        using var late = new CancellationTokenSource(max);
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes, late.Token)..];
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // What was answered before that can still be read, and its end be seen.
        }
    }

    /// <summary>Waits for more; false if there is none by then, or none to come.</summary>
    public async Task<bool> ReceiveAsync(TimeSpan max)
    {
        if (HasEnded || max <= TimeSpan.Zero)
        {
            return false;
        }

        MakeRoom();
        using var late = new CancellationTokenSource(max);
        try
        {
            int read = await _socket.ReceiveAsync(_buffer.AsMemory(_to), late.Token);
            _to += read;
            HasEnded = read == 0;
            return read > 0;
        }
        catch (SocketException)
        {
            HasEnded = true;
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Consume(int count) => _from += count;

    /// <summary>Tells the other end that no more will come.</summary>
    public void Finish()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            HasEnded = true;
        }
    }

    public void Dispose() => _socket.Dispose();

    private void MakeRoom()
    {
        if (_from > 0)
        {
            Received.CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }

        if (_to == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }
}
