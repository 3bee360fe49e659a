using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Squall.Rpc.Testing;

namespace Squall.Rpc.Tests;

/// The kit for tests of services, used as its users do.
public sealed class TestKitTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task All_kinds_of_call_go_to_a_server_without_a_socket()
    {
        await using WebApplication app = await StartAsync();
        Assert.Equal(["http://in-process"], app.Urls);
        using GrpcChannel channel = app.Services.CreateInProcessChannel();
        await channel.ConnectAsync();
        Assert.Equal(ConnectivityState.Ready, channel.State);
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal("hi", (await client.UnaryAsync(new() { Text = "hi" })).Text);
        using var repeat = client.Repeat(new() { Count = 3 });
        Assert.Equal([0, 1, 2], await repeat.ResponseStream.ReadAllAsync().Select(one => one.Index).ToListAsync());
        using var collect = client.Collect();
        await collect.RequestStream.WriteAsync(new() { Text = "a" });
        await collect.RequestStream.WriteAsync(new() { Text = "b" });
        await collect.RequestStream.CompleteAsync();
        Assert.Equal("ab", (await collect).Text);
        using var chat = client.Chat();
        await chat.RequestStream.WriteAsync(new() { Text = "there and back" });
        Assert.True(await chat.ResponseStream.MoveNext());
        Assert.Equal("there and back", chat.ResponseStream.Current.Text);
    }

    [Fact]
    public async Task Errors_deadlines_and_cancellation_are_as_over_a_network()
    {
        await using WebApplication app = await StartAsync();
        EchoProbe probe = app.Services.GetRequiredService<EchoProbe>();
        using GrpcChannel channel = app.Services.CreateInProcessChannel();
        var client = new EchoService.EchoServiceClient(channel);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new() { FailCode = 5, FailMessage = "not here" }, new Metadata { { "echo-why", "gone" } }));
        Assert.Equal(new Status(StatusCode.NotFound, "not here").ToString(), thrown.Status.ToString());
        Assert.Equal("gone", thrown.Trailers.GetValue("trail-why"));
        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new() { Count = 1, Hang = true });
        Assert.True(await repeat.ResponseStream.MoveNext());
        repeat.Dispose();
        await probe.Cancelled.Task.WaitAsync(Net);
        thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new() { Hang = true }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(1)));
        Assert.Equal(StatusCode.DeadlineExceeded, thrown.StatusCode);
    }

    [Fact]
    public async Task Many_channels_and_much_at_once_share_the_server()
    {
        await using WebApplication app = await StartAsync();
        await Parallel.ForAsync(0, 20, async (at, _) =>
        {
            using GrpcChannel channel = app.Services.CreateInProcessChannel();
            var client = new EchoService.EchoServiceClient(channel);
            using var repeat = client.Repeat(new() { Count = 20, ResponseBytes = 100_000 });
            Assert.Equal(
                2_000_000, await repeat.ResponseStream.ReadAllAsync().Select(one => one.Payload.Length).SumAsync());
        });
    }

    [Fact]
    public async Task More_streams_than_fit_into_a_connection_are_open_at_once()
    {
        await using WebApplication app = await StartAsync();
        using GrpcChannel channel = app.Services.CreateInProcessChannel();
        var client = new EchoService.EchoServiceClient(channel);
        for (int at = 0; at < 150; at++)
        {
            AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat();
            await chat.RequestStream.WriteAsync(new()).WaitAsync(Net);
            Assert.True(await chat.ResponseStream.MoveNext().WaitAsync(Net));
        }
    }

    [Fact]
    public async Task A_server_that_stops_ends_streams_and_takes_no_more_calls()
    {
        await using WebApplication app = await StartAsync();
        using GrpcChannel channel = app.Services.CreateInProcessChannel();
        var client = new EchoService.EchoServiceClient(channel);
        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new() { Count = 1, Hang = true });
        Assert.True(await repeat.ResponseStream.MoveNext());
        Task stopping = app.StopAsync();
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => repeat.ResponseStream.MoveNext().WaitAsync(Net));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        await stopping.WaitAsync(Net);
        thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new()));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
    }

    [Fact]
    public async Task An_HttpClient_reaches_the_rest_of_the_application()
    {
        await using WebApplication app = await StartAsync();
        using var http = new HttpClient(app.Services.CreateInProcessHandler())
        {
            BaseAddress = new Uri("http://anywhere"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        Assert.Equal("the page", await http.GetStringAsync("/page"));
    }

    [Fact]
    public async Task An_application_that_does_not_listen_so_says_what_to_do()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        Assert.Contains("ListenInProcess", Assert.Throws<InvalidOperationException>(
            () => host.Service<IServiceProvider>().CreateInProcessChannel()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_is_called_without_a_server()
    {
        var echo = new EchoRpcs(new EchoProbe());
        var http = new DefaultHttpContext();
        var context = new TestServerCallContext(
            "/a.Service/Method", new Metadata { { "echo-it", "heard" } }, peer: "ipv4:192.0.2.1:1", httpContext: http);
        Assert.Equal("hi", (await echo.Unary(new() { Text = "hi" }, context)).Text);
        Assert.Equal("heard", context.ResponseHeaders!.GetValue("echo-it"));
        Assert.Equal("heard", context.ResponseTrailers.GetValue("trail-it"));
        Assert.Equal(("/a.Service/Method", "ipv4:192.0.2.1:1"), (context.Method, context.Peer));
        Assert.Same(http, context.GetHttpContext());
        await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
        Assert.Throws<InvalidOperationException>(() => new TestServerCallContext().GetHttpContext());
    }

    [Fact]
    public async Task A_streaming_method_is_called_without_a_server()
    {
        var echo = new EchoRpcs(new EchoProbe());
        var responses = new TestStreamWriter<EchoResponse>();
        await using var requests = new TestStreamReader<EchoRequest>(new() { Text = "a" }, new() { Text = "b" });
        await echo.Chat(requests, responses, new TestServerCallContext());
        Assert.Equal(["a", "b"], responses.Messages.Select(message => message.Text));
        Assert.Null(requests.Current);
        using var gone = new CancellationTokenSource();
        var hanging = new TestServerCallContext(cancellationToken: gone.Token);
        Task repeat = echo.Repeat(new() { Count = 1, Hang = true }, responses, hanging);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => repeat);
        Assert.Equal(3, responses.Messages.Count);
    }

    private static async Task<WebApplication> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ListenInProcess();
        builder.Services.AddSingleton<EchoProbe>();
        builder.Services.AddGrpc();
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoRpcs>();
        app.MapGet("/page", () => "the page");
        await app.StartAsync();
        return app;
    }
}
