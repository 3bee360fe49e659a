using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How tokens are renewed, run out, and betray who stole them.</summary>
public sealed class AuthRefreshTests : IAsyncLifetime
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private readonly FakeTime _time = new();
    private ServerFixture _server = null!;
    private Client _client = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(time: _time);
        _client = await Client.SignInAsync(_server, "ada");
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_refresh_token_buys_a_new_pair_beside_which_the_old_access_token_lives_on()
    {
        Tokens first = _client.Tokens;
        Tokens second = await RefreshAsync(first);
        Assert.Equal(4, new[]
        {
            first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken,
        }.Distinct().Count());
        AssertSoon(TimeSpan.FromMinutes(15), second.AccessExpireTime.ToDateTimeOffset());
        AssertSoon(TimeSpan.FromDays(30), second.RefreshExpireTime.ToDateTimeOffset());
        await AssertLetInAsync(first);
        await AssertLetInAsync(second);
        await AssertLetInAsync(await RefreshAsync(second));
    }

    [Fact]
    public async Task An_access_token_runs_out_after_15_minutes_and_says_what_to_do()
    {
        _time.Advance(TimeSpan.FromMinutes(15) - Moment);
        await AssertLetInAsync(_client.Tokens);
        _time.Advance(Moment * 2);
        RpcException refused = await AssertShutOutAsync(_client.Tokens, "TOKEN_EXPIRED");
        Assert.Contains("refresh token", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("AuthService/Login", refused.Status.Detail, StringComparison.Ordinal);
        await AssertLetInAsync(await RefreshAsync(_client.Tokens));
    }

    [Fact]
    public async Task A_refresh_token_runs_out_after_30_days_and_its_session_with_it()
    {
        _time.Advance(TimeSpan.FromDays(29));
        Tokens second = await RefreshAsync(_client.Tokens);
        _time.Advance(TimeSpan.FromDays(29));
        Tokens third = await RefreshAsync(second);
        _time.Advance(TimeSpan.FromDays(30) + Moment);
        await AssertNotRefreshedAsync(third);
        await _server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        await AssertShutOutAsync(third, "TOKEN_INVALID");
        Assert.False(await _server.Get<Store>().ReadAsync(db => db.Sessions.Any(), CancellationToken.None));
    }

    [Fact]
    public async Task Used_again_within_10_seconds_it_buys_another_pair_and_the_pair_before_is_void()
    {
        Tokens lost = await RefreshAsync(_client.Tokens);
        await AssertLetInAsync(lost);
        _time.Advance(TimeSpan.FromSeconds(10) - Moment);
        Tokens found = await RefreshAsync(_client.Tokens);

        await AssertShutOutAsync(lost, "TOKEN_INVALID");
        await AssertNotRefreshedAsync(lost);
        await AssertLetInAsync(_client.Tokens);
        await AssertLetInAsync(found);
        await AssertLetInAsync(await RefreshAsync(found));
    }

    [Fact]
    public async Task Used_again_after_10_seconds_it_ends_the_session_for_both_of_its_users()
    {
        Tokens second = await RefreshAsync(_client.Tokens);
        using var thief = new Subscriber(_client);
        await thief.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(10) + Moment);

        await AssertNotRefreshedAsync(_client.Tokens);
        await AssertShutOutAsync(_client.Tokens, "TOKEN_INVALID");
        await AssertShutOutAsync(second, "TOKEN_INVALID");
        await AssertNotRefreshedAsync(second);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => thief.NextAsync());
    }

    [Fact]
    public async Task A_token_that_was_spent_long_ago_ends_the_session_too()
    {
        Tokens newest = _client.Tokens;
        for (int day = 0; day < 20; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
            newest = await RefreshAsync(newest);
        }

        await AssertLetInAsync(newest);
        await AssertNotRefreshedAsync(_client.Tokens);
        await AssertShutOutAsync(newest, "TOKEN_INVALID");
    }

    [Fact]
    public async Task Refreshed_by_many_at_once_one_pair_is_left()
    {
        Tokens[] pairs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RefreshAsync(_client.Tokens)));
        var letIn = new List<Tokens>();
        foreach (Tokens pair in pairs)
        {
            try
            {
                await _client.Accounts.GetAccountAsync(new(), Client.Bearer(pair.AccessToken));
                letIn.Add(pair);
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
            {
                // The pair before another one.
            }
        }

        await AssertLetInAsync(await RefreshAsync(Assert.Single(letIn)));
    }

    [Fact]
    public async Task A_session_remembers_a_bounded_number_of_pairs()
    {
        const int Pairs = 4_096;
        const int BetweenCuts = 64;
        Tokens newest = _client.Tokens;
        SessionChanges changes = _server.Get<SessionChanges>();
        newest = await _server.Get<Journal>().RunAsync(
            scope =>
            {
                for (int round = 0; round < Pairs + (2 * BetweenCuts); round++)
                {
                    newest = changes.Refresh(scope, Token.Hash(newest.RefreshToken))!;
                    scope.Db.SaveChanges();
                    scope.Db.ChangeTracker.Clear();
                }

                return newest;
            },
            null, 0, CancellationToken.None);
        int kept = await _server.Get<Store>().ReadAsync(db => db.Tokens.Count(), CancellationToken.None);
        Assert.InRange(kept, 2 * Pairs, 2 * (Pairs + BetweenCuts));
        await AssertLetInAsync(await RefreshAsync(newest));
    }

    private async Task<Tokens> RefreshAsync(Tokens tokens) =>
        (await _client.Auth.RefreshSessionAsync(new() { RefreshToken = tokens.RefreshToken })).Tokens;

    private Task AssertNotRefreshedAsync(Tokens tokens) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => RefreshAsync(tokens));

    private async Task AssertLetInAsync(Tokens tokens) => Assert.Equal(
        _client.Account,
        (await _client.Accounts.GetAccountAsync(new(), Client.Bearer(tokens.AccessToken))).Account);

    private Task<RpcException> AssertShutOutAsync(Tokens tokens, string reason) => Refusal.AssertAsync(
        StatusCode.Unauthenticated, reason,
        async () => await _client.Accounts.GetAccountAsync(new(), Client.Bearer(tokens.AccessToken)));

    /// <summary>Times grow by a microsecond with each change, so that they are a little ahead of a clock that stands.
    /// </summary>
    private void AssertSoon(TimeSpan from, DateTimeOffset time) =>
        Assert.InRange(time - _time.GetUtcNow() - from, TimeSpan.Zero, Moment);
}
