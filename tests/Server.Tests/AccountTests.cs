using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What an account changes of itself: its name for others, and its password.</summary>
public sealed class AccountTests : IClassFixture<ServerFixture>
{
    private static readonly string Another = Secrets.Password();
    private readonly ServerFixture _server;

    public AccountTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task A_display_name_is_changed_for_all_who_ask_and_nothing_else_is()
    {
        using Client ada = await Client.SignInAsync(_server, "ada.renamed");
        TaskList list = await ada.CreateListAsync();
        UpdateAccountResponse answer = await ada.Accounts.UpdateAccountAsync(
            new()
            {
                Account = new() { Id = "x", Username = "other", DisplayName = "Ada L." },
                UpdateMask = new() { Paths = { "display_name" } },
            },
            ada.Headers);
        Account expected = ada.Account.Clone();
        expected.DisplayName = "Ada L.";
        Assert.Equal(expected, answer.Account);
        Assert.Equal(expected, (await ada.Accounts.GetAccountAsync(new(), ada.Headers)).Account);
        Assert.Equal("Ada L.", (await ada.Lists.ListMembersAsync(
            new() { TaskListId = list.Id }, ada.Headers)).Members.Single().DisplayName);
        await ada.Accounts.UpdateAccountAsync(
            new() { Account = new(), UpdateMask = new() { Paths = { "display_name" } } }, ada.Headers);
        Assert.Equal(ada.Account, (await ada.Accounts.GetAccountAsync(new(), ada.Headers)).Account);
    }

    [Fact]
    public async Task Another_password_ends_all_sessions_but_the_one_that_changes_it()
    {
        using Client ada = await Client.SignInAsync(_server, "ada.changes");
        Tokens other = (await LoginAsync(ada, Client.Password)).Tokens;
        using var ends = new Subscriber(ada.Notifications, Client.Bearer(other.AccessToken));
        using var stays = new Subscriber(ada);
        await ends.NextAsync();
        await stays.NextAsync();
        await ChangeAsync(ada, Client.Password, Another);

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => ends.NextAsync());
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await ada.Accounts.GetAccountAsync(new(), Client.Bearer(other.AccessToken)));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await ada.Auth.RefreshSessionAsync(new() { RefreshToken = other.RefreshToken }));
        TaskList list = await ada.CreateListAsync();
        Assert.Equal(list.Id, (await stays.NotificationAsync()).TaskListId);
        await ada.Auth.RefreshSessionAsync(new() { RefreshToken = ada.Tokens.RefreshToken });

        await Refusal.AssertAsync(
            StatusCode.Unauthenticated, "CREDENTIALS_WRONG", () => LoginAsync(ada, Client.Password));
        await LoginAsync(ada, Another);
    }

    [Fact]
    public async Task Whoever_does_not_know_the_password_changes_nothing()
    {
        using Client ada = await Client.SignInAsync(_server, "ada.stays");
        Tokens other = (await LoginAsync(ada, Client.Password)).Tokens;
        await Refusal.AssertAsync(
            StatusCode.PermissionDenied, "PASSWORD_WRONG", () => ChangeAsync(ada, Secrets.Password(), Another));
        await Refusal.AssertAsync(
            StatusCode.InvalidArgument, "FIELD_REQUIRED", "current_password", () => ChangeAsync(ada, "", Another));
        await ada.Accounts.GetAccountAsync(new(), Client.Bearer(other.AccessToken));
        await LoginAsync(ada, Client.Password);
    }

    [Fact]
    public async Task An_account_that_has_no_password_gets_one_and_only_so()
    {
        using Client ada = await Client.SignInAsync(_server, "ada.without", hasPassword: false);
        await Refusal.AssertAsync(
            StatusCode.PermissionDenied, "PASSWORD_WRONG", () => ChangeAsync(ada, Secrets.Password(), Another));
        await ChangeAsync(ada, "", Another);
        await LoginAsync(ada, Another);
    }

    [Fact]
    public async Task Of_two_who_change_a_password_at_once_one_does()
    {
        using Client ada = await Client.SignInAsync(_server, "ada.twice");
        Task[] both = [ChangeAsync(ada, Client.Password, Another), ChangeAsync(ada, Client.Password, Another + " 2")];
        await Task.WhenAll(both).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Task refused = Assert.Single(both, change => change.IsFaulted);
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "PASSWORD_WRONG", () => refused);
        await LoginAsync(ada, refused == both[0] ? Another + " 2" : Another);
    }

    private static async Task<LoginResponse> LoginAsync(Client client, string password) =>
        await client.Auth.LoginAsync(new() { Username = client.Account.Username, Password = password });

    private static Task ChangeAsync(Client client, string current, string next) => client.Accounts.ChangePasswordAsync(
        new() { CurrentPassword = current, NewPassword = next }, client.Headers).ResponseAsync;
}
