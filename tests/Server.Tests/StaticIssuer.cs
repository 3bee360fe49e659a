using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Server.Tests;

/// <summary>A provider that a server without a network knows, so that each RPC has a request that works.</summary>
internal static class StaticIssuer
{
    private const string Issuer = "https://issuer.example";
    private static readonly TestIssuer.Key Key = new("static");

    public static void Name(ServerOptions options) =>
        options.IdentityProviders = [new(Issuer, [TestIssuer.Client])];

    public static void Register(IServiceCollection services) =>
        services.AddSingleton(_ => new HttpClient(new Answers()));

    /// <summary>A token of someone who has none yet.</summary>
    public static string Token(DateTimeOffset now) => Key.Sign(new JsonObject
    {
        ["iss"] = Issuer, ["aud"] = TestIssuer.Client, ["sub"] = Guid.NewGuid().ToString(),
        ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
    });

    private sealed class Answers : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            JsonObject answer = request.RequestUri!.AbsolutePath == "/keys"
                ? new JsonObject { ["keys"] = new JsonArray(Key.Public) }
                : new JsonObject { ["issuer"] = Issuer, ["jwks_uri"] = Issuer + "/keys" };
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(answer.ToJsonString(), Encoding.UTF8, "application/json"),
            });
        }
    }
}
