using System.Net;

namespace Squall.Server;

/// <summary>What a server is started with: every option, read or at its default.</summary>
internal sealed class ServerOptions
{
    public Limits Limits { get; } = new();

    /// <summary>Serves all protocols in clear text.</summary>
    public HostPort Http { get; set; } = HostPort.Localhost(7080);

    /// <summary>Serves all protocols over TLS; null: not at all.</summary>
    public HostPort? Https { get; set; } = HostPort.Localhost(7443);

    /// <summary>A certificate, with its chain, in PEM, and its key; null: the server makes one for itself.</summary>
    public string? CertificatePath { get; set; }

    public string? CertificateKeyPath { get; set; }

    /// <summary>Who may vouch for clients, in PEM; null: clients are not asked for certificates.</summary>
    public string? ClientAuthoritiesPath { get; set; }

    /// <summary>Whether tokens and passwords are taken over clear text from others than this machine.</summary>
    public bool ClearTextTokens { get; set; }

    /// <summary>Where everything durable lies; relative to the caller's working directory.</summary>
    public string DirectoryPath { get; set; } = "squall-data";

    /// <summary>Null: open while only loopback is bound.</summary>
    public bool? Registration { get; set; }

    /// <summary>Null: as <see cref="RegistrationOpen"/>.</summary>
    public bool? ProviderRegistration { get; set; }

    public IReadOnlyList<IdentityProvider> IdentityProviders { get; set; } = [];

    /// <summary>The origins whose pages may call from a browser; <c>*</c> is any.</summary>
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    /// <summary>The proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; set; } = [];

    /// <summary>
    /// Whether limits by address, and of an account's requests, hold for this machine's own calls too.
    /// </summary>
    public bool LimitLoopback { get; set; }

    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>Whether anyone who reaches the server may register an account.</summary>
    public bool RegistrationOpen => Registration ?? OnlyLoopback;

    /// <summary>Whether a provider's user who has no account is given one by logging in.</summary>
    public bool ProviderRegistrationOpen => ProviderRegistration ?? RegistrationOpen;

    private bool OnlyLoopback => Http.IsLoopback && Https is null or { IsLoopback: true };
}
