using System.Collections.Concurrent;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

public sealed class ServerUnaryTests
{
    [Fact, Wire("1.1.03", "1.2.01", "1.2.03")]
    public async Task A_unary_call_is_answered_with_one_frame_and_its_status_in_trailers()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest { Text = "hello" }));
        Assert.Equal(200, (int)answer.Http);
        Assert.Equal("hello", Assert.Single(answer.Messages).Text);
        Assert.Equal("0", answer.Trailer("grpc-status"));
        Assert.Equal("application/grpc", answer.Header("content-type"));
        Assert.Equal("identity,gzip", answer.Header("grpc-accept-encoding"));
        Assert.Equal(Unary, host.Probe.Method);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, true)]
    public async Task Calls_pass_the_middleware_by_if_they_may(bool skips, bool isAuthorised, bool passes)
    {
        int passed = 0;
        await using ServerHost host = await ServerHost.StartAsync(
            services: services =>
            {
                services.Configure<RpcServerOptions>(options => options.SkipsMiddleware = skips);
                services.AddAuthorization();
            },
            map: app =>
            {
                app.UseRouting();
                app.Use((http, next) =>
                {
                    passed++;
                    return next(http);
                });
                app.UseAuthorization();
                app.MapGrpcService<EchoRpcs>().WithMetadata(isAuthorised ? new AllowAnonymousAttribute() : passed);
                app.UseEndpoints(_ => { });
            });
        Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
        Assert.Equal(passes ? 1 : 0, passed);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_request_leads_to_its_call_and_its_endpoint(bool skips, bool isAsked)
    {
        var accessor = new HttpContextAccessor();
        await using ServerHost host = await ServerHost.StartAsync(services: services =>
        {
            services.Configure<RpcServerOptions>(options => options.SkipsMiddleware = skips);
            if (!isAsked)
            {
                services.AddSingleton<IHttpContextAccessor>(accessor);
            }
        });
        var found = new ConcurrentQueue<object?>();
        host.Probe.Before = context =>
        {
            // Whether the handler asks for its request, or somebody elsewhere finds it.
            HttpContext? http = isAsked ? context.GetHttpContext() : accessor.HttpContext;
            found.Enqueue(http?.Features.Get<IServerCallContextFeature>()?.ServerCallContext == context);
            found.Enqueue(http?.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName);
            return Task.CompletedTask;
        };
        Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
        Assert.Equal([true, Unary], found);
    }

    [Fact]
    public async Task The_servers_own_deadline_stands_once_it_is_looked_at()
    {
        TimeSpan bound = TimeSpan.FromHours(1);
        await using ServerHost host = await ServerHost.StartAsync(services: services =>
            services.Configure<RpcServerOptions>(options => options.UnaryDeadlineDefault = bound));
        var seen = new ConcurrentQueue<DateTime>();
        host.Probe.Before = async context =>
        {
            seen.Enqueue(context.Deadline);
            await Task.Yield();
            seen.Enqueue(context.Deadline);
            context.SetDefaultDeadline(bound * 2);
            seen.Enqueue(context.Deadline);
        };
        DateTime before = TimeProvider.System.GetUtcNow().UtcDateTime;
        Assert.Equal(0, (await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()))).Status);
        DateTime after = TimeProvider.System.GetUtcNow().UtcDateTime;
        DateTime[] deadlines = [.. seen];
        Assert.Equal(deadlines[0], deadlines[1]);
        Assert.InRange(deadlines[0], before + bound, after + bound);
        Assert.InRange(deadlines[2], before + bound * 2, after + bound * 2);
    }

    [Fact, Wire("1.1.10")]
    public async Task A_message_of_no_bytes_is_a_message()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, [0, 0, 0, 0, 0]);
        Assert.Equal(0, answer.Status);
        Assert.Equal([0, 0, 0, 0, 0], answer.Body);
    }

    [Theory, Wire("1.1.08", "1.2.03")]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Any_number_of_requests_but_one_is_unimplemented(int count)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body = [.. Enumerable.Range(0, count).SelectMany(_ => FrameOf(new EchoRequest()))];
        foreach (string path in (string[])[Unary, Repeat])
        {
            RawAnswer answer = await host.Http2.GrpcAsync(path, body);
            Assert.Equal((int)StatusCode.Unimplemented, answer.Status);
            Assert.True(answer.IsTrailersOnly);
        }

        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, Wire("1.1.07")]
    [InlineData(new byte[] { 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, StatusCode.Internal)]
    [InlineData(new byte[] { 2, 0, 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, StatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 7 }, StatusCode.InvalidArgument)]
    public async Task A_malformed_request_is_refused_without_effect(byte[] body, StatusCode code)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, body);
        Assert.Equal(code, (StatusCode)answer.Status);
        Assert.NotEmpty(answer.Message);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, Wire("1.1.16")]
    [InlineData("/squall.rpc.test.v1.EchoService/./Unary")]
    [InlineData("/x/../squall.rpc.test.v1.EchoService/Unary")]
    [InlineData("//squall.rpc.test.v1.EchoService/Unary")]
    [InlineData("/squall.rpc.test.v1.EchoService/unary")]
    [InlineData("/squall.rpc.test.v1.ECHOService/Unary")]
    [InlineData("/squall.rpc.test.v1.EchoService/Unary/")]
    [InlineData("/squall.rpc.test.v1.EchoService/Un%61ry")]
    [InlineData("/squall.rpc.test.v1.EchoService/Nothing")]
    [InlineData("/nothing.Service/Nothing")]
    [InlineData("/")]
    public async Task Only_the_canonical_path_is_a_method(string path)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(path, FrameOf(new EchoRequest()));
        Assert.Equal(200, (int)answer.Http);
        Assert.True(answer.IsTrailersOnly);
        Assert.Equal((int)StatusCode.Unimplemented, answer.Status);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact]
    public async Task Connect_json_is_answered_in_json_over_both_versions()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (HttpClient http in (HttpClient[])[host.Http1, host.Http2])
        {
            RawAnswer answer = await http.JsonAsync(Unary, """{"text":"hello","unknown":1}""");
            Assert.Equal(200, (int)answer.Http);
            Assert.Equal("application/json", answer.Header("content-type"));
            Assert.Equal("""{ "text": "hello" }""", answer.Text);
        }
    }

    [Theory, Wire("1.7.14")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"text":1}""")]
    [InlineData("""{"count":"x"}""")]
    [InlineData("""{"count":99999999999}""")]
    [InlineData("""{"payload":"*"}""")]
    [InlineData("""{"text":"\ud800"}""")]
    public async Task Json_that_is_broken_or_does_not_fit_is_invalid(string json)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http1.JsonAsync(Unary, json);
        Assert.Equal(400, (int)answer.Http);
        Assert.Contains("invalid_argument", answer.Text, StringComparison.Ordinal);
        Assert.Equal(0, host.Probe.Calls);
        Assert.Empty(host.Logs.At(Microsoft.Extensions.Logging.LogLevel.Error));
    }

    [Fact, Wire("1.7.15")]
    public async Task Json_takes_either_spelling_of_a_name_and_passes_over_what_is_unknown()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (string json in (string[])
            ["""{"responseBytes":3}""", """{"response_bytes":"3","other":{"x":[1]}}"""])
        {
            RawAnswer answer = await host.Http1.SendAsync(
                Unary, new StringContent(json), "application/json; charset=utf-8");
            Assert.Equal("""{ "payload": "AAAA" }""", answer.Text);
        }
    }

    [Theory, Wire("1.7.15")]
    [InlineData("""{"big":"9007199254740993","kind":1}""", """{ "big": "9007199254740993", "kind": "KIND_LOUD" }""")]
    [InlineData("""{"big":9007199254740991,"kind":"KIND_LOUD"}""",
        """{ "big": "9007199254740991", "kind": "KIND_LOUD" }""")]
    [InlineData("""{"big":"-9223372036854775808","kind":7}""", """{ "big": "-9223372036854775808", "kind": 7 }""")]
    [InlineData("""{"big":"9223372036854775808"}""", null)]
    [InlineData("""{"kind":2147483648}""", null)]
    public async Task Json_takes_enums_by_number_and_64_bits_as_text(string json, string? answered)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http1.JsonAsync(Unary, json);
        Assert.Equal(answered is null ? 400 : 200, (int)answer.Http);
        Assert.Contains(answered ?? "invalid_argument", answer.Text, StringComparison.Ordinal);
    }
}
