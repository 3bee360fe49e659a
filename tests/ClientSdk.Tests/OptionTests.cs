using Microsoft.Extensions.Configuration;

namespace Squall.Client.Tests;

/// <summary>What a client is told, and what it refuses to be told; none of it connects to anything.</summary>
public sealed class OptionTests
{
    private const string Here = "http://localhost:7080";

    public static TheoryData<string> BadAddresses =>
    [
        "", "  ", "localhost:7080", "squall", "ftp://localhost", "file:///squall", "http://localhost:7080/squall",
        "http://localhost:7080/?a=b", "http://localhost:7080/#a", "http://ada:s3cr3t@localhost:7080", "/relative",
        "http://localhost:99999",
    ];

    public static TheoryData<string, Action<SquallClientOptions>> BadValues => new()
    {
        { "Timeout", options => options.Timeout = TimeSpan.Zero },
        { "Timeout", options => options.Timeout = TimeSpan.FromSeconds(-1) },
        { "Timeout", options => options.Timeout = TimeSpan.MaxValue },
        { "AttemptsMax", options => options.AttemptsMax = 0 },
        { "BackoffFirst", options => options.BackoffFirst = TimeSpan.FromTicks(-1) },
        { "BackoffMax", options => options.BackoffMax = TimeSpan.FromMilliseconds(99) },
        { "BackoffMax", options => options.BackoffMax = TimeSpan.MaxValue },
        { "ReconnectMax", options => options.ReconnectMax = TimeSpan.Zero },
        { "TimeProvider", options => options.TimeProvider = null! },
        { "Token", options => options.Token = "" },
        { "Token", options => options.Token = "sqk_1\r\nx-evil: 1" },
        { "Endpoint", options => options.Endpoint = null },
    };

    [Theory, MemberData(nameof(BadAddresses))]
    public void An_address_that_is_none_is_refused_by_name_and_not_quoted(string address)
    {
        var refused = Assert.Throws<ArgumentException>(() => new SquallClient(address));
        Assert.Contains("Endpoint", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(BadValues))]
    public void A_value_that_cannot_be_used_is_refused_by_name(string name, Action<SquallClientOptions> spoil)
    {
        var options = new SquallClientOptions { Endpoint = new Uri(Here) };
        spoil(options);
        var refused = Assert.ThrowsAny<ArgumentException>(() => new SquallClient(options));
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sqk_", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_keeps_what_it_was_made_with()
    {
        var options = new SquallClientOptions { Endpoint = new Uri(Here) };
        using var client = new SquallClient(options);
        options.Endpoint = null;
        options.AttemptsMax = 0;
        // Would be refused were it looked at again.
        Assert.NotNull(client.Raw.Tasks);
    }

    [Fact]
    public void A_section_sets_every_value()
    {
        var options = SquallClientOptions.FromConfiguration(Section(new()
        {
            ["Endpoint"] = Here,
            ["Token"] = "sqk_1\n",
            ["Timeout"] = "00:00:03",
            ["AllowClearText"] = "true",
            ["AttemptsMax"] = "2",
            ["BackoffFirst"] = "00:00:00.5",
            ["BackoffMax"] = "00:00:04",
            ["ReconnectMax"] = "00:01:00",
        }));
        Assert.Equal(new Uri(Here), options.Endpoint);
        Assert.Equal("sqk_1", options.Token);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Timeout);
        Assert.True(options.AllowClearText);
        Assert.Equal(2, options.AttemptsMax);
        Assert.Equal(TimeSpan.FromMilliseconds(500), options.BackoffFirst);
        Assert.Equal(TimeSpan.FromSeconds(4), options.BackoffMax);
        Assert.Equal(TimeSpan.FromMinutes(1), options.ReconnectMax);
    }

    [Theory]
    [InlineData("Timeout", "10")]
    [InlineData("Timeout", "soon")]
    [InlineData("AllowClearText", "perhaps")]
    [InlineData("AttemptsMax", "1.5")]
    [InlineData("Endpoint", "squall")]
    public void A_section_with_a_value_that_cannot_be_read_is_refused_by_name(string key, string text)
    {
        var values = new Dictionary<string, string?> { ["Endpoint"] = Here, [key] = text };
        var refused = Assert.Throws<ArgumentException>(() => SquallClientOptions.FromConfiguration(Section(values)));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environments_token_goes_to_the_environments_endpoint_alone()
    {
        using var environment = await SquallEnvironment.SetAsync("https://squall.example:7443", "sqk_env");
        var empty = SquallClientOptions.FromConfiguration(Section([]));
        Assert.Equal("https://squall.example:7443/", empty.Endpoint!.ToString());
        Assert.Equal("sqk_env", empty.Token);

        var elsewhere = SquallClientOptions.FromConfiguration(Section(new() { ["Endpoint"] = Here }));
        Assert.Equal(new Uri(Here), elsewhere.Endpoint);
        Assert.Null(elsewhere.Token);
    }

    private static IConfiguration Section(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();
}

/// <summary>SQUALL_ENDPOINT and SQUALL_TOKEN for a test, one test at a time.</summary>
internal sealed class SquallEnvironment : IDisposable
{
    private static readonly SemaphoreSlim Turn = new(1);

    public static async Task<SquallEnvironment> SetAsync(string? endpoint, string? token)
    {
        await Turn.WaitAsync(Net.TimeMax);
        Set(endpoint, token);
        return new SquallEnvironment();
    }

    public void Dispose()
    {
        Set(null, null);
        Turn.Release();
    }

    private static void Set(string? endpoint, string? token)
    {
        Environment.SetEnvironmentVariable(SquallClientOptions.EndpointVariable, endpoint);
        Environment.SetEnvironmentVariable(SquallClientOptions.TokenVariable, token);
    }
}
