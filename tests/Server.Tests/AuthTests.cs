using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Registering, logging in and out, over the wire.</summary>
public sealed class AuthTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public AuthTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task Whoever_registers_can_log_in_and_ask_who_it_is()
    {
        using var client = new Client(_server.Address);
        RegisterAccountResponse registered = await client.Accounts.RegisterAccountAsync(
            new() { Username = "Ada.L", Password = Client.Password, DisplayName = "Ada" });
        Assert.Equal("ada.l", registered.Account.Username);

        LoginResponse login = await client.Auth.LoginAsync(new() { Username = "ADA.l", Password = Client.Password });
        Assert.Equal(registered.Account, login.Account);
        Assert.StartsWith("sqa_", login.Tokens.AccessToken);
        Assert.StartsWith("sqr_", login.Tokens.RefreshToken);

        GetAccountResponse own = await client.Accounts.GetAccountAsync(new(), Client.Bearer(login.Tokens.AccessToken));
        Assert.Equal(registered.Account, own.Account);

        await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", async () =>
            await client.Accounts.RegisterAccountAsync(new() { Username = "ada.l", Password = Client.Password }));
        RpcException wrong = await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
            await client.Auth.LoginAsync(new() { Username = "ada.l", Password = Secrets.Password() }));
        RpcException unknown = await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
            await client.Auth.LoginAsync(new() { Username = "nobody", Password = Secrets.Password() }));
        Assert.Equal(wrong.Status.Detail, unknown.Status.Detail);
    }

    [Fact]
    public async Task An_unknown_name_costs_as_much_work_as_a_wrong_password()
    {
        using var client = new Client(_server.Address);
        long before = _server.Get<Passwords>().Hashes;
        await Assert.ThrowsAsync<RpcException>(async () =>
            await client.Auth.LoginAsync(new() { Username = "no.such.name", Password = Secrets.Password() }));
        Assert.Equal(before + 1, _server.Get<Passwords>().Hashes);
    }

    [Theory]
    [InlineData("", "long enough it is", "", "username", "FIELD_REQUIRED")]
    [InlineData("ab", "long enough it is", "", "username", "USERNAME_FORMAT")]
    [InlineData("abcdefghijklmnopqrstuvwxyz0123456", "long enough it is", "", "username", "USERNAME_FORMAT")]
    [InlineData("with space", "long enough it is", "", "username", "USERNAME_FORMAT")]
    [InlineData("\u212Aelvin", "long enough it is", "", "username", "USERNAME_FORMAT")]
    [InlineData("fine", "", "", "password", "FIELD_REQUIRED")]
    [InlineData("fine", "elevenchars", "", "password", "FIELD_TOO_SHORT")]
    [InlineData("fine", "long enough it is", "two\nlines", "display_name", "CHARACTER_NOT_ALLOWED")]
    public async Task A_registration_that_is_at_fault_names_the_field(
        string username, string password, string displayName, string field, string reason)
    {
        using var client = new Client(_server.Address);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, reason, field, async () =>
            await client.Accounts.RegisterAccountAsync(
                new() { Username = username, Password = password, DisplayName = displayName }));
    }

    [Fact]
    public async Task Too_long_a_password_is_refused_and_not_hashed()
    {
        using var client = new Client(_server.Address);
        long before = _server.Get<Passwords>().Hashes;
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_TOO_LONG", "password", async () =>
            await client.Auth.LoginAsync(new() { Username = "someone", Password = new string('x', 1_025) }));
        Assert.Equal(before, _server.Get<Passwords>().Hashes);
    }

    [Theory]
    [InlineData(null, "TOKEN_MISSING")]
    [InlineData("Bearer", "TOKEN_INVALID")]
    [InlineData("Basic c3F1YWxs", "TOKEN_INVALID")]
    [InlineData("Bearer nonsense", "TOKEN_INVALID")]
    [InlineData("Bearer sqk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "TOKEN_INVALID")]
    [InlineData("Bearer sqa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "TOKEN_INVALID")]
    public async Task Without_a_token_of_ours_a_call_says_how_to_get_one(string? header, string reason)
    {
        using var client = new Client(_server.Address);
        Metadata headers = header is null ? [] : new Metadata { { "authorization", header } };
        RpcException refused = await Refusal.AssertAsync(StatusCode.Unauthenticated, reason, async () =>
            await client.Accounts.GetAccountAsync(new(), headers));
        Assert.Contains("AuthService/Login", refused.Status.Detail);
    }

    [Fact]
    public async Task A_refresh_token_lets_nobody_in()
    {
        using Client client = await Client.SignInAsync(_server, "refresher");
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await client.Accounts.GetAccountAsync(new(), Client.Bearer(client.Tokens.RefreshToken)));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await client.Auth.RefreshSessionAsync(new() { RefreshToken = client.Tokens.AccessToken }));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "refresh_token", async () =>
            await client.Auth.RefreshSessionAsync(new()));
    }

    [Fact]
    public async Task Logging_out_ends_both_tokens_from_the_next_call_on()
    {
        using Client client = await Client.SignInAsync(_server, "leaver");
        using Client other = await Client.SignInAsync(_server, "stayer");
        await client.Accounts.GetAccountAsync(new(), client.Headers);
        await client.Auth.LogoutAsync(new(), client.Headers);

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await client.Accounts.GetAccountAsync(new(), client.Headers));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await client.Auth.RefreshSessionAsync(new() { RefreshToken = client.Tokens.RefreshToken }));
        await other.Accounts.GetAccountAsync(new(), other.Headers);
    }

    [Fact]
    public async Task What_is_of_a_later_version_says_so_to_whoever_may_call()
    {
        using Client client = await Client.SignInAsync(_server, "early.bird");
        await Refusal.AssertAsync(StatusCode.Unimplemented, "NOT_YET_SUPPORTED", async () =>
            await client.Work.LeaseWorkAsync(new(), client.Headers));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_MISSING", async () =>
            await client.Work.LeaseWorkAsync(new()));
    }

    [Fact]
    public async Task A_server_that_takes_no_registrations_says_so()
    {
        var closed = new ServerFixture(options => options.Registration = false);
        await closed.InitializeAsync();
        try
        {
            using var client = new Client(closed.Address);
            await Refusal.AssertAsync(StatusCode.PermissionDenied, "REGISTRATION_CLOSED", async () =>
                await client.Accounts.RegisterAccountAsync(new() { Username = "late", Password = Client.Password }));
        }
        finally
        {
            await closed.DisposeAsync();
        }
    }
}
