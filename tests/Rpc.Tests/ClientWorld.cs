using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;

namespace Squall.Rpc.Tests;

/// One way for a channel to call: a protocol over a version of HTTP, in a codec, with compressed requests or not.
public sealed record ClientWorld(string Protocol, int Http, string Codec = "proto", bool Gzip = false)
{
    public static TheoryData<ClientWorld> All => [.. Worlds()];

    /// Whether requests and responses may go both ways at once.
    public bool IsDuplex => Http == 2;

    public override string ToString() => $"{Protocol}/{Http}/{Codec}{(Gzip ? "/gzip" : "")}";

    public GrpcChannelOptions Options(Action<ConnectOptions>? connect = null)
    {
        var options = new GrpcChannelOptions
        {
            HttpVersion = Http == 1 ? HttpVersion.Version11 : HttpVersion.Version20,
            DisposeHttpClient = true,
        };
        if (Codec == "json")
        {
            options.UseJson();
        }

        switch (Protocol)
        {
            case "connect":
                return options.UseConnect(connect);
            case "web" or "webtext":
                GrpcWebMode mode = Protocol == "web" ? GrpcWebMode.GrpcWeb : GrpcWebMode.GrpcWebText;
                options.HttpHandler = new GrpcWebHandler(mode, new SocketsHttpHandler())
                {
                    HttpVersion = options.HttpVersion,
                };
                return options;
            default:
                return options;
        }
    }

    public Metadata Headers() => Gzip ? new() { { "grpc-internal-encoding-request", "gzip" } } : [];

    private static IEnumerable<ClientWorld> Worlds() =>
        from protocol in new[] { "grpc", "web", "webtext", "connect" }
        from http in new[] { 1, 2 }
        from codec in new[] { "proto", "json" }
        from gzip in new[] { false, true }
        where (protocol != "grpc" || http == 2) && (protocol != "webtext" || codec == "proto")
        select new ClientWorld(protocol, http, codec, gzip);
}
