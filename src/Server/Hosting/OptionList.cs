using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Squall.Server;

/// <summary>Every option there is: <c>--help</c> tells of these, and nothing else is read.</summary>
internal static class OptionList
{
    public static readonly IReadOnlyList<Option> All =
    [
        new("http", "HOST:PORT", "where to serve all protocols in clear text; port 0 takes a free one",
            options => options.Http.ToString(), SetHttp),
        new("https", "HOST:PORT|off", "where to serve all protocols over TLS",
            options => options.Https?.ToString() ?? "off", SetHttps),
        new("certificate", "FILE|own", "the certificate for TLS, with its chain, in PEM; read again when it changes",
            options => options.CertificatePath ?? "own", (options, text) => SetFile(text, "own",
                path => options.CertificatePath = path)),
        new("certificate-key", "FILE|own", "its key, in PEM",
            options => options.CertificateKeyPath ?? "own", (options, text) => SetFile(text, "own",
                path => options.CertificateKeyPath = path)),
        new("client-authorities", "FILE|none", "whose certificates clients may prove themselves with, in PEM",
            options => options.ClientAuthoritiesPath ?? "none", (options, text) => SetFile(text, "none",
                path => options.ClientAuthoritiesPath = path)),
        new("clear-text-tokens", "loopback|any", "from where tokens and passwords are taken over clear text",
            options => options.ClearTextTokens ? "any" : "loopback", SetClearTextTokens),
        new("data", "DIR", "where everything durable lies; made if it is not there",
            options => options.DirectoryPath, SetDirectory),
        new("registration", "open|closed", "who may register an account; open by default while only loopback is bound",
            options => options.RegistrationOpen ? "open" : "closed", SetRegistration),
        new("identity-providers", "ISSUER CLIENT...,...|none", "the OpenID Connect providers whose ID tokens log in",
            options => List(options.IdentityProviders), SetIdentityProviders),
        new("provider-registration", "open|closed", "whether their users get accounts; as --registration by default",
            options => options.ProviderRegistrationOpen ? "open" : "closed", SetProviderRegistration),
        new("cors-origins", "ORIGIN,...|none", "the origins, as https://app.example, whose pages may call; * is any",
            options => List(options.CorsOrigins), SetCorsOrigins),
        new("trusted-proxies", "NETWORK,...|none", "whose X-Forwarded-For and -Proto are believed, as 10.0.0.0/8,::1",
            options => List(options.TrustedProxies), SetTrustedProxies),
        new("limit-loopback", "yes|no", "whether failed logins, registrations and requests from loopback are limited",
            options => options.LimitLoopback ? "yes" : "no", SetLimitLoopback),
        new("log-level", "LEVEL", "trace, debug, information, warning, error or none; logs go to standard error",
            options => options.LogLevel.ToString().ToLowerInvariant(), SetLogLevel),
        .. LimitList.All,
    ];

    public static string Help { get; } = string.Join('\n',
    [
        "Squall: a task service that people and programs share.",
        "",
        "usage: squall [--OPTION VALUE]...",
        "       squall account create|reset-password|disable|enable USERNAME [--data DIR]",
        "       squall account list [--data DIR]",
        "       squall audit list [--account USERNAME|ID] [--event NAME,...] [--since TIME] [--until TIME]",
        "           [--limit COUNT] [--oldest-first] [--json] [--data DIR]",
        "",
        "The account and audit commands are the operator's. The server that runs on the data directory does them; if",
        "none runs, they do. A password is asked for at the terminal, or is the first line of standard input.",
        "",
        "The audit trail tells of logins, refusals, ends of access, roles, keys and operators' commands; the newest",
        "first. A TIME is 2026-11-30, 2026-11-30T17:05:00Z, or how long ago: 24h. A NAME is one of:",
        .. AuditEvents.All.Chunk(5).Select(names => "  " + string.Join(' ', names)),
        "",
        "Each option has three spellings: --page-size-max 500, SQUALL_PAGE_SIZE_MAX=500 in the environment, and",
        "{\"Squall\": {\"PageSizeMax\": \"500\"}} in appsettings.json beside the program or in the data directory.",
        "The command line goes before the environment, and that before the data directory's file and the program's.",
        "",
        "HOST is localhost, an IPv4 address, or an IPv6 address in brackets. Units are written: 500ms 30s 15m 24h 7d,",
        "512B 64KiB 4MiB. Counts are plain numbers.",
        "",
        .. All.Select(Line),
        "  --version                                   tell the version and exit",
        "  --help                                      tell this and exit",
        "",
        "SIGTERM or SIGINT stops the server once its calls are done, in --stop-time-max at most; a second one cuts",
        "them. What was accepted is committed either way.",
        "Exit code 0: stopped when told to, or done. 1: failed, or not done. 2: refused to start, for the one cause on",
        "standard error.",
    ]);

    private static string Line(Option option) => string.Create(CultureInfo.InvariantCulture,
        $"  {"--" + option.Name + " " + option.Form,-42}  {option.About} [{option.Get(new ServerOptions())}]");

    private static string? SetHttp(ServerOptions options, string text)
    {
        if (HostPort.Parse(text) is not { } address)
        {
            return HostPort.Rule;
        }

        options.Http = address;
        return null;
    }

    private static string? SetHttps(ServerOptions options, string text)
    {
        HostPort? address = HostPort.Parse(text);
        options.Https = address;
        return address is null && text != "off" ? HostPort.Rule + ", or off" : null;
    }

    private static string? SetFile(string text, string absent, Action<string?> set)
    {
        set(text == absent ? null : text);
        return text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) ? "is no file's name" : null;
    }

    private static string? SetClearTextTokens(ServerOptions options, string text)
    {
        options.ClearTextTokens = text == "any";
        return text is "loopback" or "any" ? null : "is neither loopback nor any";
    }

    private static string? SetDirectory(ServerOptions options, string text)
    {
        options.DirectoryPath = text;
        return text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) ? "is no directory's name" : null;
    }

    private static string? SetRegistration(ServerOptions options, string text)
    {
        options.Registration = text == "open";
        return text is "open" or "closed" ? null : "is neither open nor closed";
    }

    private static string? SetIdentityProviders(ServerOptions options, string text)
    {
        IdentityProvider?[] providers = text == "none" ? [] : [.. Parts(text).Select(IdentityProvider.Parse)];
        options.IdentityProviders = [.. providers.OfType<IdentityProvider>()];
        return providers.Contains(null) || (providers.Length == 0 && text != "none")
            || options.IdentityProviders.DistinctBy(provider => provider.Issuer).Count() < providers.Length
                ? IdentityProvider.Rule
                : null;
    }

    private static string? SetProviderRegistration(ServerOptions options, string text)
    {
        options.ProviderRegistration = text == "open";
        return text is "open" or "closed" ? null : "is neither open nor closed";
    }

    private static string? SetCorsOrigins(ServerOptions options, string text)
    {
        options.CorsOrigins = text == "none" ? [] : Parts(text);
        return text == "none" || options.CorsOrigins.Count > 0 && options.CorsOrigins.All(IsOrigin)
            ? null
            : "is no list of origins, such as https://app.example,http://localhost:5173, nor none";
    }

    private static bool IsOrigin(string text) => text == "*"
        || Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && (uri.Scheme is "http" or "https")
            && text == $"{uri.Scheme}://{uri.Authority}";

    private static string? SetTrustedProxies(ServerOptions options, string text)
    {
        string[] parts = text == "none" ? [] : Parts(text);
        IPNetwork?[] networks = [.. parts.Select(Network)];
        options.TrustedProxies = [.. networks.OfType<IPNetwork>()];
        return networks.Contains(null) || (networks.Length == 0 && text != "none")
            ? "is no list of addresses and networks, such as 192.0.2.7,10.0.0.0/8, nor none"
            : null;
    }

    /// <summary>A network whose address has bits beyond its length is not what was meant.</summary>
    private static IPNetwork? Network(string text) =>
        IPNetwork.TryParse(text, out IPNetwork network)
            ? network.BaseAddress.Equals(IPAddress.Parse(text.Split('/')[0])) ? network : null
        : IPAddress.TryParse(text, out IPAddress? address) && address.ToString() == text
            ? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
        : null;

    private static string? SetLimitLoopback(ServerOptions options, string text)
    {
        options.LimitLoopback = text == "yes";
        return text is "yes" or "no" ? null : "is neither yes nor no";
    }

    private static string[] Parts(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string List<T>(IReadOnlyList<T> parts) => parts.Count == 0 ? "none" : string.Join(',', parts);

    private static string? SetLogLevel(ServerOptions options, string text)
    {
        string[] levels = ["trace", "debug", "information", "warning", "error", "critical", "none"];
        int level = Array.IndexOf(levels, text);
        options.LogLevel = (LogLevel)level;
        return level < 0 ? "is no level: trace, debug, information, warning, error or none" : null;
    }
}
