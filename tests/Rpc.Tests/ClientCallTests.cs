using System.Net;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc.Tests;

/// What a call sends, and what its caller gets.
public sealed class ClientCallTests
{
    [Fact]
    [Wire("C1.3.20")]
    public async Task A_unary_call_sends_what_grpc_asks_for()
    {
        var seen = new Dictionary<string, string>();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            seen["line"] = $"{http.Request.Protocol} {http.Request.Method} {http.Request.Path}";
            foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
            {
                seen[name.ToLowerInvariant()] = values.ToString();
            }

            await Script.EchoAsync(http);
        });
        var metadata = new Metadata
        {
            { "X-Plain", "a b" }, { "x-some-bin", [1] }, { "grpc-reserved", "x" }, { "te", "x" }, { "expires", "1" },
        };
        EchoResponse response = await server.Client.UnaryAsync(new() { Text = "hi" }, metadata);
        Assert.Equal("hi", response.Text);
        Assert.Equal("HTTP/2 POST /squall.rpc.test.v1.EchoService/Unary", seen["line"]);
        Assert.Equal("application/grpc", seen["content-type"]);
        Assert.Equal("trailers", seen["te"]);
        Assert.Equal("identity,gzip,deflate", seen["grpc-accept-encoding"]);
        Assert.Equal("grpc-dotnet-squall/0.1.0", seen["user-agent"]);
        Assert.Equal("a b", seen["x-plain"]);
        Assert.Equal("AQ", seen["x-some-bin"]);
        Assert.Equal("1", seen["expires"]);
        Assert.DoesNotContain("grpc-reserved", seen.Keys);
        Assert.DoesNotContain("grpc-timeout", seen.Keys);
        Assert.Equal(ConnectivityState.Ready, server.Channel.State);
    }

    [Fact]
    public async Task Metadata_arrives_in_headers_and_trailers()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            http.Response.Headers.Append("x-two", "1");
            http.Response.Headers.Append("x-two", "2");
            http.Response.Headers["x-raw-bin"] = "AQ==,AgM";
            await Script.EchoAsync(http);
            http.Response.AppendTrailer("x-end-bin", "q6ur");
        });
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new() { Text = "x" });
        Metadata headers = await call.ResponseHeadersAsync;
        Assert.Equal(["1", "2"], headers.GetAll("x-two").Select(e => e.Value));
        Assert.Equal(["01", "0203"], headers.GetAll("x-raw-bin").Select(e => Convert.ToHexString(e.ValueBytes)));
        Assert.DoesNotContain(headers, e => e.Key.StartsWith("grpc-", StringComparison.Ordinal));
        await call;
        Assert.Equal([0xAB, 0xAB, 0xAB], call.GetTrailers().GetValueBytes("x-end-bin")!);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Status_and_trailers_cannot_be_asked_for_before_the_end()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http));
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());
    }

    [Fact]
    public async Task A_blocking_call_answers()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        Assert.Equal("now", await Task.Run(() => server.Client.Unary(new EchoRequest { Text = "now" }).Text));
    }

    [Fact]
    [Wire("C1.5.02")]
    public async Task Limits_hold_both_ways_and_the_limit_itself_passes()
    {
        var options = new GrpcChannelOptions { MaxReceiveMessageSize = 100, MaxSendMessageSize = 102 };
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await foreach (EchoRequest request in http.RequestsAsync())
            {
                await http.WriteAsync(Script.Frame(new string('x', request.Text.Length)));
            }

            http.End();
        }, options);
        Assert.Equal(98, (await server.Client.UnaryAsync(new() { Text = new string('y', 98) })).Text.Length);
        foreach (int length in new[] { 99, 101 })
        {
            AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new() { Text = new('y', length) });
            Assert.Equal(StatusCode.ResourceExhausted, await CodeAsync(call));
        }
    }

    [Fact]
    [Wire("C1.3.23")]
    public async Task Per_call_credentials_are_sent_in_order()
    {
        string? token = null;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            token = http.Request.Headers.Authorization.ToString() + "|" + http.Request.Headers["x-second"];
            await Script.EchoAsync(http);
        });
        CallCredentials credentials = CallCredentials.Compose(
            CallCredentials.FromInterceptor(async (context, metadata) =>
            {
                await Task.Yield();
                metadata.Add("authorization", $"Bearer {context.MethodName}");
            }),
            CallCredentials.FromInterceptor((context, metadata) =>
            {
                metadata.Add("x-second", context.ServiceUrl);
                return Task.CompletedTask;
            }));
        await server.Client.UnaryAsync(new() { Text = "x" }, new CallOptions(credentials: credentials));
        Assert.Equal($"Bearer Unary|http://{server.Address.Authority}/squall.rpc.test.v1.EchoService", token);
    }

    [Theory]
    [InlineData(false, StatusCode.Unauthenticated, false)]
    [InlineData(true, StatusCode.Unavailable, true)]
    [Wire("C1.3.23")]
    public async Task Credentials_stay_out_of_clear_text_unless_asked(bool isUnsafe, StatusCode expected, bool asked)
    {
        bool wasAsked = false;
        using GrpcChannel channel = GrpcChannel.ForAddress("http://nowhere.invalid:1", new GrpcChannelOptions
        {
            UnsafeUseInsecureChannelCallCredentials = isUnsafe,
        });
        var credentials = CallCredentials.FromInterceptor((_, _) =>
        {
            wasAsked = true;
            return Task.CompletedTask;
        });
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal(expected, await CodeAsync(client.UnaryAsync(new(), new CallOptions(credentials: credentials))));
        Assert.Equal(asked, wasAsked);
    }

    [Fact]
    public async Task A_credential_that_fails_fails_the_call()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        var credentials = CallCredentials.FromInterceptor(
            (_, _) => throw new RpcException(new Status(StatusCode.FailedPrecondition, "log in first")));
        Assert.Equal(StatusCode.FailedPrecondition,
            await CodeAsync(server.Client.UnaryAsync(new(), new CallOptions(credentials: credentials))));
    }

    [Fact]
    public void Credentials_fit_the_scheme_of_the_address()
    {
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "http://localhost:1", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "https://localhost:1", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }));
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress("localhost:1"));
        using GrpcChannel channel = GrpcChannel.ForAddress("https://localhost:1", new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(
                ChannelCredentials.SecureSsl, CallCredentials.FromInterceptor((_, _) => Task.CompletedTask)),
        });
        Assert.Equal("localhost:1", channel.Target);
    }

    [Fact]
    public async Task Interceptors_see_the_call_and_its_response()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await foreach (EchoRequest _ in http.RequestsAsync())
            {
                await http.WriteAsync(Script.Frame(http.Request.Headers["x-added"].ToString()));
            }

            http.End();
        });
        var client = new EchoService.EchoServiceClient(server.Channel.Intercept(metadata =>
        {
            metadata.Add("x-added", "by interceptor");
            return metadata;
        }));
        Assert.Equal("by interceptor", (await client.UnaryAsync(new())).Text);
    }

    [Fact]
    public async Task A_custom_handler_and_a_client_are_used()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        foreach (bool asClient in new[] { false, true })
        {
            using var inner = new SocketsHttpHandler();
            using var counting = new Counting(inner);
            using var http = new HttpClient(counting, disposeHandler: false);
            using (GrpcChannel channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions
            {
                HttpClient = asClient ? http : null,
                HttpHandler = asClient ? null : counting,
            }))
            {
                await new EchoService.EchoServiceClient(channel).UnaryAsync(new() { Text = "x" });
            }

            Assert.Equal(1, counting.Requests);
            Assert.False(counting.Disposed);
        }
    }

    [Fact]
    public async Task A_disposed_channel_cancels_its_calls_and_takes_no_more()
    {
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http, gone));
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        server.Channel.Dispose();
        Assert.Equal(StatusCode.Cancelled, await CodeAsync(call));
        Assert.Throws<ObjectDisposedException>(() => server.Client.UnaryAsync(new()));
        Assert.Equal(ConnectivityState.Shutdown, server.Channel.State);
    }

    private static async Task<StatusCode> CodeAsync(AsyncUnaryCall<EchoResponse> call)
    {
        using (call)
        {
            return (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(ScriptedServer.Net)))
                .StatusCode;
        }
    }

    private sealed class Counting(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public int Requests { get; private set; }

        public bool Disposed { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token)
        {
            Requests++;
            Assert.Equal(HttpVersion.Version20, request.Version);
            return base.SendAsync(request, token);
        }

        protected override void Dispose(bool disposing) => Disposed = true;
    }
}
