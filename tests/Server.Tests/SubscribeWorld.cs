using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// The journal, its file, memory and the notification service, without a wire; and changes, in few words. It can be
/// stopped and opened again on its file.
/// </summary>
internal sealed class SubscribeWorld : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("squall").FullName;
    private Store _store = null!;
    private JournalPages _pages = null!;
    private Subscriptions _subscriptions = null!;
    private int _names;

    private SubscribeWorld()
    {
    }

    public Limits Limits { get; } = new();

    /// <summary>What memory is told of what was committed; a control keeps something from it.</summary>
    public Func<IReadOnlyList<ChangeRow>, IReadOnlyList<ChangeRow>> Learns { get; init; } = rows => rows;

    public string File => Path.Combine(_directory, "squall.db");

    public FakeTime Time { get; } = new();

    public Journal Journal { get; private set; } = null!;

    public Retention Retention { get; private set; } = null!;

    public Tail Tail { get; private set; } = null!;

    public Bell Bell { get; private set; } = null!;

    public CatchUp Turns { get; private set; } = null!;

    public Memberships Memberships { get; private set; } = null!;

    public NotificationRpcs Rpcs { get; private set; } = null!;

    public Store Store => _store;

    public JournalPages Pages => _pages;

    public static async Task<SubscribeWorld> StartAsync(
        Action<Limits>? limits = null, Func<IReadOnlyList<ChangeRow>, IReadOnlyList<ChangeRow>>? learns = null)
    {
        var world = new SubscribeWorld { Learns = learns ?? (rows => rows) };
        limits?.Invoke(world.Limits);
        await world.OpenAsync();
        return world;
    }

    /// <summary>Stops all, and opens the file again with an empty memory.</summary>
    /// <param name="between">What is done to the file meanwhile.</param>
    public async Task RestartAsync(Action<string>? between = null)
    {
        await CloseAsync();
        between?.Invoke(File);
        await OpenAsync();
    }

    /// <param name="beforeHeaders">What happens while the stream begins.</param>
    /// <param name="inStep">The stream is written to no faster than it is read.</param>
    public SubscribeCall Subscribe(
        string account, SubscribeRequest request, Func<Task>? beforeHeaders = null, bool inStep = false) =>
        new(Rpcs, account, SessionOf(account), request, beforeHeaders, inStep);

    public SubscribeCall Subscribe(string account, string after = "", string filter = "", bool snapshot = false) =>
        Subscribe(account, new SubscribeRequest { After = after, Filter = filter, Snapshot = snapshot });

    /// <summary>With the account's key.</summary>
    public SubscribeCall SubscribeByKey(string account, ApiKeyRow key) =>
        new(Rpcs, account, key.Id, new SubscribeRequest(), key: key.Reach());

    public async Task<ListNotificationsResponse> ListAsync(string account, ListNotificationsRequest request) =>
        await Rpcs.ListNotifications(request, DirectCall.Of(account, SessionOf(account), CancellationToken.None));

    public Task<T> ChangeAsync<T>(Func<ChangeScope, T> change) =>
        Journal.RunAsync(change, null, 0, CancellationToken.None);

    public async Task<string> AccountAsync() => await ChangeAsync(change =>
    {
        string id = Ids.New(change.NowMicros);
        change.Db.Accounts.Add(new AccountRow { Id = id, Username = $"user{++_names}" });
        change.Db.Sessions.Add(new SessionRow { Id = SessionOf(id), AccountId = id });
        return id;
    });

    public Task<ApiKeyRow> AddKeyAsync(string account, params string[] lists) => ChangeAsync(change =>
    {
        var key = new ApiKeyRow
        {
            Id = Ids.New(change.NowMicros), AccountId = account, Hash = Token.Hash(Token.New(Token.ApiKey)),
            Role = (int)Role.Viewer, ListIds = ApiKeyRow.Joined(lists),
        };
        change.Db.ApiKeys.Add(key);
        return key;
    });

    /// <summary>Ends all keys of the account.</summary>
    public Task EndKeysAsync(string account) => ChangeAsync(change =>
    {
        ApiKeys.EndAll(change, account);
        return true;
    });

    /// <summary>Removes what is older than the newest changes, which are so many.</summary>
    public async Task TrimAsync(long keep)
    {
        Limits.JournalChangesMax = keep;
        await Retention.TrimAsync(CancellationToken.None);
    }

    public Task EndSessionAsync(string account) => ChangeAsync(change =>
    {
        change.Db.Sessions.Remove(change.Db.Sessions.Single(row => row.Id == SessionOf(account)));
        return change.Note(ChangeKind.SessionEnded, account, SessionOf(account));
    });

    /// <summary>What the commit that ends the session does to memory, at once.</summary>
    public void LearnSessionEnded(string account) => _subscriptions.Apply(
        [new ChangeRow { Kind = (int)ChangeKind.SessionEnded, AccountId = account, TaskId = SessionOf(account) }]);

    public static string SessionOf(string account) => $"session of {account}";

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task OpenAsync()
    {
        _store = new Store(File);
        Journal = new Journal(_store, Limits, Time, NullLogger<Journal>.Instance);
        Retention = new Retention(Journal, Limits);
        Memberships = new Memberships(_store);
        Tail = new Tail(Limits);
        Bell = new Bell(Tail, Memberships);
        _pages = new JournalPages(_store, Tail);
        _subscriptions = new Subscriptions(Limits, Time);
        Turns = new CatchUp(Time);
        Rpcs = new NotificationRpcs(
            _store, Tail, Bell, Turns, _pages, _subscriptions, Memberships, Limits, Time);
        Journal.Start();
        await Memberships.LoadAsync(CancellationToken.None);
        Journal.Committed += rows => Memberships.Apply(Learns(rows));
        Journal.Committed += rows => _subscriptions.Apply(Learns(rows));
        Tail.Start(Journal.End);
        Journal.Committed += Tail.Append;
        Journal.Committed += Bell.Ring;
    }

    private async Task CloseAsync()
    {
        Retention.Dispose();

        // The writer's connection, closed last, leaves one file behind.
        _pages.Dispose();
        _store.Dispose();
        await Journal.StopAsync();
    }
}
