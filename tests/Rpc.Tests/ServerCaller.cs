using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Rpc.Tests;

/// One way to call: a protocol over a version of HTTP, in a codec, with or without compression both ways. Bytes are
/// made and read here, so that what is tested is what is on the wire.
public sealed record World(string Protocol, int Http, string Codec = "proto", bool Gzip = false)
{
    /// The content's type.
    public string Type => Protocol switch
    {
        "connect" => "application/connect+" + Codec,
        "unary" => "application/" + Codec,
        "webtext" => "application/grpc-web-text" + (Codec == "proto" ? "" : "+" + Codec),
        "web" => "application/grpc-web+" + Codec,
        _ => "application/grpc+" + Codec,
    };

    public bool IsConnect => Protocol is "connect" or "unary";

    /// All that carry streams.
    public static TheoryData<World> Streams => [.. All(unary: false)];

    /// All that carry unary calls.
    public static TheoryData<World> Unaries => [.. All(unary: true)];

    public override string ToString() => $"{Protocol}/{Http}/{Codec}{(Gzip ? "/gzip" : "")}";

    /// Calls with these requests, and reads the whole answer.
    public Task<WorldAnswer> CallAsync(
        ServerHost host, string path, EchoRequest[] requests, params (string Name, string Value)[] headers) =>
        SendAsync(host, path, Body(requests), headers);

    /// The same with a body as it is to be.
    public async Task<WorldAnswer> SendAsync(
        ServerHost host, string path, byte[] body, params (string Name, string Value)[] headers) => Read(
            await host.Http(Http).SendAsync(
                path, new ByteArrayContent(body), Type, [.. headers, .. EncodingHeaders()]));

    /// What a whole answer says.
    public WorldAnswer Read(RawAnswer raw) => Protocol switch
    {
        "unary" => ReadUnary(raw),
        "connect" => ReadConnect(raw),
        "grpc" => ReadGrpc(raw, raw.Body),
        "web" => ReadWeb(raw, raw.Body),
        _ => ReadWeb(raw, FromText(raw.Text)),
    };

    /// The header that bounds a call's time, in milliseconds.
    public (string Name, string Value) Timeout(int milliseconds) => IsConnect
        ? ("connect-timeout-ms", milliseconds.ToString(CultureInfo.InvariantCulture))
        : ("grpc-timeout", milliseconds.ToString(CultureInfo.InvariantCulture) + "m");

    /// Base64 that may end, with its padding, after any group.
    public static byte[] FromText(string text)
    {
        var bytes = new List<byte>();
        foreach (char[] group in text.Chunk(4))
        {
            bytes.AddRange(Convert.FromBase64String(new string(group)));
        }

        return [.. bytes];
    }

    private static IEnumerable<World> All(bool unary)
    {
        foreach (bool gzip in (bool[])[false, true])
        {
            foreach (string codec in (string[])["proto", "json"])
            {
                yield return new World("grpc", 2, codec, gzip);
                foreach (int http in (int[])[1, 2])
                {
                    yield return new World("web", http, codec, gzip);
                    yield return new World(unary ? "unary" : "connect", http, codec, gzip);
                }
            }

            yield return new World("webtext", 1, "proto", gzip);
            yield return new World("webtext", 2, "proto", gzip);
        }
    }

    private byte[] Body(EchoRequest[] requests)
    {
        byte[][] messages = [.. requests.Select(request => Pack(ServerConnectStream.BytesIn(Codec, request)))];
        return Protocol switch
        {
            "unary" => Assert.Single(messages),
            // Each frame by itself, as a client writes it that flushes after each.
            "webtext" => Encoding.ASCII.GetBytes(string.Concat(messages.Select(
                message => Convert.ToBase64String(ServerWire.FrameOf(message, (byte)(Gzip ? 1 : 0)))))),
            _ => [.. messages.SelectMany(message => ServerWire.FrameOf(message, (byte)(Gzip ? 1 : 0)))],
        };
    }

    private byte[] Pack(byte[] plain) => Gzip ? Rpc.Gzip.Provider.Deflate(plain).ToArray() : plain;

    private IEnumerable<(string, string)> EncodingHeaders() => !Gzip ? [] : Protocol switch
    {
        "unary" => [("content-encoding", "gzip"), ("accept-encoding", "br;q=1.0, gzip")],
        "connect" => [("connect-content-encoding", "gzip"), ("connect-accept-encoding", "gzip")],
        _ => [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity, gzip")],
    };

    private EchoResponse Message(byte[] bytes) => Codec == "proto"
        ? EchoResponse.Parser.ParseFrom(bytes)
        : EchoResponse.Parser.ParseJson(Encoding.UTF8.GetString(bytes));

    private WorldAnswer ReadUnary(RawAnswer raw)
    {
        bool packed = raw.Header("content-encoding") == "gzip";
        byte[] body = packed ? Rpc.Gzip.Inflate(new(raw.Body), int.MaxValue).ToArray() : raw.Body;
        var answer = new WorldAnswer(raw) { Compressed = [packed] };
        foreach ((string name, string value) in raw.Headers)
        {
            if (name.StartsWith("trailer-", StringComparison.Ordinal))
            {
                answer.Trailers[name["trailer-".Length..]] = value;
            }
        }

        if ((int)raw.Http == 200)
        {
            answer.Messages.Add(Message(body));
            return answer with { Code = StatusCode.OK };
        }

        return WithError(answer, JsonDocument.Parse(body).RootElement);
    }

    private WorldAnswer ReadConnect(RawAnswer raw)
    {
        var answer = new WorldAnswer(raw);
        JsonElement? end = null;
        foreach ((byte flags, byte[] payload) in Frames(raw.Body, 3, answer))
        {
            Assert.True(end is null, "A frame follows the last one.");
            if (flags < 2)
            {
                answer.Messages.Add(Message(payload));
                continue;
            }

            end = JsonDocument.Parse(payload).RootElement;
            if (end.Value.TryGetProperty("metadata", out JsonElement metadata))
            {
                foreach (JsonProperty name in metadata.EnumerateObject())
                {
                    answer.Trailers[name.Name] = string.Join(",", name.Value.EnumerateArray());
                }
            }
        }

        Assert.True(end is not null, "The last frame is missing.");
        return end.Value.TryGetProperty("error", out JsonElement error)
            ? WithError(answer, error)
            : answer with { Code = StatusCode.OK };
    }

    private WorldAnswer ReadGrpc(RawAnswer raw, byte[] body)
    {
        var answer = new WorldAnswer(raw);
        answer.Messages.AddRange(Frames(body, 1, answer).Select(frame => Message(frame.Payload)));
        foreach ((string name, string value) in raw.IsTrailersOnly ? raw.Headers : raw.Trailers)
        {
            answer.Trailers[name] = value;
        }

        return WithStatus(answer);
    }

    private WorldAnswer ReadWeb(RawAnswer raw, byte[] body)
    {
        var answer = new WorldAnswer(raw);
        bool ended = false;
        foreach ((byte flags, byte[] payload) in Frames(body, 0x81, answer))
        {
            Assert.False(ended, "A frame follows the last one.");
            if (flags < 0x80)
            {
                answer.Messages.Add(Message(payload));
                continue;
            }

            ended = true;
            string text = Encoding.ASCII.GetString(payload);
            Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
            foreach (string line in text[..^2].Split("\r\n"))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                string name = line[..colon];
                Assert.Equal(name.ToLowerInvariant(), name);
                string value = line[(colon + 1)..].Trim();
                answer.Trailers[name] = answer.Trailers.TryGetValue(name, out string? others)
                    ? $"{others},{value}"
                    : value;
            }
        }

        Assert.True(ended, "The trailers are missing.");
        Assert.Empty(raw.Trailers);
        return WithStatus(answer);
    }

    private static WorldAnswer WithStatus(WorldAnswer answer) => answer with
    {
        Code = (StatusCode)int.Parse(answer.Trailers["grpc-status"], CultureInfo.InvariantCulture),
        Message = StatusMessage.Decode(answer.Trailers.GetValueOrDefault("grpc-message") ?? ""),
        Details = answer.Trailers.TryGetValue("grpc-status-details-bin", out string? details)
            && BinaryHeader.TryDecode(details, out List<byte[]> bytes)
                ? [.. Google.Rpc.Status.Parser.ParseFrom(Assert.Single(bytes)).Details]
                : [],
    };

    private static WorldAnswer WithError(WorldAnswer answer, JsonElement error)
    {
        Assert.True(ConnectCode.TryParse(error.GetProperty("code").GetString(), out StatusCode code));
        return answer with
        {
            Code = code,
            Message = error.TryGetProperty("message", out JsonElement message) ? message.GetString()! : "",
            Details = error.TryGetProperty("details", out JsonElement details)
                ? [.. details.EnumerateArray().Select(Shown)]
                : [],
        };
    }

    /// Whatever the call's own content, people are shown what a detail holds.
    private static Any Shown(JsonElement detail)
    {
        Assert.NotEmpty(detail.GetProperty("debug").EnumerateObject());
        Assert.True(BinaryHeader.TryDecode(detail.GetProperty("value").GetString()!, out List<byte[]> values));
        return new Any
        {
            TypeUrl = "type.googleapis.com/" + detail.GetProperty("type").GetString(),
            Value = ByteString.CopyFrom(Assert.Single(values)),
        };
    }

    private static IEnumerable<(byte Flags, byte[] Payload)> Frames(byte[] body, byte flagsKnown, WorldAnswer answer)
    {
        var rest = new ReadOnlySequence<byte>(body);
        while (Frame.TryRead(ref rest, int.MaxValue, flagsKnown, out byte flags, out ReadOnlySequence<byte> payload))
        {
            bool packed = (flags & 1) != 0;
            answer.Compressed.Add(packed);
            yield return (flags, (packed ? Rpc.Gzip.Inflate(payload, int.MaxValue) : payload).ToArray());
        }

        Assert.True(rest.IsEmpty, "The body ends within a frame.");
    }
}

/// What an answer says, whatever the protocol.
public sealed record WorldAnswer(RawAnswer Raw)
{
    public List<EchoResponse> Messages { get; } = [];

    /// For each frame, or for the unary answer's content, whether it was compressed.
    public List<bool> Compressed { get; init; } = [];

    public Dictionary<string, string> Trailers { get; } = [];

    public StatusCode Code { get; init; }

    public string Message { get; init; } = "";

    public Any[] Details { get; init; } = [];

    /// The full names of the details' types.
    public string[] DetailTypes => [.. Details.Select(detail => Any.GetTypeName(detail.TypeUrl))];

    /// Null: its reason is not told.
    public ErrorInfo? Cause => Details.Where(detail => detail.Is(ErrorInfo.Descriptor))
        .Select(detail => detail.Unpack<ErrorInfo>()).SingleOrDefault();
}
