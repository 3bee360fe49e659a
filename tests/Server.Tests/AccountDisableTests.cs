using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What an operator's order ends: sessions, streams and logins of a disabled account.</summary>
public sealed class AccountDisableTests : IClassFixture<ServerFixture>
{
    private static readonly string NewPassword = Secrets.Password();
    private readonly ServerFixture _server;

    public AccountDisableTests(ServerFixture server) => _server = server;

    [Theory]
    [InlineData("disable")]
    [InlineData("reset-password")]
    public async Task Sessions_and_streams_end_with_the_order(string verb)
    {
        using Client ada = await Client.SignInAsync(_server, "ada." + verb);
        using Client bob = await Client.SignInAsync(_server, "bob." + verb);
        using var stream = new Subscriber(ada);
        using var other = new Subscriber(bob);
        await stream.NextAsync();
        await other.NextAsync();
        string key = (await ada.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Title = "a key", Role = Role.Owner } }, ada.Headers)).Secret;
        await ada.Accounts.GetAccountAsync(new(), Client.Bearer(key));
        await OrderAsync(verb, ada.Account.Username, NewPassword);

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await ada.Accounts.GetAccountAsync(new(), ada.Headers));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await ada.Auth.RefreshSessionAsync(new() { RefreshToken = ada.Tokens.RefreshToken }));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", async () =>
        {
            while (true)
            {
                await stream.NextAsync();
            }
        });
        Task WithKeyAsync() => ada.Accounts.GetAccountAsync(new(), Client.Bearer(key)).ResponseAsync;
        if (verb == "disable")
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", WithKeyAsync);
        }
        else
        {
            await WithKeyAsync();
        }

        TaskList list = await bob.CreateListAsync();
        Assert.Equal(list.Id, (await other.NotificationAsync()).TaskListId);
    }

    [Fact]
    public async Task A_disabled_accounts_right_password_is_answered_like_a_wrong_one_and_costs_the_same()
    {
        using var client = new Client(_server.Address);
        await OrderAsync("create", "eve", Client.Password);
        await OrderAsync("create", "able", Client.Password);
        await OrderAsync("disable", "eve", "");
        var answers = new List<string>();
        (string Username, string Password)[] tries =
            [("eve", Client.Password), ("eve", NewPassword), ("able", NewPassword), ("no.such.name", NewPassword)];
        foreach ((string username, string password) in tries)
        {
            long hashes = _server.Get<Passwords>().Hashes;
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
                await client.Auth.LoginAsync(new() { Username = username, Password = password }));
            answers.Add($"{refused.Status} {_server.Get<Passwords>().Hashes - hashes} "
                + Convert.ToHexString(refused.Trailers.GetValueBytes("grpc-status-details-bin")!));
        }

        Assert.Single(answers.Distinct());
        Assert.Contains(" 1 ", answers[0], StringComparison.Ordinal);
        await OrderAsync("enable", "eve", "");
        await client.Auth.LoginAsync(new() { Username = "eve", Password = Client.Password });
    }

    [Fact]
    public async Task A_login_that_was_checked_before_the_order_and_comes_to_be_stored_after_it_is_refused()
    {
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(replace: arrivals.Register);
        AccountCommands commands = server.Get<AccountCommands>();
        await commands.RunAsync(new("create", "late", Client.Password), CancellationToken.None);
        using var client = new Client(server.Address);
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task login = client.Auth.LoginAsync(new() { Username = "late", Password = Client.Password }).ResponseAsync;

        // It has read the account; the order, which goes first, waits with it for the writer.
        await arrivals.WaitAsync(1);
        Task order = commands.RunAsync(new("disable", "late", ""), CancellationToken.None);
        hold.Release();
        await order;
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", () => login);
    }

    private Task<OperatorAnswer> OrderAsync(string verb, string username, string password) =>
        _server.Get<AccountCommands>().RunAsync(new(verb, username, password), CancellationToken.None);
}
