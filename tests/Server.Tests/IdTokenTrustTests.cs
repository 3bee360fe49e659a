using System.Text.Json.Nodes;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>Which ID tokens are believed, by their keys, their algorithms and their claims.</summary>
public sealed class IdTokenTrustTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private TestIssuer? _issuer;
    private IdTokens? _tokens;

    private TestIssuer Issuer => _issuer!;

    private TestIssuer.Key Key => Issuer.Keys[0];

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        var options = new ServerOptions { IdentityProviders = [new(Issuer.Issuer, [TestIssuer.Client, "second"])] };
        _tokens = new IdTokens(options, Issuer.Http, _time);
    }

    public async Task DisposeAsync()
    {
        _tokens!.Dispose();
        await Issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("PS256")]
    public async Task Each_algorithm_with_which_only_the_owner_can_sign_is_taken(string alg) =>
        await BelievedAsync(Key.Sign(Claims(), Header(alg)));

    [Fact]
    public async Task A_curves_signature_is_taken_and_a_token_without_a_keys_name()
    {
        var curve = new TestIssuer.Key("curve") { IsCurve = true };
        Issuer.Keys.Add(curve);
        await BelievedAsync(curve.Sign(Claims()));
        await BelievedAsync(Key.Sign(Claims(), new JsonObject { ["alg"] = "RS256" }));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    [InlineData("")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")]
    public async Task None_a_shared_secret_and_what_is_not_of_the_list_are_refused(string alg) =>
        await RefusedAsync(Key.Sign(Claims(), Header(alg)));

    [Fact]
    public async Task Keys_that_are_wrong_swapped_weak_or_for_something_else_are_refused()
    {
        var second = new TestIssuer.Key("second");
        var weak = new TestIssuer.Key("weak", bits: 1_024);
        var cipher = new TestIssuer.Key("cipher") { Use = "enc" };
        Issuer.Keys.AddRange([second, weak, cipher]);
        await BelievedAsync(Key.Sign(Claims()));
        await BelievedAsync(second.Sign(Claims()));

        await RefusedAsync(new TestIssuer.Key("first").Sign(Claims()));
        await RefusedAsync(second.Sign(Claims(), Header("RS256", name: "first")));
        await RefusedAsync(new TestIssuer.Key("unheard of").Sign(Claims()));
        await RefusedAsync(weak.Sign(Claims()));
        await RefusedAsync(cipher.Sign(Claims()));

        // A key that the token itself brings along, or says where to find, is nobody's.
        var own = new TestIssuer.Key("own");
        JsonObject header = Header("RS256", name: "own");
        (header["jwk"], header["jku"]) = (own.Public, "https://attacker.example/keys");
        await RefusedAsync(own.Sign(Claims(), header));
    }

    [Fact]
    public async Task A_key_that_is_new_is_asked_for_and_one_that_is_gone_is_believed_no_more()
    {
        TestIssuer.Key old = Key;
        await BelievedAsync(old.Sign(Claims()));
        Assert.Equal(1, Issuer.Fetches);
        Issuer.Keys[0] = new TestIssuer.Key("rotated");

        // Not all the time: names that nobody has would have it asked for as often as anyone likes.
        await RefusedAsync(Key.Sign(Claims()));
        Assert.Equal(1, Issuer.Fetches);
        _time.Advance(TimeSpan.FromSeconds(30));
        await BelievedAsync(Key.Sign(Claims()));
        await RefusedAsync(old.Sign(Claims()));
        Assert.Equal(2, Issuer.Fetches);

        // One that is taken back without another in its place is so within the hour.
        TestIssuer.Key revoked = Key;
        Issuer.Keys[0] = new TestIssuer.Key("rotated");
        _time.Advance(TimeSpan.FromMinutes(59));
        await BelievedAsync(revoked.Sign(Claims()));
        _time.Advance(TimeSpan.FromMinutes(1));
        await RefusedAsync(revoked.Sign(Claims()));
        await BelievedAsync(Key.Sign(Claims()));
        Assert.Equal(3, Issuer.Fetches);
    }

    [Fact]
    public async Task Without_keys_that_are_new_enough_nobody_is_believed_and_whoever_asks_is_told_when_to_again()
    {
        Issuer.Failure = 500;
        Assert.Equal(TimeSpan.FromSeconds(30), await UnavailableAsync());
        Issuer.Failure = null;
        await UnavailableAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        await BelievedAsync(Key.Sign(Claims()));

        // An hour old, they are not used any more, whatever holds the provider up.
        Issuer.Failure = 302;
        _time.Advance(TimeSpan.FromMinutes(59));
        await BelievedAsync(Key.Sign(Claims()));
        _time.Advance(TimeSpan.FromMinutes(1));
        await UnavailableAsync();
    }

    [Theory]
    [InlineData("issuer")]
    [InlineData("clear text")]
    public async Task A_discovery_of_another_or_of_keys_in_clear_text_is_not_believed(string wrong)
    {
        if (wrong == "issuer")
        {
            Issuer.Issuer += "/other";
        }
        else
        {
            Issuer.KeysAddress = Issuer.KeysAddress.Replace("https:", "http:", StringComparison.Ordinal);
        }

        JsonObject claims = Claims();
        claims["iss"] = Issuer.Address;
        var refused = await Assert.ThrowsAsync<RpcException>(() => VerifyAsync(Key.Sign(claims)));
        Assert.Equal("PROVIDER_UNAVAILABLE", Refusal.Of(refused).Reason);
        Assert.Equal(0, Issuer.Fetches);
    }

    [Theory]
    [InlineData("iss", "\"https://attacker.example\"")]
    [InlineData("iss", "null")]
    [InlineData("iss", "7")]
    [InlineData("aud", "\"another client\"")]
    [InlineData("aud", "[\"another client\"]")]
    [InlineData("aud", "[]")]
    [InlineData("aud", "null")]
    [InlineData("azp", "\"another client\"")]
    [InlineData("sub", "\"\"")]
    [InlineData("sub", "null")]
    [InlineData("sub", "{}")]
    [InlineData("exp", "null")]
    [InlineData("exp", "\"tomorrow\"")]
    [InlineData("exp", "-1")]
    [InlineData("nonce", "\"another\"")]
    [InlineData("nonce", "null")]
    [InlineData("nonce", "[\"n-0S6\"]")]
    public async Task A_claim_that_is_wrong_is_refused(string claim, string json)
    {
        JsonObject claims = Claims();
        claims[claim] = JsonNode.Parse(json);
        if (json == "null")
        {
            claims.Remove(claim);
        }

        await RefusedAsync(Key.Sign(claims), "n-0S6");
        await BelievedAsync(Key.Sign(Claims()), "n-0S6");
    }

    [Fact]
    public async Task Several_clients_of_ours_are_served()
    {
        JsonObject claims = Claims();
        (claims["aud"], claims["azp"]) = (new JsonArray("another", "second"), "second");
        await BelievedAsync(Key.Sign(claims));
    }

    [Theory]
    [InlineData("exp", -59, true)]
    [InlineData("exp", -60, false)]
    [InlineData("nbf", 60, true)]
    [InlineData("nbf", 61, false)]
    [InlineData("iat", 60, true)]
    [InlineData("iat", 61, false)]
    public async Task Clocks_may_differ_by_60_seconds(string claim, int seconds, bool believed)
    {
        JsonObject claims = Claims();
        claims[claim] = _time.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds();
        Task Verifying() => believed ? BelievedAsync(Key.Sign(claims)) : RefusedAsync(Key.Sign(claims));
        await Verifying();
    }

    [Theory]
    [InlineData("typ", "\"at+jwt\"")]
    [InlineData("typ", "\"logout+jwt\"")]
    [InlineData("crit", "[\"exp\"]")]
    public async Task Tokens_of_another_kind_are_refused(string field, string json)
    {
        JsonObject header = Header("RS256");
        header[field] = JsonNode.Parse(json);
        await RefusedAsync(Key.Sign(Claims(), header));
    }

    [Fact]
    public async Task A_fresh_token_is_asked_for_where_one_is_needed()
    {
        string token = Key.Sign(Claims());
        TimeSpan age = TimeSpan.FromMinutes(5);
        await _tokens!.VerifyAsync(token, "", age, CancellationToken.None);
        _time.Advance(age + TimeSpan.FromSeconds(60));
        await BelievedAsync(token);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () =>
            _tokens.VerifyAsync(token, "", age, CancellationToken.None));
    }

    [Fact]
    public async Task What_is_no_token_is_refused_and_nothing_is_asked_for_it()
    {
        string right = Key.Sign(Claims());
        string[] parts = right.Split('.');
        string[] wrong =
        [
            "x", "..", "a.b.c", ".....", right + ".x", parts[0] + "." + parts[1], $"{parts[0]}.{parts[1]}.",
            $"{parts[1]}.{parts[0]}.{parts[2]}", new string('x', 20_000), right[..^4] + "AAAA", "\uD800.b.c",
        ];
        foreach (string token in wrong)
        {
            await RefusedAsync(token);
        }

        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "id_token", () => VerifyAsync(""));
        await BelievedAsync(right);
        Assert.Equal(1, Issuer.Fetches);
    }

    [Theory]
    [InlineData("https://login.example id", 1)]
    [InlineData("https://login.example/a id1 id2,https://other.example id", 2)]
    [InlineData("none", 0)]
    [InlineData("http://login.example id", null)]
    [InlineData("https://login.example", null)]
    [InlineData("https://login.example?x=1 id", null)]
    [InlineData("https://login.example id,https://login.example id2", null)]
    [InlineData("", null)]
    public void Providers_are_an_option(string text, int? count)
    {
        var options = new ServerOptions();
        string? fault = OptionList.All.Single(option => option.Name == "identity-providers").Set(options, text);
        Assert.Equal(count is null, fault is not null);
        Assert.True(count is null || options.IdentityProviders.Count == count);
    }

    private JsonObject Claims() => Issuer.Claims(_time.GetUtcNow(), "ada");

    private static JsonObject Header(string alg, string name = "first") => new() { ["alg"] = alg, ["kid"] = name };

    private async Task BelievedAsync(string token, string nonce = "") =>
        Assert.Equal("ada", (await VerifyAsync(token, nonce)).Subject);

    private Task RefusedAsync(string token, string nonce = "") =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", () => VerifyAsync(token, nonce));

    private async Task<TimeSpan> UnavailableAsync()
    {
        RpcException refused = await Refusal.AssertAsync(
            StatusCode.Unavailable, "PROVIDER_UNAVAILABLE", () => VerifyAsync(Key.Sign(Claims())));
        return Refusal.Detail<RetryInfo>(refused)!.RetryDelay.ToTimeSpan();
    }

    private Task<Identity> VerifyAsync(string token, string nonce = "") =>
        _tokens!.VerifyAsync(token, nonce, ageMax: null, CancellationToken.None);
}
