using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// SQL of our own, for the rows that nearly every change writes and that are never read back within it: to have EF
/// track one costs several times what writing it does.
/// </summary>
internal static class Statement
{
    /// <summary>Runs it at once, ahead of what EF is still to save; gives the first value of its first row.</summary>
    public static object? Execute(
        this SquallDb db, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using DbCommand command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object? value) in parameters)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        return command.ExecuteScalar();
    }
}
