using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Squall.Server;

/// <summary>
/// What SQLite is told of how many rows there are to each value of an index. Untold, it takes the order of a list for
/// worth more than the few tasks of one assignee, and goes through the whole list to find them. It is told once and
/// for all, not counted: then a plan does not depend on the day, and a test can hold it.
/// </summary>
internal static class QueryPlans
{
    private static readonly (string Table, string Index, string Rows)[] Told =
    [
        ("tasks", "IX_tasks_Id", "1000000 1"),
        ("tasks", "IX_tasks_ListId_Rank", "1000000 1000 2"),
        ("tasks", "IX_tasks_ListId_State_Rank", "1000000 1000 500 2"),
        ("tasks", "IX_tasks_ListId_Title", "1000000 1000 2"),
        ("tasks", "IX_tasks_ListId_CreateTimeMicros", "1000000 1000 1"),
        ("tasks", "IX_tasks_ListId_UpdateTimeMicros", "1000000 1000 1"),
        ("tasks", "IX_tasks_ListId_DueTimeMicros", "300000 300 2"),
        ("tasks", "IX_tasks_ListId_CompleteTimeMicros", "300000 300 1"),
        ("tasks", "IX_tasks_ListId_Priority", "300000 300 100"),
        ("tasks", "IX_tasks_AssigneeId_ListId", "300000 300 100"),
        ("tasks", "IX_tasks_ParentId", "100000 10"),
    ];

    /// <summary>Tells it, unless it knows; connections that are open do not learn of it.</summary>
    public static void Tell(SquallDb db)
    {
        const string Known = "SELECT tbl || ' ' || idx || ' ' || stat AS \"Value\" FROM sqlite_stat1";
        const string HasTable = "SELECT count(*) AS \"Value\" FROM sqlite_schema WHERE name = 'sqlite_stat1'";
        string[] told = [.. Told.Select(index => $"{index.Table} {index.Index} {index.Rows}")];
        if (db.Database.SqlQueryRaw<int>(HasTable).Single() > 0
            && db.Database.SqlQueryRaw<string>(Known).AsEnumerable().Order(StringComparer.Ordinal)
                .SequenceEqual(told.Order(StringComparer.Ordinal)))
        {
            return;
        }

        db.Database.ExecuteSqlRaw("PRAGMA analysis_limit=1");
        using (IDbContextTransaction transaction = db.Database.BeginTransaction())
        {
            db.Database.ExecuteSqlRaw("ANALYZE tasks; DELETE FROM sqlite_stat1");
            foreach ((string table, string index, string rows) in Told)
            {
                db.Database.ExecuteSql($"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ({table}, {index}, {rows})");
            }

            transaction.Commit();
        }

        db.Database.ExecuteSqlRaw("ANALYZE sqlite_schema");
    }
}
