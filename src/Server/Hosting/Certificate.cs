using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Squall.Server;

/// <summary>
/// The certificate for TLS that the server makes for itself at first start, and anew when it is about to expire. Its
/// key stays the same.
/// </summary>
internal static class Certificate
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Clocks differ: it is valid from a little before it was made.</summary>
    private static readonly TimeSpan Backdate = TimeSpan.FromHours(1);

    /// <exception cref="StartRefusedException">What lies in the data directory is no certificate.</exception>
    public static X509Certificate2 LoadOrMake(StateDirectory directory, DateTimeOffset now)
    {
        string file = directory.Of("certificate.pem");
        string keyFile = directory.Of("certificate.key");
        try
        {
            if (!File.Exists(keyFile))
            {
                using ECDsa fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                directory.Write(keyFile, fresh.ExportPkcs8PrivateKeyPem() + "\n");
                File.Delete(file);
            }

            using ECDsa key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(keyFile));
            if (!File.Exists(file) || Expires(file) < now + RenewBefore)
            {
                using X509Certificate2 made = Make(key, now);
                directory.Write(file, made.ExportCertificatePem() + "\n");
            }

            return X509Certificate2.CreateFromPemFile(file, keyFile);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new StartRefusedException(
                $"{file} and {keyFile} are not to be used: {failure.Message} Remove both to have them made anew",
                failure);
        }
    }

    private static DateTimeOffset Expires(string file)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        return certificate.NotAfter;
    }

    private static X509Certificate2 Make(ECDsa key, DateTimeOffset now)
    {
        string host = Dns.GetHostName();
        var request = new CertificateRequest("CN=Squall", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        if (host != "localhost" && Uri.CheckHostName(host) == UriHostNameType.Dns)
        {
            names.AddDnsName(host);
        }

        var identifier = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(identifier);
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));
        return request.CreateSelfSigned(now - Backdate, now + Lifetime);
    }
}
