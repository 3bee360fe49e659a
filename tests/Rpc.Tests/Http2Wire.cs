using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Squall.Rpc.Tests;

/// One frame of HTTP/2.
internal sealed record Http2Frame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte Continuation = 9;

    public const byte EndsStream = 1;
    public const byte Ack = 1;
    public const byte EndsHeaders = 4;

    public bool IsEnd => Type is Data or Headers && (Flags & EndsStream) != 0;

    /// The code of a reset.
    public int Error => BinaryPrimitives.ReadInt32BigEndian(Payload);

    /// Whether a block of headers holds this field, neither of whose parts it may have sent before.
    public bool Holds(string name, string value) => Encoding.Latin1.GetString(Payload).Contains(
        $"{(char)name.Length}{name}{(char)value.Length}{value}", StringComparison.Ordinal);
}

/// One connection of HTTP/2, in bytes, at either end: what a client library would hide, or not send, is seen and sent.
internal sealed class Http2Wire : IDisposable
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    // No dynamic table: each field comes in full.
    private static readonly byte[] NoTable = [0, 1, 0, 0, 0, 0];
    private static readonly byte[] Status200 = [0x88];

    private readonly TcpClient tcp;
    private readonly NetworkStream stream;

    private Http2Wire(TcpClient tcp)
    {
        this.tcp = tcp;
        stream = tcp.GetStream();
    }

    public static async Task<Http2Wire> ConnectAsync(ServerHost host)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(host.EndPoint);
        var wire = new Http2Wire(tcp);
        await wire.stream.WriteAsync(Preface);
        await wire.SendAsync(Http2Frame.Settings, 0, 0, NoTable);
        return wire;
    }

    /// Takes a client's connection, as a server that has read its preface.
    public static async Task<Http2Wire> AcceptAsync(TcpListener listener)
    {
        var wire = new Http2Wire(await listener.AcceptTcpClientAsync().WaitAsync(ScriptedServer.Net));
        Assert.Equal(Preface, await wire.ReadAsync(Preface.Length));
        await wire.SendAsync(Http2Frame.Settings, 0, 0, NoTable);
        return wire;
    }

    public Task SendAsync(byte type, byte flags, int id, params byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);
        payload.CopyTo(frame, 9);
        return stream.WriteAsync(frame).AsTask();
    }

    /// The headers of a call, in as many frames as they need.
    public async Task CallAsync(int id, string path, bool ends, params (string Name, string Value)[] headers)
    {
        byte[] block = Block(
            [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "a"), .. headers]);
        byte[][] parts = [.. block.Chunk(16_000)];
        for (int at = 0; at < parts.Length; at++)
        {
            int flags = (at == 0 && ends ? Http2Frame.EndsStream : 0)
                | (at == parts.Length - 1 ? Http2Frame.EndsHeaders : 0);
            await SendAsync(at == 0 ? Http2Frame.Headers : Http2Frame.Continuation, (byte)flags, id, parts[at]);
        }
    }

    public Task MessageAsync(int id, byte[] frame, bool ends) =>
        SendAsync(Http2Frame.Data, ends ? Http2Frame.EndsStream : (byte)0, id, frame);

    /// A whole answer that went well, with one message, as gRPC's server gives it.
    public async Task AnswerAsync(int id, byte[] frame, params (string Name, string Value)[] metadata)
    {
        byte[] headers = [.. Status200, .. Block([("content-type", "application/grpc"), .. metadata])];
        await SendAsync(Http2Frame.Headers, Http2Frame.EndsHeaders, id, headers);
        await SendAsync(Http2Frame.Data, 0, id, frame);
        await SendAsync(Http2Frame.Headers, Http2Frame.EndsHeaders | Http2Frame.EndsStream, id,
            Block([("grpc-status", "0"), .. metadata]));
    }

    /// The next frame; null where the connection has ended.
    public async Task<Http2Frame?> ReadFrameAsync()
    {
        byte[] head = await ReadAsync(9);
        if (head.Length < 9)
        {
            return null;
        }

        byte[] payload = await ReadAsync(BinaryPrimitives.ReadInt32BigEndian(head) >>> 8);
        return new(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
    }

    /// Reads on to the first frame that is looked for; those of streams that came until then.
    public async Task<List<Http2Frame>> ReadToAsync(Func<Http2Frame, bool> isLast)
    {
        List<Http2Frame> frames = [];
        while (await ReadFrameAsync() is { } frame)
        {
            if (frame is { Stream: not 0, Type: Http2Frame.Data or Http2Frame.Headers or Http2Frame.Reset })
            {
                frames.Add(frame);
            }

            if (isLast(frame))
            {
                return frames;
            }
        }

        throw new IOException($"The connection ended after {string.Join(", ", frames)}.");
    }

    /// All frames of streams that the peer sends before it answers a ping: nothing of before is still to come.
    public async Task<List<Http2Frame>> ReadToPingAsync()
    {
        await SendAsync(Http2Frame.Ping, 0, 0, new byte[8]);
        return await ReadToAsync(frame => frame is { Type: Http2Frame.Ping, Flags: Http2Frame.Ack });
    }

    /// Says that nothing more comes, and waits until the peer has closed the connection: one that is closed with
    /// something unread in it may take what was sent before along.
    public async Task CloseAsync()
    {
        tcp.Client.Shutdown(SocketShutdown.Send);
        while (await ReadFrameAsync() is not null)
        {
        }

        Dispose();
    }

    public void Dispose() => tcp.Dispose();

    /// Fields as they are, neither indexed nor packed.
    private static byte[] Block(IEnumerable<(string Name, string Value)> fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    private static byte[] Text(string text)
    {
        const int Whole = 127; // What has room in the first byte, all of whose bits then say that there is more.
        int more = text.Length - Whole;
        byte[] length = more < 0 ? [(byte)text.Length]
            : more < 128 ? [Whole, (byte)more] : [Whole, (byte)(more % 128 | 128), (byte)(more / 128)];
        return [.. length, .. Encoding.Latin1.GetBytes(text)];
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        try
        {
            int read = await stream.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false)
                .AsTask().WaitAsync(ScriptedServer.Net);
            return bytes[..read];
        }
        catch (IOException)
        {
            return []; // A reset ends it too.
        }
    }
}
