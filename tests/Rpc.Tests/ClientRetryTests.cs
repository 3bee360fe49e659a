using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc.Tests;

/// What is tried again, when, and what is sent then.
public sealed class ClientRetryTests
{
    [Theory]
    [InlineData(2, 3, StatusCode.OK, 3)]
    [InlineData(9, 3, StatusCode.Unavailable, 3)]
    [InlineData(9, null, StatusCode.Unavailable, 5)]
    [InlineData(9, 100, StatusCode.Unavailable, 5)]
    [Wire("C1.3.14")]
    public async Task A_policy_tries_again_what_it_names(
        int failures, int? attemptsMax, StatusCode expected, int attempts)
    {
        List<string> previous = [];
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            previous.Add(http.Request.Headers["grpc-previous-rpc-attempts"].ToString());
            return previous.Count <= failures ? RefuseAsync(http) : Script.EchoAsync(http);
        }, Retrying(attemptsMax));
        Assert.Equal(expected, await CodeAsync(server.Client.UnaryAsync(new() { Text = "again" })));
        Assert.Equal(["", .. Enumerable.Range(1, attempts - 1).Select(i => $"{i}")], previous);
    }

    [Theory]
    [InlineData(13, null)]
    [InlineData(14, "-1")]
    [InlineData(14, "soon")]
    [Wire("C1.3.15")]
    public async Task What_is_not_to_be_tried_again_is_not(int code, string? pushback)
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            calls++;
            return RefuseAsync(http, code, pushback);
        }, Retrying(3));
        Assert.Equal((StatusCode)code, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(1, calls);
    }

    [Fact]
    [Wire("C1.3.15")]
    public async Task A_server_says_when_to_come_back()
    {
        int calls = 0;
        GrpcChannelOptions options = Retrying(3, firstBackoff: TimeSpan.FromHours(1));
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http => ++calls == 1 ? RefuseAsync(http, 14, "5") : Script.EchoAsync(http), options);
        Assert.Equal(StatusCode.OK, await CodeAsync(server.Client.UnaryAsync(new() { Text = "x" })));
    }

    [Fact]
    [Wire("C1.3.16")]
    public async Task What_has_begun_to_answer_is_not_tried_again()
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            calls++;
            await http.WriteAsync(Script.Frame("x"));
            http.End(StatusCode.Unavailable);
        }, Retrying(3));
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(1, calls);
    }

    [Fact]
    [Wire("C1.3.17")]
    public async Task Streamed_requests_are_sent_anew_and_go_on()
    {
        int calls = 0;
        var refused = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http => ++calls == 1 ? RefuseAfterAsync(http, 2, refused) : CollectAsync(http), Retrying(3));
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        await call.RequestStream.WriteAsync(new() { Text = "a" });
        await call.RequestStream.WriteAsync(new() { Text = "b" });
        await refused.Task.WaitAsync(ScriptedServer.Net);
        await call.RequestStream.WriteAsync(new() { Text = "c" });
        await call.RequestStream.WriteAsync(new() { Text = "d" });
        await call.RequestStream.CompleteAsync();
        Assert.Equal("a,b,c,d", (await call.ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        Assert.Equal(2, calls);
        Assert.Equal(0, server.Channel.RetryBuffer.Taken);
    }

    [Fact]
    [Wire("C1.3.17")]
    public async Task A_duplex_call_that_was_refused_goes_on_in_the_next_attempt()
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http => ++calls <= 2 ? RefuseAfterAsync(http, calls) : Script.EchoAsync(http), Retrying(3));
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat();
        foreach (string text in new[] { "a", "b", "c" })
        {
            await call.RequestStream.WriteAsync(new() { Text = text });
        }

        foreach (string text in new[] { "a", "b", "c" })
        {
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
            Assert.Equal(text, call.ResponseStream.Current.Text);
        }

        await call.RequestStream.WriteAsync(new() { Text = "d" });
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
        Assert.Equal("d", call.ResponseStream.Current.Text);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory]
    [InlineData(100, 1000)]
    [InlineData(1000, 100)]
    [Wire("C1.3.17")]
    public async Task A_stream_that_is_larger_than_what_is_kept_is_not_tried_again(long perCall, long perChannel)
    {
        int calls = 0;
        GrpcChannelOptions options = Retrying(3);
        options.MaxRetryBufferPerCallSize = perCall;
        options.MaxRetryBufferSize = perChannel;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http => ++calls == 1 ? RefuseAfterAsync(http, 2) : CollectAsync(http), options);
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        await call.RequestStream.WriteAsync(new() { Text = "a" });
        await call.RequestStream.WriteAsync(new() { Text = new string('b', 200) });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseAsync.WaitAsync(ScriptedServer.Net))).StatusCode);
        Assert.Equal(1, calls);
        Assert.Equal(0, server.Channel.RetryBuffer.Taken);
    }

    [Fact]
    [Wire("C1.3.17")]
    public async Task Nothing_is_kept_once_the_response_has_begun()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync, Retrying(3));
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat();
        await call.RequestStream.WriteAsync(new() { Text = "a" });
        await call.ResponseHeadersAsync.WaitAsync(ScriptedServer.Net);
        await call.RequestStream.WriteAsync(new() { Text = "b" });
        Assert.Equal(0, server.Channel.RetryBuffer.Taken);
    }

    [Fact]
    [Wire("C1.3.17")]
    public async Task Nothing_is_kept_of_a_call_that_had_no_attempt()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync, Retrying(3));
        var token = new TaskCompletionSource();
        var credentials = CallCredentials.FromInterceptor((_, _) => token.Task);
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call =
            server.Client.Collect(new CallOptions(credentials: credentials));
        Task write = call.RequestStream.WriteAsync(new() { Text = "a" });
        Assert.NotEqual(0, server.Channel.RetryBuffer.Taken);
        token.SetException(new InvalidOperationException("No token."));
        await Assert.ThrowsAsync<RpcException>(() => write.WaitAsync(ScriptedServer.Net));
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseHeadersAsync.WaitAsync(ScriptedServer.Net));
        Assert.Equal(0, server.Channel.RetryBuffer.Taken);
    }

    [Fact]
    [Wire("C1.3.18")]
    public async Task With_half_of_the_tokens_gone_nothing_is_tried_again_until_calls_succeed()
    {
        int calls = 0;
        bool works = false;
        GrpcChannelOptions options = Retrying(5);
        options.ServiceConfig!.RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 4, TokenRatio = 1 };
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            calls++;
            return works ? Script.EchoAsync(http) : RefuseAsync(http);
        }, options);

        // 4 tokens: the first failure leaves 3, the second 2, which is no more than half.
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(2, calls);
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(3, calls);
        works = true;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(StatusCode.OK, await CodeAsync(server.Client.UnaryAsync(new() { Text = "x" })));
        }

        (works, calls) = (false, 0);
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(2, calls);
    }

    [Fact]
    [Wire("C1.3.18")]
    public async Task A_failure_that_comes_too_late_to_be_tried_again_takes_a_token_as_well()
    {
        int calls = 0;
        GrpcChannelOptions options = Retrying(5);
        options.ServiceConfig!.RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 4, TokenRatio = 1 };
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async http =>
            {
                if (calls++ < 2)
                {
                    await http.WriteAsync(Script.Frame("begun"));
                }

                http.End(StatusCode.Unavailable);
            },
            options);
        for (int late = 0; late < 2; late++)
        {
            using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(
                () => call.ResponseStream.MoveNext())).StatusCode);
        }

        // Two of four tokens are left, which is no more than half.
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(server.Client.UnaryAsync(new())));
        Assert.Equal(3, calls);
    }

    [Fact]
    [Wire("C1.3.23")]
    public async Task Each_attempt_asks_the_credentials_anew()
    {
        var seen = new List<string>();
        GrpcChannelOptions options = Retrying(3);
        options.UnsafeUseInsecureChannelCallCredentials = true;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http =>
            {
                seen.Add(http.Request.Headers["proof"].ToString());
                return seen.Count < 3 ? RefuseAsync(http) : Script.EchoAsync(http);
            },
            options);
        int asked = 0;
        var credentials = CallCredentials.FromInterceptor((_, metadata) =>
        {
            metadata.Add("proof", $"{++asked}");
            return Task.CompletedTask;
        });
        await server.Client.UnaryAsync(new(), new CallOptions(credentials: credentials));
        Assert.Equal(["1", "2", "3"], seen);
    }

    [Fact]
    [Wire("C1.3.14")]
    public async Task A_server_stream_that_has_not_begun_is_tried_again()
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            http => ++calls == 1 ? RefuseAsync(http) : Script.EchoAsync(http), Retrying(3));
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new() { Text = "x" });
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
        Assert.Equal("x", call.ResponseStream.Current.Text);
    }

    [Fact]
    [Wire("C1.3.21")]
    public async Task A_refused_stream_is_sent_again_without_any_policy()
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            if (++calls == 1)
            {
                await ReadAsync(http, 2);
                http.Reset(7);
                return;
            }

            await CollectAsync(http);
        });
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        await call.RequestStream.WriteAsync(new() { Text = "a" });
        await call.RequestStream.WriteAsync(new() { Text = "b" });
        await call.RequestStream.WriteAsync(new() { Text = "c" });
        await call.RequestStream.CompleteAsync();
        Assert.Equal("a,b,c", (await call.ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        Assert.Equal(2, calls);
    }

    [Fact]
    [Wire("C1.3.11", "C1.3.14")]
    public async Task A_deadline_holds_over_all_attempts()
    {
        GrpcChannelOptions options = Retrying(5, firstBackoff: TimeSpan.FromHours(1));
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => RefuseAsync(http), options);
        DateTime deadline = (TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(300)).UtcDateTime;
        Assert.Equal(StatusCode.DeadlineExceeded,
            await CodeAsync(server.Client.UnaryAsync(new(), deadline: deadline)));
    }

    [Fact]
    public void Policies_that_make_no_sense_are_refused_with_the_channel()
    {
        Assert.Throws<InvalidOperationException>(() => Channel(new() { MaxAttempts = 1 }));
        Assert.Throws<InvalidOperationException>(() => Channel(new() { InitialBackoff = TimeSpan.Zero }));
        Assert.Throws<InvalidOperationException>(() => Channel(new() { BackoffMultiplier = -1 }));
        Assert.Throws<NotSupportedException>(() => GrpcChannel.ForAddress("http://localhost:1", new()
        {
            ServiceConfig = new() { MethodConfigs = { new MethodConfig { HedgingPolicy = new() } } },
        }));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("http://localhost:1", new()
        {
            ServiceConfig = new() { RetryThrottling = new() { MaxTokens = 0, TokenRatio = 1 } },
        }));

        static GrpcChannel Channel(RetryPolicy policy)
        {
            policy.RetryableStatusCodes.Add(StatusCode.Unavailable);
            return GrpcChannel.ForAddress("http://localhost:1", new GrpcChannelOptions
            {
                ServiceConfig = new() { MethodConfigs = { new MethodConfig { RetryPolicy = policy } } },
            });
        }
    }

    private static GrpcChannelOptions Retrying(int? attemptsMax, TimeSpan? firstBackoff = null) => new()
    {
        ServiceConfig = new ServiceConfig
        {
            MethodConfigs =
            {
                new MethodConfig
                {
                    Names = { new MethodName { Service = "squall.rpc.test.v1.EchoService" } },
                    RetryPolicy = new RetryPolicy
                    {
                        MaxAttempts = attemptsMax,
                        InitialBackoff = firstBackoff ?? TimeSpan.FromMilliseconds(1),
                        MaxBackoff = firstBackoff ?? TimeSpan.FromMilliseconds(2),
                        RetryableStatusCodes = { StatusCode.Unavailable },
                    },
                },
            },
        },
    };

    private static Task RefuseAsync(HttpContext http, int code = 14, string? pushback = null)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = $"{code}";
        if (pushback is not null)
        {
            http.Response.Headers["grpc-retry-pushback-ms"] = pushback;
        }

        return Task.CompletedTask;
    }

    private static async Task RefuseAfterAsync(HttpContext http, int count, TaskCompletionSource? refused = null)
    {
        await ReadAsync(http, count);
        await RefuseAsync(http);
        http.Response.OnCompleted(() =>
        {
            refused?.TrySetResult();
            return Task.CompletedTask;
        });
    }

    private static async Task ReadAsync(HttpContext http, int count)
    {
        await using IAsyncEnumerator<EchoRequest> requests = http.RequestsAsync().GetAsyncEnumerator();
        for (int i = 0; i < count; i++)
        {
            Assert.True(await requests.MoveNextAsync());
        }
    }

    private static async Task CollectAsync(HttpContext http)
    {
        List<string> texts = [];
        await foreach (EchoRequest request in http.RequestsAsync())
        {
            texts.Add(request.Text);
        }

        await http.WriteAsync(Script.Frame(string.Join(",", texts)));
        http.End();
    }

    private static async Task<StatusCode> CodeAsync(AsyncUnaryCall<EchoResponse> call)
    {
        using (call)
        {
            await call.ResponseAsync.WaitAsync(ScriptedServer.Net).ContinueWith(_ => { }, TaskScheduler.Default);
            return call.GetStatus().StatusCode;
        }
    }
}
