using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Rpc.Tests;

/// Our channel against our server, in every way that both know.
public sealed class ClientWorldTests
{
    private const string Odd = "\t\nwhite space\r\nBMP ☺ and beyond 😈 100%\t\n";

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.6.01", "C1.7.01", "C1.7.02")]
    public async Task All_kinds_go_there_and_back(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        string text = Odd + new string('x', 3000);
        Assert.Equal(text, (await client.UnaryAsync(new() { Text = text }, world.Headers())).Text);
        Assert.Equal("", (await client.UnaryAsync(new(), world.Headers())).Text);

        using AsyncServerStreamingCall<EchoResponse> repeat =
            client.Repeat(new() { Text = text, Count = 50 }, world.Headers());
        Assert.Equal(Enumerable.Range(0, 50),
            await repeat.ResponseStream.ReadAllAsync().Select(response => response.Index).ToListAsync());

        using AsyncClientStreamingCall<EchoRequest, EchoResponse> collect = client.Collect(world.Headers());
        for (int i = 0; i < 50; i++)
        {
            await collect.RequestStream.WriteAsync(new() { Text = $"{i};" + (i == 25 ? text : "") });
        }

        await collect.RequestStream.CompleteAsync();
        EchoResponse collected = await collect;
        Assert.Equal(50, collected.Index);
        Assert.Contains("24;25;" + text + "26;", collected.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.6.01", "C1.7.02")]
    public async Task Both_ways_at_once_over_http2_and_refused_over_http1(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat(world.Headers());
        if (!world.IsDuplex)
        {
            await chat.RequestStream.CompleteAsync();
            Assert.NotEqual(StatusCode.OK, (await Assert.ThrowsAsync<RpcException>(
                () => chat.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net))).StatusCode);
            return;
        }

        for (int i = 0; i < 20; i++)
        {
            string text = new('y', i * 200);
            await chat.RequestStream.WriteAsync(new() { Text = text });
            Assert.True(await chat.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
            Assert.Equal(text, chat.ResponseStream.Current.Text);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.6.02", "C1.7.03", "C1.7.04")]
    public async Task Errors_arrive_with_code_message_details_and_trailers(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        var request = new EchoRequest { FailCode = 9, FailMessage = Odd, Reason = "TASK_CLOSED", Count = 2 };
        Metadata sent = world.Headers();
        sent.Add("echo-a-bin", [1, 2, 255]);
        using AsyncUnaryCall<EchoResponse> unary = client.UnaryAsync(request, sent);
        await FailsAsync(() => unary.ResponseAsync);
        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(request, sent);
        Assert.True(await repeat.ResponseStream.MoveNext());
        Assert.True(await repeat.ResponseStream.MoveNext());
        await FailsAsync(() => repeat.ResponseStream.MoveNext());

        static async Task FailsAsync(Func<Task> call)
        {
            RpcException thrown = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal(new Grpc.Core.Status(StatusCode.FailedPrecondition, Odd), thrown.Status);
            Assert.Equal("TASK_CLOSED", thrown.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
            Assert.Equal([1, 2, 255], thrown.Trailers.GetValueBytes("trail-a-bin")!);
        }
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.6.02", "C1.7.04")]
    public async Task Metadata_comes_back_in_headers_and_trailers(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        Metadata sent = world.Headers();
        sent.Add("echo-two", "1");
        sent.Add("echo-two", "2");
        sent.Add("echo-some-bin", [0, 128, 255]);
        using AsyncUnaryCall<EchoResponse> unary = client.UnaryAsync(new(), sent);
        Metadata headers = await unary.ResponseHeadersAsync;
        await unary;
        Check(headers, unary.GetTrailers());
        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new() { Count = 1 }, sent);
        headers = await repeat.ResponseHeadersAsync;
        await repeat.ResponseStream.ReadAllAsync().ToListAsync();
        Check(headers, repeat.GetTrailers());

        static void Check(Metadata headers, Metadata trailers)
        {
            // Values of one name may be joined on their way, which means the same.
            Assert.Equal("1,2", string.Join(
                ',', headers.GetAll("echo-two").Select(entry => entry.Value.Replace(" ", ""))));
            Assert.Equal([0, 128, 255], headers.GetValueBytes("echo-some-bin")!);
            Assert.Equal([0, 128, 255], trailers.GetValueBytes("trail-some-bin")!);
        }
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.3.11", "C1.7.05")]
    public async Task A_deadline_ends_the_call_here_and_there(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        // On a machine that is busy enough, a short one is over before the call has arrived.
        for (int seconds = 1; seconds < 60 && !server.Probe.Started.Task.IsCompleted; seconds *= 4)
        {
            DateTime deadline = (TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(seconds)).UtcDateTime;
            using AsyncUnaryCall<EchoResponse> call =
                client.UnaryAsync(new() { Hang = true }, world.Headers(), deadline: deadline);
            Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(
                () => call.ResponseAsync.WaitAsync(TimeSpan.FromSeconds(60)))).StatusCode);
        }

        await server.Probe.Cancelled.Task.WaitAsync(ScriptedServer.Net);
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    [Wire("C1.3.13")]
    public async Task A_disposed_call_is_cancelled_there(ClientWorld world)
    {
        await using ServerHost server = await StartAsync(world);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
        var client = new EchoService.EchoServiceClient(channel);
        AsyncServerStreamingCall<EchoResponse> call =
            client.Repeat(new() { Count = 1, Hang = true }, world.Headers());
        Assert.True(await call.ResponseStream.MoveNext());
        await server.Probe.Started.Task.WaitAsync(ScriptedServer.Net);
        call.Dispose();
        await server.Probe.Cancelled.Task.WaitAsync(ScriptedServer.Net);
    }

    private static Task<ServerHost> StartAsync(ClientWorld world) =>
        ServerHost.StartAsync(grpc => grpc.ResponseCompressionAlgorithm = world.Gzip ? "gzip" : null);
}
