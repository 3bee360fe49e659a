using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.ClientFactory;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc.Tests;

/// Clients from dependency injection.
public sealed class ClientFactoryTests
{
    [Fact]
    public async Task A_client_is_injected_with_its_address_options_interceptors_and_credentials()
    {
        var seen = new Dictionary<string, string>();
        List<string> made = [];
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
            {
                seen[name.ToLowerInvariant()] = values.ToString();
            }

            await Script.EchoAsync(http);
        });
        var services = new ServiceCollection();
        services.AddSingleton(new Uri("http://unused.invalid"));
        services.AddTransient<Tagging>();
        services.AddGrpcClient<EchoService.EchoServiceClient>((_, options) => options.Address = server.Address)
            .ConfigureChannel(channel =>
            {
                made.Add("channel");
                channel.UnsafeUseInsecureChannelCallCredentials = true;
                channel.MaxSendMessageSize = 100;
            })
            .AddInterceptor<Tagging>()
            .AddInterceptor(InterceptorScope.Client, () =>
            {
                made.Add("client's interceptor");
                return new Tagging();
            })
            .AddCallCredentials((_, metadata) =>
            {
                metadata.Add("x-first", "1");
                return Task.CompletedTask;
            })
            .AddCallCredentials((_, metadata, provider) =>
            {
                metadata.Add("x-second", provider.GetRequiredService<Uri>().Host);
                return Task.CompletedTask;
            })
            .AddHttpMessageHandler(() => new Marking());
        await using ServiceProvider provider = services.BuildServiceProvider();
        for (int i = 0; i < 2; i++)
        {
            var client = provider.GetRequiredService<EchoService.EchoServiceClient>();
            Assert.Equal("x", (await client.UnaryAsync(new() { Text = "x" })).Text);
            await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new() { Text = new('y', 200) }));
        }

        Assert.Equal(["channel", "client's interceptor", "client's interceptor"], made);
        Assert.Equal("1", seen["x-first"]);
        Assert.Equal("unused.invalid", seen["x-second"]);
        Assert.Equal("tagged, tagged", seen["x-tag"]);
        Assert.Equal("marked", seen["x-mark"]);
    }

    [Fact]
    public async Task Clients_are_made_by_name_and_in_ways_of_ones_own()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        var services = new ServiceCollection();
        services.AddGrpcClient<EchoService.EchoServiceClient>("one", options => options.Address = server.Address);
        services.AddGrpcClient<EchoService.EchoServiceClient>("two", options => options.Address = server.Address)
            .ConfigureGrpcClientCreator(invoker => new Special(invoker));
        services.AddGrpcClient<EchoService.EchoServiceClient>("lost");
        await using ServiceProvider provider = services.BuildServiceProvider();
        GrpcClientFactory factory = provider.GetRequiredService<GrpcClientFactory>();
        Assert.IsType<EchoService.EchoServiceClient>(factory.CreateClient<EchoService.EchoServiceClient>("one"));
        var special = Assert.IsType<Special>(factory.CreateClient<EchoService.EchoServiceClient>("two"));
        Assert.Equal("x", (await special.UnaryAsync(new() { Text = "x" })).Text);
        Assert.Throws<InvalidOperationException>(() => factory.CreateClient<EchoService.EchoServiceClient>("three"));
        Assert.Contains("lost", Assert.Throws<InvalidOperationException>(
            () => factory.CreateClient<EchoService.EchoServiceClient>("lost")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_served_calls_deadline_and_end_are_handed_on()
    {
        string? timeout = null;
        var inner = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using ScriptedServer target = await ScriptedServer.StartAsync(async http =>
        {
            timeout = http.Request.Headers["grpc-timeout"];
            inner.TrySetResult();
            await Script.HangAsync(http, gone);
        });
        await using ServerHost server = await ServerHost.StartAsync(services: services => services
            .AddGrpcClient<EchoService.EchoServiceClient>(options => options.Address = target.Address)
            .EnableCallContextPropagation());
        server.Probe.Before = async context =>
        {
            var client = context.GetHttpContext().RequestServices.GetRequiredService<EchoService.EchoServiceClient>();
            await client.UnaryAsync(new());
        };
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address);
        DateTime deadline = (TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(1)).UtcDateTime;
        AsyncUnaryCall<EchoResponse> call =
            new EchoService.EchoServiceClient(channel).UnaryAsync(new(), deadline: deadline);
        await inner.Task.WaitAsync(ScriptedServer.Net);
        Assert.True(GrpcTimeout.TryParse(timeout, out TimeSpan left), timeout);
        Assert.InRange(left, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        call.Dispose();
        await gone.Task.WaitAsync(ScriptedServer.Net);
    }

    [Fact]
    public async Task Without_a_served_call_there_is_nothing_to_hand_on()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        foreach (bool suppressed in new[] { false, true })
        {
            var services = new ServiceCollection();
            services.AddGrpcClient<EchoService.EchoServiceClient>(options => options.Address = server.Address)
                .EnableCallContextPropagation(options => options.SuppressContextNotFoundErrors = suppressed);
            await using ServiceProvider provider = services.BuildServiceProvider();
            var client = provider.GetRequiredService<EchoService.EchoServiceClient>();
            if (suppressed)
            {
                Assert.Equal("x", (await client.UnaryAsync(new() { Text = "x" })).Text);
            }
            else
            {
                Assert.Throws<InvalidOperationException>(() => client.UnaryAsync(new()));
            }
        }
    }

    private sealed class Special(CallInvoker invoker) : EchoService.EchoServiceClient(invoker);

    private sealed class Tagging : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            Metadata headers = context.Options.Headers ?? [];
            headers.Add("x-tag", "tagged");
            return continuation(request, new(context.Method, context.Host, context.Options.WithHeaders(headers)));
        }
    }

    private sealed class Marking : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token)
        {
            request.Headers.Add("x-mark", "marked");
            return base.SendAsync(request, token);
        }
    }
}
