using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc.Tests;

/// A bare HTTP/2 endpoint that answers what a test says, right or wrong, and a channel to it.
internal sealed class ScriptedServer : IAsyncDisposable
{
    public static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    private readonly WebApplication app;

    private ScriptedServer(WebApplication app, Uri address, GrpcChannelOptions options)
    {
        this.app = app;
        Address = address;
        Channel = GrpcChannel.ForAddress(address, options);
        Client = new EchoService.EchoServiceClient(Channel);
    }

    public Uri Address { get; }

    public GrpcChannel Channel { get; }

    public EchoService.EchoServiceClient Client { get; }

    public static async Task<ScriptedServer> StartAsync(
        RequestDelegate script,
        GrpcChannelOptions? options = null,
        int port = 0,
        HttpProtocols protocols = HttpProtocols.Http2)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port,
            listen => listen.Protocols = protocols));
        WebApplication app = builder.Build();
        app.Run(script);
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features
            .GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return new ScriptedServer(app, new Uri(address), options ?? new GrpcChannelOptions());
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}

/// What scripts say, in gRPC's words.
internal static class Script
{
    public static byte[] Frame(string text, byte flags = 0) =>
        Frame(new EchoResponse { Text = text }.ToByteArray(), flags);

    public static byte[] Frame(byte[] message, byte flags = 0)
    {
        byte[] frame = new byte[Squall.Rpc.Frame.HeaderBytes + message.Length];
        Squall.Rpc.Frame.WriteHeader(frame, flags, message.Length);
        message.CopyTo(frame, Squall.Rpc.Frame.HeaderBytes);
        return frame;
    }

    public static async Task WriteAsync(this HttpContext http, params byte[][] frames)
    {
        http.Response.ContentType ??= "application/grpc";
        foreach (byte[] frame in frames)
        {
            await http.Response.Body.WriteAsync(frame);
        }

        await http.Response.Body.FlushAsync();
    }

    public static void End(this HttpContext http, StatusCode code = StatusCode.OK, string? message = null)
    {
        http.Response.ContentType ??= "application/grpc";
        foreach ((string name, string value) in StatusTrailers.Write(new Status(code, message ?? ""), null))
        {
            http.Response.AppendTrailer(name, value);
        }
    }

    public static void Reset(this HttpContext http, int code) =>
        http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);

    public static async IAsyncEnumerable<EchoRequest> RequestsAsync(this HttpContext http)
    {
        var frames = new FrameReader(http.Request.BodyReader, int.MaxValue);
        while (await frames.ReadAsync() is { } payload)
        {
            yield return EchoRequest.Parser.ParseFrom(payload);
        }
    }

    /// Answers each request with its own text, as soon as it comes.
    public static async Task EchoAsync(HttpContext http)
    {
        http.Response.ContentType = "application/grpc";
        await http.Response.StartAsync();
        await foreach (EchoRequest request in http.RequestsAsync())
        {
            await http.WriteAsync(Frame(request.Text));
        }

        http.End();
    }

    /// Does nothing until the client goes away.
    public static async Task HangAsync(HttpContext http, TaskCompletionSource? gone = null)
    {
        var aborted = new TaskCompletionSource();
        using CancellationTokenRegistration registration = http.RequestAborted.Register(() => aborted.TrySetResult());
        await aborted.Task.WaitAsync(ScriptedServer.Net);
        gone?.TrySetResult();
    }
}
