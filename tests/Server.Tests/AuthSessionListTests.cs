using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>An account's sessions, as it sees and ends them, and how long one can go on.</summary>
public sealed class AuthSessionListTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private ServerFixture _server = null!;
    private Client _ada = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(
            options => options.Limits.SessionLifetime = TimeSpan.FromDays(40), _time);
        _ada = await Client.SignInAsync(_server, "ada");
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Sessions_are_listed_newest_first_with_their_last_use_and_without_tokens()
    {
        using Client eve = await Client.SignInAsync(_server, "eve");
        _time.Advance(TimeSpan.FromSeconds(30));
        LoginResponse login = await _ada.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password });
        _time.Advance(TimeSpan.FromSeconds(30));
        Session[] told = await ListAsync(_ada.Headers);

        Assert.Equal([false, true], told.Select(session => session.Current));
        Assert.Equal("test", told[1].UserAgent);
        Assert.StartsWith("grpc-dotnet", told[0].UserAgent, StringComparison.Ordinal);
        Assert.Equal(login.Tokens.RefreshExpireTime, told[0].ExpireTime);
        Assert.True(told[1].CreateTime < told[0].CreateTime);

        // Before it is written, and after.
        Assert.Equal(Micros.ToTimestamp(Micros.Of(_time.GetUtcNow())), told[1].LastUseTime);
        await _server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        Session[] again = await ListAsync(Client.Bearer(login.Tokens.AccessToken));
        Assert.Equal([true, false], again.Select(session => session.Current));
        Assert.Equal(told[1].LastUseTime, again[1].LastUseTime);
        Assert.Single(await ListAsync(eve.Headers));
    }

    [Fact]
    public async Task An_account_ends_its_sessions_and_nobody_elses()
    {
        using Client eve = await Client.SignInAsync(_server, "eve");
        Tokens other = (await _ada.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password })).Tokens;
        using var stream = new Subscriber(_ada.Notifications, Client.Bearer(other.AccessToken));
        await stream.NextAsync();
        string id = (await ListAsync(_ada.Headers)).Single(session => !session.Current).Id;
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RevokeAsync(eve, id));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RevokeAsync(_ada, "nonsense"));
        Assert.Equal(2, (await ListAsync(_ada.Headers)).Length);

        await RevokeAsync(_ada, id);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => stream.NextAsync());
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await ListAsync(Client.Bearer(other.AccessToken)));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await _ada.Auth.RefreshSessionAsync(new() { RefreshToken = other.RefreshToken }));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RevokeAsync(_ada, id));

        await RevokeAsync(_ada, Assert.Single(await ListAsync(_ada.Headers)).Id);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => ListAsync(_ada.Headers));
    }

    [Fact]
    public async Task However_often_it_is_renewed_a_session_ends_and_its_last_tokens_say_when()
    {
        DateTimeOffset end = (await ListAsync(_ada.Headers))[0].CreateTime.ToDateTimeOffset() + TimeSpan.FromDays(40);
        _time.Advance(TimeSpan.FromDays(29));
        Tokens second = await RefreshAsync(_ada.Tokens);
        _time.Advance(TimeSpan.FromDays(11) - TimeSpan.FromMinutes(5));
        Tokens last = await RefreshAsync(second);
        Assert.Equal(end, second.RefreshExpireTime.ToDateTimeOffset());
        Assert.Equal(end, last.RefreshExpireTime.ToDateTimeOffset());
        Assert.Equal(end, last.AccessExpireTime.ToDateTimeOffset());
        Assert.Equal(last.RefreshExpireTime, (await ListAsync(Client.Bearer(last.AccessToken)))[0].ExpireTime);

        _time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(1));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => RefreshAsync(last));

        // Expired, or not there any more: what ends sessions runs each minute, which is over as well.
        RpcException over = await Assert.ThrowsAsync<RpcException>(() => ListAsync(Client.Bearer(last.AccessToken)));
        Assert.Equal(StatusCode.Unauthenticated, over.StatusCode);
        Tokens fresh = (await _ada.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password })).Tokens;
        Assert.Single(await ListAsync(Client.Bearer(fresh.AccessToken)));
    }

    private async Task<Session[]> ListAsync(Metadata headers) =>
        [.. (await _ada.Auth.ListSessionsAsync(new(), headers)).Sessions];

    private static Task RevokeAsync(Client client, string id) =>
        client.Auth.RevokeSessionAsync(new() { SessionId = id }, client.Headers).ResponseAsync;

    private async Task<Tokens> RefreshAsync(Tokens tokens) =>
        (await _ada.Auth.RefreshSessionAsync(new() { RefreshToken = tokens.RefreshToken })).Tokens;
}
