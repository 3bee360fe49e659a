using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Squall.Server.Tests;

/// <summary>
/// Tells whether anything was written to a server's database. SQLite counts the commits of others for a connection, so
/// that the rows are looked at only where there was one.
/// </summary>
internal sealed class Footprint : IDisposable
{
    private readonly ServerFixture _server;
    private readonly SqliteConnection _connection;
    private long _version;
    private string _rows = "";

    public Footprint(ServerFixture server)
    {
        _server = server;
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(server.Get<ServerOptions>().DirectoryPath, "squall.db"),
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ConnectionString);
        _connection.Open();
    }

    /// <summary>What is there now is what was there before.</summary>
    public async Task BeginAsync()
    {
        _rows = await _server.DumpAsync();
        _version = Version();
    }

    /// <summary>The rows that came or went since it began; then it begins anew.</summary>
    public async Task<IReadOnlyList<string>> ChangesAsync()
    {
        if (Version() == _version)
        {
            return [];
        }

        string[] before = _rows.Split('\n');
        await BeginAsync();
        string[] after = _rows.Split('\n');
        return [.. after.Except(before).Select(row => "+ " + row), .. before.Except(after).Select(row => "- " + row)];
    }

    public void Dispose() => _connection.Dispose();

    private long Version()
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = "PRAGMA data_version";
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
