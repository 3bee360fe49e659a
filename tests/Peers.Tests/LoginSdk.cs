using Grpc.Core;
using Squall.Client;
using Squall.V1;

namespace Squall.Peers.Tests;

/// <summary>What tests/Peers/login.py does, by our SDK: the same cases, told in the same words.</summary>
internal sealed class LoginSdk : IDisposable
{
    public static readonly string Password = Secrets.Password();
    public static readonly string Wrong = Secrets.Password();

    private readonly Uri _server;
    private readonly string _name = $"sdk-{Guid.NewGuid():N}"[..16];
    private readonly List<SquallClient> _clients = [];

    private LoginSdk(Uri server) => _server = server;

    public static async Task<string[]> RunAsync(Uri patient, Uri strict)
    {
        var told = new List<string>();
        using (var peer = new LoginSdk(patient))
        {
            await peer.Client(null).RegisterAsync(peer._name, Password);
            await peer.RunAsync(told);
        }

        using (var peer = new LoginSdk(strict))
        {
            await peer.Client(null).RegisterAsync(peer._name, Password);
            Tokens spent = await peer.LoginAsync();
            Tokens next = await peer.RefreshAsync(spent.RefreshToken);
            await TellAsync(told, "refresh once more with the spent one, too late", () =>
                peer.RefreshAsync(spent.RefreshToken));
            await TellAsync(told, "call of the session that this ends", () => peer.CallAsync(next.AccessToken));
            await TellAsync(told, "refresh of the session that this ends", () =>
                peer.RefreshAsync(next.RefreshToken));
        }

        return [.. told];
    }

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    private async Task RunAsync(List<string> told)
    {
        string nobodys = new('A', 43);
        Tokens first = await TellAsync(told, "log in", () => LoginAsync());
        await TellAsync(told, "call", () => CallAsync(first.AccessToken));
        await TellAsync(told, "call without a token", () => CallAsync(null));
        await TellAsync(told, "call with a malformed token", () => CallAsync("sqa_garbled"));
        await TellAsync(told, "call with a token of nobody's", () => CallAsync("sqa_" + nobodys));
        await TellAsync(told, "call with a refresh token", () => CallAsync(first.RefreshToken));
        await TellAsync(told, "log in with a wrong password", () => Client(null).LoginAsync(_name, Wrong));
        await TellAsync(told, "log in as nobody", () => Client(null).LoginAsync("nobody.at.all", Wrong));
        await TellAsync(told, "log in without a password", () => Client(null).LoginAsync(_name, ""));
        Tokens second = await TellAsync(told, "refresh", () => RefreshAsync(first.RefreshToken));
        await TellAsync(told, "call after it", () => CallAsync(second.AccessToken));
        await TellAsync(told, "refresh with a token of nobody's", () => RefreshAsync("sqr_" + nobodys));
        Tokens third = await TellAsync(told, "refresh once more with the spent one, in time", () =>
            RefreshAsync(first.RefreshToken));
        await TellAsync(told, "call with the pair that this replaces", () => CallAsync(second.AccessToken));
        await TellAsync(told, "refresh with the pair that this replaces", () => RefreshAsync(second.RefreshToken));
        string left = third?.AccessToken ?? second.AccessToken;
        await TellAsync(told, "call with the new pair", () => CallAsync(left));
        await TellAsync(told, "stream of a session that is revoked", () => EndedStreamAsync(left));
        await TellAsync(told, "log out", async () =>
            await Client(left).Raw.Auth.LogoutAsync(new LogoutRequest()));
        await TellAsync(told, "call after logging out", () => CallAsync(left));
        await TellAsync(told, "refresh after logging out", () => RefreshAsync((third ?? second).RefreshToken));
    }

    private SquallClient Client(string? token)
    {
        var client = new SquallClient(new SquallClientOptions { Endpoint = _server, Token = token });
        _clients.Add(client);
        return client;
    }

    private async Task<Tokens> LoginAsync() => (await Client(null).Raw.Auth.LoginAsync(
        new LoginRequest { Username = _name, Password = Password })).Tokens;

    private async Task<Tokens> RefreshAsync(string token) => (await Client(null).Raw.Auth.RefreshSessionAsync(
        new RefreshSessionRequest { RefreshToken = token })).Tokens;

    private async Task<V1.Account> CallAsync(string? token)
    {
        V1.Account account = await Client(token).GetAccountAsync();
        Assert.Equal(_name, account.Username);
        return account;
    }

    private async Task<bool> EndedStreamAsync(string owner)
    {
        Tokens ended = await LoginAsync();
        SquallClient client = Client(ended.AccessToken);
        await foreach (SubscriptionEvent told in client.SubscribeAsync())
        {
            Assert.IsType<SubscriptionEvent.Synced>(told);
            ListSessionsResponse listed = await client.Raw.Auth.ListSessionsAsync(new ListSessionsRequest());
            await Client(owner).Raw.Auth.RevokeSessionAsync(new RevokeSessionRequest
            {
                SessionId = listed.Sessions.Single(session => session.Current).Id,
            });
        }

        return true;
    }

    private static async Task<T> TellAsync<T>(List<string> told, string name, Func<Task<T>> call)
    {
        try
        {
            T answer = await call();
            told.Add($"{name}: OK");
            return answer;
        }
        catch (SquallException refused)
        {
            told.Add(Line(name, refused));
        }
        catch (RpcException refused)
        {
            // What a raw call is told, as the SDK understands it.
            told.Add(Line(name, new SquallException(refused.Status.Detail, refused)));
        }

        return default!;
    }

    private static string Line(string name, SquallException refused)
    {
        string code = string.Concat(refused.Code.ToString().Select((unit, at) =>
            at > 0 && char.IsUpper(unit) ? $"_{unit}" : $"{char.ToUpperInvariant(unit)}"));
        return $"{name}: {code} {refused.Reason} {((RpcException)refused.InnerException!).Status.Detail}";
    }
}
