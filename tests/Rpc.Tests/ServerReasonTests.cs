using System.Reflection;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// What the runtime itself refuses has a reason, and what services throw has theirs.
public sealed partial class ServerReasonTests
{
    private const string Domain = "reasons.test";

    public static TheoryData<ServerRefusal, World> InWorlds => ServerRefusal.InWorlds;

    public static TheoryData<World> Unaries => World.Unaries;

    [Theory, MemberData(nameof(InWorlds)), Wire("1.8.09")]
    public async Task What_the_runtime_refuses_has_a_reason_where_a_domain_is_set(ServerRefusal refusal, World world)
    {
        foreach (string? domain in (string?[])[Domain, null])
        {
            await using ServerHost host = await ServerRefusal.StartAsync(domain);
            AssertTold(refusal, domain, await refusal.Bring(world, host));
        }
    }

    /// The control: an error on its way through an interceptor that makes one without a reason of it.
    [Fact, Wire("1.8.09")]
    public async Task A_refusal_that_lost_its_reason_is_noticed()
    {
        await using ServerHost host = await ServerRefusal.StartAsync(
            Domain, grpc => grpc.Interceptors.Add<Forgetful>());
        ServerRefusal refusal = ServerRefusal.All.Single(one => one.Reason == ErrorReasons.InvalidMetadata);
        WorldAnswer answer = await refusal.Bring(new World("grpc", 2), host);
        Assert.Equal(refusal.Code, answer.Code);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertTold(refusal, Domain, answer));
    }

    [Fact, Wire("1.8.09")]
    public void Each_reason_is_well_formed_and_is_brought_about()
    {
        string[] listed = [.. typeof(ErrorReasons).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (string)field.GetRawConstantValue()!)];
        Assert.All(listed, reason => Assert.Matches(Reason(), reason));
        Assert.Equal(listed.Order(), ServerRefusal.All.Select(refusal => refusal.Reason).Distinct().Order());
        Assert.Equal(listed.Length, listed.Distinct().Count());
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.8.09")]
    public async Task What_a_service_throws_is_told_as_it_is(World world)
    {
        await using ServerHost host = await ServerRefusal.StartAsync(Domain);
        WorldAnswer answer = await world.CallAsync(host, Unary, [new() { FailCode = 5, FailMessage = "lost" }]);
        Assert.Equal((StatusCode.NotFound, "lost"), (answer.Code, answer.Message));
        Assert.Empty(answer.Details);

        answer = await world.CallAsync(host, Unary, [new() { FailCode = 5, Reason = "LOST" }]);
        Assert.Equal(("test", "LOST"), (answer.Cause?.Domain, answer.Cause?.Reason));
        Assert.Single(answer.Details);

        // A trailer that cannot be carried does not take the details along.
        host.Probe.Before = context =>
        {
            context.ResponseTrailers.Add("bad", "s\r\nt");
            return Task.CompletedTask;
        };
        answer = await world.CallAsync(host, Unary, [new() { FailCode = 5, Reason = "LOST" }]);
        Assert.Equal((StatusCode.NotFound, "LOST"), (answer.Code, answer.Cause?.Reason));
    }

    /// The client's own errors come from the same code, and are none of this server's refusals.
    [Fact, Wire("1.8.09")]
    public async Task What_a_client_within_a_service_fails_with_has_no_reason_of_the_server()
    {
        await using ServerHost host = await ServerRefusal.StartAsync(Domain);
        using GrpcChannel small = GrpcChannel.ForAddress(
            host.Address, new GrpcChannelOptions { MaxSendMessageSize = 1, MaxReceiveMessageSize = 1 });
        var client = new EchoService.EchoServiceClient(small);
        foreach (Func<Task> call in (Func<Task>[])
        [
            async () => await client.UnaryAsync(new() { Text = "too large" }),
            async () => await client.UnaryAsync(new() { ResponseBytes = 10 }),
            () => client.Collect().RequestStream.WriteAsync(new() { Text = "too large" }),
        ])
        {
            bool isInner = false;
            host.Probe.Before = _ => Interlocked.Exchange(ref isInner, true) ? Task.CompletedTask : call();
            WorldAnswer answer = await new World("web", 1).CallAsync(host, Unary, [new()]);
            Assert.Equal(StatusCode.ResourceExhausted, answer.Code);
            Assert.Empty(answer.Details);
        }
    }

    [Fact, Wire("1.8.09")]
    public async Task A_reason_for_which_there_is_no_room_is_left_out_and_the_status_arrives()
    {
        await using ServerHost host = await ServerRefusal.StartAsync(Domain);
        WorldAnswer answer = await new World("grpc", 2).CallAsync(host, "/" + new string('x', 7_000), [new()]);
        Assert.Equal(StatusCode.Unimplemented, answer.Code);
        Assert.Empty(answer.Details);
    }

    private static void AssertTold(ServerRefusal refusal, string? domain, WorldAnswer answer)
    {
        string[] types =
        [
            .. domain is null ? (string[])[] : ["google.rpc.ErrorInfo"],
            .. refusal.HasRetry ? (string[])["google.rpc.RetryInfo"] : [],
        ];
        Assert.Equal(
            (refusal.Code, domain is null ? null : refusal.Reason, domain),
            (answer.Code, answer.Cause?.Reason, answer.Cause?.Domain));
        Assert.Equal(types, answer.DetailTypes);
    }

    [GeneratedRegex("^(?=.{1,63}$)[A-Z][A-Z0-9_]+[A-Z0-9]$")]
    private static partial Regex Reason();

    private sealed class Forgetful : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            try
            {
                return await continuation(request, context);
            }
            catch (RpcException refused)
            {
                throw new RpcException(refused.Status);
            }
        }
    }
}
