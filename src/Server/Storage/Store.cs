using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server;

/// <summary>
/// Opens the database file: one connection that writes and checkpoints, and read-only ones that are kept open.
/// (SQLite before 3.51.3 can corrupt a WAL that two connections reset, so that only the writer's may.)
/// </summary>
internal sealed partial class Store : IDisposable
{
    private const int ReadersMax = 32;

    /// <summary>
    /// How long another program that holds the file locked is waited for; a start, too, is refused then.
    /// </summary>
    public const int BusySecondsMax = 3;

    /// <summary>
    /// The provider goes on by itself until so much is over: the least it takes, for SQLite has waited.
    /// </summary>
    private const int ProviderWaitSeconds = 1;

    // One options object for all contexts of the store: compiled queries are bound to the model that it makes.
    private readonly DbContextOptions<SqliteSquallDb> _options;
    private readonly string _file;
    private readonly ILogger _log;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly ConcurrentBag<SquallDb> _idle = [];
    private readonly SemaphoreSlim _free = new(ReadersMax);

    public Store(string file, ILogger? log = null)
    {
        _file = file;
        _log = log ?? NullLogger.Instance;
        _options = new DbContextOptionsBuilder<SqliteSquallDb>()
            .UseSqlite(sqlite => sqlite.MigrationsHistoryTable(DatabaseOwner.History))
            .Options;
    }

    /// <summary>The writer's context; the journal has the one.</summary>
    /// <exception cref="ForeignDatabaseException">The file is another program's; nothing was changed.</exception>
    public SquallDb OpenWriter()
    {
        DatabaseOwner.Check(_file);
        SquallDb db = Open(SqliteOpenMode.ReadWriteCreate);
        db.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        db.Database.AutoSavepointsEnabled = false;
        db.ChangeTracker.AutoDetectChangesEnabled = true;
        Execute(db, string.Create(
            CultureInfo.InvariantCulture,
            $"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit={WriteAheadLog.BytesMax};"));
        return db;
    }

    /// <summary>
    /// Reads within one snapshot. <paramref name="read"/> does nothing but read: what it gives is sent afterwards, so
    /// that no snapshot is held while a socket is written to. A search goes on no longer than its caller waits.
    /// </summary>
    /// <exception cref="RpcException">UNAVAILABLE: the disk failed, which SQLite may take for a broken file.
    /// </exception>
    public async Task<T> ReadAsync<T>(Func<SquallDb, T> read, CancellationToken cancelled)
    {
        await _free.WaitAsync(cancelled);
        try
        {
            if (!_idle.TryTake(out SquallDb? db))
            {
                db = OpenReader();
            }

            try
            {
                return ReadSnapshot(db, read, cancelled);
            }
            finally
            {
                _idle.Add(db);
            }
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out SquallDb? db))
        {
            db.Dispose();
        }

        _free.Dispose();
    }

    private T ReadSnapshot<T>(SquallDb db, Func<SquallDb, T> read, CancellationToken cancelled)
    {
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        using SqliteTransaction snapshot = connection.BeginTransaction(deferred: true);
        db.Database.UseTransaction(snapshot);
        try
        {
            using CancellationTokenRegistration interrupt = cancelled.UnsafeRegister(
                static handle => SQLitePCL.raw.sqlite3_interrupt((SQLitePCL.sqlite3)handle!), connection.Handle);
            return read(db);
        }
        catch (SqliteException cut) when (cut.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(cut.Message, cut, cancelled);
        }
        catch (SqliteException failed) when (failed.SqliteErrorCode
            is SQLitePCL.raw.SQLITE_IOERR or SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_CORRUPT)
        {
            ReadFailed(failed);
            throw Fault.Unavailable("STORAGE_FAILED", "The database could not be read.", RetryAfter);
        }
        finally
        {
            db.Database.UseTransaction(null);
        }
    }

    /// <summary>
    /// Lets the writer keep the pages that a change's savepoint would restore in memory: in a file, as soon as they are
    /// 64 KiB, they are most of what it writes. Not for migrations, which may sort more than memory holds.
    /// </summary>
    public static void KeepUndoInMemory(SquallDb writer) => Execute(writer, "PRAGMA temp_store=MEMORY;");

    private SquallDb OpenReader()
    {
        SquallDb db = Open(SqliteOpenMode.ReadOnly);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        Execute(db, "PRAGMA wal_autocheckpoint=0;");
        return db;
    }

    private SquallDb Open(SqliteOpenMode mode)
    {
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = _file,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = ProviderWaitSeconds,
        };
        var connection = new PreparedConnection(text.ConnectionString);
        connection.Open();
        Words.AddTo(connection);
        var db = new SqliteSquallDb(_options);
        db.Database.SetDbConnection(connection, contextOwnsConnection: true);
        Execute(db, string.Create(
            CultureInfo.InvariantCulture,
            $"PRAGMA busy_timeout={BusySecondsMax * 1_000}; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;"));
        return db;
    }

    private static void Execute(SquallDb db, string pragmas)
    {
        using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = pragmas;
        command.ExecuteNonQuery();
    }

    [LoggerMessage(104, LogLevel.Error, "The database could not be read; the caller is told.")]
    private partial void ReadFailed(Exception failure);
}
