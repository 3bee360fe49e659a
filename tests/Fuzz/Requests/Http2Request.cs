using System.Buffers.Binary;

namespace Squall.Fuzz;

/// <summary>One frame of HTTP/2.</summary>
/// <param name="Stream">Null: the request's own.</param>
/// <param name="Length">What is told of its length.</param>
internal sealed record Http2Frame(byte Type, byte Flags, byte[] Payload, int? Stream = null, int? Length = null)
{
    public const byte OfData = 0, OfHeaders = 1, OfPriority = 2, OfReset = 3, OfSettings = 4, OfPing = 6, OfGoAway = 7,
        OfWindow = 8, OfContinuation = 9;

    public const byte EndStream = 1, Ack = 1, EndHeaders = 4, Padded = 8, Prioritized = 32;
    public const int HeaderBytes = 9;
    public const int PayloadMax = 16_384;

    public void Write(MemoryStream to, int stream)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32BigEndian(header, (uint)(Length ?? Payload.Length) << 8);
        header[3] = Type;
        header[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], Stream ?? stream);
        to.Write(header);
        to.Write(Payload);
    }
}

/// <summary>A request as HTTP/2 has it, and what can be wrong with that.</summary>
/// <param name="Smudge">Spoils the bytes that it makes, if that is not null, always in the same way.</param>
internal sealed record Http2Request(List<Http2Frame> Frames, int? Smudge = null)
{
    private static readonly byte[][] Blocks =
    [
        [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x3F, 0xFF, 0xFF, 0xFF, 0x7F], [0xBE], [0x20, 0x20, 0x20],
        [0x00, 0x83, 0xFF, 0xFF, 0xFF, 0x01, 0x61], [0x00, 0x01, 0x41, 0x01, 0x61], [0x00, 0x00, 0x00], [0x84],
        [0x00, 0x05, 0x3A, 0x70, 0x61, 0x74, 0x68, 0x01, 0x2F], [0x41, 0x8C, 0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B,
            0xA0, 0xAB, 0x90, 0xF4, 0xFF], [0x00, 0x0A, .. "connection"u8, 0x05, .. "close"u8], [0x40], [0x00, 0x7F],
        [0x00, 0x11, .. "transfer-encoding"u8, 0x07, .. "chunked"u8], [0x00, 0x01, 0x61, 0x02, 0x0D, 0x0A],
        [0x00, 0x0E, .. "content-length"u8, 0x01, 0x33], [0x00, 0x07, .. ":status"u8, 0x03, .. "200"u8],
    ];

    public static readonly Mutation<Http2Request>[] Mutations =
    [
        At("other flags", (frame, random) => [frame with { Flags = (byte)(frame.Flags ^ (1 << random.Next(8))) }]),
        At("another type", (frame, random) => [frame with { Type = (byte)random.Next(14) }]),
        At("another stream", (frame, random) =>
            [frame with { Stream = Bytes.Pick([0, 1, 2, 3, 99, int.MaxValue, -1], random) }]),
        At("another length", (frame, random) =>
            [frame with { Length = Math.Max(0, frame.Payload.Length + random.Next(-9, 10)) }]),
        At("a huge length", (frame, random) =>
            [frame with { Length = Bytes.Pick([16_384, 16_385, 0xFF_FFFF], random) }]),
        At("one missing", (_, _) => []),
        At("one twice", (frame, _) => [frame, frame]),
        At("another one before it", (frame, random) => [AnyFrame(random), frame]),
        At("another one behind it", (frame, random) => [frame, AnyFrame(random)]),
        At("a reset behind it", (frame, _) => [frame, Reset(8)]),
        At("trailers behind it", (frame, random) => [frame, new(Http2Frame.OfHeaders,
            (byte)(Http2Frame.EndHeaders | Http2Frame.EndStream), Bytes.Pick(Blocks, random))]),
        At("a strange block", (frame, random) => frame.Type is Http2Frame.OfData
            ? [frame] : [frame with { Payload = [.. frame.Payload, .. Bytes.Pick(Blocks, random)] }]),
        At("a block that begins strangely", (frame, random) => frame.Type is Http2Frame.OfData
            ? [frame] : [frame with { Payload = [.. Bytes.Pick(Blocks, random), .. frame.Payload] }]),
        At("other bytes", (frame, random) =>
            [frame with { Payload = Bytes.Pick(Bytes.Mutations, random).Apply(frame.Payload, random) }]),
        new("unfinished", (request, _) => request with
        {
            Frames = [.. request.Frames.Select(frame => frame.Type == Http2Frame.OfData
                ? frame with { Flags = (byte)(frame.Flags & ~Http2Frame.EndStream) } : frame)],
        }),
        new("smudged", (request, random) => request with { Smudge = random.Next() }),
        new("smudged", (request, random) => request with { Smudge = random.Next() }),
        new("out of order", (request, random) => request with
        {
            Frames = [.. request.Frames.OrderBy(_ => random.Next())],
        }),
    ];

    public static Http2Request Make(Call call, Random random)
    {
        byte[] block = Hpack.Encode(
            [(":method", call.Verb), (":scheme", "http"), (":path", call.Target), (":authority", "localhost"),
                .. call.Headers],
            random);
        bool isBodiless = call.Protocol == Protocol.ConnectGet;
        List<Http2Frame> frames = [.. HeaderFrames(block, isBodiless, random)];
        byte[] rest = call.Body;
        while (!isBodiless)
        {
            // Cut anywhere, padded or not, and ended by itself or not: all of it is in order.
            int length = random.Next(3) == 0 ? random.Next(Math.Min(rest.Length, 200) + 1) : rest.Length;
            length = Math.Min(length, Http2Frame.PayloadMax - byte.MaxValue);
            byte padding = random.Next(10) == 0 ? (byte)random.Next(byte.MaxValue) : (byte)0;
            bool isLast = length == rest.Length && random.Next(8) > 0;
            frames.Add(new Http2Frame(
                Http2Frame.OfData,
                (byte)((isLast ? Http2Frame.EndStream : 0) | (padding > 0 ? Http2Frame.Padded : 0)),
                padding > 0 ? [padding, .. rest.AsSpan(0, length), .. new byte[padding]] : rest[..length]));
            rest = rest[length..];
            if (isLast)
            {
                break;
            }
        }

        return new Http2Request(frames);
    }

    public byte[] ToBytes(int stream)
    {
        var wire = new MemoryStream();
        Frames.ForEach(frame => frame.Write(wire, stream));
        byte[] bytes = wire.ToArray();
        if (Smudge is { } seed)
        {
            var random = new Random(seed);
            for (int times = random.Next(1, 4); times > 0; times--)
            {
                bytes = Bytes.Pick(Bytes.Mutations, random).Apply(bytes, random);
            }
        }

        return bytes;
    }

    public static Http2Frame Reset(byte error) => new(Http2Frame.OfReset, 0, [0, 0, 0, error]);

    private static IEnumerable<Http2Frame> HeaderFrames(byte[] block, bool isLast, Random random)
    {
        byte end = isLast ? Http2Frame.EndStream : (byte)0;
        int most = random.Next(6) == 0 ? random.Next(1, 200) : Http2Frame.PayloadMax;
        most = Math.Max(most, block.Length / 20 + 1);
        byte[][] pieces = [.. block.Chunk(most)];
        for (int at = 0; at < pieces.Length; at++)
        {
            byte flags = at == pieces.Length - 1 ? Http2Frame.EndHeaders : (byte)0;
            yield return at == 0
                ? new Http2Frame(Http2Frame.OfHeaders, (byte)(flags | end), pieces[at])
                : new Http2Frame(Http2Frame.OfContinuation, flags, pieces[at]);
        }
    }

    private static Http2Frame AnyFrame(Random random) => random.Next(10) switch
    {
        0 => new(Http2Frame.OfSettings, 0, [0, (byte)random.Next(9), .. Some(random, 4)], 0),
        1 => new(Http2Frame.OfSettings, (byte)random.Next(2), Bytes.Some(random, 7), 0),
        2 => new(Http2Frame.OfWindow, 0, Some(random, 4), random.Next(2) == 0 ? 0 : null),
        3 => new(Http2Frame.OfWindow, 0, [0, 0, 0, 0]),
        4 => new(Http2Frame.OfPing, 0, Bytes.Some(random, 9), 0),
        5 => new(Http2Frame.OfGoAway, 0, Some(random, 8), 0),
        6 => new(Http2Frame.OfPriority, 0, Some(random, 5)),
        7 => new(Http2Frame.OfContinuation, Http2Frame.EndHeaders, Bytes.Pick(Blocks, random)),
        8 => new((byte)random.Next(10, 256), (byte)random.Next(256), Bytes.Some(random, 30)),
        _ => new(Http2Frame.OfHeaders, (byte)random.Next(64), Bytes.Some(random, 40)),
    };

    private static byte[] Some(Random random, int count)
    {
        byte[] some = new byte[count];
        random.NextBytes(some);
        return some;
    }

    private static Mutation<Http2Request> At(string name, Func<Http2Frame, Random, Http2Frame[]> change) => new(
        name,
        (request, random) =>
        {
            int at = random.Next(request.Frames.Count + 1);
            return request with
            {
                Frames = [.. request.Frames.SelectMany((frame, i) =>
                    i == at % Math.Max(1, request.Frames.Count) ? change(frame, random) : [frame])],
            };
        });
}
