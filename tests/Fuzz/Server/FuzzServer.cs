using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Squall.Rpc;

namespace Squall.Fuzz;

/// <summary>
/// The runtime over Kestrel, in a process of its own, with a service of each kind of call, reflection and health. It
/// ends when its standard input does; a line on it asks for its state.
/// </summary>
internal static class FuzzServer
{
    public const string Collect = "collect";
    public const string Listening = "Listening on ";

    /// <summary>An origin whose pages may call.</summary>
    public const string Origin = "https://app.example";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        int? answersMax = arguments.Has("--answers-max") ? (int)arguments.Number("--answers-max", 0) : null;
        using var witness = new Witness(
            Enum.Parse<Plant>(arguments.Text("--plant") ?? nameof(Plant.None)), answersMax);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(witness);
        builder.Services.AddSingleton(witness);
        builder.Services.AddGrpc(options => Configure(options, arguments));
        builder.Services.AddGrpcReflection();
        builder.Services.Configure<RpcServerOptions>(options => Configure(options, arguments));
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, arguments));
        WebApplication app = builder.Build();
        app.Use((http, next) => witness.WatchAsync(http, next));
        app.MapGrpcService<FuzzRpcs>();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"{Listening}{app.Services.ListeningAddresses()[0]}");
        while (await Console.In.ReadLineAsync() is { } asked)
        {
            ServerState state = asked == Collect ? witness.CollectAndTell() : witness.Tell();
            await Console.Out.WriteLineAsync(state.ToJson());
        }

        return 0;
    }

    private static void Configure(GrpcServiceOptions options, Arguments arguments)
    {
        options.ResponseCompressionAlgorithm = "gzip";
        if (arguments.Has("--receive-max"))
        {
            // 0: no limit.
            options.MaxReceiveMessageSize = arguments.Number("--receive-max", 0) is > 0 and long max ? (int)max : null;
        }
    }

    private static void Configure(RpcServerOptions options, Arguments arguments)
    {
        options.RequestReadTimeMax = Time(arguments, "--read-max", options.RequestReadTimeMax);
        options.StalledWriteMax = Time(arguments, "--stalled-max", options.StalledWriteMax);
        options.CompressionBytesMin = 64;
        options.CorsOrigins.Add(Origin);
    }

    private static void Configure(KestrelServerOptions kestrel, Arguments arguments)
    {
        kestrel.UseRpcDefaults();
        kestrel.Limits.RequestHeadersTimeout =
            Time(arguments, "--headers-max", kestrel.Limits.RequestHeadersTimeout)!.Value;
        if (arguments.Has("--header-bytes-max"))
        {
            int most = (int)arguments.Number("--header-bytes-max", 0);
            kestrel.Limits.MaxRequestHeadersTotalSize = most;
            kestrel.Limits.MaxRequestHeaderCount = most;
            kestrel.Limits.MaxRequestBufferSize = null;
        }

        kestrel.ListenClearText(new IPEndPoint(IPAddress.Loopback, 0));
    }

    /// <summary>In milliseconds; 0: without an end.</summary>
    private static TimeSpan? Time(Arguments arguments, string name, TimeSpan? otherwise) =>
        !arguments.Has(name) ? otherwise
        : arguments.Number(name, 0) is > 0 and long milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
