using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Squall.Rpc;

namespace Squall.Fuzz;

/// <summary>What an answer says in its protocol.</summary>
/// <param name="Code">Null: it speaks HTTP alone.</param>
/// <param name="Malformed">What is wrong with the answer itself.</param>
internal sealed record Outcome(StatusCode? Code, string Message, string? Malformed = null)
{
    private const byte WebTrailers = 0x80;
    private const byte ConnectEnd = 2;

    public static Outcome Read(Answer answer)
    {
        string type = answer.Headers.GetValueOrDefault("content-type", "").Split(';')[0];
        try
        {
            return type switch
            {
                _ when answer.Http == 0 => new Outcome(null, ""),
                ['a', ..] when type.StartsWith("application/grpc-web", StringComparison.OrdinalIgnoreCase) =>
                    OfWeb(answer, type),
                ['a' or 'A', ..] when type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) =>
                    OfFields(answer.Trailers.Count > 0 ? answer.Trailers : answer.Headers),
                ['a', ..] when type.StartsWith("application/connect+", StringComparison.Ordinal) => OfStream(answer),
                "application/json" when answer.Http != 200 => OfError(Plain(answer)),
                "application/json" or "application/proto" => new Outcome(StatusCode.OK, ""),
                _ => new Outcome(null, ""),
            };
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidDataException
            or ArgumentException or KeyNotFoundException or InvalidOperationException)
        {
            return new Outcome(null, "", $"the answer cannot be read: {exception.Message}");
        }
    }

    private static Outcome OfFields(IReadOnlyDictionary<string, string> fields) =>
        fields.TryGetValue("grpc-status", out string? code)
            ? new Outcome(
                (StatusCode)int.Parse(code, NumberStyles.None, CultureInfo.InvariantCulture),
                StatusMessage.Decode(fields.GetValueOrDefault("grpc-message", "")))
            : new Outcome(null, "", "the answer has no grpc-status");

    private static Outcome OfWeb(Answer answer, string type)
    {
        byte[] body = answer.Body.ToArray();
        if (type.StartsWith("application/grpc-web-text", StringComparison.OrdinalIgnoreCase))
        {
            // Padded wherever it was flushed: each group of four stands by itself.
            body = [.. body.Chunk(4).SelectMany(group => Convert.FromBase64String(Encoding.ASCII.GetString(group)))];
        }

        byte[] last = Last(body, WebTrailers);
        var fields = Encoding.Latin1.GetString(last).Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
            .GroupBy(line => line[..line.IndexOf(": ", StringComparison.Ordinal)])
            .ToDictionary(lines => lines.Key, lines => lines.First()[(lines.Key.Length + 2)..]);
        return OfFields(fields);
    }

    private static Outcome OfStream(Answer answer)
    {
        byte[] last = Last(answer.Body.ToArray(), ConnectEnd);
        using JsonDocument end = JsonDocument.Parse(last);
        return end.RootElement.TryGetProperty("error", out JsonElement error)
            ? OfError(Encoding.UTF8.GetBytes(error.GetRawText()))
            : new Outcome(StatusCode.OK, "");
    }

    private static Outcome OfError(byte[] json)
    {
        using JsonDocument error = JsonDocument.Parse(json);
        string name = error.RootElement.GetProperty("code").GetString()!;
        string message = error.RootElement.TryGetProperty("message", out JsonElement text) ? text.GetString()! : "";
        return ConnectCode.TryParse(name, out StatusCode code)
            ? new Outcome(code, message)
            : new Outcome(null, message, $"the answer's code is {name}");
    }

    private static byte[] Plain(Answer answer)
    {
        byte[] body = answer.Body.ToArray();
        if (!answer.Headers.ContainsKey("content-encoding"))
        {
            return body;
        }

        var plain = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>The frame with this flag, which is the last one and the only one that has it.</summary>
    private static byte[] Last(ReadOnlySpan<byte> body, byte flag)
    {
        while (body.Length >= Framed.HeaderBytes)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(body[1..]);
            byte flags = body[0];
            byte[] payload = body.Slice(Framed.HeaderBytes, length).ToArray();
            body = body[(Framed.HeaderBytes + length)..];
            if ((flags & flag) != 0)
            {
                return body.IsEmpty ? payload : throw new InvalidDataException("Something follows the last frame.");
            }
        }

        throw new InvalidDataException($"The body ends without its last frame, with {body.Length} bytes left.");
    }
}
