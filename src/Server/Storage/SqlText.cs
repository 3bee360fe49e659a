using System.Data.Common;
using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Squall.Server;

/// <summary>
/// A statement with its values apart, for those that are put together from a request. EF would compile each that it
/// has not seen before, which costs many times what to run it does.
/// </summary>
internal sealed class SqlText
{
    private readonly StringBuilder _text = new();
    private readonly List<object> _values = [];

    public IReadOnlyList<object> Values => _values;

    public SqlText Write(string sql)
    {
        _text.Append(sql);
        return this;
    }

    public SqlText Value(object value)
    {
        _text.Append(NameOf(_values.Count));
        _values.Add(value);
        return this;
    }

    public override string ToString() => _text.ToString();

    /// <summary>Runs it, as its rows are taken.</summary>
    public IEnumerable<T> Read<T>(SquallDb db, Func<DbDataReader, T> read)
    {
        using DbCommand command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        command.CommandText = ToString();
        for (int at = 0; at < _values.Count; at++)
        {
            DbParameter parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (NameOf(at), _values[at]);
            command.Parameters.Add(parameter);
        }

        using DbDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return read(rows);
        }
    }

    private static string NameOf(int value) => string.Create(CultureInfo.InvariantCulture, $"@p{value}");
}
