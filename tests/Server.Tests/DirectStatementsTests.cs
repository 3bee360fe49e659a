using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Squall.Server.Tests;

/// <summary>What runs without a command is as if one had run it.</summary>
public sealed class DirectStatementsTests : IDisposable
{
    private readonly PreparedConnection _connection = new("Data Source=:memory:");

    public DirectStatementsTests()
    {
        _connection.Open();
        _connection.Handle!.enable_sqlite3_next_stmt(true);
        Run("CREATE TABLE t (k INTEGER PRIMARY KEY, v)");
    }

    public static TheoryData<object?> Values =>
    [
        null, 0L, long.MinValue, long.MaxValue, "", "a", "naïve 🦉 \0 end", new string('x', 100_000),
        Array.Empty<byte>(), (byte[])[0, 255, 0],
    ];

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_comes_back_as_it_was(object? value)
    {
        Assert.Null(Run("INSERT INTO t VALUES (1, @v)", ("@v", value)));
        Assert.Equal(value, Run("SELECT v FROM t"));
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = "SELECT v FROM t";
        Assert.Equal(value ?? DBNull.Value, command.ExecuteScalar());
    }

    [Fact]
    public void Parameters_are_found_by_their_names()
    {
        const string Sql = "SELECT @b || @a || @b";
        Assert.Equal("212", Run(Sql, ("@a", 1L), ("@b", "2")));
        Assert.Equal("xyx", Run(Sql, ("@a", "y"), ("@b", "x")));
        Assert.Throws<ArgumentException>(() => Run("SELECT @a", ("@b", 1L)));
        Assert.Throws<ArgumentException>(() => Run("SELECT @a"));
    }

    [Fact]
    public void All_of_it_runs_and_its_first_value_is_given()
    {
        Run("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
        Assert.Equal(2L, Run("UPDATE t SET v = v + 1 RETURNING v"));
        Assert.Equal(9L, Run("SELECT sum(v) FROM t"));
        Assert.Null(Run("SELECT v FROM t WHERE k = 9"));
    }

    [Fact]
    public void A_fault_is_thrown_and_the_statement_can_be_used_again()
    {
        const string Sql = "INSERT INTO t VALUES (@k, 1)";
        Run(Sql, ("@k", 1L));
        SqliteException thrown = Assert.Throws<SqliteException>(() => Run(Sql, ("@k", 1L)));
        Assert.Equal(raw.SQLITE_CONSTRAINT, thrown.SqliteErrorCode);
        Assert.Equal(raw.SQLITE_CONSTRAINT_PRIMARYKEY, thrown.SqliteExtendedErrorCode);
        Run(Sql, ("@k", 2L));
        Assert.Equal(2L, Run("SELECT count(*) FROM t"));
        Assert.Throws<SqliteException>(() => Run("SELECT nothing FROM nowhere"));
    }

    [Fact]
    public void Statements_are_kept_and_their_number_is_bounded()
    {
        Run("SELECT count(*) FROM t");
        int one = Statements();
        Run("SELECT count(*) FROM t");
        Assert.Equal(one, Statements());
        for (int text = 0; text < 1_000; text++)
        {
            Assert.Equal((long)text, Run(string.Create(CultureInfo.InvariantCulture, $"SELECT {text}")));
        }

        Assert.InRange(Statements(), 1, 200);
    }

    [Fact]
    public void The_file_is_let_go_of_with_the_connection()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using (var connection = new PreparedConnection($"Data Source={file};Pooling=False"))
        {
            connection.Open();
            connection.Direct.Run("PRAGMA journal_mode=WAL", []);
            connection.Direct.Run("CREATE TABLE t (k)", []);
            Assert.True(File.Exists(file + "-wal"));
        }

        Assert.False(File.Exists(file + "-wal"));
        File.Delete(file);
    }

    public void Dispose() => _connection.Dispose();

    private object? Run(string sql, params (string, object?)[] parameters) => _connection.Direct.Run(sql, parameters);

    private int Statements()
    {
        int count = 0;
        for (sqlite3_stmt? at = raw.sqlite3_next_stmt(_connection.Handle, null); at is not null;
            at = raw.sqlite3_next_stmt(_connection.Handle, at))
        {
            count++;
        }

        return count;
    }
}
