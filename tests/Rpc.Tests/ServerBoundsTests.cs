using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// Whoever keeps the server waiting is cut, and nobody else notices.
public sealed class ServerBoundsTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    [Theory, InlineData(Unary), InlineData(Repeat), InlineData(Collect), Wire("1.5.10")]
    public async Task A_request_that_does_not_go_on_is_cut(string path)
    {
        await using ServerHost host = await StartAsync(rpc => rpc.RequestReadTimeMax = Short);
        using var stalled = new ServerDuplex(host.Http2, path, "application/grpc");
        stalled.Send([0, 0, 0, 0]);
        using HttpResponseMessage answer = await stalled.Answer;
        Assert.Equal("4", answer.Headers.GetValues("grpc-status").Single());
        Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
    }

    [Fact, Wire("1.5.10")]
    public async Task A_stream_may_be_silent_between_its_messages()
    {
        await using ServerHost host = await StartAsync(rpc => rpc.RequestReadTimeMax = Short);
        using var silent = new ServerDuplex(host.Http2, Chat, "application/grpc");
        using var stalled = new ServerDuplex(host.Http2, Collect, "application/grpc");
        silent.Send(FrameOf(new EchoRequest { Text = "a" }));
        Assert.Equal(new EchoResponse { Text = "a" }, EchoResponse.Parser.ParseFrom(await silent.ReadFrameAsync()));
        // By the time that the other one is cut, this one has been silent for as long.
        stalled.Send([0, 0, 0, 0]);
        (await stalled.Answer).Dispose();
        silent.Send(FrameOf(new EchoRequest { Text = "b" }));
        Assert.Equal("b", EchoResponse.Parser.ParseFrom(await silent.ReadFrameAsync()).Text);
    }

    [Theory, Wire("1.5.10")]
    [InlineData("application/json", Unary, "504")]
    [InlineData("application/grpc-web", Unary, "200")]
    [InlineData("application/grpc-web-text", Unary, "200")]
    [InlineData("application/grpc-web", Collect, "200")]
    [InlineData("application/grpc-web-text", Collect, "200")]
    public async Task An_upload_over_http1_that_stalls_is_told_and_its_connection_closed(
        string type, string path, string status)
    {
        await using ServerHost host = await StartAsync(rpc => rpc.RequestReadTimeMax = Short);
        using TcpClient tcp = await ConnectAsync(host);
        await WriteAsync(
            tcp, $"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {type}\r\ncontent-length: 9\r\n\r\nAAAA");
        string answer = await ReadToEndAsync(tcp);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal(path == Unary ? 0 : 1, host.Probe.Calls);
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.5.11")]
    public async Task A_stream_that_is_not_read_is_cut_and_others_go_on(int http)
    {
        await using ServerHost host = await StartAsync(rpc => rpc.StalledWriteMax = Short);
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Probe.Before = context =>
        {
            context.CancellationToken.Register(() => cut.TrySetResult());
            return Task.CompletedTask;
        };
        var request = new EchoRequest { Count = 100, ResponseBytes = 1_000_000 };
        using var stalled = new ServerDuplex(host.Http(http), Repeat, "application/grpc-web");
        stalled.Send(FrameOf(request));
        stalled.Done();
        using HttpResponseMessage answer = await stalled.Answer;
        await cut.Task.WaitAsync(Net);
        Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
        // Reading on from here it may still be told why, but is given no more.
        int length = 0;
        try
        {
            Stream body = await answer.Content.ReadAsStreamAsync();
            byte[] buffer = new byte[100_000];
            while (await body.ReadAsync(buffer).AsTask().WaitAsync(Net) is > 0 and int read)
            {
                length += read;
            }
        }
        catch (IOException)
        {
            // Cut without a word.
        }

        Assert.InRange(length, 1, 20_000_000);
    }

    [Theory, InlineData("application/grpc"), InlineData("application/proto"), Wire("1.5.11")]
    public async Task A_large_answer_that_is_not_read_is_cut(string type)
    {
        await using ServerHost host = await StartAsync(rpc => rpc.StalledWriteMax = Short);
        var request = new EchoRequest { ResponseBytes = 20_000_000 };
        using var stalled = new ServerDuplex(host.Http2, Unary, type);
        stalled.Send(type == "application/grpc" ? FrameOf(request) : request.ToByteArray());
        stalled.Done();
        using HttpResponseMessage answer = await stalled.Answer;
        // It is cut before the client, which keeps to its own window, may read on.
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(0, (await host.Http2.GrpcAsync(
                Repeat, FrameOf(new EchoRequest { Hang = true }), ("grpc-timeout", "50m"))).Status - 4);
        }

        Stream body = await answer.Content.ReadAsStreamAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null).WaitAsync(Net));
    }

    [Theory, InlineData("P"), InlineData("PRI * HTTP/2.0\r\n\r\nSM"), InlineData("GET"), InlineData(""), Wire("1.5.12")]
    public async Task Who_begins_and_does_not_go_on_is_cut(string first)
    {
        await using ServerHost host = await StartAsync(
            rpc => rpc.ConnectionStartTimeMax = Short, kestrel => kestrel.Limits.RequestHeadersTimeout = Short);
        using TcpClient tcp = await ConnectAsync(host);
        await WriteAsync(tcp, first);
        string answer = await ReadToEndAsync(tcp);
        Assert.StartsWith(first == "GET" ? "HTTP/1.1 408" : "", answer, StringComparison.Ordinal);
    }

    [Fact, Wire("1.5.15")]
    public async Task A_line_that_is_no_request_is_refused_as_a_broken_preface()
    {
        await using ServerHost host = await StartAsync(_ => { });
        using TcpClient tcp = await ConnectAsync(host);
        await WriteAsync(tcp, "NEITHER THIS NOR THAT\r\n\r\n");
        string answer = await ReadToEndAsync(tcp);
        // Seventeen bytes are the shortest GOAWAY: nine of the frame, the last stream, and PROTOCOL_ERROR.
        Assert.EndsWith("\0\0\u0008\u0007\0\0\0\0\0\0\0\0\0\0\0\0\u0001", answer, StringComparison.Ordinal);

        using TcpClient typed = await ConnectAsync(host);
        await WriteAsync(typed, "GET /\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400", await ReadToEndAsync(typed), StringComparison.Ordinal);
    }

    [Fact, Wire("1.5.12", "1.5.13", "1.5.01", "1.5.04")]
    public void The_bounds_are_on_by_default()
    {
        var kestrel = new KestrelServerOptions();
        kestrel.UseRpcDefaults();
        Assert.Equal(TimeSpan.FromSeconds(10), kestrel.Limits.RequestHeadersTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), kestrel.Limits.Http2.KeepAlivePingDelay);
        Assert.Equal(TimeSpan.FromSeconds(20), kestrel.Limits.Http2.KeepAlivePingTimeout);
        Assert.Equal(1000, kestrel.Limits.Http2.MaxStreamsPerConnection);
        Assert.Equal(10_000, kestrel.Limits.MaxConcurrentConnections);
        Assert.Equal(32 * 1024, kestrel.Limits.MaxRequestHeadersTotalSize);
        Assert.Null(kestrel.Limits.MinResponseDataRate);
        var rpc = new RpcServerOptions();
        Assert.Equal(TimeSpan.FromSeconds(10), rpc.ConnectionStartTimeMax);
        Assert.Equal(TimeSpan.FromSeconds(30), rpc.RequestReadTimeMax);
        Assert.Equal(TimeSpan.FromSeconds(30), rpc.StalledWriteMax);
        Assert.Equal(4 * 1024 * 1024, new Grpc.AspNetCore.Server.GrpcServiceOptions().MaxReceiveMessageSize);
    }

    [Fact, Wire("1.5.13")]
    public async Task Connections_past_the_most_there_may_be_are_closed()
    {
        await using ServerHost host = await StartAsync(
            _ => { }, kestrel => kestrel.Limits.MaxConcurrentConnections = 1);
        Assert.Equal(200, (int)(await host.Http1.JsonAsync(Unary, "{}")).Http);
        using TcpClient tcp = await ConnectAsync(host);
        await WriteAsync(tcp, $"POST {Unary} HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.Equal("", await ReadToEndAsync(tcp));

        // Of both versions together; and who leaves makes room.
        await Assert.ThrowsAsync<HttpRequestException>(() => host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest())));
        host.Http1.Dispose();
        RawAnswer? answer = null;
        for (int attempt = 0; answer is null; attempt++)
        {
            try
            {
                answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
            }
            catch (HttpRequestException) when (attempt < 10_000)
            {
                // The server has not seen yet that it is gone.
            }
        }

        Assert.Equal(0, answer.Status);
    }

    [Fact, Wire("1.5.14")]
    public async Task An_old_connection_ends_once_its_calls_have()
    {
        await using ServerHost host = await StartAsync(rpc => rpc.ConnectionAgeMax = Short);
        List<string> peers = [];
        host.Probe.Before = context =>
        {
            peers.Add(context.Peer);
            return Task.CompletedTask;
        };
        using var open = new ServerDuplex(host.Http2, Chat, "application/grpc");
        open.Send(FrameOf(new EchoRequest()));
        await open.ReadFrameAsync();
        using TcpClient idle = await ConnectAsync(host);
        await WriteAsync(idle, $"POST {Unary} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n" +
            "content-length: 2\r\n\r\n{}");
        Assert.StartsWith("HTTP/1.1 200", await ReadToEndAsync(idle), StringComparison.Ordinal);
        while (peers.Count < 3 || peers[^1] == peers[0])
        {
            Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
            Assert.True(peers.Count < 10_000, "Calls still take the old connection.");
        }

        open.Send(FrameOf(new EchoRequest { Text = "still there" }));
        Assert.Equal("still there", EchoResponse.Parser.ParseFrom(await open.ReadFrameAsync()).Text);
    }

    private static Task<ServerHost> StartAsync(
        Action<RpcServerOptions> configure, Action<KestrelServerOptions>? kestrel = null) =>
        ServerHost.StartAsync(services: services => services.Configure(configure), kestrel: kestrel);

    private static async Task<TcpClient> ConnectAsync(ServerHost host)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        return tcp;
    }

    private static Task WriteAsync(TcpClient tcp, string text) =>
        tcp.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();

    private static async Task<string> ReadToEndAsync(TcpClient tcp)
    {
        var answer = new MemoryStream();
        try
        {
            await tcp.GetStream().CopyToAsync(answer).WaitAsync(Net);
        }
        catch (IOException)
        {
            // A reset ends it too.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
