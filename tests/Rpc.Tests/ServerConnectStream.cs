using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;

namespace Squall.Rpc.Tests;

/// Speaks Connect's streams to a server, in bytes.
public static class ServerConnectStream
{
    public const byte EndOfStream = 2;

    /// Both codecs over both versions of HTTP.
    public static TheoryData<string, int> Worlds => new()
    {
        { "proto", 1 }, { "proto", 2 }, { "json", 1 }, { "json", 2 },
    };

    public static HttpClient Http(this ServerHost host, int version) => version == 1 ? host.Http1 : host.Http2;

    /// A message in a codec, in its frame.
    public static byte[] FrameIn(string codec, IMessage message) => ServerWire.FrameOf(BytesIn(codec, message));

    public static byte[] BytesIn(string codec, IMessage message) => codec == "proto"
        ? message.ToByteArray()
        : Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(message));

    public static async Task<StreamAnswer> StreamAsync(
        this HttpClient http, string path, string codec, byte[] body, params (string Name, string Value)[] headers)
    {
        RawAnswer answer = await http.SendAsync(
            path, new ByteArrayContent(body), "application/connect+" + codec, headers);
        return new StreamAnswer(answer, codec);
    }
}

/// A whole answer of a stream: its messages, and what its last frame tells.
public sealed class StreamAnswer
{
    public StreamAnswer(RawAnswer raw, string codec)
    {
        Raw = raw;
        var rest = new ReadOnlySequence<byte>(raw.Body);
        while (Frame.TryRead(ref rest, int.MaxValue, 3, out byte flags, out ReadOnlySequence<byte> payload))
        {
            Assert.True(EndFlags is null, "A frame follows the last one.");
            byte[] bytes = (flags & 1) == 0
                ? payload.ToArray()
                : Gzip.Inflate(payload, int.MaxValue).ToArray();
            if ((flags & ServerConnectStream.EndOfStream) != 0)
            {
                EndFlags = flags;
                End = JsonDocument.Parse(bytes).RootElement;
                continue;
            }

            Messages.Add(codec == "proto"
                ? EchoResponse.Parser.ParseFrom(bytes)
                : EchoResponse.Parser.ParseJson(Encoding.UTF8.GetString(bytes)));
        }

        Assert.True(rest.IsEmpty, "The body ends within a frame.");
        Assert.True(EndFlags is not null, "The last frame is missing.");
    }

    public RawAnswer Raw { get; }

    public List<EchoResponse> Messages { get; } = [];

    public byte? EndFlags { get; }

    public JsonElement End { get; }

    /// Null: the call went well.
    public string? Code => End.TryGetProperty("error", out JsonElement error)
        ? error.GetProperty("code").GetString()
        : null;
}
