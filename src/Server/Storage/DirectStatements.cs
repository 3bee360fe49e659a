using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Squall.Server;

/// <summary>
/// The statements of <see cref="Statement"/> on one connection, run without a command, parameters and a reader of
/// ADO.NET, which cost several times what SQLite does. They stay prepared; there are as many as the code has.
/// </summary>
internal sealed class DirectStatements(SqliteConnection connection) : IDisposable
{
    private const int StatementsMax = 200;
    private readonly Dictionary<string, Prepared> _prepared = [];

    /// <summary>Runs one to its end; gives the first value of its first row.</summary>
    /// <exception cref="SqliteException">As a command throws it.</exception>
    public object? Run(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        Prepared prepared = Find(sql, parameters);
        try
        {
            for (int at = 0; at < parameters.Length; at++)
            {
                Bind(prepared.Handle, prepared.Places[at], parameters[at].Value);
            }

            object? first = null;
            int code = raw.sqlite3_step(prepared.Handle);
            if (code == raw.SQLITE_ROW)
            {
                first = Read(prepared.Handle);
                while (code == raw.SQLITE_ROW)
                {
                    code = raw.sqlite3_step(prepared.Handle);
                }
            }

            SqliteException.ThrowExceptionForRC(code, connection.Handle);
            return first;
        }
        finally
        {
            // Its fault, if there was one, has been thrown.
            _ = raw.sqlite3_reset(prepared.Handle);
        }
    }

    public void Dispose()
    {
        foreach (Prepared prepared in _prepared.Values)
        {
            prepared.Handle.Dispose();
        }

        _prepared.Clear();
    }

    private Prepared Find(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (_prepared.TryGetValue(sql, out Prepared? prepared))
        {
            return prepared;
        }

        if (_prepared.Count >= StatementsMax)
        {
            Dispose();
        }

        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v2(connection.Handle, sql, out sqlite3_stmt handle), connection.Handle);
        int[] places = new int[parameters.Length];
        for (int at = 0; at < places.Length; at++)
        {
            places[at] = raw.sqlite3_bind_parameter_index(handle, parameters[at].Name);
        }

        if (raw.sqlite3_bind_parameter_count(handle) != places.Length || places.Contains(0))
        {
            handle.Dispose();
            throw new ArgumentException("A statement and its parameters differ.", nameof(parameters));
        }

        return _prepared[sql] = new Prepared(handle, places);
    }

    private void Bind(sqlite3_stmt handle, int place, object? value)
    {
        int code = value switch
        {
            null => raw.sqlite3_bind_null(handle, place),
            string text => BindText(handle, place, text),
            long number => raw.sqlite3_bind_int64(handle, place, number),
            int number => raw.sqlite3_bind_int64(handle, place, number),
            bool flag => raw.sqlite3_bind_int64(handle, place, flag ? 1 : 0),
            byte[] bytes => raw.sqlite3_bind_blob(handle, place, bytes),
            _ => throw new ArgumentException($"A parameter is a {value.GetType()}.", nameof(value)),
        };
        SqliteException.ThrowExceptionForRC(code, connection.Handle);
    }

    private static int BindText(sqlite3_stmt handle, int place, string text)
    {
        const int Few = 512;
        int max = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = max > Few ? ArrayPool<byte>.Shared.Rent(max) : null;
        Span<byte> utf8 = rented ?? stackalloc byte[Few];
        int code = raw.sqlite3_bind_text(handle, place, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return code;
    }

    private static object? Read(sqlite3_stmt handle) => raw.sqlite3_column_type(handle, 0) switch
    {
        raw.SQLITE_INTEGER => raw.sqlite3_column_int64(handle, 0),
        raw.SQLITE_TEXT => raw.sqlite3_column_text(handle, 0).utf8_to_string(),
        raw.SQLITE_BLOB => raw.sqlite3_column_blob(handle, 0).ToArray(),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(handle, 0),
        _ => null,
    };

    /// <param name="Places">Of the parameters, in the order in which its caller names them.</param>
    private sealed record Prepared(sqlite3_stmt Handle, int[] Places);
}
