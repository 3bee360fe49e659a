using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// Callers that go away, or do not read, whatever their handlers make of it.
public sealed class ServerGoneTests
{
    private const string Listen = "/test.Careless/Listen";
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    [Theory, InlineData(1), InlineData(2), Wire("1.5.16")]
    public async Task A_handler_that_looks_at_no_token_ends_when_its_caller_has_gone(int version)
    {
        var thrown = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ServerHost host = await StartAsync(async (responses, _) =>
        {
            try
            {
                for (int at = 0; at < 1_000_000; at++)
                {
                    await responses.WriteAsync(new EchoResponse { Text = new string('m', 1_000) });
                }

                thrown.SetResult(null);
            }
            catch (Exception exception)
            {
                thrown.SetResult(exception);
                throw;
            }
        });
        using (var caller = new ServerDuplex(host.Http(version), Listen, "application/grpc-web"))
        {
            caller.Send(FrameOf(new EchoRequest()));
            caller.Done();
            Assert.NotNull(await caller.ReadFrameAsync());
            (await caller.Answer).Dispose();
        }

        Assert.IsAssignableFrom<OperationCanceledException>(await thrown.Task.WaitAsync(Net));
        Assert.Empty(host.Logs.At(LogLevel.Error));
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.5.11")]
    public async Task A_write_that_its_handler_does_not_wait_for_keeps_no_call_open(int version)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ServerHost host = await StartAsync((responses, context) =>
        {
            context.GetHttpContext().Response.OnCompleted(() =>
            {
                over.SetResult();
                return Task.CompletedTask;
            });
            _ = responses.WriteAsync(
                new EchoResponse { Payload = ByteString.CopyFrom(new byte[20_000_000]) });
            return Task.CompletedTask;
        });
        using var caller = new ServerDuplex(host.Http(version), Listen, "application/grpc-web");
        caller.Send(FrameOf(new EchoRequest()));
        caller.Done();
        using HttpResponseMessage answer = await caller.Answer;
        await over.Task.WaitAsync(Net);
    }

    [Theory, Wire("1.1.16")]
    [InlineData("/squall.rpc.test.v1.EchoService/Unary", 200)]
    [InlineData("/squall.rpc.test.v1.EchoService/Un%61ry", 404)]
    [InlineData("/x/../squall.rpc.test.v1.EchoService/Unary", 404)]
    public async Task The_path_is_canonical_in_the_form_for_proxies_too(string path, int expected)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST http://a{path} HTTP/1.1\r\nhost: a\r\n" +
            "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"));
        string answer = await new StreamReader(tcp.GetStream()).ReadToEndAsync().WaitAsync(Net);
        Assert.StartsWith($"HTTP/1.1 {expected} ", answer, StringComparison.Ordinal);
        Assert.Equal(expected == 200 ? 1 : 0, host.Probe.Calls);
    }

    private static Task<ServerHost> StartAsync(
        Func<IServerStreamWriter<EchoResponse>, ServerCallContext, Task> listen)
    {
        var method = new Method<EchoRequest, EchoResponse>(
            MethodType.ServerStreaming, "test.Careless", "Listen",
            Marshallers.Create(request => request.ToByteArray(), EchoRequest.Parser.ParseFrom),
            Marshallers.Create(response => response.ToByteArray(), EchoResponse.Parser.ParseFrom));
        ServerStreamingServerMethod<EchoRequest, EchoResponse> handler =
            (_, responses, context) => listen(responses, context);
        return ServerHost.StartAsync(
            services: services => services.Configure<RpcServerOptions>(
                rpc => rpc.StalledWriteMax = TimeSpan.FromMilliseconds(200)),
            map: app => app.MapGrpcService(
                ServerServiceDefinition.CreateBuilder().AddMethod(method, handler).Build()));
    }
}
