namespace Squall.Client.Tests;

/// <summary>Passwords and tokens go nowhere in clear text but to this host, and are in nothing that is shown.</summary>
public sealed class SecretTests
{
    private static readonly string Password = Secrets.Password();

    private static readonly SessionTokens Tokens = new(
        "sqa_secret", DateTimeOffset.MaxValue, "sqr_secret", DateTimeOffset.MaxValue);

    public static TheoryData<string, bool> Places => new()
    {
        { "http://squall.example", false },
        { "http://192.0.2.1:7080", false },
        { "http://localhost.example:7080", false },
        { "http://[2001:db8::1]:7080", false },
        { "http://0.0.0.0:7080", false },
        { "http://localhost:7080", true },
        { "http://127.0.0.1:7080", true },
        { "http://127.8.9.1:7080", true },
        { "http://[::1]:7080", true },
        { "http://[::ffff:127.0.0.1]:7080", true },
        { "https://squall.example:7443", true },
    };

    [Theory, MemberData(nameof(Places))]
    public async Task Secrets_are_sent_to_this_host_or_over_TLS(string place, bool may)
    {
        var sent = 0;
        using var client = Client(place, () => sent++);
        foreach (var call in Calls(client))
        {
            var before = sent;
            var failure = await Record.ExceptionAsync(call);
            if (may)
            {
                Assert.IsType<SquallUnavailableException>(failure);
                Assert.Equal(before + 1, sent);
                continue;
            }

            var refused = Assert.IsType<InvalidOperationException>(failure);
            Assert.Contains("https", refused.Message, StringComparison.Ordinal);
            Assert.Equal(0, sent);
        }
    }

    [Fact]
    public async Task Clear_text_can_be_allowed_and_a_greeting_holds_no_secret()
    {
        var sent = 0;
        using var allowed = Client("http://squall.example", () => sent++, options => options.AllowClearText = true);
        await Assert.ThrowsAsync<SquallUnavailableException>(() => allowed.LoginAsync("ada", Password));
        using var refused = Client("http://squall.example", () => sent++);
        await Assert.ThrowsAsync<SquallUnavailableException>(() => refused.SayHelloAsync());
        Assert.Equal(2, sent);
    }

    [Fact]
    public async Task A_greeting_does_not_send_the_token()
    {
        var sent = new List<HttpRequestMessage>();
        using var client = new SquallClient(new SquallClientOptions
        {
            Endpoint = new Uri("http://squall.example"),
            Token = "sqk_secret",
            AttemptsMax = 1,
            HandlerFactory = () => new Interposed(request =>
            {
                sent.Add(request);
                return new HttpRequestException(HttpRequestError.ConnectionError);
            }),
        });
        await Assert.ThrowsAsync<SquallUnavailableException>(() => client.SayHelloAsync());
        Assert.DoesNotContain("sqk_secret", Assert.Single(sent).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_and_tokens_show_no_secrets()
    {
        await using var world = await World.StartAsync();
        var tokens = await world.SignInAsync();
        Assert.DoesNotContain("sqa_", tokens.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sqr_", tokens.ToString(), StringComparison.Ordinal);

        using var client = world.Client(options => options.Token = "sqa_secret");
        var refused = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.DoesNotContain("sqa_secret", refused.ToString(), StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => world.Client().LoginAsync("ada", Password));
        Assert.DoesNotContain(Password, wrong.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<Func<Task>> Calls(SquallClient client) =>
    [
        () => client.LoginAsync("ada", Password),
        () => client.RegisterAsync("ada", Password),
        () => client.GetAccountAsync(),
        () => client.Tasks.CreateAsync("list", "title"),
        async () => await client.SubscribeAsync(new SubscribeSettings { GiveUpAfter = TimeSpan.Zero })
            .GetAsyncEnumerator().MoveNextAsync(),
    ];

    private static SquallClient Client(string place, Action sent, Action<SquallClientOptions>? adjust = null)
    {
        var options = new SquallClientOptions
        {
            Endpoint = new Uri(place),
            TokenStore = new MemoryTokenStore(Tokens),
            AttemptsMax = 1,
            HandlerFactory = () => new Interposed(_ =>
            {
                sent();
                return new HttpRequestException(HttpRequestError.ConnectionError);
            }),
        };
        adjust?.Invoke(options);
        return new SquallClient(options);
    }
}
