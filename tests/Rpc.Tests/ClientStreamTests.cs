using Google.Protobuf;
using Grpc.Core;

namespace Squall.Rpc.Tests;

/// Streams of requests and of responses.
public sealed class ClientStreamTests
{
    [Fact]
    public async Task A_response_stream_is_read_to_its_end()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("a"), Script.Frame([]), Script.Frame("c"));
            http.End();
        });
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Assert.Null(call.ResponseStream.Current);
        List<string> texts = [];
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync())
        {
            texts.Add(response.Text);
        }

        Assert.Equal(["a", "", "c"], texts);
        Assert.Null(call.ResponseStream.Current);
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_response_stream_that_fails_throws_after_its_messages()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("a"));
            http.End(StatusCode.Aborted, "in between");
        });
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal("a", call.ResponseStream.Current.Text);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(new Status(StatusCode.Aborted, "in between"), thrown.Status);
    }

    [Fact]
    public async Task Headers_come_before_the_first_message()
    {
        var read = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            http.Response.Headers["x-early"] = "yes";
            await http.WriteAsync();
            await read.Task.WaitAsync(ScriptedServer.Net);
            http.End();
        });
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Metadata headers = await call.ResponseHeadersAsync.WaitAsync(ScriptedServer.Net);
        Assert.Equal("yes", headers.GetValue("x-early"));
        read.SetResult();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task A_client_stream_is_answered_once()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            List<string> texts = [];
            await foreach (EchoRequest request in http.RequestsAsync())
            {
                texts.Add(request.Text);
            }

            await http.WriteAsync(Script.Frame(string.Join(",", texts)));
            http.End();
        });
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        // Not awaited one by one: writes queue, in order.
        Task[] writes = [.. Enumerable.Range(0, 100).Select(i =>
            call.RequestStream.WriteAsync(new() { Text = $"{i}" }))];
        Task complete = call.RequestStream.CompleteAsync();
        await Task.WhenAll(writes).WaitAsync(ScriptedServer.Net);
        await complete;
        Assert.Equal(string.Join(",", Enumerable.Range(0, 100)), (await call).Text);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new()));
    }

    [Fact]
    [Wire("C1.3.12")]
    public async Task A_duplex_call_goes_back_and_forth()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat();
        foreach (string text in new[] { "ping", "pong", new string('x', 1_000_000) })
        {
            await call.RequestStream.WriteAsync(new() { Text = text });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(text, call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_stream_without_a_request_ends()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat();
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
    }

    [Fact]
    public async Task Two_reads_at_once_are_refused()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http));
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Task<bool> first = call.ResponseStream.MoveNext();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext());
        call.Dispose();
        await Assert.ThrowsAsync<RpcException>(() => first);
    }

    [Fact]
    public async Task A_cancelled_read_cancels_the_call()
    {
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync();
            await Script.HangAsync(http, gone);
        });
        using var cancel = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        await call.ResponseHeadersAsync;
        Task<bool> read = call.ResponseStream.MoveNext(cancel.Token);
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
        await gone.Task.WaitAsync(ScriptedServer.Net);
    }

    [Fact]
    public async Task A_cancelled_client_stream_does_not_look_complete()
    {
        var ended = new TaskCompletionSource<string>();
        var first = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            try
            {
                await foreach (EchoRequest _ in http.RequestsAsync())
                {
                    first.TrySetResult();
                }

                ended.SetResult("complete");
            }
            catch (Exception e)
            {
                ended.SetResult(e.GetType().Name);
                throw;
            }
        });
        AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        await call.RequestStream.WriteAsync(new() { Text = "one" });
        await first.Task.WaitAsync(ScriptedServer.Net);
        call.Dispose();
        Assert.NotEqual("complete", await ended.Task.WaitAsync(ScriptedServer.Net));
    }

    [Fact]
    public async Task A_server_that_ends_early_ends_the_writes()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "7";
            http.Response.Headers["grpc-message"] = "enough";
            return Task.CompletedTask;
        });
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => WriteForeverAsync(call.RequestStream));
        Assert.Equal(new Status(StatusCode.PermissionDenied, "enough"), thrown.Status);
        thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, thrown.StatusCode);
    }

    [Fact]
    public async Task A_server_that_ends_a_duplex_call_early_ends_the_writes()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("enough"));
            http.End(StatusCode.OutOfRange);
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat();
        await Assert.ThrowsAsync<RpcException>(() => WriteForeverAsync(call.RequestStream));
        Assert.True(await call.ResponseStream.MoveNext());
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OutOfRange, thrown.StatusCode);
        thrown = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new()));
        Assert.Equal(StatusCode.OutOfRange, thrown.StatusCode);
    }

    [Fact]
    [Wire("C1.5.03")]
    public async Task A_hundred_and_fifty_streams_are_open_at_once()
    {
        int open = 0;
        var all = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync();
            if (Interlocked.Increment(ref open) == 150)
            {
                all.SetResult();
            }

            await all.Task.WaitAsync(ScriptedServer.Net);
            http.End();
        });
        AsyncServerStreamingCall<EchoResponse>[] calls =
            [.. Enumerable.Range(0, 150).Select(_ => server.Client.Repeat(new()))];
        await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext())).WaitAsync(ScriptedServer.Net);
        Assert.All(calls, call => Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode));
    }

    [Theory, InlineData(MethodType.ClientStreaming), InlineData(MethodType.DuplexStreaming)]
    public async Task What_a_marshaller_throws_is_its_callers_and_the_stream_goes_on(MethodType type)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await foreach (EchoRequest request in http.RequestsAsync())
            {
                await http.WriteAsync(Script.Frame(request.Text));
            }

            http.End();
        });
        var method = new Method<EchoRequest, EchoResponse>(
            type, "a.Service", "Method",
            Marshallers.Create<EchoRequest>(
                request => request.Text == "bad" ? throw new FormatException("bad") : request.ToByteArray(),
                EchoRequest.Parser.ParseFrom),
            Marshallers.Create<EchoResponse>(
                response => response.ToByteArray(), EchoResponse.Parser.ParseFrom));
        CallInvoker calls = server.Channel.CreateCallInvoker();
        (IClientStreamWriter<EchoRequest> requests, Func<Task<EchoResponse>> readAsync) = Start();
        await Assert.ThrowsAsync<FormatException>(
            () => requests.WriteAsync(new() { Text = "bad" }).WaitAsync(ScriptedServer.Net));
        await requests.WriteAsync(new() { Text = "good" }).WaitAsync(ScriptedServer.Net);
        await requests.CompleteAsync();
        Assert.Equal("good", (await readAsync().WaitAsync(ScriptedServer.Net)).Text);

        (IClientStreamWriter<EchoRequest>, Func<Task<EchoResponse>>) Start()
        {
            if (type == MethodType.ClientStreaming)
            {
                var collect = calls.AsyncClientStreamingCall(method, null, default);
                return (collect.RequestStream, () => collect.ResponseAsync);
            }

            var chat = calls.AsyncDuplexStreamingCall(method, null, default);
            return (chat.RequestStream, async () =>
            {
                Assert.True(await chat.ResponseStream.MoveNext());
                return chat.ResponseStream.Current;
            });
        }
    }

    [Fact]
    public async Task Writes_that_wait_for_the_server_are_bounded()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http));
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        var large = new EchoRequest { Payload = ByteString.CopyFrom(new byte[1 << 20]) };
        Task[] waiting = [.. Enumerable.Range(0, 1_000).Select(_ => call.RequestStream.WriteAsync(large))];
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            for (int at = 0; at < 100; at++)
            {
                Task more = call.RequestStream.WriteAsync(large);
                if (more.IsCompleted)
                {
                    await more;
                }
            }
        });
        Assert.Equal(StatusCode.ResourceExhausted, thrown.StatusCode);
        call.Dispose();
        await Assert.ThrowsAsync<RpcException>(() => Task.WhenAll(waiting).WaitAsync(ScriptedServer.Net));
    }

    private static async Task WriteForeverAsync(IClientStreamWriter<EchoRequest> stream)
    {
        using var net = new CancellationTokenSource(ScriptedServer.Net);
        while (!net.IsCancellationRequested)
        {
            await stream.WriteAsync(new() { Text = new string('x', 1000) });
        }
    }
}
