using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;

namespace Squall.Rpc.Tests;

/// Speaks to a server in bytes, so that tests see what is on the wire and not what a client makes of it.
public static class ServerWire
{
    public const string Unary = "/squall.rpc.test.v1.EchoService/Unary";
    public const string Repeat = "/squall.rpc.test.v1.EchoService/Repeat";
    public const string Collect = "/squall.rpc.test.v1.EchoService/Collect";
    public const string Chat = "/squall.rpc.test.v1.EchoService/Chat";

    public static byte[] FrameOf(IMessage message, byte flags = 0) => FrameOf(message.ToByteArray(), flags);

    public static byte[] FrameOf(byte[] payload, byte flags = 0)
    {
        byte[] frame = new byte[Frame.HeaderBytes + payload.Length];
        Frame.WriteHeader(frame, flags, payload.Length);
        payload.CopyTo(frame, Frame.HeaderBytes);
        return frame;
    }

    public static Task<RawAnswer> GrpcAsync(
        this HttpClient http, string path, byte[] body, params (string Name, string Value)[] headers) =>
        http.SendAsync(path, new ByteArrayContent(body), "application/grpc", headers);

    public static Task<RawAnswer> JsonAsync(
        this HttpClient http, string path, string body, params (string Name, string Value)[] headers) =>
        http.SendAsync(path, new ByteArrayContent(Encoding.UTF8.GetBytes(body)), "application/json", headers);

    public static async Task<RawAnswer> SendAsync(
        this HttpClient http,
        string path,
        HttpContent body,
        string type,
        (string Name, string Value)[]? headers = null,
        HttpMethod? method = null)
    {
        // Uri would tidy an escaped path on its way.
        var uri = new Uri(
            $"http://{http.BaseAddress!.Authority}{path}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(method ?? HttpMethod.Post, uri)
        {
            Content = body,
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };
        if (type.Length > 0)
        {
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        foreach ((string name, string value) in headers ?? [])
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync();
        return new RawAnswer(response, bytes);
    }
}

/// A whole answer: what came in headers, in the body and in trailers.
public sealed class RawAnswer(HttpResponseMessage response, byte[] body)
{
    private readonly Dictionary<string, string> headers = Fields(response.Headers.Concat(response.Content.Headers));
    private readonly Dictionary<string, string> trailers = Fields(response.TrailingHeaders);

    public IReadOnlyDictionary<string, string> Headers => headers;

    public IReadOnlyDictionary<string, string> Trailers => trailers;

    public HttpStatusCode Http { get; } = response.StatusCode;

    public byte[] Body => body;

    public string Text => Encoding.UTF8.GetString(body);

    public bool IsTrailersOnly => body.Length == 0 && trailers.Count == 0 && headers.ContainsKey("grpc-status");

    public int Status => int.Parse(Field("grpc-status") ?? "-1");

    public string Message => StatusMessage.Decode(Field("grpc-message") ?? "");

    public List<EchoResponse> Messages
    {
        get
        {
            var messages = new List<EchoResponse>();
            var rest = new ReadOnlySequence<byte>(body);
            while (Frame.TryRead(ref rest, int.MaxValue, Frame.GrpcFlags, out _, out ReadOnlySequence<byte> payload))
            {
                messages.Add(EchoResponse.Parser.ParseFrom(payload));
            }

            Assert.True(rest.IsEmpty, "The body ends within a frame.");
            return messages;
        }
    }

    public string? Header(string name) => headers.GetValueOrDefault(name);

    public string? Trailer(string name) => trailers.GetValueOrDefault(name);

    private static Dictionary<string, string> Fields(IEnumerable<KeyValuePair<string, IEnumerable<string>>> fields) =>
        fields.ToDictionary(field => field.Key.ToLowerInvariant(), field => string.Join(",", field.Value));

    private string? Field(string name) => Trailer(name) ?? Header(name);
}
