using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Squall.Server.Tests;

/// <summary>Statements are prepared once, and are as if each use had prepared its own.</summary>
public sealed class PreparedConnectionTests : IDisposable
{
    private readonly PreparedConnection _connection = new("Data Source=:memory:");

    public PreparedConnectionTests()
    {
        _connection.Open();
        _connection.Handle!.enable_sqlite3_next_stmt(true);
        Assert.Null(Run("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3);"));
    }

    [Fact]
    public void A_text_that_comes_again_is_not_prepared_again()
    {
        Assert.Equal(3L, Run("SELECT count(*) FROM t"));
        IntPtr[] prepared = Statements();
        Assert.NotEmpty(prepared);
        for (int use = 0; use < 10; use++)
        {
            Assert.Equal(3L, Run("SELECT count(*) FROM t"));
        }

        Assert.Equal(prepared, Statements());
    }

    [Fact]
    public void What_is_kept_is_bounded()
    {
        for (int text = 0; text < 1_000; text++)
        {
            Assert.Equal((long)text, Run(string.Create(CultureInfo.InvariantCulture, $"SELECT {text}")));
        }

        Assert.InRange(Statements().Length, 1, 100);
    }

    [Fact]
    public void Two_readers_of_one_text_have_each_its_own_place()
    {
        using SqliteCommand first = Command("SELECT n FROM t ORDER BY n");
        using SqliteCommand second = Command("SELECT n FROM t ORDER BY n");
        using SqliteDataReader one = first.ExecuteReader();
        Assert.True(one.Read());
        using (SqliteDataReader other = second.ExecuteReader())
        {
            Assert.True(other.Read());
            Assert.True(other.Read());
            Assert.Equal(2, other.GetInt32(0));
        }

        Assert.Equal(1, one.GetInt32(0));
        Assert.True(one.Read());
        Assert.Equal(2, one.GetInt32(0));
    }

    [Fact]
    public void A_parameter_of_one_use_is_not_there_in_the_next()
    {
        using (SqliteCommand first = Command("SELECT $n"))
        {
            first.Parameters.AddWithValue("$n", 7);
            Assert.Equal(7L, first.ExecuteScalar());
        }

        using SqliteCommand second = Command("SELECT $n");
        Assert.Throws<InvalidOperationException>(second.ExecuteScalar);
    }

    [Fact]
    public void A_parameter_stays_whatever_text_its_command_is_given()
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.Parameters.AddWithValue("$n", 7);
        command.CommandText = "SELECT $n";
        Assert.Equal(7L, command.ExecuteScalar());
        command.CommandText = "SELECT $n + 1";
        Assert.Equal(8L, command.ExecuteScalar());
    }

    [Fact]
    public void A_use_within_a_transaction_is_part_of_it_whatever_came_before()
    {
        Assert.Null(Run("DELETE FROM t WHERE n = 3"));
        Assert.Null(Run("INSERT INTO t VALUES (3)"));
        using (SqliteTransaction transaction = _connection.BeginTransaction())
        {
            Assert.Null(Run("DELETE FROM t WHERE n = 3"));
            transaction.Rollback();
        }

        Assert.Equal(3L, Run("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_statement_that_failed_works_in_its_next_use()
    {
        Assert.Null(Run("CREATE UNIQUE INDEX u ON t (n)"));
        Assert.Throws<SqliteException>(() => Run("INSERT INTO t VALUES (1)"));
        Assert.Null(Run("DELETE FROM t"));
        Assert.Null(Run("INSERT INTO t VALUES (1)"));
        Assert.Equal(1L, Run("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_changed_schema_is_seen_by_the_next_use()
    {
        Assert.Equal(1, Columns("SELECT * FROM t"));
        Assert.Null(Run("ALTER TABLE t ADD COLUMN m INTEGER"));
        Assert.Equal(2, Columns("SELECT * FROM t"));
    }

    public void Dispose() => _connection.Dispose();

    private object? Run(string sql)
    {
        using SqliteCommand command = Command(sql);
        return command.ExecuteScalar();
    }

    private int Columns(string sql)
    {
        using SqliteCommand command = Command(sql);
        using SqliteDataReader reader = command.ExecuteReader();
        return reader.FieldCount;
    }

    private SqliteCommand Command(string sql)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private IntPtr[] Statements()
    {
        var found = new List<IntPtr>();
        sqlite3_stmt? statement = raw.sqlite3_next_stmt(_connection.Handle, null);
        for (; statement is not null; statement = raw.sqlite3_next_stmt(_connection.Handle, statement))
        {
            found.Add(statement.DangerousGetHandle());
        }

        return [.. found];
    }
}
