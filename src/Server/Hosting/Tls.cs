using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Squall.Server;

/// <summary>How TLS is spoken: 1.2 and 1.3, with forward secrecy and authenticated encryption alone.</summary>
internal static class Tls
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly TlsCipherSuite[] Suites =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];

    /// <summary>Before any address is listened at.</summary>
    /// <exception cref="StartRefusedException">The clients' authorities cannot be read.</exception>
    public static void UseTls(this KestrelServerOptions kestrel, ServerOptions options, TlsCertificate certificate)
    {
        X509Certificate2Collection? authorities = AuthoritiesOf(options);

        // On Windows the machine's own settings say which suites there are.
        CipherSuitesPolicy? suites = OperatingSystem.IsWindows() ? null : new CipherSuitesPolicy(Suites);
        kestrel.ConfigureHttpsDefaults(https =>
        {
            https.OnAuthenticate = (_, tls) =>
            {
                tls.ServerCertificateContext = certificate.Context;
                tls.CipherSuitesPolicy = suites;
            };
            if (authorities is not null)
            {
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (client, _, _) => IsTrusted(client, authorities);
            }
        });
    }

    private static bool IsTrusted(X509Certificate2 client, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return chain.Build(client);
    }

    private static X509Certificate2Collection? AuthoritiesOf(ServerOptions options)
    {
        if (options.ClientAuthoritiesPath is not { } path)
        {
            return null;
        }

        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(path);
            return authorities.Count > 0
                ? authorities
                : throw new StartRefusedException($"there is no certificate in {path}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException(
                $"the clients' authorities {path} cannot be read: {failure.Message}", failure);
        }
    }
}
