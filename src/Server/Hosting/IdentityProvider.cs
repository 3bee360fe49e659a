namespace Squall.Server;

/// <summary>
/// An OpenID Connect provider whose ID tokens are believed, if they were made for one of these clients.
/// </summary>
internal sealed record IdentityProvider(string Issuer, IReadOnlyList<string> Clients)
{
    /// <summary>What is wrong with a text that is none.</summary>
    public const string Rule = "is no list of providers, each an issuer and the ids of its clients, such as "
        + "\"https://login.example id1 id2,https://other.example id3\", nor none";

    /// <summary>Null: it is none; its keys are worth nothing without HTTPS.</summary>
    public static IdentityProvider? Parse(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var issuer, _, ..] parts
            && Uri.TryCreate(issuer, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps
            && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? new IdentityProvider(issuer, parts[1..])
            : null;

    public override string ToString() => $"{Issuer} {string.Join(' ', Clients)}";
}
