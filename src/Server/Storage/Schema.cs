using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>The database's form: made and moved on by migrations, at start.</summary>
internal static class Schema
{
    /// <exception cref="NewerDatabaseException">A newer server has migrated it; nothing was changed.</exception>
    public static void Migrate(SquallDb db)
    {
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        string? newer = db.Database.GetAppliedMigrations().FirstOrDefault(applied => !known.Contains(applied));
        if (newer is not null)
        {
            throw new NewerDatabaseException(newer);
        }

        DatabaseOwner.Sign(db);
        Unlock(db);
        db.Database.Migrate();
        QueryPlans.Tell(db);
    }

    /// <summary>
    /// EF locks migrations with a row, which stays when a start is killed, and would be waited for without end. The
    /// data directory has its own lock: whoever left the row is gone.
    /// </summary>
    private static void Unlock(SquallDb db)
    {
        const string Locks =
            $"SELECT count(*) AS \"Value\" FROM sqlite_schema WHERE name = '{DatabaseOwner.MigrationLock}'";
        if (db.Database.SqlQueryRaw<int>(Locks).Single() > 0)
        {
            db.Database.ExecuteSqlRaw($"DELETE FROM \"{DatabaseOwner.MigrationLock}\"");
        }
    }
}

/// <summary>The database was last opened by a newer version of the server.</summary>
internal sealed class NewerDatabaseException(string migration)
    : Exception($"The database was written by a newer version of Squall (it has \"{migration}\").");
