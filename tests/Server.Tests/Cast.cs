using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>One who calls, as a column of matrix.txt says.</summary>
/// <param name="Account">Whom the token speaks for, or would if it were good, by a session that is.</param>
/// <param name="Reason">Why it is not let in; empty: it is.</param>
/// <param name="Named">The ids of the lists that its key names; null: it names none, or is a session.</param>
internal sealed record Actor(
    char Letter, Client Account, Metadata Headers, string Reason = "", IReadOnlyList<string>? Named = null)
{
    public bool Reaches(string listId) => Named is null || Named.Contains(listId);
}

/// <summary>
/// The callers of matrix.txt, each with an account's own list, and the lists of others: one shared with all but the
/// stranger, one that none of them is a member of, and one that was shared. In each list there is a task.
/// </summary>
internal sealed class Cast : IDisposable
{
    private readonly Dictionary<char, Actor> _actors = [];
    private readonly Dictionary<string, TaskList> _own = [];
    private readonly List<Client> _clients = [];
    private readonly ServerFixture _server;

    private Cast(ServerFixture server) => _server = server;

    /// <summary>Whose the shared list is, and the one that is deleted.</summary>
    public Client Ada { get; private set; } = null!;

    /// <summary>Whose the foreign list is.</summary>
    public Client Zoe { get; private set; } = null!;

    /// <summary>Zoe, as one who calls: no column of the table.</summary>
    public Actor Host => new('Z', Zoe, Zoe.Headers);

    public TaskList Shared { get; private set; } = null!;
    public TaskList Foreign { get; private set; } = null!;
    public TaskList Deleted { get; private set; } = null!;

    /// <summary>Another one of the account O, which alone the key <c>a</c> names.</summary>
    public TaskList Elsewhere { get; private set; } = null!;

    /// <summary>The place in the journal before all that the cast has done.</summary>
    public string Start { get; private set; } = "";

    public Actor this[char letter] => _actors[letter];

    public static async Task<Cast> MakeAsync(ServerFixture server)
    {
        var cast = new Cast(server) { Start = server.Get<Tail>().End.ToString() };
        Client[] clients = await Task.WhenAll(
            Enumerable.Range(0, 7).Select(_ => Client.SignInAsync(server, $"u{Guid.NewGuid():N}"[..32])));
        cast._clients.AddRange(clients);
        (cast.Ada, cast.Zoe) = (clients[5], clients[6]);
        for (int at = 0; at < 5; at++)
        {
            cast.Add(new Actor("SVWEO"[at], clients[at], clients[at].Headers));
        }

        await cast.AddListsAsync();
        await cast.AddKeysAsync();
        await cast.AddEndedAsync();
        return cast;
    }

    public TaskList ListOf(ListKind kind, Actor actor) => kind switch
    {
        ListKind.Own => _own[actor.Account.Account.Id],
        ListKind.Shared => Shared,
        ListKind.Foreign => Foreign,
        _ => Deleted,
    };

    /// <summary>An owner of the list, by a session.</summary>
    public Client OwnerOf(ListKind kind, Actor actor) => kind switch
    {
        ListKind.Own => actor.Account,
        ListKind.Foreign => Zoe,
        _ => Ada,
    };

    /// <summary>A list of the actor's account that it reaches, whatever its key says.</summary>
    public TaskList ReachedBy(Actor actor) => actor.Letter switch
    {
        'a' => Elsewhere,
        'Z' => Foreign,
        _ => ListOf(ListKind.Own, actor),
    };

    /// <summary>Gives the actor's account its role in the shared list, if it has left it.</summary>
    public async Task ComeBackAsync(Actor actor)
    {
        Actor session = _actors.Values.First(other => other.Account == actor.Account);
        Role role = (Role)"SVWEO".IndexOf(session.Letter);
        if (role != Role.Unspecified)
        {
            await Ada.ShareAsync(Shared, actor.Account, role);
        }
    }

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    private async Task AddListsAsync()
    {
        Client[] owners = [.. _actors.Values.Select(actor => actor.Account)];
        Client o = _actors['O'].Account;
        TaskList[] lists = await Task.WhenAll(
            [.. owners.Select(owner => owner.CreateListAsync()), o.CreateListAsync(), Ada.CreateListAsync(),
                Ada.CreateListAsync(), Zoe.CreateListAsync()]);
        for (int at = 0; at < owners.Length; at++)
        {
            _own.Add(owners[at].Account.Id, lists[at]);
        }

        (Elsewhere, Shared, Deleted, Foreign) = (lists[5], lists[6], lists[7], lists[8]);
        await Task.WhenAll(
            from role in new[] { Role.Viewer, Role.Worker, Role.Editor, Role.Owner }
            from list in new[] { Shared, Deleted }
            select Ada.ShareAsync(list, owners[(int)role], role));
        await Task.WhenAll(
            [.. owners.Select(owner => owner.AddAsync(_own[owner.Account.Id])), o.AddAsync(Elsewhere),
                Ada.AddAsync(Shared), Ada.AddAsync(Deleted), Zoe.AddAsync(Foreign)]);
    }

    private async Task AddKeysAsync()
    {
        Actor o = _actors['O'];
        Actor[] keys = await Task.WhenAll(
            [.. Enumerable.Range(0, 4).Select(at => AddKeyAsync("vweo"[at], o, (Role)(at + 1))),
                AddKeyAsync('a', o, Role.Owner, Elsewhere),
                AddKeyAsync('n', o, Role.Owner, ListOf(ListKind.Own, o), Shared, Deleted),
                AddKeyAsync('u', _actors['V'], Role.Owner)]);
        Array.ForEach(keys, Add);
    }

    private static async Task<Actor> AddKeyAsync(char letter, Actor of, Role role, params TaskList[] lists)
    {
        (_, Metadata headers) = await of.Account.AddKeyAsync(role, null, lists);
        string[]? named = lists.Length == 0 ? null : [.. lists.Select(list => list.Id)];
        return new Actor(letter, of.Account, headers, Named: named);
    }

    /// <summary>Those that speak for O no more, and one that never spoke for anyone.</summary>
    private async Task AddEndedAsync()
    {
        Client o = _actors['O'].Account;
        (ApiKey revoked, Metadata revokedKey) = await o.AddKeyAsync();
        await o.Accounts.GetAccountAsync(new(), revokedKey); // so that memory knows it
        await o.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = revoked.Id }, o.Headers);
        (ApiKey expired, Metadata expiredKey) = await o.AddKeyAsync();
        (Tokens old, Tokens ended) = await _server.Get<Journal>().RunAsync(
            scope =>
            {
                var sessions = _server.Get<SessionChanges>();
                return (
                    sessions.Begin(scope, o.Account.Id, "test"), sessions.Begin(scope, o.Account.Id, "test"));
            },
            null, 0, CancellationToken.None);

        // As if their time had come: the clock stands, for the others.
        long now = Micros.Of(_server.Get<TimeProvider>().GetUtcNow());
        await _server.Get<Journal>().RunAsync(
            scope =>
            {
                scope.Db.ApiKeys.Single(key => key.Id == expired.Id).ExpireTimeMicros = now;
                byte[] hash = Token.Hash(old.AccessToken);
                scope.Db.Tokens.Single(token => token.Hash == hash).ExpireTimeMicros = now;
                return true;
            },
            null, 0, CancellationToken.None);
        await o.Accounts.GetAccountAsync(new(), Client.Bearer(ended.AccessToken));
        await o.Auth.LogoutAsync(new(), Client.Bearer(ended.AccessToken));

        Add(new Actor('N', o, [], "TOKEN_MISSING"));
        Add(new Actor('G', o, Client.Bearer(Token.New(Token.Access)), "TOKEN_INVALID"));
        Add(new Actor('X', o, Client.Bearer(old.AccessToken), "TOKEN_EXPIRED"));
        Add(new Actor('R', o, Client.Bearer(ended.AccessToken), "TOKEN_INVALID"));
        Add(new Actor('x', o, expiredKey, "TOKEN_EXPIRED"));
        Add(new Actor('r', o, revokedKey, "TOKEN_INVALID"));
    }

    private void Add(Actor actor) => _actors.Add(actor.Letter, actor);
}
