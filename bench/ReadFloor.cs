using Squall.V1;
using SQLitePCL;

namespace Squall.Bench;

/// <summary>The floor of GetTask: its statement, prepared once, run again and again by one thread.</summary>
internal sealed class ReadFloor(SqliteFile database, TaskItem task, TimeProvider time)
{
    private readonly sqlite3_stmt _select = Bind(database.Prepare("""
        SELECT Id, AssigneeId, CommentCount, CompleteTimeMicros, CreateTimeMicros, CreatorId, DueTimeMicros, Labels,
            ListId, Note, ParentId, Priority, Rank, State, StepCount, Title, UpdateTimeMicros, Version
        FROM tasks
        WHERE Id = ?1 AND EXISTS (
            SELECT 1 FROM members
            WHERE members.ListId = tasks.ListId AND members.AccountId = ?2 AND members.EndSeq IS NULL)
        LIMIT 2
        """), task);

    public Measurement Measure(TimeSpan duration)
    {
        int reads = 0;
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long begun = time.GetTimestamp();
        for (; time.GetElapsedTime(begun) < duration; reads++)
        {
            database.Execute(_select);
        }

        return new Measurement(reads, time.GetElapsedTime(begun), Environment.CpuUsage.TotalTime - cpu);
    }

    private static sqlite3_stmt Bind(sqlite3_stmt select, TaskItem task)
    {
        raw.sqlite3_bind_text(select, 1, task.Id);
        raw.sqlite3_bind_text(select, 2, task.CreatorId);
        return select;
    }
}
