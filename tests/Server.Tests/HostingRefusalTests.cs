using System.Net;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;

namespace Squall.Server.Tests;

/// <summary>A refused start is one line that names the cause, exit code 2, and leaves nothing.</summary>
public sealed class HostingRefusalTests : HostingPlace
{
    private static readonly string[] FreePorts = ["--http", "localhost:0", "--https", "off"];

    [Theory]
    [InlineData("unknown option --colour", "--colour", "blue")]
    [InlineData("unknown option serve", "serve")]
    [InlineData("--http needs a value: HOST:PORT", "--http")]
    [InlineData("--http needs a value: HOST:PORT", "--http", "--https", "off")]
    [InlineData("--http is given twice", "--http", "localhost:0", "--http", "localhost:0")]
    [InlineData("\"localhost\" is no HOST:PORT", "--http", "localhost")]
    [InlineData("\"localhost:70000\" is no HOST:PORT", "--http", "localhost:70000")]
    [InlineData("\"::1:7080\" is no HOST:PORT", "--http", "::1:7080")]
    [InlineData("\"squall.example:80\" is no HOST:PORT", "--https", "squall.example:80")]
    [InlineData("\"10\" is no time (such as", "--stop-time-max", "10")]
    [InlineData("\"-1\" is no count (such as", "--page-size-max", "-1")]
    [InlineData("\"4MB\" is no size (such as", "--message-bytes-max", "4MB")]
    [InlineData("must be from 64KiB to 64MiB", "--message-bytes-max", "1GiB")]
    [InlineData("--page-size-default may not be more than --page-size-max", "--page-size-max", "10")]
    [InlineData("\"yes\" is neither open nor closed", "--registration", "yes")]
    [InlineData("\"loud\" is no level", "--log-level", "loud")]
    [InlineData("is no list of origins", "--cors-origins", "app.example")]
    [InlineData("is no list of origins", "--cors-origins", "https://app.example/path")]
    [InlineData("parent directory is not there", "--data", "not/there", "--http", "localhost:0", "--https", "off")]
    public async Task A_bad_option_is_refused(string cause, params string[] args)
    {
        using HostingProcess server = await HostingProcess.EndAsync(Place, args);
        AssertRefused(server, cause);
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    [Fact]
    public async Task A_bad_value_in_the_environment_is_refused_by_its_name()
    {
        using HostingProcess server =
            await HostingProcess.EndAsync(Place, FreePorts, ("SQUALL_LABELS_MAX", "many"));
        AssertRefused(server, "SQUALL_LABELS_MAX: \"many\" is no count");
    }

    [Theory]
    [InlineData("{\"Squall\": {\"Colour\": \"blue\"}}", "unknown key Squall:Colour")]
    [InlineData("{\"Squall\": {\"LabelsMax\": \"many\"}}", "Squall:LabelsMax: \"many\" is no count")]
    [InlineData("{\"Squall\": {\"Data\": \"there\"}}", "cannot stand in the data directory itself")]
    [InlineData("{\"Squall\": ", "cannot be read")]
    public async Task A_bad_file_is_refused_by_its_name(string text, string cause)
    {
        Directory.CreateDirectory(Stored);
        string file = Path.Combine(Stored, "appsettings.json");
        await File.WriteAllTextAsync(file, text);
        using HostingProcess server = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(server, cause);
        AssertRefused(server, file);
        Assert.Equal([file], Directory.GetFileSystemEntries(Stored));
    }

    [Fact]
    public async Task A_second_server_on_the_same_directory_is_refused()
    {
        using HostingProcess first = await HostingProcess.ServeAsync(Place);
        using HostingProcess second = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(second, $"the data directory {Stored} is in use by another server");

        using var http = new HttpClient();
        Assert.Contains("Squall", await http.GetStringAsync(first.Addresses[0]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http", "--https")]
    [InlineData("--https", "--http")]
    public async Task A_port_in_use_is_refused_before_anything_is_made(string taken, string other)
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        string address = holder.LocalEndpoint.ToString()!;
        using HostingProcess server =
            await HostingProcess.EndAsync(Place, [taken, address, other, "127.0.0.1:0"]);
        AssertRefused(server, $"the address {address} is in use");
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    [Fact]
    public async Task One_port_cannot_serve_both_clear_text_and_TLS()
    {
        int free = FreePort();
        using HostingProcess server = await HostingProcess.EndAsync(
            Place, ["--http", $"127.0.0.1:{free}", "--https", $"127.0.0.1:{free}"]);
        AssertRefused(server, "in use");
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    [Fact]
    public async Task An_address_of_another_machine_is_refused()
    {
        using HostingProcess server =
            await HostingProcess.EndAsync(Place, ["--http", "192.0.2.1:0", "--https", "off"]);
        AssertRefused(server, "the address 192.0.2.1:0 cannot be used");
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    [Fact]
    public async Task A_newer_database_is_refused_and_left_as_it_is()
    {
        using (HostingProcess server = await HostingProcess.ServeAsync(Place))
        {
            await server.StopAsync();
        }

        Write("INSERT INTO migrations (MigrationId, ProductVersion) VALUES ('20990101000000_Later', '99.0.0')");
        string[] before = Directory.GetFileSystemEntries(Stored);
        using HostingProcess older = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(older, "newer version");
        AssertRefused(older, "20990101000000_Later");
        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(Stored).Order());
    }

    [Theory]
    [InlineData("this is no database, whatever its name may say about it")]
    [InlineData("SQLite format 3\0 and then nothing that fits")]
    public async Task A_file_that_is_no_database_is_refused_and_left_as_it_is(string text)
    {
        Directory.CreateDirectory(Stored);
        string file = Path.Combine(Stored, "squall.db");
        await File.WriteAllTextAsync(file, text);
        using HostingProcess server = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(server, $"{file} is no database of Squall, or is damaged");
        Assert.Equal(text, await File.ReadAllTextAsync(file));
        Assert.Equal([file], Directory.GetFileSystemEntries(Stored));
    }

    [Fact]
    public async Task A_file_in_the_directorys_place_is_refused()
    {
        await File.WriteAllTextAsync(Stored, "mine");
        using HostingProcess server = await HostingProcess.EndAsync(Place, FreePorts);
        AssertRefused(server, $"{Stored} is a file");
        Assert.Equal("mine", await File.ReadAllTextAsync(Stored));
    }

    [Fact]
    public async Task A_certificate_that_is_none_is_refused_and_left_as_it_is()
    {
        Directory.CreateDirectory(Stored);
        string key = Path.Combine(Stored, "certificate.key");
        await File.WriteAllTextAsync(key, "no key");
        using HostingProcess server =
            await HostingProcess.EndAsync(Place, ["--http", "localhost:0", "--https", "localhost:0"]);
        AssertRefused(server, key);
        Assert.Equal([key], Directory.GetFileSystemEntries(Stored));
    }

    [Fact]
    public async Task Without_Unicode_normalisation_it_is_refused()
    {
        using HostingProcess server = await HostingProcess.EndAsync(
            Place, FreePorts, ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"));
        AssertRefused(server, "normalisation");
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    private static int FreePort()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        return ((IPEndPoint)holder.LocalEndpoint).Port;
    }

    private void Write(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(Stored, "squall.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.Equal(1, command.ExecuteNonQuery());
    }
}
