using System.Text.Json;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>login, logout and whoami, and what they leave behind.</summary>
public sealed class AccountTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private string Shown => server.Address.GetLeftPart(UriPartial.Authority);

    [Fact]
    public async Task A_login_registers_and_keeps_a_session_that_its_owner_alone_can_read()
    {
        using var ada = new Person(server);
        var ran = await ada.RunAsync(["login", ada.Name, "--register", "--password-stdin"], Person.Password);
        Assert.Equal($"Logged in to {Shown} as {ada.Name}.\n", ran.Well().Output);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ada.SessionPath));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(ada.SessionFolder));
        Assert.Equal($"{ada.Name} on {Shown}\n", (await ada.RunAsync("whoami")).Well().Output);
    }

    [Fact]
    public async Task Programs_are_told_the_server_and_the_account()
    {
        using var ada = new Person(server);
        ada.Environment["SQUALL_PASSWORD"] = Person.Password;
        foreach (var told in (Ran[])
        [
            await ada.RunAsync("login", ada.Name, "--register", "--json"),
            await ada.RunAsync("login", ada.Name, "--json"),
            await ada.RunAsync("whoami", "--json"),
        ])
        {
            var json = told.Json();
            Assert.Equal(Shown, json.GetProperty("server").GetString());
            Assert.Equal(ada.Name, Ran.Read<Account>(json.GetProperty("account")).Username);
        }

        var logout = await ada.RunAsync("logout", "--json");
        Assert.Equal(Shown, logout.Json().GetProperty("server").GetString());
    }

    [Fact]
    public async Task A_logout_ends_the_session_and_not_only_the_file()
    {
        using var ada = await Person.LoggedInAsync(server);
        var token = AccessToken(ada);
        Assert.Equal($"Logged out of {Shown}.\n", (await ada.RunAsync("logout")).Well().Output);
        Assert.Empty(Directory.GetFiles(ada.SessionFolder, "*.json"));
        (await ada.RunAsync("whoami")).Refused(1, "squall login");
        Assert.Equal($"There was no session with {Shown}.\n", (await ada.RunAsync("logout")).Well().Output);
        ada.Environment["SQUALL_TOKEN"] = token;
        (await ada.RunAsync("whoami")).Refused(1, "SQUALL_TOKEN");
    }

    [Fact]
    public async Task A_token_in_the_environment_is_used_instead_of_a_session()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var program = new Person(server);
        program.Environment["SQUALL_TOKEN"] = AccessToken(ada);
        Assert.Equal($"{ada.Name} on {Shown}\n", (await program.RunAsync("whoami")).Well().Output);
        Assert.False(Directory.Exists(program.SessionFolder));
        (await program.RunAsync("login", "x")).Refused(2, "SQUALL_TOKEN");
        (await program.RunAsync("logout")).Refused(2, "SQUALL_TOKEN");
    }

    [Fact]
    public async Task Each_server_has_a_session_of_its_own()
    {
        using var ada = await Person.LoggedInAsync(server);
        var other = $"http://localhost:{server.Address.Port}";
        Assert.Contains(other, (await ada.RunAsync("whoami", "--server", other)).Refused(1), StringComparison.Ordinal);
        await ada.LogInAsync("--server", other);
        Assert.Equal(2, Directory.GetFiles(ada.SessionFolder, "*.json").Length);
        (await ada.RunAsync("logout", "--server", other)).Well();
        (await ada.RunAsync("whoami")).Well();
    }

    [Fact]
    public async Task A_wrong_password_is_refused_without_repeating_it()
    {
        using var ada = await Person.LoggedInAsync(server);
        var ran = await ada.RunAsync(["login", ada.Name, "--password-stdin"], "a wrong secret password\n");
        Assert.DoesNotContain("secret", ran.Refused(1), StringComparison.Ordinal);
        var json = (await ada.RunAsync(["login", ada.Name, "--password-stdin", "--json"], "a wrong secret\n"))
            .ErrorJson(1);
        Assert.Equal("UNAUTHENTICATED", json.GetProperty("code").GetString());
        Assert.Equal("CREDENTIALS_WRONG", json.GetProperty("reason").GetString());
        (await ada.RunAsync("whoami")).Well();
    }

    [Fact]
    public async Task A_taken_name_and_a_short_password_are_refused_in_words()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var second = new Person(server, ada.Name);
        var taken = await second.RunAsync(["login", ada.Name, "--register", "--password-stdin"], Person.Password);
        Assert.Contains("taken", taken.Refused(1), StringComparison.Ordinal);
        var brief = await second.RunAsync(["login", "someone-else", "--register", "--password-stdin"], "short");
        Assert.Contains("password", brief.Refused(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_terminal_nothing_is_asked()
    {
        using var ada = new Person(server);
        (await ada.RunAsync("login", "ada")).Refused(2, "--password-stdin");
        (await ada.RunAsync("login")).Refused(2, "username");
        (await ada.RunAsync("login", "ada", "--password-stdin")).Refused(2, "standard input");
    }

    [Fact]
    public async Task At_a_terminal_it_asks_for_the_name_and_twice_for_the_password_without_showing_it()
    {
        using var ada = new Person(server);
        // A key of the password is mistyped, and taken back.
        var ran = await ada.TerminalAsync(
            80, ["login", "--register"],
            ("Username: ", ada.Name + "\n"),
            ("Password: ", Person.Password.Insert(3, "x\x7f") + "\n"),
            ("Again: ", Person.Password + "\n"));
        Assert.Contains($"Logged in to {Shown} as {ada.Name}.", ran.Well().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", ran.Output, StringComparison.Ordinal);
        (await ada.RunAsync("logout")).Well();
        await ada.LogInAsync();
    }

    [Fact]
    public async Task Ctrl_C_at_a_prompt_ends_it()
    {
        using var ada = new Person(server);
        var ran = await ada.TerminalAsync(80, ["login", "ada"], ("Password: ", "\x03"));
        Assert.Equal(130, ran.ExitCode);
        Assert.False(Directory.Exists(ada.SessionFolder));
    }

    [Fact]
    public async Task A_damaged_session_is_mended_by_a_login()
    {
        using var ada = await Person.LoggedInAsync(server);
        foreach (var damage in (string[])["", "{}", "[]", "not json", """{"access_token":1}"""])
        {
            await File.WriteAllTextAsync(ada.SessionPath, damage);
            (await ada.RunAsync("whoami")).Refused(1, "squall login");
        }

        await ada.LogInAsync();
        (await ada.RunAsync("whoami")).Well();
    }

    [Fact]
    public async Task Many_at_once_renew_one_session_and_none_loses_it()
    {
        using var ada = await Person.LoggedInAsync(server);
        var old = await File.ReadAllTextAsync(ada.SessionPath);
        await File.WriteAllTextAsync(ada.SessionPath, Expired(old));
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ada.RunAsync("whoami")));
        Assert.All(all, ran => ran.Well());
        Assert.NotEqual(AccessTokenOf(old), AccessToken(ada));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ada.SessionPath));
        (await ada.RunAsync("whoami")).Well();
    }

    [Fact]
    public async Task No_secret_is_in_what_it_prints_or_in_the_list_of_processes()
    {
        using var ada = await Person.LoggedInAsync(server);
        var secrets = JsonDocument.Parse(await File.ReadAllTextAsync(ada.SessionPath)).RootElement.EnumerateObject()
            .Where(field => field.Name.EndsWith("_token", StringComparison.Ordinal))
            .Select(field => field.Value.GetString()!).Append(Person.Password).ToList();
        Assert.Equal(3, secrets.Count);
        await using var watch = ada.Start("watch", "--json");
        await watch.EventAsync("synced");
        var said = await File.ReadAllTextAsync($"/proc/{watch.Id}/cmdline")
            + await File.ReadAllTextAsync($"/proc/{watch.Id}/environ");
        foreach (var arguments in (string[][])
        [
            ["whoami", "--json"], ["lists"], ["list", "--filter", "x ="], ["logout", "--json"], ["whoami", "--json"],
        ])
        {
            var ran = await ada.RunAsync(arguments);
            said += ran.Output + ran.Errors;
        }

        said += (await watch.EndAsync()).ToString();
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, said, StringComparison.Ordinal));
    }

    private static string AccessToken(Person person) => AccessTokenOf(File.ReadAllText(person.SessionPath));

    private static string AccessTokenOf(string session) =>
        JsonDocument.Parse(session).RootElement.GetProperty("access_token").GetString()!;

    private static string Expired(string session)
    {
        var now = JsonDocument.Parse(session).RootElement.GetProperty("access_expire_time").GetRawText();
        return session.Replace(now, "\"2020-01-01T00:00:00+00:00\"", StringComparison.Ordinal);
    }
}
