using System.Diagnostics;
using Squall.Server.Tests;

namespace Squall.Samples.Tests;

/// <summary>The program as it is run: its options, what it prints, and what kill -9 does to it.</summary>
[Collection(WithServer.Name)]
public sealed class ProgramTests(ServerFixture server) : IDisposable
{
    private static readonly string Password = Secrets.Password();

    // A net under a program that prints too little.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(2);

    private readonly Folder folder = new();
    private readonly string importer = $"a{Guid.NewGuid():N}"[..32];
    private readonly string watcher = $"b{Guid.NewGuid():N}"[..32];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Killed_and_run_again_it_imports_and_is_watched_as_if_nothing_had_happened()
    {
        await WatchUntilKilledAsync(lines: 1, "--register");
        var importing = Ran.StartImporter(server.Address, Password, Import("--register"));
        await WatchUntilKilledAsync(lines: 10);
        await WatchUntilKilledAsync(lines: 10);
        importing.Kill();
        await importing.WaitForExitAsync();

        var imported = await ImporterAsync(Import());
        Assert.Matches(@"Taken before: \d+\. Taken now: \d+", imported.Output);
        var changes = await HistoryAsync();
        var told = (await File.ReadAllTextAsync(folder.Log)).Count(character => character == '\n') - 1;
        await WatchUntilKilledAsync(changes.Length - told);
        Assert.Equal(changes, (await File.ReadAllLinesAsync(folder.Log)).Skip(1));

        var compared = await ImporterAsync("compare", folder.Log, "--record", folder.Record);
        Assert.StartsWith($"{changes.Length} changes told: 7 member set, ", compared.Output, StringComparison.Ordinal);
        Assert.EndsWith(". Differences: 0.\n", compared.Output, StringComparison.Ordinal);
        var verified = await ImporterAsync("verify", Fixture.Finals[0], Fixture.Finals[1], "--user", importer);
        Assert.Equal("13 tasks in 7 lists: 8 open, 3 done, 2 deleted. Differences: 0.\n", verified.Output);
    }

    [Fact]
    public async Task A_difference_fails_with_exit_code_1()
    {
        await ImporterAsync(
            "import", Fixture.PathOf("backlog.data"), "--record", folder.Record, "--register", "--user", importer);
        var pending = await File.ReadAllTextAsync(Fixture.Finals[0]);
        var other = folder.Write("pending.data", pending.Replace("Pay rent", "Pay the rent", StringComparison.Ordinal));
        var verified = await Ran.ImporterAsync(
            server.Address, Password, "verify", other, Fixture.Finals[1], "--user", importer);
        Assert.Equal(1, verified.ExitCode);
        Assert.Contains("title is 'Pay rent', and should be 'Pay the rent'", verified.Output, StringComparison.Ordinal);

        var log = folder.Write("watch.log", "");
        var compared = await Ran.ImporterAsync(server.Address, Password, "compare", log, "--record", folder.Record);
        Assert.Equal(1, compared.ExitCode);
        Assert.Contains("the watcher was told 'nothing more'", compared.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_line_is_told_with_its_place_before_anything_is_done()
    {
        var lines = await File.ReadAllTextAsync(Fixture.PathOf("backlog.data"));
        var bad = folder.Write("bad.data", lines + "{\"description\":\"cut sho");
        var imported = await Ran.ImporterAsync(
            server.Address, Password, "import", bad, "--record", folder.Record, "--register", "--user", importer);
        Assert.Equal(1, imported.ExitCode);
        Assert.StartsWith($"{bad}:30: is no JSON, at byte ", imported.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.Record));
        var login = await Ran.ImporterAsync(server.Address, Password, "history", "--user", importer);
        Assert.Equal(1, login.ExitCode);
    }

    [Fact]
    public async Task What_is_lost_is_summed_up_and_each_value_goes_to_a_file()
    {
        var losses = folder.PathOf("losses.tsv");
        var imported = await ImporterAsync(
            "import", Fixture.PathOf("backlog.data"), "--record", folder.Record, "--losses", losses,
            "--register", "--user", importer);
        Assert.Matches(@"wait +2 of 2 tasks: Squall has no such time yet\n", imported.Output);
        Assert.Matches(@"annotation removed +1 of 1 tasks: Squall keeps comments as they are\n", imported.Output);
        var values = await File.ReadAllLinesAsync(losses);
        Assert.Contains(values, line => line.EndsWith(
            $":6\t{Fixture.Uuid(2)}\twait\t20310710T000000Z\tSquall has no such time yet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_names_every_command_and_no_option_takes_a_password()
    {
        var help = await ImporterAsync("--help");
        string[] commands = ["import", "watch", "history", "verify", "compare"];
        foreach (var command in commands)
        {
            Assert.Contains($"  {command} ", help.Output, StringComparison.Ordinal);
            var own = (await ImporterAsync(command, "--help")).Output;
            Assert.DoesNotContain("--password", own, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(command != "compare", own.Contains("taken from SQUALL_PASSWORD", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Without_a_password_and_without_anyone_to_ask_it_says_where_to_put_one()
    {
        var run = await Ran.ImporterAsync(server.Address, "", "history", "--user", importer);
        Assert.Equal((1, "There is nobody to ask for a password: set SQUALL_PASSWORD.\n"), (run.ExitCode, run.Errors));
    }

    private string[] Import(params string[] more) =>
    [
        "import", Fixture.PathOf("backlog.data"), "--record", folder.Record, "--share-with", watcher,
        "--user", importer, .. more,
    ];

    /// <summary>Runs what must end well.</summary>
    private async Task<Ran> ImporterAsync(params string[] arguments)
    {
        var run = await Ran.ImporterAsync(server.Address, Password, arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        return run;
    }

    private async Task<string[]> HistoryAsync() =>
        (await ImporterAsync("history", "--user", watcher)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Watches until so many lines are printed, and is killed then: kill -9.</summary>
    private async Task WatchUntilKilledAsync(int lines, params string[] more)
    {
        using var watching = Ran.StartImporter(
            server.Address, Password, ["watch", "--log", folder.Log, "--user", watcher, .. more]);
        try
        {
            for (var printed = 0; printed < lines; printed++)
            {
                Assert.NotNull(await watching.StandardOutput.ReadLineAsync().WaitAsync(PatienceMax));
            }
        }
        finally
        {
            watching.Kill();
            await watching.WaitForExitAsync();
        }
    }
}
