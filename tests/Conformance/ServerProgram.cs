using System.IO.Compression;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Grpc.Net.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Squall.Rpc;

namespace Squall.Conformance;

/// The server under test: (1) is told how to serve, (2) serves, (3) tells where, (4) until it is stopped.
internal static class ServerProgram
{
    public static async Task<int> RunAsync()
    {
        await using Stream input = Console.OpenStandardInput();
        await using Stream output = Console.OpenStandardOutput();
        if (await input.ReadAsync(ServerCompatRequest.Parser) is not { } asked)
        {
            return 1;
        }

        await using WebApplication app = Build(asked);
        await app.StartAsync();
        await output.WriteAsync(new ServerCompatResponse
        {
            Host = "127.0.0.1",
            Port = (uint)app.Services.ListeningAddresses()[0].Port,
            PemCert = asked.UseTls ? asked.ServerCreds.Cert : ByteString.Empty,
        });
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// The server that is asked for, not started yet.
    public static WebApplication Build(ServerCompatRequest asked)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = asked.MessageReceiveLimit > 0 ? (int)asked.MessageReceiveLimit : null;
            grpc.CompressionProviders.Add(new DeflateCompressionProvider(CompressionLevel.Fastest));
            grpc.ResponseCompressionAlgorithm = "gzip";
        });
        builder.Services.Configure<RpcServerOptions>(rpc => rpc.CompressionBytesMin = 0);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseRpcDefaults();
            var address = new IPEndPoint(IPAddress.Loopback, 0);
            if (asked.UseTls)
            {
                ListenTls(kestrel, address, asked);
            }
            else
            {
                kestrel.ListenClearText(address);
            }
        });
        WebApplication app = builder.Build();
        app.MapGrpcService<ConformanceRpcs>();
        return app;
    }

    private static void ListenTls(KestrelServerOptions kestrel, IPEndPoint address, ServerCompatRequest asked)
    {
        using var loaded = X509Certificate2.CreateFromPem(
            Encoding.ASCII.GetString(asked.ServerCreds.Cert.Span),
            Encoding.ASCII.GetString(asked.ServerCreds.Key.Span));
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
        byte[]? client = asked.ClientTlsCert.IsEmpty
            ? null
            : X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(asked.ClientTlsCert.Span)).RawData;
        kestrel.ConfigureHttpsDefaults(https =>
        {
            https.ClientCertificateMode = client is null
                ? ClientCertificateMode.NoCertificate
                : ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (presented, _, _) => client is null
                || presented.RawData.AsSpan().SequenceEqual(client);
        });
        kestrel.ListenTls(address, certificate);
    }
}
