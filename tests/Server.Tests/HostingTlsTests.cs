using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Squall.Server.Tests;

/// <summary>How TLS is spoken, and what the server and its clients prove themselves with.</summary>
public sealed class HostingTlsTests : HostingPlace
{
    private readonly FakeTime _time = new();

    private string CertificatePath => Path.Combine(Place, "tls.pem");

    private string KeyPath => Path.Combine(Place, "tls.key");

    [Theory]
    [InlineData(TlsCipherSuite.TLS_AES_128_GCM_SHA256, true)]
    [InlineData(TlsCipherSuite.TLS_AES_256_GCM_SHA384, true)]
    [InlineData(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, false)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, false)]
    public async Task Only_suites_with_forward_secrecy_and_authenticated_encryption_are_spoken(
        TlsCipherSuite suite, bool spoken)
    {
        await using ServerFixture server = await StartAsync();
        await using TestIssuer careless = await TestIssuer.StartAsync();
        var offer = new SslClientAuthenticationOptions { CipherSuitesPolicy = new([suite]) };
        if (spoken)
        {
            await ShakeHandsAsync(server.Server.Addresses[1], offer);
            return;
        }

        await Assert.ThrowsAnyAsync<Exception>(() => ShakeHandsAsync(server.Server.Addresses[1], offer));

        // The client can: a server that does not mind speaks it.
        await ShakeHandsAsync(new Uri(careless.Address), offer);
    }

    [Fact]
    public async Task A_configured_certificate_is_served_and_read_again_when_its_files_change()
    {
        X509Certificate2 first = Write();
        await using ServerFixture server = await StartAsync(options =>
            (options.CertificatePath, options.CertificateKeyPath) = (CertificatePath, KeyPath));
        Uri address = server.Server.Addresses[1];
        Assert.Equal(first.Thumbprint, await ShakeHandsAsync(address));

        // Amid being replaced, the key is another's: what was is used on.
        string key = File.ReadAllText(KeyPath);
        X509Certificate2 second = Write();
        string newKey = File.ReadAllText(KeyPath);
        File.WriteAllText(KeyPath, key);
        TlsCertificate certificate = server.Get<TlsCertificate>();
        Assert.Throws<StartRefusedException>(() => certificate.Refresh());
        Assert.Equal(first.Thumbprint, await ShakeHandsAsync(address));
        File.WriteAllText(KeyPath, newKey);
        await _time.TimerSetAsync(TimeSpan.FromMinutes(1));
        using var net = new CancellationTokenSource(HostingProcess.Net);
        string seen;
        do
        {
            net.Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMinutes(1));
            seen = await ShakeHandsAsync(address);
        }
        while (seen != second.Thumbprint);

        Assert.False(certificate.Refresh());
    }

    [Fact]
    public void Its_own_certificate_is_made_anew_before_it_expires_also_while_it_runs()
    {
        using StateDirectory directory = StateDirectory.Open(Stored);
        var certificate = new TlsCertificate(new ServerOptions(), directory, _time);
        X509Certificate2 first = certificate.Context.TargetCertificate;
        _time.Advance(TimeSpan.FromDays(334));
        Assert.False(certificate.Refresh());
        _time.Advance(TimeSpan.FromDays(2));
        Assert.True(certificate.Refresh());
        X509Certificate2 second = certificate.Context.TargetCertificate;
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.True(second.NotAfter > first.NotAfter.AddDays(300));
        Assert.Equal(first.GetPublicKeyString(), second.GetPublicKeyString());
        Assert.False(certificate.Refresh());
        Assert.All(Directory.GetFiles(Stored, "certificate.*"), file => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Theory]
    [InlineData("none", "is not to be used")]
    [InlineData("no certificate", "is not to be used")]
    [InlineData("another's key", "is not to be used")]
    [InlineData("one of both", "are given together")]
    [InlineData("no authorities", "cannot be read")]
    public async Task What_is_not_to_be_used_refuses_the_start(string wrong, string why)
    {
        Write();
        switch (wrong)
        {
            case "none":
                File.Delete(CertificatePath);
                break;
            case "no certificate":
                File.WriteAllText(CertificatePath, "nonsense");
                break;
            case "another's key":
                using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                {
                    File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
                }

                break;
        }

        StartRefusedException refused = await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync(options =>
        {
            options.CertificatePath = CertificatePath;
            options.CertificateKeyPath = wrong == "one of both" ? null : KeyPath;
            options.ClientAuthoritiesPath = wrong == "no authorities" ? Path.Combine(Place, "nothing") : null;
        }));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_may_prove_themselves_by_certificates_of_the_authorities_and_need_not()
    {
        using X509Certificate2 authority = Make("CN=authority");
        using X509Certificate2 stranger = Make("CN=stranger");
        string path = Path.Combine(Place, "authorities.pem");
        File.WriteAllText(path, authority.ExportCertificatePem());
        await using ServerFixture server = await StartAsync(options => options.ClientAuthoritiesPath = path);
        Uri address = server.Server.Addresses[1];
        await GreetAsAsync(address, null);
        await GreetAsAsync(address, authority);
        await Assert.ThrowsAnyAsync<Exception>(() => GreetAsAsync(address, stranger));
    }

    [Fact]
    public async Task A_chain_is_shown_whole_so_that_who_knows_only_its_root_trusts_it()
    {
        using X509Certificate2 root = Make("CN=root", null, isAuthority: true);
        using X509Certificate2 between = Make("CN=between", root, isAuthority: true);
        using X509Certificate2 leaf = Make("CN=localhost", between);
        File.WriteAllText(KeyPath, leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string whole = leaf.ExportCertificatePem() + "\n" + between.ExportCertificatePem();
        foreach ((string text, bool trusted) in ((string, bool)[])[(whole, true), (leaf.ExportCertificatePem(), false)])
        {
            File.WriteAllText(CertificatePath, text);
            await using ServerFixture server = await StartAsync(options =>
                (options.CertificatePath, options.CertificateKeyPath) = (CertificatePath, KeyPath));
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.Add(root);
            Task greeting = GreetAsync(
                server.Server.Addresses[1], new SslClientAuthenticationOptions { CertificateChainPolicy = policy });
            await (trusted ? greeting : Assert.ThrowsAsync<HttpRequestException>(() => greeting));
        }
    }

    [Fact]
    public async Task Only_a_certificate_of_the_operators_has_browsers_insist_on_TLS()
    {
        Write();
        await using ServerFixture own = await StartAsync(options => options.DirectoryPath = Path.Combine(Place, "own"));
        await using ServerFixture given = await StartAsync(options =>
            (options.CertificatePath, options.CertificateKeyPath) = (CertificatePath, KeyPath));
        Assert.Null(await InsistsAsync(own.Server.Addresses[1]));
        Assert.Equal("max-age=31536000", await InsistsAsync(given.Server.Addresses[1]));
        Assert.Null(await InsistsAsync(given.Server.Addresses[0]));

        static async Task<string?> InsistsAsync(Uri address)
        {
            using var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
            using var http = new HttpClient(handler);
            using HttpResponseMessage answer = await http.GetAsync(address);
            return answer.Headers.TryGetValues("Strict-Transport-Security", out IEnumerable<string>? values)
                ? Assert.Single(values)
                : null;
        }
    }

    private Task<ServerFixture> StartAsync(Action<ServerOptions>? adjust = null) => ServerFixture.StartAsync(
        options =>
        {
            options.Https = HostPort.Localhost(0);
            adjust?.Invoke(options);
        },
        _time);

    private X509Certificate2 Write()
    {
        X509Certificate2 made = Make("CN=localhost");
        File.WriteAllText(CertificatePath, made.ExportCertificatePem());
        File.WriteAllText(KeyPath, made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return made;
    }

    /// <param name="issuer">Null: it is its own.</param>
    private static X509Certificate2 Make(string name, X509Certificate2? issuer = null, bool isAuthority = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        if (isAuthority)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        }

        if (issuer is null)
        {
            return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 issued = request.Create(issuer, now.AddHours(-23), now.AddHours(23), serial);
        return issued.CopyWithPrivateKey(key);
    }

    /// <summary>The thumbprint of what the server shows.</summary>
    private static async Task<string> ShakeHandsAsync(Uri address, SslClientAuthenticationOptions? offer = null)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        await using var tls = new SslStream(socket.GetStream());
        offer ??= new();
        offer.TargetHost = "localhost";
        offer.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await tls.AuthenticateAsClientAsync(offer).WaitAsync(HostingProcess.Net);
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData()).Thumbprint;
    }

    private static Task GreetAsAsync(Uri address, X509Certificate2? client) => GreetAsync(
        address,
        new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ClientCertificates = client is null ? null : [client],
        });

    private static async Task GreetAsync(Uri address, SslClientAuthenticationOptions tls)
    {
        using var handler = new SocketsHttpHandler { SslOptions = tls };
        using var http = new HttpClient(handler);
        Assert.Contains("Hello", await http.GetStringAsync(address), StringComparison.Ordinal);
    }
}
