using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.IdentityModel.Tokens;

namespace Squall.Server;

/// <summary>
/// The keys that a provider signs with: asked for over HTTPS where its discovery says, kept for an hour, and asked for
/// again when a token names one that is not among them, though not all the time.
/// </summary>
internal sealed class ProviderKeys(IdentityProvider provider, HttpClient http, TimeProvider time) : IDisposable
{
    private const string DiscoveryPath = "/.well-known/openid-configuration";
    private const int KeysMax = 100;
    private const int RsaBitsMin = 2_048;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FetchTimeMax = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly long _started = time.GetTimestamp();
    private IReadOnlyList<JsonWebKey>? _keys;
    private TimeSpan _fetched;
    private TimeSpan? _tried;

    public IdentityProvider Provider => provider;

    private TimeSpan Now => time.GetElapsedTime(_started);

    /// <summary>The keys of a name, or all of them if the token gives none.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: there are none that are new enough, and they cannot be had.
    /// </exception>
    public async Task<IReadOnlyList<JsonWebKey>> FindAsync(string? name, CancellationToken cancelled)
    {
        await _turn.WaitAsync(cancelled);
        try
        {
            bool old = _keys is null || Now - _fetched >= Lifetime;
            if ((old || Named(name).Count == 0) && (_tried is not { } tried || Now - tried >= Pause))
            {
                await FetchAsync();
                old = false;
            }

            return old ? throw NoKeys() : Named(name);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private IReadOnlyList<JsonWebKey> Named(string? name) =>
        string.IsNullOrEmpty(name) ? _keys! : [.. _keys!.Where(key => key.Kid == name)];

    /// <summary>Not ended by its caller: what it brings is for everyone.</summary>
    private async Task FetchAsync()
    {
        _tried = Now;
        using var late = new CancellationTokenSource(FetchTimeMax, time);
        try
        {
            using JsonDocument discovery = JsonDocument.Parse(
                await http.GetByteArrayAsync(new Uri(provider.Issuer.TrimEnd('/') + DiscoveryPath), late.Token));
            if (Text(discovery, "issuer") != provider.Issuer
                || !Uri.TryCreate(Text(discovery, "jwks_uri"), UriKind.Absolute, out Uri? place)
                || place.Scheme != Uri.UriSchemeHttps)
            {
                throw new JsonException("The discovery is another issuer's, or its keys are not had over HTTPS.");
            }

            var set = new JsonWebKeySet(Encoding.UTF8.GetString(await http.GetByteArrayAsync(place, late.Token)));
            _keys = [.. set.Keys.Where(CanSign).Take(KeysMax)];
            _fetched = Now;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or IOException
            or JsonException or ArgumentException or InvalidOperationException)
        {
            if (_keys is null || Now - _fetched >= Lifetime)
            {
                throw NoKeys();
            }
        }
    }

    private static string? Text(JsonDocument json, string name) => json.RootElement.GetProperty(name).GetString();

    /// <summary>Never one that is shared: with it, whoever can check could sign.</summary>
    private static bool CanSign(JsonWebKey key) => key.Use is null or "" or "sig" && key.Kty switch
    {
        JsonWebAlgorithmsKeyTypes.RSA => key.KeySize >= RsaBitsMin,
        JsonWebAlgorithmsKeyTypes.EllipticCurve => true,
        _ => false,
    };

    private static RpcException NoKeys() => Fault.Unavailable(
        "PROVIDER_UNAVAILABLE", "The provider's keys cannot be had just now.", Pause);
}
