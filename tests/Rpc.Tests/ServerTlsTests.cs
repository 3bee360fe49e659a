using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc.Tests;

/// What a handler is told of who calls over TLS.
public sealed class ServerTlsTests
{
    [Theory]
    [InlineData("CN=a caller", new[] { "one.example", "two.example" }, "x509_subject_alternative_name")]
    [InlineData("CN=a caller", new string[0], "x509_common_name")]
    [InlineData(null, new string[0], null)]
    public async Task The_callers_certificate_says_who_it_is(string? subject, string[] names, string? property)
    {
        using X509Certificate2 server = Create("CN=localhost", []);
        using X509Certificate2? client = subject is null ? null : Create(subject, names);
        await using WebApplication app = await StartAsync(server);
        AuthContext? seen = null;
        app.Services.GetRequiredService<EchoProbe>().Before = context =>
        {
            seen = context.AuthContext;
            return Task.CompletedTask;
        };
        using GrpcChannel channel = GrpcChannel.ForAddress(
            app.Services.ListeningAddresses().Single(),
            new GrpcChannelOptions { HttpHandler = Handler(client), DisposeHttpClient = true });
        await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest());

        Assert.Equal(property, seen!.PeerIdentityPropertyName);
        Assert.Equal(property is not null, seen.IsPeerAuthenticated);
        string[] expected = subject is null ? [] : names.Length > 0 ? names : ["a caller"];
        Assert.Equal(expected, seen.PeerIdentity.Select(identity => identity.Value));
        Assert.Equal("ssl", Assert.Single(seen.FindPropertiesByName("transport_security_type")).Value);
    }

    private static SocketsHttpHandler Handler(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
        };
        if (certificate is not null)
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        return handler;
    }

    private static async Task<WebApplication> StartAsync(X509Certificate2 certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<EchoProbe>();
        builder.Services.AddGrpc();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(certificate, https =>
                {
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    https.AllowAnyClientCertificate();
                });
            }));
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoRpcs>();
        await app.StartAsync();
        return app;
    }

    private static X509Certificate2 Create(string subject, string[] names)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (names.Length > 0)
        {
            var builder = new SubjectAlternativeNameBuilder();
            Array.ForEach(names, builder.AddDnsName);
            request.CertificateExtensions.Add(builder.Build());
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
