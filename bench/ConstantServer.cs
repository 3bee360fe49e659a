using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Squall.V1;

namespace Squall.Bench;

/// <summary>
/// The floors of SayHello: Kestrel, HTTP/2 only. They read a request to its end and answer bytes that were made once,
/// with gRPC's headers and trailers.
/// </summary>
internal sealed class ConstantServer : IHttpApplication<IFeatureCollection>
{
    private readonly byte[] _frame = Frame(Answer);

    /// <summary>As ours would be, at some time.</summary>
    public static SayHelloResponse Answer => new()
    {
        Message = "Hello, bench",
        ServerVersion = "0.1.0",
        ServerTime = new() { Seconds = 1_800_000_000, Nanos = 123_456_000 },
    };

    /// <summary>Kestrel alone: without host, middleware or HttpContext.</summary>
    public static async Task<int> RunAsync()
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        using var server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
        await server.StartAsync(new ConstantServer(), CancellationToken.None);
        string address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        await Console.Out.WriteLineAsync($"Listening on {address}");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>A bare endpoint: with a host and an HttpContext, and nothing else.</summary>
    public static async Task<int> RunEndpointAsync()
    {
        byte[] frame = Frame(Answer);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        await using WebApplication app = builder.Build();
        app.Run(http => AnswerAsync(http, frame));
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Listening on {app.Urls.First()}");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        PipeReader body = context.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
        ReadResult read;
        do
        {
            read = await body.ReadAsync();
            body.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        context.GetRequiredFeature<IHttpResponseFeature>().Headers.ContentType = "application/grpc";
        context.GetRequiredFeature<IHttpResponseBodyFeature>().Writer.Write(_frame);
        context.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers["grpc-status"] = "0";
    }

    private static async Task AnswerAsync(HttpContext http, byte[] frame)
    {
        PipeReader body = http.Request.BodyReader;
        ReadResult read;
        do
        {
            read = await body.ReadAsync();
            body.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        http.Response.ContentType = "application/grpc";
        http.Response.BodyWriter.Write(frame);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    public static byte[] Frame(SayHelloResponse answer)
    {
        byte[] message = answer.ToByteArray();
        return [0, 0, 0, 0, (byte)message.Length, .. message];
    }
}
