using System.Text.Json.Nodes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Logging in with ID tokens of a provider: whose are believed, and which account they lead to.</summary>
public sealed class IdTokenTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private TestIssuer? _issuer;
    private TestIssuer? _other;
    private ServerFixture? _server;
    private Client? _client;

    private TestIssuer Issuer => _issuer!;

    private TestIssuer.Key Key => Issuer.Keys[0];

    public async Task InitializeAsync()
    {
        (_issuer, _other) = (await TestIssuer.StartAsync(), await TestIssuer.StartAsync());
        _server = await StartAsync();
        _client = new Client(_server.Address);
    }

    public async Task DisposeAsync()
    {
        _client!.Dispose();
        await _server!.DisposeAsync();
        await _issuer!.DisposeAsync();
        await _other!.DisposeAsync();
    }

    [Fact]
    public async Task A_first_login_makes_an_account_and_the_next_ones_lead_to_it()
    {
        JsonObject claims = Claims("subject 1");
        claims["preferred_username"] = "Ada.Lovelace@example.org";
        LoginWithIdTokenResponse first = await LoginAsync(Key.Sign(claims), nonce: "n-0S6");
        Assert.Equal("ada.lovelace", first.Account.Username);
        GetAccountResponse own =
            await _client!.Accounts.GetAccountAsync(new(), Client.Bearer(first.Tokens.AccessToken));
        Assert.Equal(first.Account, own.Account);

        // Whatever it is called by then, and whatever it asks for.
        claims["preferred_username"] = "countess";
        LoginWithIdTokenResponse again = await LoginAsync(Key.Sign(claims), username: "another");
        Assert.Equal(first.Account, again.Account);
        Assert.NotEqual(first.Tokens.AccessToken, again.Tokens.AccessToken);

        // The same subject of another provider, and another one of the same, are others.
        JsonObject elsewhere = _other!.Claims(_time.GetUtcNow(), "subject 1");
        Assert.NotEqual(first.Account.Id, (await LoginAsync(_other.Keys[0].Sign(elsewhere))).Account.Id);
        Assert.NotEqual(first.Account.Id, (await LoginAsync(Key.Sign(Claims("Subject 1")))).Account.Id);
    }

    [Fact]
    public async Task An_account_that_has_no_password_is_deleted_by_a_fresh_token_of_its_own()
    {
        string old = Key.Sign(Claims("leaves"));
        Metadata headers = Client.Bearer((await LoginAsync(old)).Tokens.AccessToken);
        await LoginAsync(Key.Sign(Claims("another")));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "id_token", () => DeleteAsync(""));
        await RefusedAsync(Key.Sign(Claims("another")));
        _time.Advance(TimeSpan.FromMinutes(7));
        await RefusedAsync(old);
        await _client!.Accounts.GetAccountAsync(new(), headers);

        await DeleteAsync(Key.Sign(Claims("leaves")));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await _client.Accounts.GetAccountAsync(new(), headers));

        Task DeleteAsync(string idToken) => _client!.Accounts.DeleteAccountAsync(
            new() { IdToken = idToken }, headers).ResponseAsync;

        Task RefusedAsync(string idToken) => Refusal.AssertAsync(
            StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () => DeleteAsync(idToken));
    }

    [Fact]
    public async Task No_providers_email_or_name_leads_into_an_account_of_another()
    {
        await _client!.Accounts.RegisterAccountAsync(new() { Username = "victim", Password = Client.Password });
        Account victim = (await _client.Auth.LoginAsync(
            new() { Username = "victim", Password = Client.Password })).Account;
        JsonObject claims = Claims("attacker");
        (claims["email"], claims["email_verified"], claims["preferred_username"]) =
            ("victim@example.org", true, "victim");
        LoginWithIdTokenResponse login = await LoginAsync(Key.Sign(claims));
        Assert.NotEqual(victim.Id, login.Account.Id);
        Assert.Equal("victim2", login.Account.Username);
        await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", () =>
            LoginAsync(Key.Sign(Claims("attacker 2")), username: "victim"));

        // Nor has the account that was made a password that anyone could try.
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
            await _client.Auth.LoginAsync(new() { Username = "victim2", Password = Client.Password }));
    }

    [Theory]
    [InlineData("preferred_username", "x", "user")]
    [InlineData("preferred_username", "Jörg Müller", "jorgmuller")]
    [InlineData("email", "a.b+c@example.org", "a.bc")]
    [InlineData("name", "\u65E5\u672C", "user")]
    [InlineData("preferred_username", "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz012345")]
    public async Task A_name_from_a_token_is_made_legal_with_a_number_if_it_is_taken(
        string claim, string name, string username)
    {
        for (int at = 1; at <= 3; at++)
        {
            JsonObject claims = Claims($"{claim} {name} {at}");
            claims[claim] = name;
            string number = at == 1 ? "" : $"{at}";
            Assert.Equal(
                username[..Math.Min(username.Length, 32 - number.Length)] + number,
                (await LoginAsync(Key.Sign(claims))).Account.Username);
        }
    }

    [Fact]
    public async Task Where_registration_is_closed_a_first_login_makes_no_account_and_the_next_ones_work()
    {
        LoginWithIdTokenResponse known = await LoginAsync(Key.Sign(Claims("known")));
        ServerOptions options = _server!.Get<ServerOptions>();
        options.Registration = false;
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "REGISTRATION_CLOSED", () =>
            LoginAsync(Key.Sign(Claims("new"))));
        Assert.Equal(known.Account, (await LoginAsync(Key.Sign(Claims("known")))).Account);
        options.ProviderRegistration = true;
        await LoginAsync(Key.Sign(Claims("new")));
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "REGISTRATION_CLOSED", async () =>
            await _client!.Accounts.RegisterAccountAsync(new() { Username = "eve", Password = Client.Password }));
    }

    [Fact]
    public async Task An_account_that_is_disabled_or_deleted_is_not_come_into()
    {
        Account account = (await LoginAsync(Key.Sign(Claims("gone")))).Account;
        AccountCommands commands = _server!.Get<AccountCommands>();
        await commands.RunAsync(new("disable", account.Username, ""), CancellationToken.None);
        await RefusedAsync(Key.Sign(Claims("gone")));
        await commands.RunAsync(new("enable", account.Username, ""), CancellationToken.None);
        Assert.Equal(account, (await LoginAsync(Key.Sign(Claims("gone")))).Account);
        await _server.Get<Journal>().RunAsync(
            scope =>
            {
                AccountDeletion.Mark(scope, scope.Db.Accounts.Single(row => row.Id == account.Id));
                return 0;
            },
            null, 0, CancellationToken.None);
        Assert.NotEqual(account.Id, (await LoginAsync(Key.Sign(Claims("gone")))).Account.Id);
    }

    [Fact]
    public async Task Guesses_are_limited_by_address()
    {
        await using ServerFixture server = await StartAsync(options =>
        {
            options.LimitLoopback = true;
            options.Limits.AddressFailuresMax = 2;
        });
        using var client = new Client(server.Address);
        string right = Key.Sign(Claims("ada"));
        for (int at = 0; at < 2; at++)
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () => TryAsync("a.b.c"));
        }

        RpcException refused = await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS", () => TryAsync(right));
        _time.Advance(Refusal.Detail<RetryInfo>(refused)!.RetryDelay.ToTimeSpan());
        await TryAsync(Key.Sign(Claims("ada")));

        Task TryAsync(string token) => client.Auth.LoginWithIdTokenAsync(new() { IdToken = token }).ResponseAsync;
    }

    private JsonObject Claims(string subject) => Issuer.Claims(_time.GetUtcNow(), subject);

    private Task<ServerFixture> StartAsync(Action<ServerOptions>? adjust = null) => ServerFixture.StartAsync(
        options =>
        {
            options.IdentityProviders =
                [new(Issuer.Issuer, [TestIssuer.Client]), new(_other!.Issuer, [TestIssuer.Client])];
            adjust?.Invoke(options);
        },
        _time, services => services.AddSingleton(new HttpClient(new Both(Issuer.Http, _other!.Http, _other.Address))));

    private async Task<LoginWithIdTokenResponse> LoginAsync(string token, string nonce = "", string username = "") =>
        await _client!.Auth.LoginWithIdTokenAsync(new() { IdToken = token, Nonce = nonce, Username = username });

    private Task RefusedAsync(string token) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () => LoginAsync(token));

    /// <summary>Asks each of two issuers by the one that trusts it.</summary>
    private sealed class Both(HttpClient one, HttpClient other, string address) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            bool isOther = request.RequestUri!.OriginalString.StartsWith(address, StringComparison.Ordinal);
            using var copy = new HttpRequestMessage(HttpMethod.Get, request.RequestUri);
            return await (isOther ? other : one).SendAsync(copy, cancellationToken);
        }
    }
}
