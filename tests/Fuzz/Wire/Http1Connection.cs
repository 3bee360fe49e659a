using System.Globalization;
using System.Text;

namespace Squall.Fuzz;

/// <summary>Requests over HTTP/1.1.</summary>
internal sealed class Http1Connection(WireSocket socket, TimeSpan hangMax, TimeProvider time)
    : Connection(socket, hangMax, time)
{
    protected override byte[] Begin(Call call) => call.Wire;

    protected override bool MayGoOn(Answer answer) =>
        answer.End == End.Answered
        && !answer.Headers.GetValueOrDefault("connection", "").Contains("close", StringComparison.OrdinalIgnoreCase);

    protected override bool Take(Call call, Answer answer)
    {
        ReadOnlySpan<byte> received = Socket.Received;
        int head = received.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }

        answer.Headers.Clear();
        answer.Body.SetLength(0);
        string[] lines = Encoding.Latin1.GetString(received[..head]).Split("\r\n");
        answer.Http = int.Parse(lines[0].AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = line[..colon];
            string value = line[(colon + 1)..].Trim();
            answer.Headers[name] =
                answer.Headers.TryGetValue(name, out string? before) ? $"{before},{value}" : value;
        }

        int length = BodyLength(call, answer, received[(head + 4)..]);
        if (length < 0)
        {
            return false;
        }

        Socket.Consume(head + 4 + length);
        if (answer.Http < 200)
        {
            return Take(call, answer);
        }

        answer.End = End.Answered;
        return true;
    }

    /// <summary>How much of what is there is the body, which is taken; less than 0 if it is not all there.</summary>
    private int BodyLength(Call call, Answer answer, ReadOnlySpan<byte> rest)
    {
        if (answer.Http is < 200 or 204 or 304 || IsHead(call))
        {
            return 0;
        }

        if (answer.Headers.ContainsKey("transfer-encoding"))
        {
            return TakeChunks(answer, rest);
        }

        bool isTold = answer.Headers.TryGetValue("content-length", out string? told);
        int length = isTold ? int.Parse(told!, CultureInfo.InvariantCulture) : rest.Length;
        if (rest.Length < length || !isTold && !Socket.HasEnded)
        {
            return -1;
        }

        answer.Body.Write(rest[..length]);
        return length;
    }

    private static bool IsHead(Call call) => call.Wire.AsSpan().StartsWith("HEAD"u8);

    private static int TakeChunks(Answer answer, ReadOnlySpan<byte> rest)
    {
        int at = 0;
        while (true)
        {
            int end = rest[at..].IndexOf("\r\n"u8);
            if (end < 0)
            {
                return -1;
            }

            int length = int.Parse(
                Encoding.ASCII.GetString(rest.Slice(at, end)), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at += end + 2;
            if (rest.Length < at + length + 2)
            {
                return -1;
            }

            answer.Body.Write(rest.Slice(at, length));
            at += length + 2;
            if (length == 0)
            {
                return at;
            }
        }
    }
}
