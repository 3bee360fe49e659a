using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Status = Grpc.Core.Status;

namespace Squall.Rpc.Tests;

/// The channel and the server of this runtime together.
public sealed class ClientServerTests : IAsyncLifetime
{
    private const string Interop = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

    private ServerHost server = null!;
    private GrpcChannel channel = null!;
    private EchoService.EchoServiceClient client = null!;

    public async Task InitializeAsync()
    {
        server = await ServerHost.StartAsync();
        channel = GrpcChannel.ForAddress(server.Address);
        client = new EchoService.EchoServiceClient(channel);
    }

    public async Task DisposeAsync()
    {
        channel.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task All_four_kinds_go_there_and_back()
    {
        Assert.Equal(Interop, (await client.UnaryAsync(new() { Text = Interop })).Text);

        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new() { Text = "r", Count = 500 });
        List<int> indices = [];
        await foreach (EchoResponse response in repeat.ResponseStream.ReadAllAsync())
        {
            indices.Add(response.Index);
        }

        Assert.Equal(Enumerable.Range(0, 500), indices);

        using AsyncClientStreamingCall<EchoRequest, EchoResponse> collect = client.Collect();
        await Task.WhenAll(Enumerable.Range(0, 500)
            .Select(i => collect.RequestStream.WriteAsync(new() { Text = $"{i};" })));
        await collect.RequestStream.CompleteAsync();
        EchoResponse collected = await collect;
        Assert.Equal(string.Concat(Enumerable.Range(0, 500).Select(i => $"{i};")), collected.Text);
        Assert.Equal(500, collected.Index);

        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat();
        for (int i = 0; i < 100; i++)
        {
            await chat.RequestStream.WriteAsync(new() { Text = $"{i}" });
            Assert.True(await chat.ResponseStream.MoveNext());
            Assert.Equal($"{i}", chat.ResponseStream.Current.Text);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Many_calls_at_once_keep_their_answers_apart()
    {
        EchoResponse[] responses = await Task.WhenAll(Enumerable.Range(0, 300).Select(
            i => client.UnaryAsync(new() { Text = $"{i}", ResponseBytes = i * 100 }).ResponseAsync));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}"), responses.Select(r => r.Text));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => i * 100), responses.Select(r => r.Payload.Length));
    }

    [Fact]
    public async Task Metadata_comes_back_in_headers_and_trailers()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        var sent = new Metadata { { "echo-text", "a b" }, { "echo-all-bin", bytes }, { "echo-none-bin", [] } };
        using AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(new(), sent);
        Metadata headers = await call.ResponseHeadersAsync;
        await call;
        foreach ((Metadata got, string prefix) in new[] { (headers, "echo-"), (call.GetTrailers(), "trail-") })
        {
            Assert.Equal("a b", got.GetValue(prefix + "text"));
            Assert.Equal(bytes, got.GetValueBytes(prefix + "all-bin")!);
            Assert.Equal([], got.GetValueBytes(prefix + "none-bin")!);
        }
    }

    [Fact]
    public async Task A_failure_arrives_with_code_message_and_details()
    {
        var details = new Google.Rpc.Status { Code = (int)Code.FailedPrecondition, Message = Interop };
        details.Details.Add(Any.Pack(new ErrorInfo { Reason = "TASK_CLOSED", Domain = "squall" }));
        server.Probe.Before = _ => throw details.ToRpcException();
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new()));
        Assert.Equal(new Status(StatusCode.FailedPrecondition, Interop), thrown.Status);
        Assert.Equal("TASK_CLOSED", thrown.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }

    [Fact]
    public async Task A_method_that_is_not_there_is_unimplemented()
    {
        var missing = new Method<EchoRequest, EchoResponse>(MethodType.Unary, "squall.rpc.test.v1.EchoService", "No",
            Marshallers.Create(_ => [], EchoRequest.Parser.ParseFrom),
            Marshallers.Create(_ => [], EchoResponse.Parser.ParseFrom));
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () =>
            await channel.CreateCallInvoker().AsyncUnaryCall(missing, null, default, new EchoRequest()));
        Assert.Equal(StatusCode.Unimplemented, thrown.StatusCode);
    }

    [Fact]
    public async Task A_deadline_cancels_the_handler_too()
    {
        DateTime deadline = (TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(2)).UtcDateTime;
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            async () => await client.UnaryAsync(new() { Hang = true }, deadline: deadline));
        Assert.Equal(StatusCode.DeadlineExceeded, thrown.StatusCode);
        await server.Probe.Cancelled.Task.WaitAsync(ScriptedServer.Net);
    }

    [Fact]
    public async Task A_disposed_duplex_call_cancels_the_handler()
    {
        AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat();
        await chat.RequestStream.WriteAsync(new() { Hang = true });
        await server.Probe.Started.Task.WaitAsync(ScriptedServer.Net);
        chat.Dispose();
        await server.Probe.Cancelled.Task.WaitAsync(ScriptedServer.Net);
        Assert.Equal(StatusCode.Cancelled, chat.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_server_that_stops_ends_streams_as_unavailable_and_refuses_the_next_call()
    {
        using AsyncServerStreamingCall<EchoResponse> call = client.Repeat(new() { Count = 1, Hang = true });
        Assert.True(await call.ResponseStream.MoveNext());
        Task stop = server.StopAsync();
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        await stop.WaitAsync(ScriptedServer.Net);
        // The first may still be written to the connection that has closed, and break it; the second has none.
        foreach (int _ in (int[])[1, 2])
        {
            thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new()));
            Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        }

        Assert.StartsWith("Cannot connect to 127.0.0.1:", thrown.Status.Detail, StringComparison.Ordinal);
    }
}
