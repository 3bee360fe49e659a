using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Faults of logging in that others had to publish, as <see cref="PublishedFaultTests"/> has the others. The server has
/// a provider, and counts what comes from wherever a trusted proxy says.
/// </summary>
public sealed class PublishedLoginFaultTests : IAsyncLifetime
{
    private static readonly string Wrong = Secrets.Password();
    private readonly FakeTime _time = new();
    private TestIssuer? _issuer;
    private ServerFixture? _server;
    private Client? _client;

    private TestIssuer Issuer => _issuer!;

    private ServerFixture Server => _server!;

    private Client Victim => _client!;

    private long Hashes => Server.Get<Passwords>().Hashes;

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await ServerFixture.StartAsync(
            options =>
            {
                options.IdentityProviders = [new(Issuer.Issuer, [TestIssuer.Client])];
                options.LimitLoopback = true;
                options.ClearTextTokens = true;
                options.TrustedProxies = [new IPNetwork(IPAddress.Loopback, 32)];
                options.Limits.AccountAddressFailuresMax = 3;
                options.Limits.AddressFailuresMax = 5;
            },
            _time, services => services.AddSingleton(Issuer.Http));
        _client = await Client.RegisterAsync(_server.Address, "victim");
    }

    public async Task DisposeAsync()
    {
        Victim.Dispose();
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    /// <summary>
    /// Who is not there is refused sooner: Note Mark, GHSA-w6m9-39cv-2fwp, hashed for known names alone. Counted, not
    /// timed: the same hashes in the same queue. Depth: <see cref="AuthPasswordTests"/>.
    /// </summary>
    [Fact]
    public async Task Enumeration_by_timing()
    {
        long before = Hashes;
        await RefusedAsync(() => LoginAsync("victim", Wrong, "192.0.2.1"));
        long known = Hashes - before;
        await RefusedAsync(() => LoginAsync("no.such.name", Wrong, "192.0.2.1"));
        Assert.Equal((1, 1), (known, Hashes - before - known));
        await LoginAsync("victim", Client.Password, "192.0.2.1");
        Assert.Equal(3, Hashes - before);
    }

    /// <summary>What is said tells who is there, which so many had that OWASP ASVS names it (6.3.8).</summary>
    [Fact]
    public async Task Enumeration_by_message()
    {
        string[] told = await Task.WhenAll(((string[])["victim", "no.such.name"]).Select(async name =>
        {
            RpcException refused = await RefusedAsync(() => LoginAsync(name, Wrong, $"192.0.2.{name.Length}"));
            byte[] details = refused.Trailers.GetValueBytes("grpc-status-details-bin")!;
            string[] keys = [.. refused.Trailers.Select(entry => entry.Key)];
            return $"{refused.Status} {Convert.ToHexString(details)} {string.Join(',', keys)}";
        }));
        Assert.Equal(told[0], told[1]);
        Assert.DoesNotContain("victim", told[0], StringComparison.Ordinal);
        await LoginAsync("victim", Client.Password, "192.0.2.1");
    }

    /// <summary>
    /// Only names that are somebody's run into the limit. Depth: <see cref="LimitLoginTests"/>, with a limiter that
    /// tells, which is caught.
    /// </summary>
    [Fact]
    public async Task Enumeration_by_limiter()
    {
        string[] told = [await TellsAsync("victim", "192.0.2.1"), await TellsAsync("no.such.name", "192.0.2.2")];
        Assert.Equal(told[0], told[1]);
        Assert.Equal(3, told[0].Split(nameof(StatusCode.Unauthenticated)).Length - 1);
        Assert.Equal(2, told[0].Split(nameof(StatusCode.ResourceExhausted)).Length - 1);

        async Task<string> TellsAsync(string name, string address)
        {
            var told = new List<string>();
            for (int at = 0; at < 5; at++)
            {
                long before = Hashes;
                var refused = await Assert.ThrowsAsync<RpcException>(() => LoginAsync(name, Wrong, address));
                told.Add($"{refused.Status} {Hashes - before} "
                    + Convert.ToHexString(refused.Trailers.GetValueBytes("grpc-status-details-bin")!));
            }

            return string.Join('\n', told);
        }
    }

    /// <summary>
    /// Whoever has one address of IPv6 has 2^64: Better Auth, CVE-2026-45364, counted each by itself, and each of its
    /// spellings. Depth: <see cref="LimitOriginTests"/>.
    /// </summary>
    [Fact]
    public async Task Unlimited_login_attempts_through_several_addresses_of_one_64()
    {
        string[] addresses =
        [
            "2001:db8:1:2::1", "2001:DB8:1:2:0:0:0:2", "2001:0db8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::",
            "2001:db8:1:2:0:0:192.0.2.1",
        ];
        foreach ((int at, string address) in addresses.Index())
        {
            await RefusedAsync(() => LoginAsync($"name{at}", Wrong, address));
        }

        await LimitedAsync("2001:db8:1:2:abcd::1");
        await LimitedAsync("2001:db8:1:2::1");
        await LoginAsync("victim", Client.Password, "2001:db8:1:3::1");

        // IPv4 written as IPv6 is one address, and not all of them.
        for (int at = 0; at < 5; at++)
        {
            await RefusedAsync(() => LoginAsync($"other{at}", Wrong, at % 2 == 0 ? "192.0.2.1" : "::ffff:192.0.2.1"));
        }

        await LimitedAsync("::ffff:c000:201");
        await LoginAsync("victim", Client.Password, "::ffff:192.0.2.2");

        Task LimitedAsync(string address) => Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS", () => LoginAsync("victim", Client.Password, address));
    }

    /// <summary>
    /// Django, CVE-2013-1443: a password of a megabyte took a minute to hash. Here it is not hashed, wherever one is
    /// taken; the longest that is hashed is 1,024 characters.
    /// </summary>
    [Fact]
    public async Task Long_passwords_as_a_denial_of_service()
    {
        string megabyte = new('\u00E9', 1 << 20);
        Metadata headers = Victim.Headers;
        long before = Hashes;
        (string Field, Func<Task> Call)[] attempts =
        [
            ("password", () => LoginAsync("victim", megabyte, "192.0.2.1")),
            ("password", () => Victim.Accounts.RegisterAccountAsync(
                new() { Username = "long", Password = megabyte }).ResponseAsync),
            ("current_password", () => Victim.Accounts.ChangePasswordAsync(
                new() { CurrentPassword = megabyte, NewPassword = Wrong }, headers).ResponseAsync),
            ("new_password", () => Victim.Accounts.ChangePasswordAsync(
                new() { CurrentPassword = Client.Password, NewPassword = megabyte }, headers).ResponseAsync),
            ("password", () => Victim.Accounts.DeleteAccountAsync(
                new() { Password = megabyte }, headers).ResponseAsync),
        ];
        foreach ((string field, Func<Task> call) in attempts)
        {
            await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_TOO_LONG", field, call);
        }

        Assert.Equal(before, Hashes);
        string longest = string.Concat(Enumerable.Range(0, 30).Select(_ => Secrets.Password()))[..1_024];
        await Victim.Accounts.RegisterAccountAsync(new() { Username = "long", Password = longest });
        await LoginAsync("long", longest, "192.0.2.1");
        Assert.Equal(before + 2, Hashes);
    }

    /// <summary>
    /// The token says how it is to be checked: PyJWT, CVE-2022-29217, took a public key for a shared secret. Depth:
    /// <see cref="IdTokenTrustTests"/>.
    /// </summary>
    [Theory]
    [InlineData("HS256")]
    [InlineData("none")]
    [InlineData("nOnE")]
    public async Task Alg_confusion_in_ID_tokens(string alg)
    {
        JsonObject header = new() { ["alg"] = alg, ["kid"] = "first", ["typ"] = "JWT" };
        await NotBelievedAsync(Issuer.Keys[0].Sign(Claims("somebody"), header));
        await LoginAsync(Issuer.Keys[0].Sign(Claims("somebody")));
    }

    /// <summary>
    /// The token brings its key along, or names another: node-jose, CVE-2018-0114, believed the one in its header.
    /// </summary>
    [Fact]
    public async Task Key_confusion_in_ID_tokens()
    {
        var own = new TestIssuer.Key("first");
        await NotBelievedAsync(own.Sign(Claims("somebody")));
        await NotBelievedAsync(own.Sign(Claims("somebody"), new JsonObject
        {
            ["alg"] = "RS256", ["kid"] = "first", ["jwk"] = own.Public, ["jku"] = "https://attacker.example/keys",
        }));
        var curve = new TestIssuer.Key("curve") { IsCurve = true };
        Issuer.Keys.Add(curve);
        await NotBelievedAsync(curve.Sign(
            Claims("somebody"), new JsonObject { ["alg"] = "ES256", ["kid"] = "first" }));
        await LoginAsync(Issuer.Keys[0].Sign(Claims("somebody")));
    }

    /// <summary>
    /// PocketBase, CVE-2024-38351 and CVE-2026-44166: who had a provider say the address of another was led into, or
    /// shared, the other's account. Depth: <see cref="IdTokenTests"/>.
    /// </summary>
    [Fact]
    public async Task Account_take_over_by_a_providers_email()
    {
        JsonObject claims = Claims("attacker");
        (claims["email"], claims["email_verified"], claims["preferred_username"]) =
            ("victim@example.org", true, "victim");
        LoginWithIdTokenResponse attacker = await LoginAsync(Issuer.Keys[0].Sign(claims));
        Assert.NotEqual(Victim.Account.Id, attacker.Account.Id);

        // Nor is who comes later, with the same address, led into the attacker's.
        JsonObject later = Claims("who it is");
        (later["email"], later["email_verified"]) = ("victim@example.org", true);
        LoginWithIdTokenResponse other = await LoginAsync(Issuer.Keys[0].Sign(later));
        Assert.NotEqual(attacker.Account.Id, other.Account.Id);
        Assert.NotEqual(Victim.Account.Id, other.Account.Id);
        Assert.Equal(attacker.Account, (await LoginAsync(Issuer.Keys[0].Sign(claims))).Account);
        Assert.Equal(Victim.Account, (await LoginAsync("victim", Client.Password, "192.0.2.1")).Account);
    }

    private JsonObject Claims(string subject) => Issuer.Claims(_time.GetUtcNow(), subject);

    private async Task<LoginResponse> LoginAsync(string username, string password, string address) =>
        await Victim.Auth.LoginAsync(
            new() { Username = username, Password = password }, new Metadata { { "x-forwarded-for", address } });

    private async Task<LoginWithIdTokenResponse> LoginAsync(string idToken) =>
        await Victim.Auth.LoginWithIdTokenAsync(new() { IdToken = idToken });

    private static Task<RpcException> RefusedAsync(Func<Task> call) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", call);

    private Task NotBelievedAsync(string idToken) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () => LoginAsync(idToken));
}
