using System.Buffers.Text;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;

namespace Squall.Fuzz;

/// <summary>Requests that inflate to a GiB, in each protocol.</summary>
internal static class BombFlood
{
    private const int MemberBytes = 64 * 1024 * 1024;
    private const int UrlBombBytes = 5 * 1024 * 1024;
    private const int ReceiveBytesMax = 4 * 1024 * 1024;

    // What came, its copy for the inflater, and what is inflated before and after its buffer was made twice as large.
    private const int CopiesMax = 4;

    private static readonly (string Type, string Kind, string Encoding, Version Http)[] Ways =
    [
        ("application/grpc", "Echo", "grpc-encoding", HttpVersion.Version20),
        ("application/grpc-web", "Echo", "grpc-encoding", HttpVersion.Version11),
        ("application/grpc-web-text", "Echo", "grpc-encoding", HttpVersion.Version20),
        ("application/proto", "Echo", "content-encoding", HttpVersion.Version11),
        ("application/json", "Echo", "content-encoding", HttpVersion.Version20),
        ("application/connect+proto", "Repeat", "connect-content-encoding", HttpVersion.Version20),
    ];

    /// <param name="limit">In bytes, of the server; 0: it has none.</param>
    public static Flood Of(int members, int atOnce, int each, int limit = ReceiveBytesMax) => new(
        $"gzip bombs of {(long)members * MemberBytes / (1 << 20):N0} MiB",
        ["--receive-max", limit.ToString(CultureInfo.InvariantCulture)],
        (long)atOnce * CopiesMax * ReceiveBytesMax,
        $"{atOnce} at once × {CopiesMax} × the {ReceiveBytesMax >> 20} MiB that a message may have",
        target => PourAsync(target, members, atOnce, each));

    private static async Task<string> PourAsync(FloodTarget target, int members, int atOnce, int each)
    {
        byte[] member = Zip(MemberBytes);
        byte[] bomb = [.. Enumerable.Repeat(member, members).SelectMany(bytes => bytes)];
        byte[] url = Zip(UrlBombBytes);
        using var http = new HttpClient { BaseAddress = target.Server.Address };
        int sent = 0;
        for (int round = 0; round < each; round++)
        {
            foreach ((string type, string kind, string encoding, Version version) in Ways)
            {
                byte[] body = type is "application/proto" or "application/json" ? bomb : new Framed(1, bomb).ToBytes();
                body = type.EndsWith("text", StringComparison.Ordinal)
                    ? System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(body)) : body;
                await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => RefusedAsync(http, () =>
                {
                    var content = new ByteArrayContent(body);
                    content.Headers.ContentType = new MediaTypeHeaderValue(type);
                    content.Headers.TryAddWithoutValidation(encoding, "gzip");
                    return Request(HttpMethod.Post, Call.Service + kind, version, content);
                })));
                sent += atOnce;
            }

            string path = $"{Call.Service}Look?connect=v1&encoding=proto&base64=1&compression=gzip&message="
                + Base64Url.EncodeToString(url);
            await RefusedAsync(http, () => Request(HttpMethod.Get, path, HttpVersion.Version20));
            sent++;
        }

        return $"{sent} refused, in {Ways.Length} types and by GET, {atOnce} at once";
    }

    private static HttpRequestMessage Request(
        HttpMethod verb, string path, Version http, HttpContent? content = null) =>
        new(verb, path)
        {
            Content = content,
            Version = http,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

    private static async Task RefusedAsync(HttpClient http, Func<HttpRequestMessage> make)
    {
        using HttpRequestMessage request = make();
        using HttpResponseMessage answer = await http.SendAsync(request);
        string body = await answer.Content.ReadAsStringAsync();
        string told = $"{(int)answer.StatusCode} {answer.Headers}{answer.TrailingHeaders}{body}";
        string text = request.Content?.Headers.ContentType?.MediaType == "application/grpc-web-text"
            ? System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(body)) : told;
        if (!text.Contains("grpc-status: 8", StringComparison.Ordinal)
            && !text.Contains("resource_exhausted", StringComparison.Ordinal))
        {
            throw new FloodException($"A bomb was not refused: {told[..Math.Min(told.Length, 200)]}");
        }
    }

    private static byte[] Zip(int count)
    {
        var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.SmallestSize))
        {
            stream.Write(new byte[count]);
        }

        return zipped.ToArray();
    }
}
