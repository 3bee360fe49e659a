using System.Net;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Core.Utils;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ordinary.Application;

namespace Squall.Rpc.Tests;

/// Runs the ordinary application of ApiUse.cs.
public sealed class ApiUseTests
{
    [Fact]
    public async Task An_ordinary_application_works()
    {
        List<string> record = [];
        await using WebApplication app = await StartAsync(record);
        Uri address = app.Services.ListeningAddresses().Single();
        using GrpcChannel channel = GrpcChannel.ForAddress(address);
        var client = new EchoService.EchoServiceClient(channel.Intercept(new RecordingInterceptor(record)));
        using AsyncUnaryCall<EchoResponse> unary = client.UnaryAsync(new EchoRequest { Text = "hi" });
        Assert.Equal("hi", (await unary).Text);
        Assert.StartsWith("ipv4:127.0.0.1:", (await unary.ResponseHeadersAsync).GetValue("x-peer"));
        Assert.Equal(address.Authority, Encoding.UTF8.GetString(unary.GetTrailers().GetValueBytes("x-host-bin")!));
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            async () => await client.UnaryAsync(new EchoRequest()));
        Assert.Equal("empty", thrown.Trailers.GetValue("x-why"));
        Assert.Equal(
        [
            "client Unary /squall.rpc.test.v1.EchoService/Unary",
            "server /squall.rpc.test.v1.EchoService/Unary by someone",
            "client done",
            "client Unary /squall.rpc.test.v1.EchoService/Unary",
            "server /squall.rpc.test.v1.EchoService/Unary by someone",
            "not found",
            "client done",
        ], record);

        using AsyncServerStreamingCall<EchoResponse> repeat = client.Repeat(new EchoRequest { Count = 3 });
        int sum = 0;
        while (await repeat.ResponseStream.MoveNext())
        {
            sum += repeat.ResponseStream.Current.Index;
        }

        Assert.Equal(3, sum);
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> collect = client.Collect();
        await collect.RequestStream.WriteAsync(new EchoRequest { Text = "abc" });
        await collect.RequestStream.CompleteAsync();
        Assert.Equal(3, (await collect.ResponseAsync).Index);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat();
        await chat.RequestStream.WriteAsync(new EchoRequest { Text = "there and back" });
        Assert.True(await chat.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("there and back", chat.ResponseStream.Current.Text);
        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Test_doubles_are_made_with_the_plain_constructors()
    {
        EchoService.EchoServiceClient client = new ClientDouble();
        Assert.Equal("double of x", (await client.UnaryAsync(new EchoRequest { Text = "x" })).Text);
        Assert.Throws<NotImplementedException>(() => client.Repeat(new EchoRequest()));

        var context = new UnitTestContext([], CancellationToken.None);
        EchoResponse response = await new OrdinaryService().Unary(new EchoRequest { Text = "unit" }, context);
        Assert.Equal("unit", response.Text);
        Assert.Equal("peer", context.SentHeaders!.GetValue("x-peer"));
        context.UserState["k"] = 1;
        Assert.Equal(1, context.UserState["k"]);
        Assert.False(context.AuthContext.IsPeerAuthenticated);
    }

    [Fact]
    public void Interceptors_run_in_the_order_given_and_a_later_call_of_Intercept_before_them()
    {
        List<string> order = [];
        var invoker = new ClientDoubleInvoker();
        Interceptor Named(string name) => new Noting(name, order);
        invoker.Intercept(Named("a"), Named("b"), Named("c")).Intercept(Named("later")).Intercept(metadata =>
        {
            order.Add("metadata");
            return metadata;
        }).AsyncUnaryCall(Method, null, new CallOptions(), "x");
        Assert.Equal(["metadata", "later", "a", "b", "c", "call"], order.Append(invoker.Called));
    }

    [Fact]
    public void Preconditions_throw_what_they_say()
    {
        GrpcPreconditions.CheckArgument(true);
        GrpcPreconditions.CheckState(true, "unused");
        Assert.Equal("x", GrpcPreconditions.CheckNotNull("x"));
        Assert.Equal("why", Assert.Throws<ArgumentException>(
            () => GrpcPreconditions.CheckArgument(false, "why")).Message);
        Assert.Throws<InvalidOperationException>(() => GrpcPreconditions.CheckState(false));
        Assert.Equal("name", Assert.Throws<ArgumentNullException>(
            () => GrpcPreconditions.CheckNotNull<string>(null!, "name")).ParamName);
    }

    [Fact]
    public void An_exception_is_described_for_those_who_may_see_it()
    {
        Exception caught = Assert.Throws<InvalidOperationException>(new Action(() =>
            throw new InvalidOperationException("outer", new ArgumentException("inner"))));
        Google.Rpc.DebugInfo shallow = caught.ToRpcDebugInfo();
        Assert.Equal("System.InvalidOperationException: outer", shallow.Detail);
        Assert.NotEmpty(shallow.StackEntries);
        Assert.DoesNotContain(shallow.StackEntries, entry => entry.Contains("inner", StringComparison.Ordinal));
        Assert.Contains("InnerException: System.ArgumentException: inner", caught.ToRpcDebugInfo(1).StackEntries);
    }

    [Fact]
    public async Task Configured_channels_are_made()
    {
        using GrpcChannel secure = OrdinaryChannels.Create(new Uri("https://localhost:1"));
        Assert.Equal("localhost:1", secure.Target);
        using GrpcChannel web = OrdinaryChannels.CreateWeb("http://localhost:1");
        Assert.Equal(ConnectivityState.Idle, web.State);
        await web.ShutdownAsync();
        Assert.Equal(ConnectivityState.Shutdown, web.State);
    }

    private static readonly Method<string, string> Method = new(
        MethodType.Unary, "s", "m", Marshallers.StringMarshaller, Marshallers.StringMarshaller);

    private static async Task<WebApplication> StartAsync(List<string> record)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options => options.Interceptors.Add<RecordingInterceptor>(record));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        WebApplication app = builder.Build();
        app.MapGrpcService<OrdinaryService>();
        await app.StartAsync();
        return app;
    }

    private sealed class Noting(string name, List<string> order) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add(name);
            return continuation(request, context);
        }
    }

    private sealed class ClientDoubleInvoker : CallInvoker
    {
        public string Called { get; private set; } = "";

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            Called = "call";
            return new(
                Task.FromResult<TResponse>(null!), Task.FromResult(Metadata.Empty), () => default, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => null!;

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => null!;

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => null!;

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => null!;
    }
}
