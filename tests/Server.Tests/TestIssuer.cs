using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Server.Tests;

/// <summary>
/// An OpenID Connect provider on loopback HTTPS, whose tokens the tests write by hand, right and wrong.
/// </summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Client = "squall-test";
    private readonly X509Certificate2 _certificate;
    private readonly WebApplication _app;

    private TestIssuer(X509Certificate2 certificate)
    {
        _certificate = certificate;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        _app = builder.Build();
        _app.Run(AnswerAsync);
        Http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions =
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { certificate },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        });
    }

    public string Address => _app.Urls.Single();

    /// <summary>As its discovery says.</summary>
    public string Issuer { get; set; } = "";

    public string KeysAddress { get; set; } = "";

    /// <summary>The keys that it tells of.</summary>
    public List<Key> Keys { get; } = [];

    /// <summary>What it answers with in place of what it should; null: that.</summary>
    public int? Failure { get; set; }

    /// <summary>How often its keys were asked for.</summary>
    public int Fetches { get; private set; }

    /// <summary>Trusts it, and nobody else.</summary>
    public HttpClient Http { get; }

    public static async Task<TestIssuer> StartAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var issuer = new TestIssuer(request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1)));
        await issuer._app.StartAsync();
        issuer.Issuer = issuer.Address;
        issuer.KeysAddress = issuer.Address + "/keys";
        issuer.Keys.Add(new Key("first"));
        return issuer;
    }

    /// <summary>What a right token says, at a time.</summary>
    public JsonObject Claims(DateTimeOffset now, string subject) => new()
    {
        ["iss"] = Issuer,
        ["aud"] = Client,
        ["sub"] = subject,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.AddMinutes(10).ToUnixTimeSeconds(),
        ["nonce"] = "n-0S6",
    };

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Http.Dispose();
        _certificate.Dispose();
    }

    private Task AnswerAsync(HttpContext http)
    {
        if (Failure is { } failure)
        {
            http.Response.StatusCode = failure;
            return Task.CompletedTask;
        }

        if (http.Request.Path == "/keys")
        {
            Fetches++;
            return http.Response.WriteAsync(
                new JsonObject { ["keys"] = new JsonArray([.. Keys.Select(key => key.Public)]) }.ToJsonString());
        }

        return http.Response.WriteAsync(
            new JsonObject { ["issuer"] = Issuer, ["jwks_uri"] = KeysAddress }.ToJsonString());
    }

    /// <summary>A key that signs tokens.</summary>
    public sealed class Key(string name, int bits = 2_048)
    {
        private readonly RSA _rsa = RSA.Create(bits);
        private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public bool IsCurve { get; init; }
        public string Use { get; init; } = "sig";

        /// <summary>What anyone may know of it, and mistake for a shared secret.</summary>
        public byte[] PublicBytes => Encoding.ASCII.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem());

        public JsonNode Public
        {
            get
            {
                RSAParameters rsa = _rsa.ExportParameters(false);
                ECParameters curve = _curve.ExportParameters(false);
                return IsCurve
                    ? new JsonObject
                    {
                        ["kty"] = "EC", ["kid"] = name, ["use"] = Use, ["crv"] = "P-256",
                        ["x"] = Base64Url.EncodeToString(curve.Q.X), ["y"] = Base64Url.EncodeToString(curve.Q.Y),
                    }
                    : new JsonObject
                    {
                        ["kty"] = "RSA", ["kid"] = name, ["use"] = Use,
                        ["n"] = Base64Url.EncodeToString(rsa.Modulus), ["e"] = Base64Url.EncodeToString(rsa.Exponent),
                    };
            }
        }

        /// <summary>A token of these claims, with this header or the usual one.</summary>
        public string Sign(JsonObject claims, JsonObject? header = null)
        {
            string alg = IsCurve ? "ES256" : "RS256";
            string text = Part(header ?? new JsonObject { ["alg"] = alg, ["kid"] = name, ["typ"] = "JWT" })
                + "." + Part(claims);
            byte[] bytes = Encoding.ASCII.GetBytes(text);
            string used = (string?)header?["alg"] ?? alg;
            byte[] signature = used switch
            {
                "none" => [],
                "HS256" => HMACSHA256.HashData(PublicBytes, bytes),
                "ES256" => _curve.SignData(bytes, HashAlgorithmName.SHA256),
                "PS256" => _rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                "RS384" => _rsa.SignData(bytes, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
                _ => _rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            };
            return Secrets.Remember("id-token", $"{text}.{Base64Url.EncodeToString(signature)}");
        }

        private static string Part(JsonObject part) =>
            Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
    }
}
