using System.IO.Compression;
using System.Text;
using Grpc.Core;
using static Squall.Rpc.Tests.ServerConnectStream;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

public sealed class ServerConnectStreamTests
{
    [Theory, MemberData(nameof(Worlds), MemberType = typeof(ServerConnectStream)), Wire("1.7.20", "1.7.21")]
    public async Task A_server_stream_ends_with_one_last_frame(string codec, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        StreamAnswer answer = await host.Http(http).StreamAsync(
            Repeat, codec, FrameIn(codec, new EchoRequest { Text = "hello", Count = 3 }));
        Assert.Equal(200, (int)answer.Raw.Http);
        Assert.Equal("application/connect+" + codec, answer.Raw.Header("content-type"));
        Assert.Equal(["hello 0", "hello 1", "hello 2"], answer.Messages.Select(one => $"{one.Text} {one.Index}"));
        Assert.Equal("{}", answer.End.GetRawText());
        Assert.Equal(EndOfStream, answer.EndFlags);
    }

    [Theory, MemberData(nameof(Worlds), MemberType = typeof(ServerConnectStream)), Wire("1.7.20")]
    public async Task A_client_stream_is_answered_once(string codec, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body =
        [
            .. FrameIn(codec, new EchoRequest { Text = "a" }),
            .. FrameIn(codec, new EchoRequest { Text = "b" }),
        ];
        StreamAnswer answer = await host.Http(http).StreamAsync(Collect, codec, body);
        Assert.Equal("ab", Assert.Single(answer.Messages).Text);
        Assert.Null(answer.Code);
    }

    [Theory, InlineData("proto"), InlineData("json"), Wire("1.7.20")]
    public async Task Both_directions_are_open_at_once_over_http2(string codec)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var call = new ServerDuplex(host.Http2, Chat, "application/connect+" + codec);
        for (int i = 0; i < 3; i++)
        {
            call.Send(FrameIn(codec, new EchoRequest { Text = "t" + i }));
            byte[] message = (await call.ReadFrameAsync())!;
            Assert.Equal("t" + i, codec == "proto"
                ? EchoResponse.Parser.ParseFrom(message).Text
                : EchoResponse.Parser.ParseJson(Encoding.UTF8.GetString(message)).Text);
        }

        call.Done();
        Assert.Equal("{}", Encoding.UTF8.GetString((await call.ReadFrameAsync())!));
        Assert.Null(await call.ReadFrameAsync());
    }

    [Fact, Wire("1.7.04")]
    public async Task Both_directions_at_once_are_refused_over_http1_and_the_connection_is_closed()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http1.SendAsync(
            Chat, new ByteArrayContent(FrameOf(new EchoRequest())), "application/connect+proto");
        Assert.Equal(505, (int)answer.Http);
        Assert.Equal("close", answer.Header("connection"));
        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, MemberData(nameof(Worlds), MemberType = typeof(ServerConnectStream)), Wire("1.7.22")]
    public async Task An_error_stands_in_the_last_frame_with_its_metadata(string codec, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        StreamAnswer answer = await host.Http(http).StreamAsync(
            Repeat,
            codec,
            FrameIn(codec, new EchoRequest { Text = "x", Count = 1, FailCode = 9, FailMessage = "naïve ☺" }),
            ("echo-a", "one"), ("echo-raw-bin", "q6ur"));
        Assert.Equal(200, (int)answer.Raw.Http);
        Assert.Single(answer.Messages);
        Assert.Equal("failed_precondition", answer.Code);
        Assert.Equal("naïve ☺", answer.End.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("one", answer.Raw.Header("echo-a"));
        Assert.Equal("q6ur", answer.Raw.Header("echo-raw-bin"));
        Assert.Equal("""{"trail-a":["one"],"trail-raw-bin":["q6ur"]}""",
            answer.End.GetProperty("metadata").GetRawText());
    }

    [Theory, InlineData(0), InlineData(2), Wire("1.7.23")]
    public async Task A_server_stream_takes_exactly_one_request(int count)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body = [.. Enumerable.Range(0, count).SelectMany(_ => FrameOf(new EchoRequest()))];
        foreach (int http in (int[])[1, 2])
        {
            StreamAnswer answer = await host.Http(http).StreamAsync(Repeat, "proto", body);
            Assert.Equal("unimplemented", answer.Code);
            Assert.Equal(200, (int)answer.Raw.Http);
        }

        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, Wire("1.7.24")]
    [InlineData(new byte[] { 2, 0, 0, 0, 2, (byte)'{', (byte)'}' }, "internal")]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, "internal")]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, "internal")]
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, "resource_exhausted")]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 7 }, "invalid_argument")]
    public async Task A_malformed_stream_is_refused_in_its_last_frame(byte[] body, string code)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (string path in (string[])[Repeat, Collect])
        {
            StreamAnswer answer = await host.Http2.StreamAsync(path, "proto", body);
            Assert.Equal(code, answer.Code);
        }
    }

    [Theory, MemberData(nameof(Worlds), MemberType = typeof(ServerConnectStream)), Wire("1.7.07")]
    public async Task Requests_may_be_compressed_message_by_message(string codec, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body =
        [
            .. FrameIn(codec, new EchoRequest { Text = "plain " }),
            .. FrameOf(Zip(BytesIn(codec, new EchoRequest { Text = "zipped" })), flags: 1),
        ];
        StreamAnswer answer = await host.Http(http).StreamAsync(
            Collect, codec, body, ("connect-content-encoding", "gzip"));
        Assert.Equal("plain zipped", Assert.Single(answer.Messages).Text);
        answer = await host.Http(http).StreamAsync(Collect, codec, [], ("connect-content-encoding", "br"));
        Assert.Equal("unimplemented", answer.Code);
        Assert.Contains("identity,gzip", answer.End.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("identity,gzip", answer.Raw.Header("connect-accept-encoding"));
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.7.06")]
    public async Task A_timeout_ends_the_stream_in_its_last_frame(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body = FrameOf(new EchoRequest { Hang = true });
        StreamAnswer answer = await host.Http(http).StreamAsync(
            Repeat, "proto", body, ("connect-timeout-ms", "100"));
        Assert.Equal("deadline_exceeded", answer.Code);
        await host.Probe.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
        foreach (string bad in (string[])["", "-1", "1s", "12345678901"])
        {
            answer = await host.Http(http).StreamAsync(Repeat, "proto", body, ("connect-timeout-ms", bad));
            Assert.Equal("invalid_argument", answer.Code);
        }
    }

    [Fact, Wire("1.7.05")]
    public async Task A_wrong_version_of_the_protocol_is_refused()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        StreamAnswer answer = await host.Http2.StreamAsync(
            Repeat, "proto", FrameOf(new EchoRequest()), ("connect-protocol-version", "2"));
        Assert.Equal("invalid_argument", answer.Code);
        RawAnswer unary = await host.Http2.JsonAsync(Unary, "{}", ("connect-protocol-version", "2"));
        Assert.Equal(400, (int)unary.Http);
        unary = await host.Http2.JsonAsync(Unary, "{}", ("connect-protocol-version", "1"));
        Assert.Equal(200, (int)unary.Http);
        Assert.Equal(1, host.Probe.Calls);
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.7.02")]
    public async Task A_type_of_the_other_kind_of_call_is_415_and_told_what_is_taken(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach ((string path, string type) in ((string, string)[])
            [(Unary, "application/connect+proto"), (Repeat, "application/proto"), (Repeat, "application/json"),
            (Unary, "application/connect+xml"), (Unary, "image/jpeg"), (Repeat, "application/connect")])
        {
            RawAnswer answer = await host.Http(http).SendAsync(path, new ByteArrayContent([]), type);
            Assert.Equal(415, (int)answer.Http);
            Assert.Contains("application/connect+json", answer.Header("accept-post"), StringComparison.Ordinal);
        }
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.7.03")]
    public async Task An_unknown_procedure_is_404(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (string type in (string[])
            ["application/connect+proto", "application/connect+json", "application/proto", "application/json"])
        {
            RawAnswer answer = await host.Http(http).SendAsync("/no.Service/Method", new ByteArrayContent([]), type);
            Assert.Equal(404, (int)answer.Http);
            Assert.Contains("/no.Service/Method", answer.Text, StringComparison.Ordinal);
        }
    }

    private static byte[] Zip(byte[] plain)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }
}
