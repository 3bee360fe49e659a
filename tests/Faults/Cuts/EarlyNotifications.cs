using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;
using SQLitePCL;

namespace Squall.Faults;

/// <summary>
/// The control: subscribers are told of a change as its commit begins, which comes 50 ms later. It hears from SQLite
/// what the writer does, and takes the bell and the tail away from what follows commits.
/// </summary>
internal sealed class EarlyNotifications
{
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(50);
    private static readonly ManualResetEventSlim Never = new();
    private readonly Tail _tail;
    private readonly Bell _bell;
    private readonly ChangeScope _scope;
    private readonly List<ChangeRow> _told = [];
    private bool _undone;

    private EarlyNotifications(IServiceProvider services, ChangeScope scope)
    {
        _tail = services.GetRequiredService<Tail>();
        _bell = services.GetRequiredService<Bell>();
        _scope = scope;
        Journal journal = services.GetRequiredService<Journal>();
        journal.Committed -= _tail.Append;
        journal.Committed -= _bell.Ring;
        sqlite3 writer = ((SqliteConnection)scope.Db.Database.GetDbConnection()).Handle!;
        raw.sqlite3_trace(writer, (_, statement) => Follow(statement), null);
        raw.sqlite3_commit_hook(writer, _ => Tell(), null);
    }

    /// <summary>Changes the wiring of a server that has not been called yet.</summary>
    public static Task WireAsync(IServiceProvider services) => services.GetRequiredService<Journal>().RunAsync(
        scope => new EarlyNotifications(services, scope), null, 0, CancellationToken.None);

    /// <summary>A change that has run gives up its savepoint; one that is refused is undone before that.</summary>
    private void Follow(string statement)
    {
        if (statement.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase))
        {
            _told.Clear();
        }
        else if (statement.StartsWith("ROLLBACK TO", StringComparison.Ordinal))
        {
            _undone = true;
        }
        else if (statement.StartsWith("RELEASE change", StringComparison.Ordinal))
        {
            _told.AddRange(_undone ? [] : _scope.Told);
            _undone = false;
        }
    }

    private int Tell()
    {
        if (_told.Count == 0)
        {
            return 0;
        }

        _tail.Append(_told);
        _bell.Ring(_told);
        return Never.Wait(Lead) ? 1 : 0;
    }
}
