using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// What Kestrel bounds of requests by itself holds for no stream, also where an application has set it.
public sealed class ServerLongStreamTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    public static TheoryData<string, int> Streams => new()
    {
        { "application/grpc", 2 }, { "application/grpc-web", 1 }, { "application/grpc-web", 2 },
        { "application/connect+proto", 1 }, { "application/connect+proto", 2 },
    };

    [Theory, MemberData(nameof(Streams)), Wire("1.1.15")]
    public async Task A_stream_of_more_than_30_MB_in_all_is_served(string type, int http)
    {
        const int Messages = 9;
        await using ServerHost host = await StartAsync();
        byte[] frame = FrameOf(new EchoRequest { Payload = ByteString.CopyFrom(new byte[4_000_000]) });
        using var stream = new ServerDuplex(host.Http(http), Collect, type);
        for (int at = 0; at < Messages; at++)
        {
            stream.Send(frame);
        }

        stream.Done();
        Assert.Equal(Messages, EchoResponse.Parser.ParseFrom(await stream.ReadFrameAsync()).Index);
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.1.15")]
    public async Task A_stream_that_is_silent_for_long_between_its_messages_is_served(string type, int http)
    {
        await using ServerHost host = await StartAsync();
        using var silent = new ServerDuplex(host.Http(http), Collect, type);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Probe.Before = _ =>
        {
            begun.TrySetResult();
            return Task.CompletedTask;
        };
        silent.Send(FrameOf(new EchoRequest { Text = "a" }));
        await begun.Task.WaitAsync(Net);
        // A control: Kestrel cuts who is as slow and no stream. By then this one has been silent for longer.
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Unary} HTTP/1.1\r\nhost: a\r\n" +
            "content-type: application/json\r\ncontent-length: 2\r\n\r\n{"));
        await tcp.GetStream().CopyToAsync(Stream.Null).WaitAsync(Net);
        silent.Send(FrameOf(new EchoRequest { Text = "b" }));
        silent.Done();
        Assert.Equal("ab", EchoResponse.Parser.ParseFrom(await silent.ReadFrameAsync()).Text);
    }

    [Fact, Wire("1.1.15")]
    public void Neither_rates_nor_sizes_of_whole_bodies_are_bounded_by_default()
    {
        var kestrel = new KestrelServerOptions();
        kestrel.UseRpcDefaults();
        Assert.Null(kestrel.Limits.MinRequestBodyDataRate);
        Assert.Null(kestrel.Limits.MaxRequestBodySize);
        // A reader that is slow would take its connection down, with all other calls on it.
        Assert.Null(kestrel.Limits.MinResponseDataRate);
    }

    /// With Kestrel's own defaults, but for the grace, which is as short as it may be.
    private static Task<ServerHost> StartAsync() => ServerHost.StartAsync(kestrel: kestrel =>
    {
        kestrel.Limits.MaxRequestBodySize = 30_000_000;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.1));
    });
}
