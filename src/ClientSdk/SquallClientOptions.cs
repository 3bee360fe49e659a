using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Squall.Client;

/// <summary>How a client reaches its server and what its calls are held to; copied when a client is made.</summary>
public sealed class SquallClientOptions
{
    /// <summary>The environment variable that <see cref="FromEnvironment"/> takes the endpoint from.</summary>
    public const string EndpointVariable = "SQUALL_ENDPOINT";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> takes the token from.</summary>
    public const string TokenVariable = "SQUALL_TOKEN";

    private static readonly TimeSpan TimeoutMax = TimeSpan.FromHours(24);
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);

    /// <summary>The server's address, without a path: http://localhost:7080, https://squall.example:7443.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>An API key, or an access token, that is sent as it is and never renewed. Null: log in.</summary>
    public string? Token { get; set; }

    /// <summary>Where the tokens of a login are kept, so that a later process goes on with the session.</summary>
    public ITokenStore? TokenStore { get; set; }

    /// <summary>
    /// How long a unary call may take with all its retries, unless its settings say otherwise; at most 24 h, or
    /// Timeout.InfiniteTimeSpan: for as long as the server lets it.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether passwords and tokens may be sent in clear text to hosts other than this one.</summary>
    public bool AllowClearText { get; set; }

    /// <summary>How often a call is tried at most, the first time included; 1: no retries.</summary>
    public int AttemptsMax { get; set; } = 5;

    /// <summary>The bound of the first wait before a retry, which doubles; each wait is a random part of it.</summary>
    public TimeSpan BackoffFirst { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The largest bound of a wait before a call is tried again.</summary>
    public TimeSpan BackoffMax { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The largest bound of a wait before a subscription reconnects.</summary>
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Makes the handler beneath each connection, for a certificate of one's own or a proxy; the client disposes of it.
    /// Null: a handler whose pings notice dead connections.
    /// </summary>
    public Func<HttpMessageHandler>? HandlerFactory { get; set; }

    /// <summary>The clock of deadlines, renewals, retries and watchdogs.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Endpoint and token from <c>SQUALL_ENDPOINT</c> and <c>SQUALL_TOKEN</c>.</summary>
    public static SquallClientOptions FromEnvironment() => new()
    {
        Endpoint = Address(Environment.GetEnvironmentVariable(EndpointVariable), EndpointVariable),
        Token = NullIfEmpty(Environment.GetEnvironmentVariable(TokenVariable)),
    };

    /// <summary>
    /// Reads Endpoint, Token, Timeout, AllowClearText, AttemptsMax, BackoffFirst, BackoffMax and ReconnectMax from a
    /// section; times are written <c>00:00:10</c>. Endpoint and token that it leaves out come, both together, from the
    /// environment.
    /// </summary>
    public static SquallClientOptions FromConfiguration(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var options = NullIfEmpty(section["Endpoint"]) is { } endpoint
            ? new() { Endpoint = Address(endpoint, "Endpoint") }
            : FromEnvironment();
        options.Token = NullIfEmpty(section["Token"]) ?? options.Token;
        options.Timeout = Read<TimeSpan>(section, "Timeout", options.Timeout, TryParse);
        options.AllowClearText = Read<bool>(section, "AllowClearText", options.AllowClearText, bool.TryParse);
        options.AttemptsMax = Read<int>(section, "AttemptsMax", options.AttemptsMax, int.TryParse);
        options.BackoffFirst = Read<TimeSpan>(section, "BackoffFirst", options.BackoffFirst, TryParse);
        options.BackoffMax = Read<TimeSpan>(section, "BackoffMax", options.BackoffMax, TryParse);
        options.ReconnectMax = Read<TimeSpan>(section, "ReconnectMax", options.ReconnectMax, TryParse);
        return options;
    }

    /// <summary>A copy whose values were checked: ArgumentException names what is wrong.</summary>
    internal SquallClientOptions Checked()
    {
        if (Endpoint is null)
        {
            throw new ArgumentException($"Endpoint must be given, by the options or by {EndpointVariable}.");
        }

        if (!Endpoint.IsAbsoluteUri || (Endpoint.Scheme != Uri.UriSchemeHttp && Endpoint.Scheme != Uri.UriSchemeHttps)
            || Endpoint.Host.Length == 0)
        {
            throw new ArgumentException("Endpoint must be an address such as http://localhost:7080.");
        }

        // A user and a password in it would be sent nowhere, and be shown wherever the address is.
        if (Endpoint.PathAndQuery != "/" || Endpoint.Fragment.Length > 0 || Endpoint.UserInfo.Length > 0)
        {
            throw new ArgumentException("Endpoint must be scheme, host and port alone.");
        }

        if (Token is not null && (Token.Length == 0 || Token.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            throw new ArgumentException("Token is not as it was given: it is empty, or holds blanks or the like.");
        }

        Require(
            (Timeout > TimeSpan.Zero && Timeout <= TimeoutMax)
            || Timeout == System.Threading.Timeout.InfiniteTimeSpan, nameof(Timeout));
        Require(AttemptsMax >= 1, nameof(AttemptsMax));
        Require(BackoffFirst >= TimeSpan.Zero && BackoffFirst <= WaitMax, nameof(BackoffFirst));
        Require(BackoffMax >= BackoffFirst && BackoffMax <= WaitMax, nameof(BackoffMax));
        Require(ReconnectMax >= BackoffFirst && ReconnectMax <= WaitMax, nameof(ReconnectMax));
        ArgumentNullException.ThrowIfNull(TimeProvider);
        return (SquallClientOptions)MemberwiseClone();
    }

    /// <summary>Null if there is nothing in it; ArgumentException if it is no address.</summary>
    internal static Uri? Address(string? text, string name) => NullIfEmpty(text) is not { } given ? null
        : Uri.TryCreate(given, UriKind.Absolute, out var address) ? address
        : throw new ArgumentException($"{name} must be an address such as http://localhost:7080.");

    private delegate bool Parse<T>(string text, out T value);

    private static T Read<T>(IConfiguration section, string key, T otherwise, Parse<T> parse) =>
        section[key] is not { } text ? otherwise
        : parse(text, out var value) ? value
        : throw new ArgumentException($"{key}: '{text}' cannot be read.");

    /// <summary>Not a bare number: it would be taken for days.</summary>
    private static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        return text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);
    }

    private static void Require(bool isMet, string name)
    {
        if (!isMet)
        {
            throw new ArgumentException($"{name} is out of range.");
        }
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
