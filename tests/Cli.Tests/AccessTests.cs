using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>sessions, keys, password and account: who may call in one's name, and how that ends.</summary>
public sealed class AccessTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private static readonly string Another = Secrets.Password();

    [Fact]
    public async Task Sessions_are_shown_and_ended_by_the_ends_of_their_ids()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var laptop = new Person(server, ada.Name);
        await laptop.LogInAsync();
        var rows = (await ada.RunAsync("sessions")).Well().Lines.Select(line => line.Split('\t')).ToList();
        var sessions = (await ada.RunAsync("sessions", "--json")).Messages<Session>();
        Assert.Equal(sessions.Select(session => session.Id[^8..]), rows.Select(row => row[0]));
        Assert.Single(rows, row => row[1] == "this one");
        var theirs = (await laptop.RunAsync("sessions", "--json")).Messages<Session>().Single(one => one.Current);

        var ended = (await ada.RunAsync("sessions", "revoke", theirs.Id[^8..])).Well();
        Assert.Equal($"Ended the session {theirs.Id[^8..]}\n", ended.Output);
        (await laptop.RunAsync("whoami")).Refused(1, "squall login");
        (await ada.RunAsync("whoami")).Well();
        (await ada.RunAsync("sessions", "revoke", theirs.Id)).Refused(1, "no session");
        (await ada.RunAsync("sessions", "revoke", "x")).Refused(1, "no session");
    }

    [Fact]
    public async Task A_key_is_made_used_shown_and_ended()
    {
        using var ada = await Person.LoggedInAsync(server);
        (await ada.RunAsync("lists", "create", "Home")).Well();
        (await ada.RunAsync("lists", "create", "Secret")).Well();
        var ran = (await ada.RunAsync(
            "keys", "create", "Nightly", "builds", "--role", "viewer", "--list", "Home", "--expires", "+90d")).Well();
        Assert.Matches("^sqk_[A-Za-z0-9_-]{43}\n$", ran.Output);
        Assert.Contains("not shown again", ran.OnlyError(), StringComparison.Ordinal);
        var key = (await ada.RunAsync("keys", "--json")).Messages<ApiKey>().Single();
        Assert.Equal(("Nightly builds", Role.Viewer, 1), (key.Title, key.Role, key.TaskListIds.Count));

        using var program = new Person(server);
        program.Environment["SQUALL_TOKEN"] = ran.Output.Trim();
        Assert.EndsWith(
            "\tviewer\tHome", (await program.RunAsync("lists")).Well().Lines.Single(), StringComparison.Ordinal);
        (await program.RunAsync("add", "Home", "milk")).Refused(1, "Editor");
        (await program.RunAsync("keys")).Refused(1, "session");
        var row = (await ada.RunAsync("keys", "list")).Well().Lines.Single().Split('\t');
        Assert.Equal((key.Id[^8..], "viewer", key.TaskListIds[0][^8..]), (row[0], row[1], row[2]));
        Assert.Equal("Nightly builds", row[5]);
        Assert.NotEqual("", row[4]);

        (await ada.RunAsync("keys", "revoke", key.Id[^8..])).Well();
        (await program.RunAsync("lists")).Refused(1, "SQUALL_TOKEN");
        Assert.Empty((await ada.RunAsync("keys")).Well().Lines);
        var made = (await ada.RunAsync("keys", "create", "all", "--role", "owner", "--json"))
            .Message<CreateApiKeyResponse>();
        Assert.Null(made.ApiKey.ExpireTime);
        (await ada.RunAsync("keys", "create", "x")).Refused(2, "--role");
        (await ada.RunAsync("keys", "create", "x", "--role", "owner", "--expires", "soon")).Refused(2, "'soon'");
        (await ada.RunAsync("keys", "create", "x", "--role", "owner", "--list", "None")).Refused(1, "'None'");
    }

    [Fact]
    public async Task Another_password_is_read_from_two_lines_and_ends_the_other_sessions()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var laptop = new Person(server, ada.Name);
        await laptop.LogInAsync();
        string[] change = ["password", "--password-stdin"];
        (await ada.RunAsync(change, $"not the password\n{Another}\n")).Refused(1, "not the account's password");
        (await ada.RunAsync(change, $"{Person.Password}\nSummer2024!!\n")).Refused(1, "one word");
        (await ada.RunAsync(change, $"{Person.Password}\n")).Refused(2, "two lines");
        (await ada.RunAsync("password")).Refused(2, "--password-stdin");
        (await laptop.RunAsync("whoami")).Well();

        (await ada.RunAsync(change, $"{Person.Password}\n{Another}\n")).Well();
        (await laptop.RunAsync("whoami")).Refused(1, "squall login");
        (await ada.RunAsync("whoami")).Well();
        (await laptop.RunAsync(["login", ada.Name, "--password-stdin"], Another)).Well();
    }

    [Fact]
    public async Task At_a_terminal_the_passwords_are_asked_for_and_not_shown()
    {
        using var ada = await Person.LoggedInAsync(server);
        var ran = await ada.TerminalAsync(
            80, ["password"],
            ("Current password: ", Person.Password + "\n"), ("New password: ", Another + "\n"),
            ("Again: ", Another + "\n"));
        Assert.Contains("Changed the password", ran.Well().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", ran.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("another", ran.Output, StringComparison.Ordinal);
        (await ada.RunAsync(["login", ada.Name, "--password-stdin"], Another)).Well();
    }

    [Fact]
    public async Task An_account_is_renamed_and_deleted_by_whoever_knows_its_password()
    {
        using var ada = await Person.LoggedInAsync(server);
        (await ada.RunAsync("account", "rename", "Ada", "Lovelace")).Well();
        Assert.Contains("(Ada Lovelace)", (await ada.RunAsync("account")).Well().Output, StringComparison.Ordinal);
        (await ada.RunAsync("account", "delete")).Refused(2, "--yes");
        string[] delete = ["account", "delete", "--yes", "--password-stdin"];
        (await ada.RunAsync(delete, "not the password\n")).Refused(1, "not the account's password");
        (await ada.RunAsync("whoami")).Well();
        (await ada.RunAsync(delete, Person.Password)).Well();
        Assert.Empty(Directory.GetFiles(ada.SessionFolder, "*.json"));
        (await ada.RunAsync("whoami")).Refused(1, "squall login");
        (await ada.RunAsync(["login", ada.Name, "--password-stdin"], Person.Password)).Refused(1);
    }
}
