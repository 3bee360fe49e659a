using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using static Squall.Rpc.Tests.ServerWire;
using Method = Grpc.Core.Method<Squall.Rpc.Tests.EchoRequest, Squall.Rpc.Tests.EchoResponse>;

namespace Squall.Rpc.Tests;

/// Services that are not classes of a contract, and instances that others make.
public sealed class ServerModelTests
{
    private static readonly Marshaller<EchoRequest> Requests = Marshaller(EchoRequest.Parser);
    private static readonly Marshaller<EchoResponse> Responses = Marshaller(EchoResponse.Parser);

    [Fact]
    public async Task A_definition_is_served_with_all_kinds_of_call_and_with_interceptors()
    {
        await using ServerHost host = await ServerHost.StartAsync(
            grpc: options => options.Interceptors.Add<Counting>(),
            services: services => services.AddSingleton<Counting>(),
            map: app => app.MapGrpcService(Definition(app.Services.GetRequiredService<EchoProbe>())));
        await CallAllAsync(host);
    }

    [Fact]
    public async Task A_definition_may_be_made_of_the_applications_services()
    {
        await using ServerHost host = await ServerHost.StartAsync(
            grpc: options => options.Interceptors.Add<Counting>(),
            services: services => services.AddSingleton<Counting>(),
            map: app => app.MapGrpcService(services => Definition(services.GetRequiredService<EchoProbe>())));
        await CallAllAsync(host);
    }

    [Fact]
    public async Task A_provider_adds_methods_to_a_class_without_a_contract()
    {
        await using ServerHost host = await ServerHost.StartAsync(
            grpc: options => options.Interceptors.Add<Counting>(),
            services: services =>
            {
                services.AddSingleton<Counting>();
                services.AddSingleton<IServiceMethodProvider<Greeter>, GreeterMethods>();
            },
            map: app => app.MapGrpcService<Greeter>());
        await CallAllAsync(host);
        Assert.Equal("by itself", await host.Http1.GetStringAsync("/greeter/by-itself"));
    }

    [Fact]
    public async Task A_class_of_which_nobody_knows_a_method_is_refused()
    {
        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ServerHost.StartAsync(map: app => app.MapGrpcService<Greeter>()));
        Assert.Contains("Greeter is not a gRPC service", thrown.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Methods_may_ask_for_no_instance(bool isForAll)
    {
        await using ServerHost host = await ServerHost.StartAsync(
            services: services =>
            {
                services.AddSingleton<IServiceMethodProvider<Greeter>>(
                    new Static((greeter, request) => new() { Text = $"{request.Text} {greeter is null}" }));
                services.Configure<GrpcServiceOptions>(options => options.SuppressCreatingService = isForAll);
                services.Configure<GrpcServiceOptions<Greeter>>(options =>
                    options.SuppressCreatingService = !isForAll);
            },
            map: app => app.MapGrpcService<Greeter>());
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        Assert.Equal("none: True", (await UnaryAsync(channel, "none:")).Text);
    }

    [Fact]
    public async Task Activators_make_instances_and_let_go_of_them_also_after_a_failure()
    {
        var made = new Activators();
        await using ServerHost host = await ServerHost.StartAsync(
            grpc: options => options.Interceptors.Add<Counting>("an argument"),
            services: services =>
            {
                services.AddSingleton<IGrpcServiceActivator<EchoRpcs>>(made);
                services.AddSingleton<IGrpcInterceptorActivator<Counting>>(made);
            });
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal("hi", (await client.UnaryAsync(new() { Text = "hi" })).Text);
        await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new() { FailCode = 5 }));
        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new() { Count = 1 });
        Assert.True(await repeat.ResponseStream.MoveNext());
        Assert.False(await repeat.ResponseStream.MoveNext());
        Assert.Equal(
            ["interceptor an argument", "service", "service gone", "interceptor gone"], made.Record.Take(4));
        Assert.Equal(12, made.Record.Count);
    }

    [Theory]
    [InlineData(false, false, 200, 200)]
    [InlineData(true, false, 404, 200)]
    [InlineData(false, true, 200, 404)]
    [InlineData(true, null, 404, 404)]
    public async Task What_is_not_there_may_be_left_to_others(
        bool services, bool? methods, int ofService, int ofMethod)
    {
        await using ServerHost host = await ServerHost.StartAsync(
            grpc: options => options.IgnoreUnknownServices = services,
            services: registered => registered.Configure<GrpcServiceOptions<EchoRpcs>>(
                options => options.IgnoreUnknownServices = methods));
        async Task<int> HttpOf(string path) =>
            (int)(await host.Http2.SendAsync(path, new ByteArrayContent([]), "application/grpc")).Http;
        Assert.Equal(ofService, await HttpOf("/not.There/Unary"));
        Assert.Equal(ofMethod, await HttpOf("/squall.rpc.test.v1.EchoService/NotThere"));
    }

    /// All four kinds, each with the interceptor around it.
    private static async Task CallAllAsync(ServerHost host)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        CallInvoker calls = channel.CreateCallInvoker();
        Assert.Equal("hi", (await UnaryAsync(channel, "hi")).Text);
        using var repeat = calls.AsyncServerStreamingCall(
            Of(MethodType.ServerStreaming, "Repeat"), null, default, new EchoRequest { Count = 3 });
        Assert.Equal(3, await repeat.ResponseStream.ReadAllAsync().CountAsync());
        using var collect = calls.AsyncClientStreamingCall(Of(MethodType.ClientStreaming, "Collect"), null, default);
        await collect.RequestStream.WriteAsync(new() { Text = "a" });
        await collect.RequestStream.WriteAsync(new() { Text = "b" });
        await collect.RequestStream.CompleteAsync();
        Assert.Equal("ab", (await collect).Text);
        using var chat = calls.AsyncDuplexStreamingCall(Of(MethodType.DuplexStreaming, "Chat"), null, default);
        await chat.RequestStream.WriteAsync(new() { Text = "there" });
        Assert.True(await chat.ResponseStream.MoveNext());
        Assert.Equal("there", chat.ResponseStream.Current.Text);
        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext());
        Assert.Equal(4, Counting.Of(host).Calls);
    }

    private static Method Of(MethodType type, string name) => new(type, "test.Greeter", name, Requests, Responses);

    private static async Task<EchoResponse> UnaryAsync(
        GrpcChannel channel, string text) => await channel.CreateCallInvoker().AsyncUnaryCall(
            Of(MethodType.Unary, "Unary"), null, default, new EchoRequest { Text = text });

    private static ServerServiceDefinition Definition(EchoProbe probe)
    {
        var echo = new EchoRpcs(probe);
        return ServerServiceDefinition.CreateBuilder()
            .AddMethod(Of(MethodType.Unary, "Unary"), echo.Unary)
            .AddMethod(Of(MethodType.ServerStreaming, "Repeat"), echo.Repeat)
            .AddMethod(Of(MethodType.ClientStreaming, "Collect"), echo.Collect)
            .AddMethod(Of(MethodType.DuplexStreaming, "Chat"), echo.Chat)
            .Build();
    }

    private static Marshaller<T> Marshaller<T>(Google.Protobuf.MessageParser<T> parser)
        where T : Google.Protobuf.IMessage<T> =>
        Marshallers.Create(
            message => Google.Protobuf.MessageExtensions.ToByteArray(message), bytes => parser.ParseFrom(bytes));

    /// A class that knows nothing of gRPC.
    public sealed class Greeter(EchoProbe probe)
    {
        public EchoRpcs Echo { get; } = new(probe);
    }

    private sealed class GreeterMethods : IServiceMethodProvider<Greeter>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<Greeter> context)
        {
            Assert.Null(context.Argument);
            context.AddUnaryMethod(
                Of(MethodType.Unary, "Unary"), [], (greeter, request, call) => greeter.Echo.Unary(request, call));
            context.AddServerStreamingMethod(
                Of(MethodType.ServerStreaming, "Repeat"), [],
                (greeter, request, responses, call) => greeter.Echo.Repeat(request, responses, call));
            context.AddClientStreamingMethod(
                Of(MethodType.ClientStreaming, "Collect"), [],
                (greeter, requests, call) => greeter.Echo.Collect(requests, call));
            context.AddDuplexStreamingMethod(
                Of(MethodType.DuplexStreaming, "Chat"), [],
                (greeter, requests, responses, call) => greeter.Echo.Chat(requests, responses, call));
            context.AddMethod(
                Of(MethodType.Unary, "ByItself"), RoutePatternFactory.Parse("/greeter/by-itself"), [],
                http => http.Response.WriteAsync("by itself"));
        }
    }

    private sealed class Static(Func<Greeter, EchoRequest, EchoResponse> answer) : IServiceMethodProvider<Greeter>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<Greeter> context) => context.AddUnaryMethod(
            Of(MethodType.Unary, "Unary"), [], (greeter, request, _) => Task.FromResult(answer(greeter, request)));
    }

    private sealed class Activators : IGrpcServiceActivator<EchoRpcs>, IGrpcInterceptorActivator<Counting>
    {
        public List<string> Record { get; } = [];

        public GrpcActivatorHandle<EchoRpcs> Create(IServiceProvider serviceProvider)
        {
            Record.Add("service");
            return new(new EchoRpcs(serviceProvider.GetRequiredService<EchoProbe>()), true, this);
        }

        public GrpcActivatorHandle<Interceptor> Create(
            IServiceProvider serviceProvider, InterceptorRegistration interceptorRegistration)
        {
            Record.Add($"interceptor {interceptorRegistration.Arguments.Single()}");
            return new(new Counting(), true, this);
        }

        public ValueTask ReleaseAsync(GrpcActivatorHandle<EchoRpcs> service) => Release(service, "service gone");

        public ValueTask ReleaseAsync(GrpcActivatorHandle<Interceptor> interceptor) =>
            Release(interceptor, "interceptor gone");

        private ValueTask Release<T>(GrpcActivatorHandle<T> handle, string what)
        {
            Assert.True(handle.Created);
            Assert.Same(this, handle.State);
            Record.Add(what);
            return ValueTask.CompletedTask;
        }
    }

    /// Counts calls.
    public sealed class Counting : Interceptor
    {
        public int Calls { get; private set; }

        public static Counting Of(ServerHost host) => host.Service<Counting>();

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            Calls++;
            return base.UnaryServerHandler(request, context, continuation);
        }

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            ServerCallContext context,
            ClientStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Calls++;
            return base.ClientStreamingServerHandler(requestStream, context, continuation);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Calls++;
            return base.ServerStreamingServerHandler(request, responseStream, context, continuation);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Calls++;
            return base.DuplexStreamingServerHandler(requestStream, responseStream, context, continuation);
        }
    }
}
