using Microsoft.Data.Sqlite;

namespace Squall.Server.Tests;

/// <summary>
/// The database file is Squall's or is left alone; one that is locked keeps neither a start nor a stop.
/// </summary>
public sealed class HostingDatabaseTests : HostingPlace
{
    private const string History = "CREATE TABLE migrations (MigrationId TEXT PRIMARY KEY, ProductVersion TEXT);";
    private static readonly string[] FreePorts = ["--http", "localhost:0", "--https", "off"];

    private string Database => Path.Combine(Stored, "squall.db");

    [Theory]
    [InlineData("CREATE TABLE places (id INTEGER PRIMARY KEY, url TEXT); INSERT INTO places (url) VALUES ('x')")]
    [InlineData("PRAGMA journal_mode=WAL; CREATE TABLE places (id INTEGER PRIMARY KEY, url TEXT)")]
    [InlineData("CREATE TABLE accounts (a); CREATE TABLE tasks (a);"
        + "CREATE TABLE changes (a); CREATE TABLE journal (a)")]
    [InlineData("CREATE TABLE migrations (id INTEGER PRIMARY KEY, migration TEXT, batch INTEGER)")]
    [InlineData(History + "INSERT INTO migrations VALUES ('20200101000000_Start', '5.0'); CREATE TABLE tasks (id)")]
    [InlineData(History + "CREATE TABLE places (id)")]
    [InlineData("PRAGMA application_id=252006674; CREATE TABLE accounts (id)")]
    [InlineData("CREATE VIEW one AS SELECT 1")]
    public async Task Another_programs_database_is_refused_and_left_as_it_is(string sql)
    {
        Make(sql);
        await AssertForeignAsync();
    }

    [Fact]
    public async Task Another_programs_tables_that_stand_in_its_WAL_alone_are_seen()
    {
        Make("PRAGMA journal_mode=WAL");
        using SqliteConnection other = Open();
        Run(other, "CREATE TABLE places (id INTEGER PRIMARY KEY, url TEXT)");
        Assert.True(new FileInfo(Database + "-wal").Length > 0);
        await AssertForeignAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("PRAGMA journal_mode=WAL")]
    [InlineData("VACUUM")]
    [InlineData("CREATE TABLE \"__EFMigrationsLock\" (Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL)")]
    [InlineData(History)]
    public async Task A_file_with_nothing_in_it_is_taken_as_new(string sql)
    {
        Make(sql);
        await AssertServesAsync();
        Assert.Equal("1399942252", Ask("PRAGMA application_id"));
    }

    [Fact]
    public async Task A_database_of_a_version_that_did_not_sign_it_is_taken_and_signed()
    {
        await AssertServesAsync();
        string epoch = Ask("SELECT Epoch FROM journal");
        Make("PRAGMA application_id=0");
        await AssertServesAsync();
        Assert.Equal(epoch, Ask("SELECT Epoch FROM journal"));
        Assert.Equal("1399942252", Ask("PRAGMA application_id"));
    }

    [Fact]
    public async Task A_database_of_a_server_that_was_killed_is_taken()
    {
        string epoch;
        using (HostingProcess server = await HostingProcess.ServeAsync(Place))
        {
            epoch = Ask("SELECT Epoch FROM journal");
            await server.KillAsync();
        }

        await AssertServesAsync();
        Assert.Equal(epoch, Ask("SELECT Epoch FROM journal"));
    }

    [Theory]
    [InlineData("BEGIN IMMEDIATE")]
    [InlineData("BEGIN EXCLUSIVE")]
    public async Task A_database_that_another_program_keeps_locked_is_refused(string begin)
    {
        Make("PRAGMA user_version=1");
        using SqliteConnection other = Open();
        Run(other, begin);
        using HostingProcess server = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(server, $"{Database} is locked by another program");
    }

    [Theory]
    [InlineData(HostingProcess.Terminate)]
    [InlineData(HostingProcess.Interrupt)]
    public async Task A_signal_ends_a_start_that_waits_for_another_programs_lock(int signal)
    {
        Make("PRAGMA user_version=1");
        using SqliteConnection other = Open();
        Run(other, "BEGIN IMMEDIATE");
        using var begun = new FileSystemWatcher(Stored, "squall.lock");
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        begun.Created += (_, _) => seen.TrySetResult();
        begun.EnableRaisingEvents = true;
        using HostingProcess server = await HostingProcess.BeginAsync(Place, FreePorts, seen.Task);

        // Had it been refused for the lock, as it is without a signal, the code would be another.
        long signalled = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await server.StopAsync(signal));
        Assert.InRange(TimeProvider.System.GetElapsedTime(signalled), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Empty(server.Output);

        other.Close();
        await AssertServesAsync();
    }

    private async Task AssertForeignAsync()
    {
        byte[] before = await ReadAsync();
        string[] files = Directory.GetFileSystemEntries(Stored);
        using HostingProcess server = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(server, $"{Database}: It is a database of another program, not Squall's.");
        Assert.Equal(before, await ReadAsync());
        Assert.Equal(files.Order(), Directory.GetFileSystemEntries(Stored).Order());
    }

    private async Task AssertServesAsync()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        Assert.Equal(0, await server.StopAsync());
    }

    private async Task<byte[]> ReadAsync()
    {
        await using FileStream file = File.Open(Database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    private void Make(string sql)
    {
        Directory.CreateDirectory(Stored);
        File.AppendAllText(Database, "");
        using SqliteConnection connection = Open();
        Run(connection, sql);
    }

    private string Ask(string sql)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return $"{command.ExecuteScalar()}";
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        return connection;
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
