using System.Text.Json;
using Grpc.Core;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Squall.Server;

/// <summary>
/// Checks ID tokens of the options' OpenID Connect providers: (1) its issuer and its algorithm are of the lists, (2) a
/// key of the issuer's own signed it, (3) it is for one of our clients, (4) it is of now, give or take 60 s, (5) it has
/// the nonce that was asked for.
/// </summary>
internal sealed class IdTokens : IDisposable
{
    private const int CharactersMax = 16 << 10;
    private const int SubjectCharactersMax = 255;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>Those with which only the key's owner can sign.</summary>
    private static readonly string[] Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly Dictionary<string, ProviderKeys> _providers;
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = CharactersMax };
    private readonly TimeProvider _time;

    public IdTokens(ServerOptions options, HttpClient http, TimeProvider time)
    {
        _time = time;
        _providers = options.IdentityProviders.ToDictionary(
            provider => provider.Issuer, provider => new ProviderKeys(provider, http, time), StringComparer.Ordinal);
    }

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    /// <summary>Whose token it is.</summary>
    /// <param name="nonce">Must be the token's; empty: is not looked at.</param>
    /// <param name="ageMax">How long ago it may have been made; null: as long as it is valid.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT: there is none. UNAUTHENTICATED: it is not to be believed.
    /// UNAVAILABLE: the provider's keys cannot be had.</exception>
    public async Task<Identity> VerifyAsync(
        string idToken, string nonce, TimeSpan? ageMax, CancellationToken cancelled)
    {
        if (idToken.Length == 0)
        {
            throw Fault.Required("id_token");
        }

        JsonWebToken token = Read(idToken);
        ProviderKeys provider =
            _providers.GetValueOrDefault(token.Issuer) ?? throw Refused("no provider of this server has issued it");
        if (!Algorithms.Contains(token.Alg) || token.IsEncrypted || HasOddHeader(token))
        {
            throw Refused("it is not signed as an ID token is to be");
        }

        IReadOnlyList<JsonWebKey> keys = await provider.FindAsync(token.Kid, cancelled);
        TokenValidationResult result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = Algorithms,
            ValidIssuer = provider.Provider.Issuer,
            ValidAudiences = provider.Provider.Clients,
            IssuerSigningKeys = keys,
            LifetimeValidator = (from, until, _, _) => until + Skew > Now && (from is null || from - Skew <= Now),

            // A provider may give another key the name that one had.
            CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
        });
        return result.IsValid
            ? IdentityOf(token, provider.Provider, nonce, ageMax)
            : throw Refused(result.Exception switch
            {
                SecurityTokenInvalidAudienceException => "it was made for another client",
                SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException =>
                    "it has expired, or is not valid yet",
                _ => "its signature is wrong",
            });
    }

    public void Dispose()
    {
        foreach (ProviderKeys provider in _providers.Values)
        {
            provider.Dispose();
        }
    }

    /// <exception cref="RpcException">UNAUTHENTICATED, whatever is wrong with it.</exception>
    public static RpcException Refused(string why, AccountRow? account = null) =>
        Fault.Unauthenticated("ID_TOKEN_INVALID", $"The ID token is not accepted: {why}.").About(
            new AuditEntry(AuditEvent.IdTokenRefused)
            {
                AccountId = account?.Id, Username = account?.Username, Cause = why,
            });

    private static JsonWebToken Read(string idToken)
    {
        try
        {
            return idToken.Length <= CharactersMax ? new JsonWebToken(idToken) : throw Refused("it is too long");
        }
        catch (Exception garbled) when (garbled is ArgumentException or SecurityTokenException or FormatException
            or JsonException or InvalidOperationException)
        {
            throw Refused("it is no token");
        }
    }

    /// <summary>Tokens of another kind may be signed with the same key; extensions that must be understood are not.
    /// </summary>
    private static bool HasOddHeader(JsonWebToken token) =>
        !(token.Typ is null or "" || string.Equals(token.Typ, "JWT", StringComparison.OrdinalIgnoreCase))
        || token.TryGetHeaderValue("crit", out object _);

    private Identity IdentityOf(JsonWebToken token, IdentityProvider provider, string nonce, TimeSpan? ageMax)
    {
        try
        {
            DateTime made = token.IssuedAt;
            string subject = token.Subject;
            bool ofNow = made - Skew <= Now && (ageMax is not { } age || made + age + Skew > Now);
            return subject.Length is 0 or > SubjectCharactersMax ? throw Refused("it names nobody")
                : !ofNow ? throw Refused("it was not made just now")
                : token.Azp.Length > 0 && !provider.Clients.Contains(token.Azp) ?
                    throw Refused("it was made for another client")
                : nonce.Length > 0 && Claim(token, "nonce") != nonce ? throw Refused("its nonce is another")
                : new Identity(provider.Issuer, subject, NameIn(token));
        }
        catch (Exception garbled) when (garbled is ArgumentException or JsonException or InvalidOperationException)
        {
            throw Refused("it is no token");
        }
    }

    private static string NameIn(JsonWebToken token) =>
        ((string[])["preferred_username", "email", "name"]).Select(name => Claim(token, name))
        .FirstOrDefault(value => value.Length > 0) ?? "";

    private static string Claim(JsonWebToken token, string name) =>
        token.TryGetPayloadValue(name, out object value) ? value as string ?? "" : "";
}

/// <summary>Who someone is to a provider: the same one as long as issuer and subject are.</summary>
/// <param name="Name">What the provider calls it; it proves nothing.</param>
internal sealed record Identity(string Issuer, string Subject, string Name);
