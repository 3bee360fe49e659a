using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// gRPC in HTTP/2's own frames: what ends a stream, and with what, which a client library does not tell.
public sealed class ServerHttp2Tests
{
    private const byte Headers = Http2Frame.Headers;
    private const byte Data = Http2Frame.Data;
    private const byte Reset = Http2Frame.Reset;
    private const int NoError = 0;
    private const int Cancel = 8;
    private static readonly (string, string) Grpc = ("content-type", "application/grpc");

    [Fact, Wire("1.2.03")]
    public async Task A_status_alone_is_one_block_of_headers_and_nothing_after_it()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, "/no.Service/Method", ends: true, Grpc);
        await wire.ReadToAsync(frame => frame.IsEnd); // Before the next, which may be told earlier than this one.
        await wire.CallAsync(3, Unary, ends: false, Grpc);
        await wire.MessageAsync(3, FrameOf(new EchoRequest { FailCode = 5 }), ends: true);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.IsEnd);
        frames.AddRange(await wire.ReadToPingAsync());
        Http2Frame only = Assert.Single(frames);
        Assert.Equal((Headers, 3), (only.Type, only.Stream));
        Assert.True(only.Holds("grpc-status", "5"));
        Assert.Contains("application/grpc", Encoding.Latin1.GetString(only.Payload), StringComparison.Ordinal);
    }

    [Fact, Wire("1.2.03")]
    public async Task A_message_is_followed_by_a_second_block_of_headers()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Unary, ends: false, Grpc);
        await wire.MessageAsync(1, FrameOf(new EchoRequest { Text = "x" }), ends: false);
        // The end comes by itself, and empty.
        await wire.MessageAsync(1, [], ends: true);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.IsEnd);
        Assert.False(frames[0].Holds("grpc-status", "0"));
        Assert.Equal(FrameOf(new EchoResponse { Text = "x" }),
            frames.Where(frame => frame.Type == Data).SelectMany(frame => frame.Payload));
        Assert.Equal(Headers, frames[^1].Type);
        Assert.True(frames[^1].Holds("grpc-status", "0"));
    }

    [Fact, Wire("1.2.05")]
    public async Task A_call_that_ends_before_its_requests_do_is_reset_without_an_error()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Chat, ends: false, Grpc);
        await wire.MessageAsync(1, FrameOf(new EchoRequest { FailCode = 9 }), ends: false);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.Type == Reset);
        Assert.True(frames[^2].IsEnd && frames[^2].Holds("grpc-status", "9"));
        Assert.Equal(NoError, frames[^1].Error);
    }

    [Fact, Wire("1.1.05")]
    public async Task A_deadline_is_told_in_trailers_and_its_stream_is_cancelled()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var returned = new CountdownEvent(2);
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Probe.Before = context =>
        {
            context.GetHttpContext().Response.OnCompleted(() =>
            {
                if (returned.Signal())
                {
                    both.SetResult();
                }

                return Task.CompletedTask;
            });
            // A handler that looks at no token: it goes on when its call has ended, and has nothing more to say.
            return host.Probe.Release.Task;
        };
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        foreach ((int id, bool ends) in ((int, bool)[])[(1, false), (3, true)])
        {
            await wire.CallAsync(id, Chat, ends: false, Grpc, ("grpc-timeout", "200m"));
            await wire.MessageAsync(id, FrameOf(new EchoRequest { Text = "late" }), ends);
        }

        List<Http2Frame> frames = [];
        while (frames.Count(frame => frame.IsEnd) < 2 || !frames.Exists(frame => frame is { Type: Reset, Stream: 1 }))
        {
            frames.AddRange(await wire.ReadToAsync(_ => true));
        }

        host.Probe.Release.SetResult();
        await both.Task.WaitAsync(ScriptedServer.Net);
        frames.AddRange(await wire.ReadToPingAsync());
        foreach (int id in (int[])[1, 3])
        {
            Http2Frame told = Assert.Single(frames, frame => frame.Stream == id && frame.Type != Reset);
            Assert.True(told.IsEnd && told.Holds("grpc-status", "4"));
        }

        // The one that could still send is told not to; the other was over at both ends.
        Assert.Equal(Cancel, Assert.Single(frames, frame => frame is { Type: Reset, Stream: 1 }).Error);
    }

    [Fact, Wire("1.1.04")]
    public async Task A_timeout_that_is_told_twice_is_refused()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Unary, ends: false, Grpc, ("grpc-timeout", "9S"), ("grpc-timeout", "9S"));
        await wire.MessageAsync(1, FrameOf(new EchoRequest()), ends: true);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.IsEnd);
        Assert.True(frames[^1].Holds("grpc-status", "3"));
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact, Wire("1.1.11", "1.1.13")]
    public async Task Values_may_come_in_several_lines_with_spaces_around_and_bytes_beyond_ascii()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        string[] seen = [];
        host.Probe.Before = context =>
        {
            seen = [.. context.RequestHeaders.Where(entry => entry.Key.StartsWith("echo-"))
                .Select(entry => entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)];
            return Task.CompletedTask;
        };
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Unary, ends: false, Grpc,
            ("echo-x-bin", "q6ur"), ("echo-x-bin", "qw=="), ("echo-x-bin", "AQ,,Ag=="),
            ("echo-y", " a\u0080\u00e9\u00ffb "));
        await wire.MessageAsync(1, FrameOf(new EchoRequest()), ends: true);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.IsEnd);
        Assert.True(frames[^1].Holds("grpc-status", "0"));
        Assert.Equal(["ABABAB", "AB", "01", "", "02", "ab"], seen);
        // Echoed in headers and trailers, one line for each value, none of them padded.
        foreach (Http2Frame block in (Http2Frame[])[frames[0], frames[^1]])
        {
            string prefix = block == frames[0] ? "echo" : "trail";
            Assert.True(block.Holds(prefix + "-x-bin", "q6ur") && block.Holds(prefix + "-x-bin", "qw"));
            Assert.True(block.Holds(prefix + "-y", "ab"));
        }
    }

    [Fact, Wire("1.1.14")]
    public async Task Headers_past_their_limit_fail_their_call_alone()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Chat, ends: false, Grpc);
        await wire.CallAsync(
            3, Unary, ends: true, [Grpc, .. Enumerable.Range(0, 40).Select(at => ($"x-{at}", new string('a', 1_000)))]);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame is { Stream: 3, IsEnd: true });
        Assert.Contains("431", Encoding.Latin1.GetString(frames[^1].Payload), StringComparison.Ordinal);
        // The one that was open goes on, and so does the connection.
        await wire.MessageAsync(1, FrameOf(new EchoRequest { Text = "x" }), ends: true);
        frames = await wire.ReadToAsync(frame => frame is { Stream: 1, IsEnd: true });
        Assert.True(frames[^1].Holds("grpc-status", "0"));
        Assert.Equal(1, host.Probe.Calls);
    }

    [Fact, Wire("1.1.14")]
    public async Task Headers_past_their_limit_are_431_over_http1()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        string large = string.Concat(Enumerable.Range(0, 40).Select(at => $"x-{at}: {new string('a', 1_000)}\r\n"));
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Unary} HTTP/1.1\r\nhost: a\r\n{large}\r\n"));
        byte[] first = new byte[12];
        await tcp.GetStream().ReadExactlyAsync(first).AsTask().WaitAsync(ScriptedServer.Net);
        Assert.Equal("HTTP/1.1 431", Encoding.ASCII.GetString(first));
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact, Wire("1.1.12")]
    public async Task Names_that_are_reserved_are_not_sent_by_a_handler_either()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        host.Probe.Before = context =>
        {
            context.ResponseTrailers.Add("grpc-mine", "1");
            context.ResponseTrailers.Add("x-mine", "2");
            return context.WriteResponseHeadersAsync(
                new Metadata { { "grpc-own", "3" }, { "te", "4" }, { "x-own", "5" } });
        };
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Unary, ends: false, Grpc);
        await wire.MessageAsync(1, FrameOf(new EchoRequest()), ends: true);
        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.IsEnd);
        Assert.True(frames[0].Holds("x-own", "5") && frames[^1].Holds("x-mine", "2"));
        Assert.False(frames[0].Holds("grpc-own", "3") || frames[0].Holds("te", "4"));
        Assert.False(frames[^1].Holds("grpc-mine", "1"));
    }

    [Fact, Wire("1.5.04", "1.5.01")]
    public async Task A_connection_is_told_how_many_calls_it_takes_and_cut_where_it_answers_no_ping()
    {
        await using ServerHost host = await ServerHost.StartAsync(kestrel: kestrel =>
        {
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
        });
        using Http2Wire wire = await Http2Wire.ConnectAsync(host);
        await wire.CallAsync(1, Chat, ends: false, Grpc);
        List<Http2Frame> seen = [];
        while (await wire.ReadFrameAsync() is { } frame)
        {
            seen.Add(frame);
        }

        Http2Frame settings = seen.First(frame => frame is { Type: Http2Frame.Settings, Payload.Length: > 0 });
        Assert.Equal(1000, settings.Payload.Chunk(6)
            .Where(one => one[1] == 3).Select(one => BinaryPrimitives.ReadInt32BigEndian(one.AsSpan(2))).Single());
        Assert.Contains(seen, frame => frame is { Type: Http2Frame.Ping, Flags: 0 });
    }
}
