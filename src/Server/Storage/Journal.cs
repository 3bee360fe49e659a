using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Squall.Server;

/// <summary>
/// The one way to change anything. One writer takes what waits, runs each change in its own savepoint of one
/// transaction, and commits them with one flush of the disk. Since changes run one after the other, a check and its
/// write cannot be torn apart: nothing else in the server needs a lock, a retry or a unique-key race.
/// </summary>
internal sealed partial class Journal(Store store, Limits limits, TimeProvider time, ILogger<Journal> log) : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly JournalQueue _queue = new(limits);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Action<SquallDb>> _deferred = [];
    private readonly List<AuditEntry> _recorded = [];
    private SquallDb? _db;
    private ChangeScope? _scope;
    private WriteAheadLog? _log;
    private long _seq;
    private long _lastMicros;
    private Cursor _end;
    private bool _failing;

    /// <summary>
    /// Called by the writer after each commit with its changes, in order, before anyone is answered: memory first,
    /// then the tail and its bell. Handlers are quick and do not throw.
    /// </summary>
    public event Action<IReadOnlyList<ChangeRow>>? Committed;

    /// <summary>Called after that with what the audit trail tells of them, likewise.</summary>
    public event Action<IReadOnlyList<AuditEntry>>? Recorded;

    public long Epoch { get; private set; }

    /// <summary>The place of the newest durable change. Written by the writer alone.</summary>
    public Cursor End
    {
        get
        {
            lock (_queue)
            {
                return _end;
            }
        }
    }

    /// <summary>Opens the database at its newest migration, and starts the writer.</summary>
    public void Start()
    {
        _db = store.OpenWriter();
        Schema.Migrate(_db);
        Store.KeepUndoInMemory(_db);
        Load(_db);
        _scope = new ChangeScope(_db, Epoch);
        _log = new WriteAheadLog((SqliteConnection)_db.Database.GetDbConnection());
        new Thread(Write) { Name = "journal", IsBackground = true }.Start();
    }

    /// <summary>Refuses new changes, commits the accepted ones, and closes the database.</summary>
    public Task StopAsync()
    {
        _queue.Close();
        return _scope is null ? Task.CompletedTask : _stopped.Task;
    }

    /// <summary>
    /// Runs <paramref name="change"/> in a shared transaction and answers once that is durable.
    /// <paramref name="accountId"/> says whose place in the queue it takes; null: the server's own change, or one that
    /// ends access, which is not counted and goes first. A change that is cancelled before the writer takes it is not
    /// run.
    /// </summary>
    /// <exception cref="RpcException">What the change throws; RESOURCE_EXHAUSTED: the queue is full; UNAVAILABLE:
    /// it could not be stored, and nothing of it was.</exception>
    public Task<T> RunAsync<T>(
        Func<ChangeScope, T> change, string? accountId, long bytes, CancellationToken cancelled)
    {
        var queued = new QueuedChange<T>(change, accountId, bytes, cancelled);
        _queue.Add(queued);
        return queued.Answered;
    }

    public void Dispose() => _db?.Dispose();

    private void Load(SquallDb db)
    {
        JournalRow? journal = db.Journals.SingleOrDefault();
        if (journal is null)
        {
            journal = new JournalRow { Id = 1, Epoch = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) };
            db.Journals.Add(journal);
            db.SaveChanges();
        }

        ChangeRow? last = db.Changes.OrderByDescending(change => change.Seq).FirstOrDefault();
        db.ChangeTracker.Clear();
        Epoch = journal.Epoch;
        _seq = last?.Seq ?? journal.FloorSeq;
        _lastMicros = last?.TimeMicros ?? journal.FloorTimeMicros;
        _end = new Cursor(Epoch, _seq, (uint)(last?.Mark ?? journal.FloorMark));
    }

    private void Write()
    {
        var taken = new List<QueuedChange>();
        var told = new List<ChangeRow>();
        while (_queue.WaitForOne())
        {
            taken.Clear();
            told.Clear();
            _deferred.Clear();
            _recorded.Clear();
            WriteBatch(taken, told);
            _log!.Shorten();
        }

        _db!.Dispose();
        _stopped.TrySetResult();
    }

    /// <summary>
    /// (1) Takes what waits and runs it in one transaction, (2) does what was deferred to its end, and commits,
    /// (3) brings memory up to date, (4) answers.
    /// </summary>
    private void WriteBatch(List<QueuedChange> taken, List<ChangeRow> told)
    {
        long durableSeq = _seq;
        bool written = false;
        try
        {
            using IDbContextTransaction transaction = _db!.Database.BeginTransaction();
            RunBatch(taken, told);
            _deferred.ForEach(write => write(_db));
            CountBytes(told);
            written = true;
            transaction.Commit();
        }
        catch (Exception failure)
        {
            _seq = durableSeq;
            _db!.ChangeTracker.Clear();
            if (taken.Count == 0 && _queue.TryTake() is { } next)
            {
                taken.Add(next); // It could not even begin: refuse one, so that none waits for a disk that is gone.
            }

            LogFailure(failure, taken.Count);
            if (written)
            {
                Overwrite();
            }

            taken.ForEach(change => change.Refuse(NotStored()));
            taken.ForEach(change => change.Answer());
            return;
        }

        if (_failing && taken.Count > 0)
        {
            _failing = false;
            CommitsAgain();
        }

        if (told.Count > 0)
        {
            lock (_queue)
            {
                _end = new Cursor(Epoch, told[^1].Seq, (uint)told[^1].Mark);
            }

            Committed?.Invoke(told);
        }

        if (_recorded.Count > 0)
        {
            Recorded?.Invoke(_recorded);
        }

        taken.ForEach(change => change.Answer());
    }

    /// <summary>
    /// A commit that was written and could not be synced stands whole in SQLite's log until the next one is written in
    /// its place: a server that is killed before that would find it there, though its callers were told that nothing
    /// was stored. So another one is written at once, of nothing; whether that can be synced does not matter.
    /// </summary>
    private void Overwrite()
    {
        try
        {
            using IDbContextTransaction transaction = _db!.Database.BeginTransaction();

            // There and back: SQLite writes nothing where nothing differs.
            _db.Execute("UPDATE journal SET \"Bytes\" = \"Bytes\" + 1");
            _db.Execute("UPDATE journal SET \"Bytes\" = \"Bytes\" - 1");
            transaction.Commit();
        }
        catch (Exception failure)
        {
            LogFailure(failure, 0);
        }
    }

    private void RunBatch(List<QueuedChange> taken, List<ChangeRow> told)
    {
        long started = time.GetTimestamp();
        long bytes = 0;
        while (taken.Count < limits.CommitChangesMax && bytes < limits.CommitBytesMax)
        {
            bool late = taken.Count > 0 && time.GetElapsedTime(started) > limits.CommitTimeMax;
            if (late || _queue.TryTake() is not { } change)
            {
                return;
            }

            // Before it runs: whatever happens to the batch from here on, its caller is told.
            taken.Add(change);
            bytes += change.Bytes;
            RunOne(change, told);
        }
    }

    /// <summary>Undoes it alone if it fails; throws if the transaction is lost with it.</summary>
    private void RunOne(QueuedChange change, List<ChangeRow> told)
    {
        SquallDb db = _db!;
        long now = Math.Max(Micros.Of(time.GetUtcNow()), _lastMicros + 1);
        try
        {
            db.Execute("SAVEPOINT change");
            _scope!.Begin(_seq, now);
            change.Run(_scope);
            if (db.ChangeTracker.Entries().Any())
            {
                db.SaveChanges();
                db.ChangeTracker.Clear();
            }

            db.Execute("RELEASE change");
        }
        catch (Exception failure) when (StillOpen())
        {
            db.ChangeTracker.Clear();
            db.Execute("ROLLBACK TO change");
            db.Execute("RELEASE change");
            change.Refuse(failure is RpcException ? failure : Unexpected(failure));
            return;
        }

        _lastMicros = now;
        _seq = _scope.NextSeq - 1;
        told.AddRange(_scope.Told);
        _deferred.AddRange(_scope.Deferred);
        _recorded.AddRange(_scope.Recorded);
    }

    /// <summary>In the changes' own transaction: what is lost with it was never counted.</summary>
    private void CountBytes(List<ChangeRow> told)
    {
        if (told.Count > 0)
        {
            _db!.Execute("UPDATE journal SET \"Bytes\" = \"Bytes\" + @bytes", ("@bytes", told.Sum(row => row.Bytes)));
        }
    }

    /// <summary>SQLite ends the transaction by itself after some errors, a full disk for one.</summary>
    private bool StillOpen()
    {
        var connection = (SqliteConnection)_db!.Database.GetDbConnection();
        return SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0;
    }

    private Exception Unexpected(Exception failure)
    {
        ChangeFailed(failure);
        return failure is SqliteException or DbUpdateException { InnerException: SqliteException }
            ? NotStored()
            : failure;
    }

    /// <summary>The first of a row at length; a full disk is not filled up with the rest of them.</summary>
    private void LogFailure(Exception failure, int changes)
    {
        if (_failing)
        {
            AnotherCommitFailed(changes);
            return;
        }

        _failing = true;
        CommitFailed(failure, changes);
    }

    private static RpcException NotStored() =>
        Fault.Unavailable("STORAGE_FAILED", "The change could not be stored, and nothing of it was.", RetryAfter);

    [LoggerMessage(100, LogLevel.Error, "A commit of {Changes} changes failed; their callers are told.")]
    private partial void CommitFailed(Exception failure, int changes);

    [LoggerMessage(102, LogLevel.Debug, "Another commit of {Changes} changes failed.")]
    private partial void AnotherCommitFailed(int changes);

    [LoggerMessage(103, LogLevel.Warning, "Changes are stored again.")]
    private partial void CommitsAgain();

    [LoggerMessage(101, LogLevel.Error, "A change failed; it was undone and its caller is told.")]
    private partial void ChangeFailed(Exception failure);
}
