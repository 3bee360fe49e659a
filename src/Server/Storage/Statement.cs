using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// SQL of our own, for what nearly every change asks and writes: to have EF do it costs several times what SQLite
/// does.
/// </summary>
internal static class Statement
{
    /// <summary>
    /// Runs it at once, ahead of what EF is still to save; gives the first value of its first row, null for none. A
    /// text always comes with the same parameters in the same order.
    /// </summary>
    public static object? Execute(
        this SquallDb db, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        ((PreparedConnection)db.Database.GetDbConnection()).Direct.Run(sql, parameters);
}
