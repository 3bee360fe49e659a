using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

public sealed class ServerWebTests
{
    private const string Text = "application/grpc-web-text+proto";
    private const string Binary = "application/grpc-web+proto";

    [Fact, Wire("1.6.02")]
    public async Task Trailers_are_the_last_frame_in_lower_case_lines_without_a_blank_one()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (HttpClient http in (HttpClient[])[host.Http1, host.Http2])
        {
            RawAnswer answer = await http.SendAsync(
                Unary,
                new ByteArrayContent(FrameOf(new EchoRequest { FailCode = 3, FailMessage = "no" })),
                Binary);
            Assert.Equal(200, (int)answer.Http);
            Assert.Equal(
                "\u0080\0\0\0\u0022grpc-status: 3\r\ngrpc-message: no\r\n", Encoding.Latin1.GetString(answer.Body));
            Assert.Null(answer.Header("grpc-status"));
        }
    }

    [Theory, InlineData(true), InlineData(false), Wire("1.6.01")]
    public async Task An_application_may_say_what_is_called_by_it(bool isDefault)
    {
        await using ServerHost host = await ServerHost.StartAsync(map: app =>
        {
            app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = isDefault });
            GrpcServiceEndpointConventionBuilder health = app.MapGrpcHealthChecksService();
            _ = isDefault ? health.DisableGrpcWeb() : health.EnableGrpcWeb();
        });
        async Task<int> HttpOf(string path) =>
            (int)(await host.Http1.SendAsync(path, new ByteArrayContent(FrameOf(new EchoRequest())), Binary)).Http;
        Assert.Equal(isDefault ? 200 : 415, await HttpOf(Unary));
        Assert.Equal(isDefault ? 415 : 200, await HttpOf("/grpc.health.v1.Health/Check"));
    }

    [Theory, Wire("1.6.03")]
    [InlineData("application/grpc-web", "", "application/grpc-web")]
    [InlineData("application/grpc-web+proto", "", "application/grpc-web+proto")]
    [InlineData("application/grpc-web-text", "", "application/grpc-web-text")]
    [InlineData("application/grpc-web-text+proto", "", "application/grpc-web-text+proto")]
    [InlineData("application/grpc-web-text", "application/grpc-web", "application/grpc-web")]
    [InlineData("application/grpc-web+proto", "a/b, application/grpc-web-text", "application/grpc-web-text+proto")]
    [InlineData("application/grpc-web; charset=utf-8", "*/*", "application/grpc-web")]
    public async Task The_answers_form_is_the_one_that_is_accepted(string type, string accept, string expected)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body = FrameOf(new EchoRequest { Text = "hello" });
        if (type.Contains("text", StringComparison.Ordinal))
        {
            body = Encoding.ASCII.GetBytes(Convert.ToBase64String(body));
        }

        RawAnswer answer = await host.Http1.SendAsync(
            Unary, new ByteArrayContent(body), type, accept.Length == 0 ? [] : [("accept", accept)]);
        Assert.Equal(expected, answer.Header("content-type"));
        byte[] answered = expected.Contains("text", StringComparison.Ordinal)
            ? World.FromText(answer.Text)
            : answer.Body;
        Assert.StartsWith(Convert.ToHexString(FrameOf(new EchoResponse { Text = "hello" })),
            Convert.ToHexString(answered), StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(7), Wire("1.6.04")]
    public async Task Text_may_be_padded_anywhere_and_arrive_in_any_pieces(int pieces)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] frames = [.. FrameOf(new EchoRequest { Text = "ab" }), .. FrameOf(new EchoRequest { Text = "cde" })];
        // Each part is padded by itself, as of somebody who flushes there; what arrives is cut elsewhere.
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(frames.Chunk(4).Select(Convert.ToBase64String)));
        Assert.Contains((byte)'=', text[..8]);
        using var call = new ServerDuplex(host.Http2, Collect, Text);
        foreach (byte[] piece in text.Chunk(pieces))
        {
            call.Send(piece);
        }

        call.Done();
        string answer = await (await call.Answer).Content.ReadAsStringAsync();
        byte[] expected = FrameOf(new EchoResponse { Text = "abcde", Index = 2 });
        Assert.Equal(expected, World.FromText(answer)[..expected.Length]);
    }

    [Fact, Wire("1.6.05")]
    public async Task Each_message_is_sent_as_soon_as_it_is_written()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var call = new ServerDuplex(host.Http2, Chat, Text);
        foreach (string text in (string[])["a", "bc", "def"])
        {
            call.Send(Encoding.ASCII.GetBytes(Convert.ToBase64String(FrameOf(new EchoRequest { Text = text }))));
            string expected = Convert.ToBase64String(FrameOf(new EchoResponse { Text = text }));
            if (text != "a")
            {
                expected = Convert.ToBase64String(FrameOf(new EchoResponse { Text = text, Index = text.Length - 1 }));
            }

            Assert.Equal(expected, Encoding.ASCII.GetString(await call.ReadAsync(expected.Length)));
        }
    }

    [Theory, Wire("1.6.06")]
    [InlineData("AAAA*AAA")]
    [InlineData("AAAAA")]
    [InlineData("AA=A")]
    [InlineData("AA AAAAA")]
    [InlineData("====")]
    [InlineData("AAAAAA==")]
    public async Task Text_that_is_not_base64_or_ends_within_a_frame_is_refused(string body)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http1.SendAsync(
            Unary, new StringContent(body), Text, [("accept", "application/grpc-web")]);
        string trailers = Encoding.ASCII.GetString(answer.Body.AsSpan(5));
        Assert.StartsWith(body == "AAAAAA==" ? "grpc-status: 13\r\n" : "grpc-status: 3\r\n", trailers);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact, Wire("1.6.07", "1.1.02")]
    public async Task Other_methods_and_types_are_refused_in_plain_http()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (HttpClient http in (HttpClient[])[host.Http1, host.Http2])
        {
            RawAnswer answer = await http.SendAsync(Unary, new ByteArrayContent([]), Binary, method: HttpMethod.Put);
            Assert.Equal(405, (int)answer.Http);
            Assert.Equal("POST", answer.Header("allow"));
            foreach (string type in (string[])
                ["application/grpc-web+foo", "application/grpc-webber", "application/grpcfoo"])
            {
                answer = await http.SendAsync(Unary, new ByteArrayContent([]), type);
                Assert.Equal(415, (int)answer.Http);
                Assert.Null(answer.Header("grpc-status"));
            }
        }
    }

    [Theory, Wire("1.6.11")]
    [InlineData(new byte[] { 9, 0, 0, 0, 0 }, 13)]
    [InlineData(new byte[] { 0, 255, 0, 0, 0 }, 8)]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12)]
    public async Task A_refused_request_leaves_its_connection_to_the_next(byte[] body, int status)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        NetworkStream stream = tcp.GetStream();
        foreach (byte[] one in (byte[][])[body, FrameOf(new EchoRequest { Text = "next" })])
        {
            string head = $"POST {Unary} HTTP/1.1\r\nhost: a\r\ncontent-type: {Binary}\r\n" +
                $"content-length: {one.Length}\r\n\r\n";
            await stream.WriteAsync(Encoding.Latin1.GetBytes(head + Encoding.Latin1.GetString(one)));
        }

        string answers = "";
        byte[] buffer = new byte[4096];
        while (!answers.Contains("grpc-status: 0", StringComparison.Ordinal))
        {
            int read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.True(read > 0, $"The connection was closed after: {answers}");
            answers += Encoding.Latin1.GetString(buffer, 0, read);
        }

        Assert.Contains($"grpc-status: {status}", answers, StringComparison.Ordinal);
        Assert.Contains("next", answers, StringComparison.Ordinal);
    }

    [Fact, Wire("1.6.08")]
    public async Task An_unknown_method_is_unimplemented_in_the_trailers_frame()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        WorldAnswer answer = await new World("web", 1).CallAsync(host, "/no.Service/Method", [new EchoRequest()]);
        Assert.Equal(StatusCode.Unimplemented, answer.Code);
    }
}
