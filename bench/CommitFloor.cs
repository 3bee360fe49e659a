using Squall.Server;
using SQLitePCL;

namespace Squall.Bench;

/// <summary>
/// The floor of CreateTask: its statements on its schema, prepared once and run by one thread, which does nothing else.
/// As many share a commit as there are callers, up to what the server lets share one: each caller's next call is there
/// when the commit ends.
/// </summary>
internal sealed class CommitFloor : IDisposable
{
    private const int RankDigits = 6;
    private const string Title = "A task of the bench";
    private const string Rpc = "/squall.v1.TaskService/CreateTask";
    private static readonly int CommitChangesMax = new Limits().CommitChangesMax;
    private static readonly byte[] Hash = new byte[32];
    private readonly byte[] _notification;
    private readonly TimeSpan _flush;
    private readonly SqliteFile _database;
    private readonly TimeProvider _time;
    private readonly sqlite3_stmt _begin;
    private readonly sqlite3_stmt _commit;
    private readonly sqlite3_stmt[] _asked;
    private readonly sqlite3_stmt _earlier;
    private readonly sqlite3_stmt _task;
    private readonly sqlite3_stmt _change;
    private readonly sqlite3_stmt _request;
    private readonly sqlite3_stmt _words;
    private readonly sqlite3_stmt _bytes;
    private long _seq;

    /// <param name="file">With the server's schema.</param>
    /// <param name="notificationBytes">As large as what the server stores with a change.</param>
    /// <param name="flush">How much longer a commit takes than on this machine's disk.</param>
    public CommitFloor(string file, int notificationBytes, TimeSpan flush, TimeProvider time)
    {
        _flush = flush;
        _notification = new byte[notificationBytes];
        _time = time;
        _database = new SqliteFile(file, readOnly: false);
        (string list, string account, string session) = (NewId(), NewId(), NewId());
        _database.Run($"""
            INSERT INTO sessions VALUES ('{session}', '{account}', 1, 1, 1, '', 1);
            INSERT INTO task_lists VALUES ('{list}', 'Floor', 1, 1, 1, 0, 1, NULL);
            INSERT INTO members VALUES ('{list}', '{account}', 4, 0, NULL, 0);
            """);
        _begin = _database.Prepare("BEGIN IMMEDIATE");
        _commit = _database.Prepare("COMMIT");
        _asked =
        [
            _database.Prepare($"SELECT EXISTS (SELECT 1 FROM sessions WHERE Id = '{session}')"),
            _database.Prepare($"""
                SELECT Role FROM members WHERE ListId = '{list}' AND AccountId = '{account}' AND EndSeq IS NULL LIMIT 2
                """),
            _database.Prepare($"""
                UPDATE task_lists SET TaskCount = TaskCount + 1 WHERE Id = '{list}' RETURNING TaskCount
                """),
            _database.Prepare($"SELECT Rank FROM tasks WHERE ListId = '{list}' ORDER BY Rank DESC LIMIT 1"),
        ];
        _earlier = _database.Prepare($"""
            SELECT Num FROM requests WHERE AccountId = '{account}' AND Rpc = '{Rpc}' AND RequestId = ?1
            """);
        _task = _database.Prepare($"""
            INSERT INTO tasks (Num, Id, AssigneeId, CommentCount, CompleteTimeMicros, CreateTimeMicros, CreatorId,
                DueTimeMicros, Labels, ListId, Note, ParentId, Priority, Rank, State, StepCount, Title,
                UpdateTimeMicros, Version)
            VALUES (?3, ?1, NULL, 0, NULL, ?3, '{account}', NULL, '[]', '{list}', NULL, NULL, 0, ?2, 1, 0, '{Title}',
                ?3, 1)
            """);
        _request = _database.Prepare($"""
            INSERT INTO requests (AccountId, Rpc, RequestId, RequestHash, Answer, TimeMicros)
            VALUES ('{account}', '{Rpc}', ?1, ?2, ?3, ?4)
            """);
        _words = _database.Prepare($"""
            INSERT INTO task_words (rowid, title, note) VALUES (?1, '{Words.Indexed(list, Words.Spell(Title))}', '')
            """);
        _bytes = _database.Prepare("UPDATE journal SET Bytes = Bytes + 500");
        _change = _database.Prepare($"""
            INSERT INTO changes (Seq, Mark, Kind, ListId, TaskId, AccountId, ActorId, TimeMicros, Notification,
                "Before")
            VALUES (?1, 123456789, 10, '{list}', ?2, '', '{account}', ?1, ?3, NULL)
            """);
    }

    /// <summary>Durable calls, so many in a commit.</summary>
    public Measurement Measure(int callers, TimeSpan duration)
    {
        int calls = 0;
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        TimeSpan waited = TimeSpan.Zero;
        long begun = _time.GetTimestamp();
        int each = Math.Min(callers, CommitChangesMax);
        for (; _time.GetElapsedTime(begun) < duration; calls += each)
        {
            _database.Execute(_begin);
            long first = _seq + 1;
            for (int caller = 0; caller < each; caller++)
            {
                Create();
            }

            for (long num = first; num <= _seq; num++)
            {
                raw.sqlite3_bind_int64(_words, 1, num);
                _database.Execute(_words);
            }

            _database.Execute(_bytes);
            _database.Execute(_commit);
            waited += Wait();
        }

        return new Measurement(calls, _time.GetElapsedTime(begun), Environment.CpuUsage.TotalTime - cpu - waited);
    }

    public void Dispose() => _database.Dispose();

    /// <summary>To the microsecond, as timers do not; the CPU time that it takes is not counted.</summary>
    private TimeSpan Wait()
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long begun = _time.GetTimestamp();
        while (_time.GetElapsedTime(begun) < _flush)
        {
        }

        return Environment.CpuUsage.TotalTime - cpu;
    }

    private void Create()
    {
        Array.ForEach(_asked, _database.Execute);
        string request = Guid.NewGuid().ToString();
        raw.sqlite3_bind_text(_earlier, 1, request);
        _database.Execute(_earlier);
        string id = NewId();
        _seq++;
        raw.sqlite3_bind_text(_task, 1, id);
        raw.sqlite3_bind_text(_task, 2, _seq.ToString($"x{RankDigits}"));
        raw.sqlite3_bind_int64(_task, 3, _seq);
        _database.Execute(_task);
        raw.sqlite3_bind_int64(_change, 1, _seq);
        raw.sqlite3_bind_text(_change, 2, id);
        raw.sqlite3_bind_blob(_change, 3, _notification);
        _database.Execute(_change);
        raw.sqlite3_bind_text(_request, 1, request);
        raw.sqlite3_bind_blob(_request, 2, Hash);
        raw.sqlite3_bind_blob(_request, 3, _notification);
        raw.sqlite3_bind_int64(_request, 4, _seq);
        _database.Execute(_request);
    }

    private static string NewId() => Guid.CreateVersion7().ToString();
}
