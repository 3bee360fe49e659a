using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc.Tests;

/// Over TLS, and where TLS fails.
public sealed class ClientTlsTests
{
    [Fact]
    public async Task A_trusted_certificate_is_called_and_an_unknown_one_is_not()
    {
        using X509Certificate2 certificate = CreateCertificate();
        await using WebApplication app = await StartAsync(HttpProtocols.Http2, certificate);
        using (GrpcChannel trusting = GrpcChannel.ForAddress(Address(app), new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = Trusting(certificate) },
            DisposeHttpClient = true,
        }))
        {
            Assert.Equal("tls", (await new EchoService.EchoServiceClient(trusting)
                .UnaryAsync(new() { Text = "tls" })).Text);
        }

        using GrpcChannel strict = GrpcChannel.ForAddress(Address(app));
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            async () => await new EchoService.EchoServiceClient(strict).UnaryAsync(new()));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        Assert.Contains("certificate", thrown.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "application protocol")]
    [InlineData(false, "HTTP/2")]
    public async Task A_server_that_speaks_only_http1_is_named(bool isTls, string reason)
    {
        using X509Certificate2 certificate = CreateCertificate();
        await using WebApplication app = await StartAsync(HttpProtocols.Http1, isTls ? certificate : null);
        using GrpcChannel channel = GrpcChannel.ForAddress(Address(app), new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = Trusting(certificate) },
        });
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new());
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseAsync.WaitAsync(ScriptedServer.Net));
        Assert.Contains(new Uri(Address(app)).Authority, thrown.Status.Detail, StringComparison.Ordinal);
        Assert.Contains(reason, thrown.Status.Detail, StringComparison.Ordinal);
    }

    [Theory, InlineData("P"), InlineData("PRI * HTTP/2.0\r\n\r\nSM"), InlineData(""), Wire("1.5.12")]
    public async Task Who_begins_over_tls_and_does_not_go_on_is_cut(string first)
    {
        using X509Certificate2 certificate = CreateCertificate();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<EchoProbe>();
        builder.Services.AddGrpc();
        builder.Services.Configure<RpcServerOptions>(
            rpc => rpc.ConnectionStartTimeMax = TimeSpan.FromMilliseconds(200));
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.ListenTls(new IPEndPoint(IPAddress.Loopback, 0), certificate));
        await using WebApplication app = builder.Build();
        app.MapGrpcService<EchoRpcs>();
        await app.StartAsync();
        SslClientAuthenticationOptions trusting = Trusting(certificate);
        trusting.TargetHost = "localhost";
        trusting.ApplicationProtocols = [SslApplicationProtocol.Http2];
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(Address(app)).Port);
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(trusting);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(first));
        try
        {
            await tls.CopyToAsync(Stream.Null).WaitAsync(ScriptedServer.Net);
        }
        catch (IOException)
        {
            // A reset ends it too.
        }

        using GrpcChannel channel = GrpcChannel.ForAddress(Address(app), new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = Trusting(certificate) },
            DisposeHttpClient = true,
        });
        Assert.Equal("tls", (await new EchoService.EchoServiceClient(channel).UnaryAsync(new() { Text = "tls" })).Text);
    }

    private static SslClientAuthenticationOptions Trusting(X509Certificate2 expected) => new()
    {
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown?.GetCertHashString() == expected.GetCertHashString(),
    };

    private static async Task<WebApplication> StartAsync(HttpProtocols protocols, X509Certificate2? certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            }));
        WebApplication app = builder.Build();
        app.Run(Script.EchoAsync);
        await app.StartAsync();
        return app;
    }

    private static string Address(WebApplication app) => app.Services.GetRequiredService<IServer>().Features
        .GetRequiredFeature<IServerAddressesFeature>().Addresses.First();

    private static X509Certificate2 CreateCertificate()
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
