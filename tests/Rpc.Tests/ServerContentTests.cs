using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Compression;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// Types and encodings of contents, by their headers.
public sealed class ServerContentTests
{
    private static readonly EchoRequest Long = new() { Text = new string('a', 5000) };

    [Theory, Wire("1.1.01", "1.1.02")]
    [InlineData("application/grpc;charset=utf-8", 200)]
    [InlineData("application/grpc; charset=utf-8", 200)]
    [InlineData("application/grpc+proto; x=y", 200)]
    [InlineData("Application/GRPC+Proto", 200)]
    [InlineData("application/grpc+foo", 415)]
    [InlineData("application/grpc+", 415)]
    [InlineData("application/grpcfoo", 415)]
    [InlineData("application/grp", 415)]
    [InlineData("text/plain", 415)]
    [InlineData("", 415)]
    public async Task A_type_of_grpcs_is_served_whatever_its_parameters_and_no_other(string type, int status)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.SendAsync(Unary, new ByteArrayContent(FrameOf(new EchoRequest())), type);
        Assert.Equal(status, (int)answer.Http);
        Assert.Equal(status == 200, answer.Trailers.ContainsKey("grpc-status"));
        Assert.False(answer.Headers.ContainsKey("grpc-status"));
        Assert.Equal(
            status == 200 ? MediaTypeHeaderValue.Parse(type).ToString() : "text/plain; charset=utf-8",
            answer.Header("content-type"));
        Assert.Equal(status == 200 ? 1 : 0, host.Probe.Calls);
        answer = await host.Http2.SendAsync(
            Unary, new ByteArrayContent(FrameOf(new EchoRequest())), type, method: HttpMethod.Put);
        Assert.Equal((405, "POST"), ((int)answer.Http, answer.Header("allow")));
    }

    [Theory, Wire("1.4.01", "1.4.02")]
    [InlineData("application/grpc", 2, "grpc-encoding", "grpc-accept-encoding")]
    [InlineData("application/grpc-web", 1, "grpc-encoding", "grpc-accept-encoding")]
    [InlineData("application/grpc-web", 2, "grpc-encoding", "grpc-accept-encoding")]
    [InlineData("application/connect+proto", 1, "connect-content-encoding", "connect-accept-encoding")]
    [InlineData("application/connect+proto", 2, "connect-content-encoding", "connect-accept-encoding")]
    public async Task All_encodings_that_are_read_are_told_and_no_other_is_read(
        string type, int http, string encoding, string accept)
    {
        await using ServerHost host = await ServerHost.StartAsync(grpc => grpc.CompressionProviders =
            [Rpc.Gzip.Provider, new DeflateCompressionProvider(System.IO.Compression.CompressionLevel.Fastest)]);
        // In one that the caller could not know of; it is told all the same.
        byte[] body = FrameOf(
            new DeflateCompressionProvider(System.IO.Compression.CompressionLevel.Fastest).Deflate(Long.ToByteArray())
                .ToArray(),
            flags: 1);
        RawAnswer answer = await host.Http(http).SendAsync(
            Collect, new ByteArrayContent(body), type, [(encoding, "deflate")]);
        Assert.Equal("identity,gzip,deflate", answer.Header(accept));
        Assert.Equal(1, host.Probe.Calls);
        Assert.Null(answer.Header(encoding));
        Assert.Contains(Long.Text, answer.Text, StringComparison.Ordinal);

        // Though nothing is compressed.
        answer = await host.Http(http).SendAsync(
            Collect, new ByteArrayContent(FrameOf(new EchoRequest())), type, [(encoding, "br")]);
        Assert.Equal("identity,gzip,deflate", answer.Header(accept));
        Assert.Equal(1, host.Probe.Calls);
        string told = answer.Text + answer.Message;
        Assert.Contains("identity,gzip,deflate", told, StringComparison.Ordinal);
        Assert.DoesNotContain("br", told, StringComparison.Ordinal);
        Assert.Contains(type.Contains("connect", StringComparison.Ordinal) ? "unimplemented" : "12",
            answer.Text + answer.Status, StringComparison.Ordinal);
    }

    [Theory, Wire("1.7.08")]
    [InlineData("proto", 1)]
    [InlineData("proto", 2)]
    [InlineData("json", 1)]
    [InlineData("json", 2)]
    public async Task A_unary_body_is_compressed_by_the_headers_of_http(string codec, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync(grpc => grpc.ResponseCompressionAlgorithm = "gzip");
        byte[] plain = ServerConnectStream.BytesIn(codec, Long);
        byte[] packed = Rpc.Gzip.Provider.Deflate(plain).ToArray();
        foreach ((byte[] body, string? encoding, string? accept, string? answered) in
            ((byte[], string?, string?, string?)[])
            [
                (packed, "gzip", "gzip", "gzip"),
                (packed, "gzip", "identity", null),
                (packed, "gzip", "br, gzip;q=0", null),
                (packed, "gzip", "deflate, gzip;q=0.5", "gzip"),
                // It may be the request's, and is not: what a caller can read, it can say.
                (packed, "gzip", null, null),
                (plain, null, "gzip", "gzip"),
                (plain, "identity", "gzip", "gzip"),
                (plain, null, null, null),
            ])
        {
            RawAnswer answer = await SendAsync(host, codec, http, body, encoding, accept);
            Assert.Equal((200, "application/" + codec), ((int)answer.Http, answer.Header("content-type")));
            Assert.Equal(answered, answer.Header("content-encoding"));
            byte[] message = answered is null ? answer.Body : Plain(answer.Body);
            Assert.Contains(Long.Text, Encoding.UTF8.GetString(message), StringComparison.Ordinal);
        }
    }

    [Theory, Wire("1.7.08")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_unary_body_in_an_unknown_encoding_is_refused_and_an_empty_one_not_inflated(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (string codec in (string[])["proto", "json"])
        {
            RawAnswer answer = await SendAsync(host, codec, http, "{}"u8.ToArray(), "br", null);
            Assert.Equal((501, "application/json"), ((int)answer.Http, answer.Header("content-type")));
            JsonElement error = JsonDocument.Parse(answer.Text).RootElement;
            Assert.Equal("unimplemented", error.GetProperty("code").GetString());
            Assert.Contains("identity,gzip", error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal("identity,gzip", answer.Header("accept-encoding"));
        }

        Assert.Equal(0, host.Probe.Calls);
        Assert.Equal(200, (int)(await SendAsync(host, "proto", http, [], "gzip", null)).Http);
        Assert.Equal(1, host.Probe.Calls);
        // No bytes are no JSON either, whatever they are said to be in.
        Assert.Equal(400, (int)(await SendAsync(host, "json", http, [], "gzip", null)).Http);
        Assert.Equal(400, (int)(await SendAsync(host, "proto", http, [1, 2, 3], "gzip", null)).Http);
        Assert.Equal(1, host.Probe.Calls);
    }

    [Theory, InlineData("proto"), InlineData("json"), Wire("1.7.09")]
    public async Task Each_code_has_its_http_status_and_a_body_in_json(string codec)
    {
        int[] statuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        string[] names =
        [
            "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
            "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range",
            "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated",
        ];
        await using ServerHost host = await ServerHost.StartAsync(grpc => grpc.ResponseCompressionAlgorithm = "gzip");
        foreach (int code in Enumerable.Range(1, 16))
        {
            var request = new EchoRequest
            {
                FailCode = code,
                FailMessage = "so it is",
                Reason = code % 2 > 0 ? "WHY" : "",
            };
            RawAnswer answer = await SendAsync(
                host, codec, code % 2 + 1, ServerConnectStream.BytesIn(codec, request), null, "gzip");
            Assert.Equal(statuses[code - 1], (int)answer.Http);
            Assert.Equal("application/json", answer.Header("content-type"));
            JsonElement error = JsonDocument.Parse(answer.Text).RootElement;
            Assert.Equal(names[code - 1], error.GetProperty("code").GetString());
            Assert.Equal("so it is", error.GetProperty("message").GetString());
            if (code % 2 > 0)
            {
                // The bare name, and base64 without padding, of 11 bytes.
                JsonElement detail = Assert.Single(error.GetProperty("details").EnumerateArray());
                Assert.Equal("google.rpc.ErrorInfo", detail.GetProperty("type").GetString());
                Assert.Equal("CgNXSFkSBHRlc3Q", detail.GetProperty("value").GetString());
            }
        }

        byte[] body = ServerConnectStream.BytesIn(codec, new EchoRequest { FailCode = 5, FailMessage = Long.Text });
        RawAnswer packed = await SendAsync(host, codec, 1, body, null, "gzip");
        Assert.Equal("gzip", packed.Header("content-encoding"));
        Assert.Contains(
            Long.Text, Encoding.UTF8.GetString(Plain(packed.Body)), StringComparison.Ordinal);
    }

    [Theory, Wire("1.7.06")]
    [InlineData("0", 504)]
    [InlineData("1000000000", 200)]
    [InlineData("9999999999", 200)]
    [InlineData("10000000000", 400)]
    [InlineData("", 400)]
    [InlineData("-1", 400)]
    [InlineData("1.5", 400)]
    [InlineData("1m", 400)]
    public async Task A_unary_calls_timeout_is_honoured_or_refused(string timeout, int status)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (int http in (int[])[1, 2])
        {
            RawAnswer answer = await host.Http(http).JsonAsync(Unary, "{}", ("connect-timeout-ms", timeout));
            Assert.Equal(status, (int)answer.Http);
        }

        Assert.Equal(status == 200 ? 2 : 0, host.Probe.Calls);
    }

    [Theory, MemberData(nameof(World.Unaries), MemberType = typeof(World)), Wire("1.5.03")]
    public async Task An_answer_exactly_at_the_limit_passes_and_one_past_it_does_not(World world)
    {
        int bytes = ServerConnectStream.BytesIn(world.Codec, new EchoResponse { Text = Long.Text }).Length;
        foreach ((int slack, StatusCode code) in
            ((int, StatusCode)[])[(0, StatusCode.OK), (-1, StatusCode.ResourceExhausted)])
        {
            await using ServerHost host = await ServerHost.StartAsync(grpc =>
            {
                grpc.MaxSendMessageSize = bytes + slack;
                grpc.ResponseCompressionAlgorithm = "gzip";
            });
            WorldAnswer answer = await world.CallAsync(host, Unary, [Long]);
            Assert.Equal(code, answer.Code);
            Assert.Equal(code == StatusCode.OK ? 1 : 0, answer.Messages.Count);
        }
    }

    private static byte[] Plain(byte[] gzip) => Rpc.Gzip.Inflate(new ReadOnlySequence<byte>(gzip), 10_000).ToArray();

    private static Task<RawAnswer> SendAsync(
        ServerHost host, string codec, int http, byte[] body, string? encoding, string? accept) =>
        host.Http(http).SendAsync(
            Unary,
            new ByteArrayContent(body),
            "application/" + codec,
            [
                .. encoding is null ? (IEnumerable<(string, string)>)[] : [("content-encoding", encoding)],
                .. accept is null ? (IEnumerable<(string, string)>)[] : [("accept-encoding", accept)],
            ]);
}
