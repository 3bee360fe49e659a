using Microsoft.Extensions.Logging.Abstractions;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A journal over a database file of its own, with the memory that stands on it, and no server.</summary>
internal sealed class Ground : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("squall-").FullName;

    private Ground(Limits limits)
    {
        Limits = limits;
        Store = new Store(Path.Combine(_directory, "squall.db"));
        Journal = new Journal(Store, limits, Time, NullLogger<Journal>.Instance);
        Sessions = new Sessions(Store, Time);
        Memberships = new Memberships(Store);
        Changes = new SessionChanges(Sessions, limits);
    }

    public Limits Limits { get; }
    public FakeTime Time { get; } = new();
    public Store Store { get; }
    public Journal Journal { get; }
    public Sessions Sessions { get; }
    public Memberships Memberships { get; }
    public SessionChanges Changes { get; }

    public static async Task<Ground> StartAsync(Limits? limits = null)
    {
        var ground = new Ground(limits ?? new Limits());
        ground.Journal.Start();
        await ground.Memberships.LoadAsync(CancellationToken.None);
        ground.Journal.Committed += ground.Memberships.Apply;
        ground.Journal.Committed += ground.Sessions.Apply;
        return ground;
    }

    public Task<T> RunAsync<T>(Func<ChangeScope, T> change) =>
        Journal.RunAsync(change, null, 0, CancellationToken.None);

    public Task<T> ReadAsync<T>(Func<SquallDb, T> read) => Store.ReadAsync(read, CancellationToken.None);

    public Task<string> AddAccountAsync(string username) => RunAsync(scope =>
    {
        var account = new AccountRow { Id = Ids.New(scope.NowMicros), Username = username };
        scope.Db.Accounts.Add(account);
        return account.Id;
    });

    public Task<Tokens> LoginAsync(string accountId) => RunAsync(scope => Changes.Begin(scope, accountId, "test"));

    public ValueTask<Caller> AuthenticateAsync(string token) => Sessions.AuthenticateAsync(
        token, new Need(Proof.Session, Role.Unspecified), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Store.Dispose();
        await Journal.StopAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
