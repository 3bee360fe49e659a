using System.Diagnostics;
using System.Text.Json;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>The operator's list of the audit trail, as it is typed: beside a server that runs, and where none does.
/// </summary>
public sealed class AuditListTests : HostingPlace
{
    private const string Wrong = "not the password at all";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_trail_is_listed_whether_or_not_a_server_runs(bool running)
    {
        string ada;
        List<string> secrets = [Client.Password, Wrong, "no.such.name"];
        using (HostingProcess server = await HostingProcess.ServeAsync(Place))
        {
            (ada, string[] tokens) = await LiveAsync(server.Addresses[0]);
            secrets.AddRange(tokens);
            if (running)
            {
                // The failures are written within a second or so; the log has them already.
                using var net = new CancellationTokenSource(HostingProcess.Net);
                while ((await ListAsync("--event", "login_failed")).Length < 2)
                {
                    net.Token.ThrowIfCancellationRequested();
                }

                await AssertListedAsync(ada, secrets);
            }

            Assert.Equal(0, await server.StopAsync());
            Assert.Equal(
                ["login_failed: Username=ada", "login_failed: Address=127.0.0.1"],
                server.Errors.Where(line => line.Contains("[251]", StringComparison.Ordinal))
                    .Select(line => string.Join(' ', line[line.IndexOf("login_failed", StringComparison.Ordinal)..]
                        .Split(' ')[..2])));
        }

        await AssertListedAsync(ada, secrets);
    }

    [Fact]
    public async Task Pages_of_many_rows_of_one_time_have_each_once_in_either_order()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        await server.Get<Journal>().RunAsync(
            scope =>
            {
                for (int at = 0; at < 1_203; at++)
                {
                    // Some are of one account's doing, some done to it, some both.
                    var entry = new AuditEntry(AuditEvent.MemberSet)
                    {
                        AccountId = at % 3 != 0 ? Id(1) : Id(2), SubjectId = at % 3 != 1 ? Id(1) : Id(3),
                        Cause = $"{at}",
                    };
                    scope.Record(entry, scope.NowMicros + (at / 600), 1);
                }

                return 0;
            },
            null, 0, CancellationToken.None);
        string[] expected = [.. Enumerable.Range(0, 1_203).Select(at => $"{at}")];
        Assert.Equal(expected, await CausesAsync("--oldest-first"));
        Assert.Equal(expected.Reverse(), await CausesAsync());
        Assert.Equal(expected.Reverse(), await CausesAsync("--account", Id(1)));
        Assert.Equal(expected.Where((_, at) => at % 3 == 0), await CausesAsync("--account", Id(2), "--oldest-first"));
        Assert.Equal(expected.Reverse().Take(777), await CausesAsync("--limit", "777"));
        Assert.Equal(expected.Take(500), await CausesAsync("--limit=500", "--oldest-first", "--account", Id(1)));

        static string Id(int of) => $"00000000-0000-0000-0000-00000000000{of}";

        async Task<string[]> CausesAsync(params string[] args)
        {
            (int code, string output, string errors) =
                await RunAsync(["list", "--json", "--data", server.Server.DirectoryPath, .. args]);
            Assert.Equal((0, ""), (code, errors));
            return
            [
                .. Lines(output).Select(
                    line => JsonDocument.Parse(line).RootElement.GetProperty("cause").GetString()!),
            ];
        }
    }

    [Fact]
    public async Task A_page_is_no_longer_than_a_page_whatever_is_asked_for()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        await server.Get<Journal>().RunAsync(
            scope =>
            {
                for (int at = 0; at < 1_100; at++)
                {
                    scope.Record(new AuditEntry(AuditEvent.LoginFailed), scope.NowMicros, 1);
                }

                return 0;
            },
            null, 0, CancellationToken.None);
        var query = new AuditQuery("", [], 0, long.MaxValue, int.MaxValue, OldestFirst: false, Json: true, After: "");
        OperatorAnswer answer = await server.Get<AuditList>().RunAsync(query, CancellationToken.None);
        Assert.Equal(500, answer.Lines.Length);
        Assert.NotNull(answer.Next);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", () =>
            server.Get<AuditList>().RunAsync(query with { After = "nonsense" }, CancellationToken.None));
    }

    [Theory]
    [InlineData(2, "audit needs list")]
    [InlineData(2, "audit needs list", "drop")]
    [InlineData(2, "--event: \"logins\" is none of registered, login_succeeded,", "list", "--event", "logins")]
    [InlineData(2, "--since: \"yesterday\" is no time", "list", "--since", "yesterday")]
    [InlineData(2, "--until: \"2026-13-01\" is no time", "list", "--until=2026-13-01")]
    [InlineData(2, "--until: \"1969-12-31\" is no time", "list", "--until=1969-12-31")]
    [InlineData(2, "--since is later than --until", "list", "--since", "2026-11-02", "--until", "2026-11-01")]
    [InlineData(2, "--limit: \"0\" is no count", "list", "--limit", "0")]
    [InlineData(2, "--limit: \"-1\" is no count", "list", "--limit", "-1")]
    [InlineData(2, "--limit: \"1e3\" is no count", "list", "--limit", "1e3")]
    [InlineData(2, "--account needs a value", "list", "--account", "--json")]
    [InlineData(2, "--account: \"\" is no username", "list", "--account=")]
    [InlineData(2, "--json takes no value", "list", "--json=yes")]
    [InlineData(2, "--event is given twice", "list", "--event", "logged_out", "--event", "registered")]
    [InlineData(2, "unknown option --accounts", "list", "--accounts", "ada")]
    [InlineData(2, "unknown option ada", "list", "ada")]
    [InlineData(1, "There is no such account", "list", "--account", "no.such.name")]
    [InlineData(1, "account: must be", "list", "--account", "n o n e")]
    public async Task What_cannot_be_listed_says_why(int exitCode, string why, params string[] args)
    {
        using (StateDirectory directory = StateDirectory.Open(Stored))
        {
        }

        (int code, string output, string errors) = await RunAsync(args);
        Assert.Equal((exitCode, ""), (code, output));
        Assert.StartsWith("squall: ", errors, StringComparison.Ordinal);
        Assert.Contains(why, errors, StringComparison.Ordinal);
        Assert.Single(Lines(errors));
    }

    [Fact]
    public async Task Where_there_is_nothing_nothing_is_made()
    {
        (int code, _, string errors) = await RunAsync("list");
        Assert.Equal(2, code);
        Assert.StartsWith("squall: there is no audit trail in ", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    private static async Task<(string AccountId, string[] Tokens)> LiveAsync(Uri address)
    {
        using var client = new Client(address);
        string id = (await client.Accounts.RegisterAccountAsync(
            new() { Username = "ada", Password = Client.Password })).Account.Id;
        foreach (string name in (string[])["ada", "no.such.name"])
        {
            await Assert.ThrowsAsync<RpcException>(async () => await client.Auth.LoginAsync(
                new() { Username = name, Password = Wrong }));
        }

        Tokens tokens = (await client.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password })).Tokens;
        await client.Auth.LogoutAsync(new(), Client.Bearer(tokens.AccessToken));
        return (id, [tokens.AccessToken, tokens.RefreshToken]);
    }

    private async Task AssertListedAsync(string ada, List<string> secrets)
    {
        string[] done = ["registered", "login_succeeded", "logged_out"];
        Assert.Equal(done, (await EventsAsync("--oldest-first", "--event", string.Join(',', done))));
        Assert.Equal(done.Reverse(), await EventsAsync("--event", string.Join(',', done)));
        Assert.Equal(4, (await EventsAsync("--account", "Ada")).Length);
        Assert.Equal(4, (await EventsAsync("--account", ada)).Length);
        Assert.Equal(5, (await EventsAsync("--since", "1h")).Length);
        Assert.Empty(await EventsAsync("--since", "2099-01-01"));
        Assert.Empty(await EventsAsync("--until", "2026-01-01T00:00:00Z"));
        Assert.Equal(["logged_out"], await EventsAsync("--limit", "1"));

        string[] failed = await ListAsync("--event", "login_failed", "--oldest-first");
        Assert.Matches("^20..-..-..T..:..:..\\.......Z$", failed[0].Split('\t')[0]);
        Assert.Equal(
            ["login_failed", "ada", "127.0.0.1", "cause=wrong_password rpc=AuthService/Login"],
            failed[0].Split('\t')[1..]);
        Assert.Equal(
            ["login_failed", "-", "127.0.0.1", "cause=unknown_name rpc=AuthService/Login"], failed[1].Split('\t')[1..]);

        string[] json = await ListAsync("--json", "--account", "ada", "--event", "login_failed");
        JsonElement line = JsonDocument.Parse(Assert.Single(json)).RootElement;
        Assert.Equal(
            ["num", "time", "event", "number", "account_id", "username", "address", "cause", "rpc", "count"],
            line.EnumerateObject().Select(field => field.Name));
        Assert.Equal((251, ada), (line.GetProperty("number").GetInt32(), line.GetProperty("account_id").GetString()));
        string all = string.Join('\n', (string[])[.. await ListAsync(), .. await ListAsync("--json")]);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, all, StringComparison.Ordinal));
    }

    private async Task<string[]> EventsAsync(params string[] args) =>
        [.. (await ListAsync(args)).Select(line => line.Split('\t')[1])];

    private async Task<string[]> ListAsync(params string[] args)
    {
        (int code, string output, string errors) = await RunAsync(["list", .. args]);
        Assert.Equal((0, ""), (code, errors));
        return Lines(output);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"), "audit" },
            WorkingDirectory = Place,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Array.ForEach(args, start.ArgumentList.Add);
        using var net = new CancellationTokenSource(HostingProcess.Net);
        using var process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(net.Token);
        string output = await process.StandardOutput.ReadToEndAsync(net.Token);
        await process.WaitForExitAsync(net.Token);
        return (process.ExitCode, output, await errors);
    }
}
