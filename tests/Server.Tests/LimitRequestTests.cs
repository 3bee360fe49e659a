using Google.Rpc;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>How many requests an account may make.</summary>
public sealed class LimitRequestTests
{
    private const int PerSecond = 5;
    private readonly FakeTime _time = new();

    [Fact]
    public async Task An_accounts_requests_are_so_many_a_second_and_as_many_at_once()
    {
        await using ServerFixture server = await StartAsync(limitLoopback: true);
        using Client ada = await Client.SignInAsync(server, "ada");
        using Client eve = await Client.SignInAsync(server, "eve");
        for (int at = 0; at < PerSecond; at++)
        {
            await ada.Accounts.GetAccountAsync(new(), ada.Headers);
        }

        RpcException refused = await RefusedAsync(ada);
        TimeSpan wait = Refusal.Detail<RetryInfo>(refused)!.RetryDelay.ToTimeSpan();
        Assert.Equal(TimeSpan.FromSeconds(1) / PerSecond, wait);
        await eve.Accounts.GetAccountAsync(new(), eve.Headers);

        // One for each fifth of a second, also over a longer time; whoever waits a second may make as many at once.
        for (int at = 0; at < 3 * PerSecond; at++)
        {
            _time.Advance(wait);
            await ada.Accounts.GetAccountAsync(new(), ada.Headers);
            await RefusedAsync(ada);
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        for (int at = 0; at < PerSecond; at++)
        {
            await ada.Lists.ListTaskListsAsync(new(), ada.Headers);
        }

        await RefusedAsync(ada);
    }

    [Fact]
    public async Task Loopback_is_exempt()
    {
        await using ServerFixture server = await StartAsync(limitLoopback: false);
        using Client ada = await Client.SignInAsync(server, "ada");
        for (int at = 0; at < 4 * PerSecond; at++)
        {
            await ada.Accounts.GetAccountAsync(new(), ada.Headers);
        }
    }

    private static Task<RpcException> RefusedAsync(Client client) =>
        Refusal.AssertAsync(StatusCode.ResourceExhausted, "TOO_MANY_REQUESTS", async () =>
            await client.Accounts.GetAccountAsync(new(), client.Headers));

    private Task<ServerFixture> StartAsync(bool limitLoopback) => ServerFixture.StartAsync(
        options =>
        {
            options.LimitLoopback = limitLoopback;
            options.Limits.AccountRequestsPerSecondMax = PerSecond;
        },
        _time);
}
