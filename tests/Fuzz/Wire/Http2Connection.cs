using System.Buffers.Binary;
using System.Globalization;

namespace Squall.Fuzz;

/// <summary>Requests over HTTP/2, each on the next stream.</summary>
internal sealed class Http2Connection(WireSocket socket, TimeSpan hangMax, TimeProvider time)
    : Connection(socket, hangMax, time)
{
    private const int WindowMax = int.MaxValue;
    private const int WindowFirst = 65_535;
    private readonly MemoryStream _due = new();
    private readonly MemoryStream _block = new();
    private bool _isGoing;
    private bool _begun;
    private int _stream = -1;
    private bool _endsStream;

    /// <summary>What comes before the first request: no dynamic table, and windows that never close.</summary>
    public static byte[] Preface(int window = WindowMax)
    {
        var first = new MemoryStream();
        first.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        byte[] settings = [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(settings.AsSpan(14), window);
        new Http2Frame(Http2Frame.OfSettings, 0, settings, 0).Write(first, 0);
        if (window > WindowFirst)
        {
            byte[] more = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(more, window - WindowFirst);
            new Http2Frame(Http2Frame.OfWindow, 0, more, 0).Write(first, 0);
        }

        return first.ToArray();
    }

    protected override byte[] Begin(Call call)
    {
        _stream += 2;
        byte[] request = call.Frames.ToBytes(_stream);
        byte[] first = _begun ? [] : Preface();
        _begun = true;
        return [.. first, .. request];
    }

    protected override bool MayGoOn(Answer answer) => !_isGoing;

    protected override byte[] Due()
    {
        byte[] due = _due.ToArray();
        _due.SetLength(0);
        return due;
    }

    protected override bool Take(Call call, Answer answer)
    {
        while (Socket.Received.Length >= Http2Frame.HeaderBytes)
        {
            ReadOnlySpan<byte> header = Socket.Received[..Http2Frame.HeaderBytes];
            int length = (int)(BinaryPrimitives.ReadUInt32BigEndian(header) >> 8);
            if (Socket.Received.Length < Http2Frame.HeaderBytes + length)
            {
                return false;
            }

            ReadOnlySpan<byte> payload = Socket.Received.Slice(Http2Frame.HeaderBytes, length);
            int stream = BinaryPrimitives.ReadInt32BigEndian(header[5..]);
            bool isDone = Take(header[3], header[4], stream, payload, answer);
            Socket.Consume(Http2Frame.HeaderBytes + length);
            if (isDone)
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>Whether the answer is over.</returns>
    private bool Take(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, Answer answer)
    {
        switch (type)
        {
            case Http2Frame.OfSettings when (flags & Http2Frame.Ack) == 0:
                new Http2Frame(Http2Frame.OfSettings, Http2Frame.Ack, [], 0).Write(_due, 0);
                return false;
            case Http2Frame.OfPing when (flags & Http2Frame.Ack) == 0:
                new Http2Frame(Http2Frame.OfPing, Http2Frame.Ack, payload.ToArray(), 0).Write(_due, 0);
                return false;
            case Http2Frame.OfGoAway:
                _isGoing = true;
                answer.Note += $"GOAWAY {BinaryPrimitives.ReadInt32BigEndian(payload[4..])}";
                return BinaryPrimitives.ReadInt32BigEndian(payload) < _stream;
            case Http2Frame.OfHeaders or Http2Frame.OfContinuation:
                return TakeHeaders(type, flags, stream, payload, answer);
            case Http2Frame.OfReset when stream == _stream:
                answer.Note += $"RST_STREAM {BinaryPrimitives.ReadInt32BigEndian(payload)}";
                return true;
            case Http2Frame.OfData when stream == _stream:
                answer.Body.Write(payload);
                return (flags & Http2Frame.EndStream) != 0 && Ended(answer);
            default:
                return false;
        }
    }

    private bool TakeHeaders(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, Answer answer)
    {
        if (type == Http2Frame.OfHeaders)
        {
            _block.SetLength(0);
            _endsStream = (flags & Http2Frame.EndStream) != 0;
        }

        _block.Write(payload);
        if ((flags & Http2Frame.EndHeaders) == 0 || stream != _stream)
        {
            return false;
        }

        bool isFirst = answer.Http < 200;
        ReadOnlySpan<byte> block = _block.GetBuffer().AsSpan(0, (int)_block.Length);
        if (!Hpack.TryDecode(block, isFirst ? answer.Headers : answer.Trailers))
        {
            // A spoilt SETTINGS has allowed the server a table.
            answer.Note += "headers out of a table";
            return true;
        }

        if (isFirst)
        {
            answer.Http = int.Parse(answer.Headers[":status"], CultureInfo.InvariantCulture);
        }

        return _endsStream && Ended(answer);
    }

    private static bool Ended(Answer answer)
    {
        answer.End = End.Answered;
        return true;
    }
}
