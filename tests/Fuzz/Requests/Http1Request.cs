using System.Globalization;
using System.Text;

namespace Squall.Fuzz;

/// <summary>A request as HTTP/1.1 has it, and what can be wrong with that.</summary>
internal sealed record Http1Request(List<string> Lines, byte[] Body, string LineEnd = "\r\n")
{
    private const int RequestLine = 0;
    private static readonly string[] FirstLines =
    [
        "GET", "POST /", "POST  / HTTP/1.1", "POST / HTTP/1.0", "POST / HTTP/3.0", "POST / HTTP/1.1 x", "\u0000",
        "POST http://a/b HTTP/1.1", "POST * HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT a:1 HTTP/1.1",
        "PRI * HTTP/2.0", "",
        "\u0016\u0003\u0001\u0002", "TRACE / HTTP/1.1", "HEAD / HTTP/1.1", "POST /\u0080 HTTP/1.1",
        "POST /a b HTTP/1.1",
    ];

    private static readonly string[] Extras =
    [
        "transfer-encoding: chunked", "transfer-encoding: gzip, chunked", "content-length: 0", "content-length: 5",
        "content-length: -1", "content-length: 99999999999999999999", "transfer-encoding: identity", "host: b", "host:",
        "connection: close", "connection: upgrade, http2-settings", "upgrade: h2c", "upgrade: websocket",
        ": a", "a", "a :b",
        " folded", "a: \u0000", "a: b\rc", "a: b\nc", "\u00E9: a", "expect: 100-continue", "expect: a", "te: \u0001",
        "connection: content-type", "keep-alive: 1", "content-type: application/json",
    ];

    private static readonly string[] Chunks =
    [
        "", "0\r\n\r\n", "5\r\nabc", "zz\r\n", "-1\r\n", "FFFFFFFFFFFFFFFFF\r\n", "7FFFFFFF\r\na",
        "0;a=b\r\nc: d\r\n\r\n",
        "1\na\n0\n\n", "1\r\naa\r\n0\r\n\r\n", "0\r\ngrpc-status: 0\r\n\r\n", " 1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n",
    ];

    public static readonly Mutation<Http1Request>[] Mutations =
    [
        new("another first line", (request, random) => request.With(RequestLine, Bytes.Pick(FirstLines, random))),
        new("another header", (request, random) => request.Insert(Bytes.Pick(Extras, random), random)),
        new("another header", (request, random) => request.Insert(Bytes.Pick(Extras, random), random)),
        new("another header", (request, random) => request.Insert(Bytes.Pick(Extras, random), random)),
        new("one line less", (request, random) => request with
        {
            Lines = [.. request.Lines.Where((_, at) => at != random.Next(request.Lines.Count))],
        }),
        new("another length", (request, random) => request.WithoutLength().Insert(
            $"content-length: {Math.Max(0, request.Body.Length + random.Next(-9, 10))}", random)),
        new("no length", (request, _) => request.WithoutLength()),
        new("strange chunks", (request, random) => request.WithoutLength().Insert("transfer-encoding: chunked", random)
            with { Body = Encoding.Latin1.GetBytes(Bytes.Pick(Chunks, random)) }),
        new("lines end as in Unix", (request, _) => request with { LineEnd = "\n" }),
        new("other bytes", (request, random) => Smudged(request, random)),
        new("other bytes", (request, random) => Smudged(request, random)),
        new("cut short", (request, random) => Raw(request.ToBytes() is var all ? all[..random.Next(all.Length)] : all)),
        new("a stranger's bytes", (_, random) => Raw(Bytes.Some(random, 200))),
        new("another one behind it", (request, _) => request with { Body = [.. request.Body, .. request.ToBytes()] }),
    ];

    public static Http1Request Make(Call call, Random random)
    {
        List<string> lines = [$"{call.Verb} {call.Target} HTTP/1.1", "host: localhost"];
        lines.AddRange(call.Headers.Select(header => $"{header.Name}: {header.Value}"));
        if (call.Protocol == Protocol.ConnectGet && call.Body.Length == 0)
        {
            return new Http1Request(lines, []);
        }

        if (random.Next(3) > 0)
        {
            lines.Add($"content-length: {call.Body.Length}");
            return new Http1Request(lines, call.Body);
        }

        lines.Add("transfer-encoding: chunked");
        int first = random.Next(call.Body.Length + 1);
        return new Http1Request(lines, [.. Chunk(call.Body[..first]), .. Chunk(call.Body[first..]), .. "0\r\n\r\n"u8]);
    }

    public byte[] ToBytes()
    {
        string head = Lines.Count == 0 ? "" : string.Join(LineEnd, Lines) + LineEnd + LineEnd;
        return [.. Encoding.Latin1.GetBytes(head), .. Body];
    }

    private static byte[] Chunk(byte[] bytes) => bytes.Length == 0
        ? []
        :
        [
            .. Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture)), .. "\r\n"u8, .. bytes,
            .. "\r\n"u8,
        ];

    private static Http1Request Raw(byte[] bytes) => new([], bytes);

    private static Http1Request Smudged(Http1Request request, Random random)
    {
        byte[] bytes = request.ToBytes();
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            bytes = Bytes.Pick(Bytes.Mutations, random).Apply(bytes, random);
        }

        return Raw(bytes);
    }

    private Http1Request With(int at, string line) =>
        Lines.Count == 0 ? this : this with { Lines = [.. Lines.Select((old, i) => i == at ? line : old)] };

    private Http1Request Insert(string line, Random random)
    {
        int at = random.Next(Math.Min(1, Lines.Count), Lines.Count + 1);
        return this with { Lines = [.. Lines.Take(at), line, .. Lines.Skip(at)] };
    }

    private Http1Request WithoutLength() => this with
    {
        Lines = [.. Lines.Where(line => !line.StartsWith("content-length", StringComparison.Ordinal)
            && !line.StartsWith("transfer-encoding", StringComparison.Ordinal))],
    };
}
