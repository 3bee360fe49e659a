using System.Globalization;
using Google.Protobuf;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>Streams of HTTP/2, many at once, which are reset, or never go on, or are not read.</summary>
internal static class StreamFloods
{
    private const long Kibibyte = 1024;
    private const int StreamsEach = 100;

    // Kestrel's own, which nothing here changes.
    private const long ConnectionWindow = 1024 * Kibibyte;
    private const long ResponseBuffer = 64 * Kibibyte;

    // As UseRpcDefaults has them.
    private const long HeaderBytesMax = 32 * Kibibyte;
    private const int StreamsMax = 1_000;

    private const int PieceBytes = 64 * 1024;
    private const long BlockBytesMax = 16 * 1024 * Kibibyte;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private const string HeaderBytesControl = "268435456";
    private const int UploadBytes = 8 * 1024;
    private const int AnswerBytes = 16 * 1024;
    private static readonly TimeSpan SendMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OpenMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ControlQuietMax = TimeSpan.FromSeconds(3);

    /// <summary>Requests that are reset at once. Where the server ends the connection, it goes on on another.</summary>
    public static Flood Resets(int count, Plant plant = Plant.None) => new(
        $"{count:N0} rapid resets", ["--plant", plant.ToString()], StreamsMax * HeaderBytesMax,
        $"{StreamsMax:N0} calls that a connection may have × {HeaderBytesMax / Kibibyte} KiB of headers",
        async target =>
        {
            int connections = 0;
            for (int sent = 0; sent < count; connections++)
            {
                using WireSocket socket = await WireSocket.ConnectAsync(target.Server.EndPoint);
                await socket.SendAsync(Http2Connection.Preface(), SendMax);
                for (int stream = 1; sent < count && !socket.HasEnded; stream += 2 * StreamsEach)
                {
                    var wire = new MemoryStream();
                    for (int at = 0; at < StreamsEach; at++)
                    {
                        Http2Request request = Request("Chat", new Framed(0, []).ToBytes(), false);
                        request.Frames.Add(Http2Request.Reset(8));
                        wire.Write(request.ToBytes(stream + 2 * at));
                    }

                    await socket.SendAsync(wire.ToArray(), SendMax);
                    sent += StreamsEach;
                    await socket.ReceiveAsync(TimeSpan.FromMilliseconds(1));
                    socket.Consume(socket.Received.Length);
                }
            }

            await QuietAsync(target, plant == Plant.None ? QuietMax : ControlQuietMax, "were reset");
            return $"over {connections} connections";
        });

    /// <summary>Messages that begin and do not go on.</summary>
    public static Flood Uploads(int count, TimeSpan cutAfter, bool isBounded = true) => new(
        $"{count:N0} stalled uploads", ["--read-max", Milliseconds(cutAfter, isBounded)],
        count / StreamsEach * ConnectionWindow + count * HeaderBytesMax,
        $"{count / StreamsEach} connections × the {ConnectionWindow / Kibibyte} KiB that each may send ahead, and "
            + $"{count:N0} × {HeaderBytesMax / Kibibyte} KiB of headers",
        target => HoldAsync(target, count, cutAfter, isBounded, Http2Connection.Preface(), "did not go on", () =>
        {
            byte[] begun = new Framed(0, 1_000_000, new byte[UploadBytes]).ToBytes();
            return Request("Collect", begun, false);
        }));

    /// <summary>Answers without end, of which nothing is read.</summary>
    public static Flood Readers(int count, TimeSpan cutAfter, bool isBounded = true) => new(
        $"{count:N0} readers that do not read",
        ["--answers-max", "1000000", "--stalled-max", Milliseconds(cutAfter, isBounded)],
        count * (ResponseBuffer + AnswerBytes + HeaderBytesMax),
        $"{count:N0} × ({ResponseBuffer / Kibibyte} KiB of answers kept, one of {AnswerBytes / Kibibyte} KiB, and "
            + $"{HeaderBytesMax / Kibibyte} KiB of headers)",
        target => HoldAsync(target, count, cutAfter, isBounded, Http2Connection.Preface(65_535), "did not read", () =>
        {
            var request = new Mixed { Answers = 1_000_000, AnswerBytes = AnswerBytes };
            return Request("Repeat", new Framed(0, request.ToByteArray()).ToBytes(), true);
        }));

    /// <summary>A block of headers without end, and one of nothing.</summary>
    public static Flood Continuations(int connections, TimeSpan cutAfter, bool isBounded = true) => new(
        $"{connections} CONTINUATION floods",
        ["--headers-max", Milliseconds(cutAfter, true), .. (string[])(isBounded
            ? [] : ["--header-bytes-max", HeaderBytesControl])],
        connections * (2 * HeaderBytesMax + ConnectionWindow),
        $"{connections} connections × (2 × {HeaderBytesMax / Kibibyte} KiB of headers, and "
            + $"{ConnectionWindow / Kibibyte} KiB read ahead)",
        async target =>
        {
            bool[] full = await Task.WhenAll(Enumerable.Range(0, connections).Select(
                at => ContinueAsync(target, at, cutAfter + QuietMax)));
            return $"{full.Count(isFull => isFull)} cut for their size, the others, of nothing, by "
                + $"{cutAfter.TotalSeconds} s";
        });

    /// <returns>Whether there was something in the block, of which the server had too much.</returns>
    private static async Task<bool> ContinueAsync(FloodTarget target, int number, TimeSpan max)
    {
        using WireSocket socket = await WireSocket.ConnectAsync(target.Server.EndPoint);
        await socket.SendAsync(Http2Connection.Preface(), SendMax);
        // Every other one sends frames of nothing.
        bool isFull = number % 2 == 0;
        byte[] block = isFull ? Hpack.Encode([($"a{number}", new string('x', 16_000))], new Random(number)) : [];
        var wire = new MemoryStream();
        new Http2Frame(Http2Frame.OfHeaders, 0, block).Write(wire, 1);
        await socket.SendAsync(wire.ToArray(), SendMax);
        wire.SetLength(0);
        while (wire.Length < PieceBytes)
        {
            new Http2Frame(Http2Frame.OfContinuation, 0, block).Write(wire, 1);
        }

        long begun = target.Time.GetTimestamp();
        for (long sent = 0; !socket.HasEnded; sent += wire.Length)
        {
            await socket.SendAsync(wire.ToArray(), SendMax);
            while (await socket.ReceiveAsync(isFull ? Moment : Pause))
            {
                socket.Consume(socket.Received.Length);
            }

            if (target.Time.GetElapsedTime(begun) > max || sent > BlockBytesMax)
            {
                throw new FloodException($"A block of headers went on for {sent / Kibibyte:N0} KiB.");
            }
        }

        return isFull;
    }

    /// <summary>Opens so many, waits until all are, and sees that all are cut when their time is over.</summary>
    private static async Task<string> HoldAsync(
        FloodTarget target, int count, TimeSpan cutAfter, bool isBounded, byte[] preface, string what,
        Func<Http2Request> make)
    {
        Http2Request request = make();
        var sockets = new List<WireSocket>();
        try
        {
            for (int connection = 0; connection < count / StreamsEach; connection++)
            {
                WireSocket socket = await WireSocket.ConnectAsync(target.Server.EndPoint);
                sockets.Add(socket);
                var wire = new MemoryStream();
                wire.Write(preface);
                for (int at = 0; at < StreamsEach; at++)
                {
                    wire.Write(request.ToBytes(2 * at + 1));
                }

                await socket.SendAsync(wire.ToArray(), SendMax);
            }

            int open = await target.OpenAsync(count, OpenMax);
            await QuietAsync(target, cutAfter + (isBounded ? QuietMax : ControlQuietMax), what);
            return $"over {sockets.Count} connections, {open:N0} open at once, all cut after {cutAfter.TotalSeconds} s";
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task QuietAsync(FloodTarget target, TimeSpan max, string what)
    {
        if (!await target.QuietAsync(max))
        {
            int open = (await target.Server.AskAsync()).OpenRequests.Length;
            throw new FloodException($"{open:N0} calls that {what} are still there after {max.TotalSeconds} s.");
        }
    }

    private static Http2Request Request(string kind, byte[] body, bool isWhole)
    {
        byte[] block = Hpack.Encode(
            [(":method", "POST"), (":scheme", "http"), (":path", Call.Service + kind), (":authority", "a"),
                ("content-type", "application/grpc"), ("te", "trailers")],
            new Random(1));
        return new Http2Request(
        [
            new Http2Frame(Http2Frame.OfHeaders, Http2Frame.EndHeaders, block),
            new Http2Frame(Http2Frame.OfData, isWhole ? Http2Frame.EndStream : (byte)0, body),
        ]);
    }

    private static string Milliseconds(TimeSpan time, bool isBounded) =>
        isBounded ? time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) : "0";
}
