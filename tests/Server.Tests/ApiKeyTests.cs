using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How keys begin, are listed, and end.</summary>
public sealed class ApiKeyTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private ServerFixture _server = null!;
    private Client _ada = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(options => options.Limits.AccountKeysMax = 3, _time);
        _ada = await Client.SignInAsync(_server, "ada");
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_key_is_told_once_and_listed_newest_first_without_its_secret()
    {
        TaskList list = await _ada.CreateListAsync();
        Timestamp expires = Timestamp.FromDateTimeOffset(_time.GetUtcNow() + TimeSpan.FromDays(90));
        var asked = new ApiKey
        {
            Title = "builds", Role = Role.Editor, TaskListIds = { list.Id, list.Id }, ExpireTime = expires,
        };
        CreateApiKeyResponse made =
            await _ada.Accounts.CreateApiKeyAsync(new() { ApiKey = asked }, _ada.Headers);
        (ApiKey second, _) = await _ada.AddKeyAsync();

        ApiKey expected = asked.Clone();
        expected.Id = made.ApiKey.Id;
        expected.TaskListIds.RemoveAt(1);
        expected.CreateTime = made.ApiKey.CreateTime;
        Assert.Equal(expected, made.ApiKey);
        Assert.Equal([second, expected], await ListAsync(_ada));
        Assert.Matches("^sqk_[A-Za-z0-9_-]{43}$", made.Secret);
        Assert.Equal(Token.Hash(made.Secret), await _server.Get<Store>().ReadAsync(
            db => db.ApiKeys.Single(row => row.Id == expected.Id).Hash, CancellationToken.None));
        Assert.DoesNotContain(made.Secret[4..], await _server.DumpAsync(), StringComparison.Ordinal);

        using Client eve = await Client.SignInAsync(_server, "eve");
        Assert.Empty(await ListAsync(eve));
    }

    [Fact]
    public async Task Its_last_use_is_known_at_once_and_written_within_a_minute()
    {
        (_, Metadata headers) = await _ada.AddKeyAsync();
        Assert.Null((await ListAsync(_ada))[0].LastUseTime);
        _time.Advance(TimeSpan.FromSeconds(30));
        await _ada.Accounts.GetAccountAsync(new(), headers);
        Timestamp used = Micros.ToTimestamp(Micros.Of(_time.GetUtcNow()));
        Assert.Equal(used, (await ListAsync(_ada))[0].LastUseTime);
        await _server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Equal(used, (await ListAsync(_ada))[0].LastUseTime);
        await _server.RestartAsync();
        using Client again = _ada.On(_server.Address);
        Assert.Equal(used, (await ListAsync(again))[0].LastUseTime);
        await again.Accounts.GetAccountAsync(new(), headers);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_from_the_next_call_on_and_its_stream_ends()
    {
        (ApiKey key, Metadata headers) = await _ada.AddKeyAsync();
        (_, Metadata other) = await _ada.AddKeyAsync();
        using var ends = new Subscriber(_ada.Notifications, headers);
        using var stays = new Subscriber(_ada.Notifications, other);
        await ends.NextAsync();
        await stays.NextAsync();
        using Client eve = await Client.SignInAsync(_server, "eve");
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RevokeAsync(eve, key.Id));
        await RevokeAsync(_ada, key.Id);

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "KEY_ENDED", () => ends.NextAsync());
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await _ada.Accounts.GetAccountAsync(new(), headers));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RevokeAsync(_ada, key.Id));
        await _ada.Accounts.GetAccountAsync(new(), other);
        TaskList list = await _ada.CreateListAsync();
        Assert.Equal(list.Id, (await stays.NotificationAsync()).TaskListId);
    }

    [Fact]
    public async Task An_expired_key_is_refused_and_its_stream_ends_by_itself()
    {
        TimeSpan life = TimeSpan.FromDays(45);
        (ApiKey key, Metadata headers) = await _ada.AddKeyAsync(
            expires: Timestamp.FromDateTimeOffset(_time.GetUtcNow() + life));
        using var stream = new Subscriber(
            _ada.Notifications, headers, new() { HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) });
        await stream.NextAsync();
        _time.Advance(life - TimeSpan.FromMilliseconds(1));
        await _ada.Accounts.GetAccountAsync(new(), headers);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_EXPIRED", async () =>
            await _ada.Accounts.GetAccountAsync(new(), headers));
        RpcException ended = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await stream.NextAsync();
            }
        });
        Assert.Equal(new Refusal(StatusCode.Unauthenticated, "KEY_ENDED"), Refusal.Of(ended));

        // It is still there to be seen, and to be revoked.
        string kept = await _server.Get<Store>().ReadAsync(db => db.ApiKeys.Single().Id, CancellationToken.None);
        Assert.Equal(key.Id, kept);
    }

    [Fact]
    public async Task A_change_that_waited_behind_the_end_of_its_key_is_refused()
    {
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(time: _time, replace: arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        (ApiKey key, Metadata headers) = await ada.AddKeyAsync();
        (_, Metadata shortly) = await ada.AddKeyAsync(
            expires: Timestamp.FromDateTimeOffset(_time.GetUtcNow() + TimeSpan.FromSeconds(10)));
        await arrivals.WaitAsync(2);
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task[] creates = [CreateAsync(headers), CreateAsync(shortly)];
        await arrivals.WaitAsync(2);
        Task revokes = RevokeAsync(ada, key.Id);
        await arrivals.WaitAsync(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        hold.Release();

        await revokes;
        foreach (Task create in creates)
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "KEY_ENDED", () => create);
        }

        Assert.False(await server.Get<Store>().ReadAsync(db => db.TaskLists.Any(), CancellationToken.None));

        Task CreateAsync(Metadata with) => ada.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "too late" } }, with).ResponseAsync;
    }

    [Fact]
    public async Task An_account_has_a_bounded_number_of_keys_and_none_when_it_is_deleted()
    {
        var keys = new List<(ApiKey Key, Metadata Headers)>();
        for (int at = 0; at < 3; at++)
        {
            keys.Add(await _ada.AddKeyAsync());
        }

        await Refusal.AssertAsync(StatusCode.ResourceExhausted, "KEY_LIMIT", () => _ada.AddKeyAsync());
        await RevokeAsync(_ada, keys[0].Key.Id);
        keys[0] = await _ada.AddKeyAsync();
        using var stream = new Subscriber(_ada.Notifications, keys[1].Headers);
        await stream.NextAsync();

        await _ada.Accounts.DeleteAccountAsync(new() { Password = Client.Password }, _ada.Headers);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "KEY_ENDED", () => stream.NextAsync());
        foreach ((_, Metadata headers) in keys)
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
                await _ada.Accounts.GetAccountAsync(new(), headers));
        }

        Assert.Equal(0, await _server.Get<Store>().ReadAsync(db => db.ApiKeys.Count(), CancellationToken.None));
    }

    [Fact]
    public async Task Another_password_and_a_logout_leave_keys_as_they_are()
    {
        (_, Metadata headers) = await _ada.AddKeyAsync();
        await _ada.Accounts.ChangePasswordAsync(
            new() { CurrentPassword = Client.Password, NewPassword = Secrets.Password() }, _ada.Headers);
        await _ada.Auth.LogoutAsync(new(), _ada.Headers);
        await _ada.Accounts.GetAccountAsync(new(), headers);
    }

    private static async Task<ApiKey[]> ListAsync(Client client) =>
        [.. (await client.Accounts.ListApiKeysAsync(new(), client.Headers)).ApiKeys];

    private static Task RevokeAsync(Client client, string id) =>
        client.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = id }, client.Headers).ResponseAsync;
}
