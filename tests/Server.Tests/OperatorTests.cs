using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>The operator's commands, as they are typed: beside a server that runs, and where none does.</summary>
public sealed class OperatorTests : HostingPlace
{
    private static readonly string NewPassword = Secrets.Password();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Accounts_are_made_listed_disabled_and_given_passwords_whether_or_not_a_server_runs(bool running)
    {
        using HostingProcess? before =
            running ? await HostingProcess.ServeAsync(Place, ["--registration", "closed"]) : null;
        Assert.Matches("^Created ada, [0-9a-f-]{36}\\.$", await DoneAsync(Client.Password, "create", "Ada"));
        await DoneAsync(Client.Password, "create", "bob");
        await DoneAsync(null, "disable", "bob");
        Assert.Equal(["ada active", "bob disabled"], await ListAsync());
        await DoneAsync(NewPassword, "reset-password", "ada");
        await DoneAsync(null, "enable", "bob");
        Assert.Equal(["ada active", "bob active"], await ListAsync());

        using HostingProcess? after = running ? null : await HostingProcess.ServeAsync(Place);
        HostingProcess later = (before ?? after)!;
        await LoginAsync(later.Addresses[0], "ada", NewPassword);
        await LoginAsync(later.Addresses[0], "bob", Client.Password);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", () =>
            LoginAsync(later.Addresses[0], "ada", Client.Password));
        Assert.Equal(0, await later.StopAsync());
        Assert.Equal(["squall.db", "squall.lock"], Directory.GetFiles(Stored).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Only_the_owner_may_give_orders_and_a_killed_servers_socket_is_in_nobodys_way()
    {
        using (HostingProcess killed = await HostingProcess.ServeAsync(Place))
        {
            await DoneAsync(Client.Password, "create", "ada");
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(OperatorSocket.PathIn(Stored)));
            await killed.KillAsync();
        }

        Assert.True(File.Exists(OperatorSocket.PathIn(Stored)));
        await DoneAsync(null, "disable", "ada");
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        Assert.Equal(["ada disabled"], await ListAsync());
    }

    [Fact]
    public async Task What_cannot_be_done_says_why()
    {
        (int ExitCode, string Why, string? Input, string[] Args)[] orders =
        [
            (1, "The username is taken.", Client.Password, ["create", "ada"]),
            (1, "password: at least 12 characters", "short", ["create", "eve"]),
            (1, "username: must be", Client.Password, ["create", "e v e"]),
            (1, "There is no such account", null, ["disable", "eve"]),
            (1, "There is no such account", Client.Password, ["reset-password", "eve"]),
            (2, "there is no password on standard input", null, ["create", "eve"]),
            (2, "account needs create,", null, ["create"]),
            (2, "account needs create,", null, ["destroy", "ada"]),
            (2, "unknown option", null, ["disable", "ada", "--password=secret"]),
        ];
        using (HostingProcess server = await HostingProcess.ServeAsync(Place))
        {
            await DoneAsync(Client.Password, "create", "ada");
            foreach ((int exitCode, string why, string? input, string[] args) in orders)
            {
                await RefusedAsync(exitCode, why, input, args);
            }

            Assert.Equal(0, await server.StopAsync());
        }

        foreach ((int exitCode, string why, string? input, string[] args) in orders.Where(order => order.ExitCode == 1))
        {
            await RefusedAsync(exitCode, why, input, args);
        }

        Assert.Equal(["ada active"], await ListAsync());
    }

    private async Task RefusedAsync(int exitCode, string why, string? input, string[] args)
    {
        (int code, string output, string errors) = await RunAsync(input, args);
        Assert.Equal((exitCode, ""), (code, output));
        Assert.Contains(why, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Where_there_is_nothing_nothing_is_made_but_by_an_account()
    {
        Assert.Equal(2, (await RunAsync(null, "list")).ExitCode);
        Assert.Equal(1, (await RunAsync("short", "create", "ada")).ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(Place));
        await DoneAsync(Client.Password, "create", "ada");
        Assert.Equal(["ada active"], await ListAsync());
    }

    [Fact]
    public async Task A_list_is_of_all_however_many_there_are()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        string[] names = [.. Enumerable.Range(0, 1_203).Select(at => $"name.{at:0000}")];
        await server.Get<Journal>().RunAsync(
            scope =>
            {
                scope.Db.Accounts.AddRange(
                    names.Select(name => new AccountRow { Id = Ids.New(scope.NowMicros), Username = name }));
                return 0;
            },
            null, 0, CancellationToken.None);
        (int code, string output, _) = await RunAsync(null, "list", "--data", server.Server.DirectoryPath);
        Assert.Equal(0, code);
        Assert.Equal(names, output.TrimEnd().Split('\n').Select(line => line.Split('\t')[0]));
    }

    [Fact]
    public async Task What_is_no_order_harms_nobody()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        string path = OperatorSocket.PathIn(server.Server.DirectoryPath);
        await DoneAsync(Client.Password, "create", "ada", "--data", server.Server.DirectoryPath);
        string[] orders =
        [
            "", "\n", "nonsense\n", "null\n", "{}\n", "{\"Verb\":\"drop\"}\n", "{", "{\"Verb\":\"create\"}\n",
            "{\"Verb\":\"create\",\"Username\":null,\"Password\":null}\n",
        ];
        foreach (string order in orders)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
            await socket.SendAsync(Encoding.UTF8.GetBytes(order));
        }

        OperatorAnswer? answer = await OperatorSocket.AskAsync(path, new("list", "", ""), CancellationToken.None);
        Assert.StartsWith("ada\t", Assert.Single(answer!.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_comes_while_as_many_wait_as_may_is_served_all_the_same()
    {
        string directory = Directory.CreateTempSubdirectory("squall-").FullName;
        string path = OperatorSocket.PathIn(directory);
        var there = new UnixDomainSocketEndPoint(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(there);
        listener.Listen(1);
        var before = new List<Socket>();
        try
        {
            while (TryConnect(there, before))
            {
            }

            Task<OperatorAnswer?> asking = OperatorSocket.AskAsync(path, new("list", "", ""), CancellationToken.None);
            Assert.False(asking.IsCompleted);
            foreach (Socket _ in before)
            {
                (await listener.AcceptAsync()).Dispose();
            }

            using Socket last = await listener.AcceptAsync();
            await last.SendAsync("{\"Lines\":[\"ada\"],\"Next\":null,\"Refusal\":null}\n"u8.ToArray());
            OperatorAnswer? answer = await asking.WaitAsync(HostingProcess.Net);
            Assert.Equal(["ada"], answer!.Lines);
        }
        finally
        {
            before.ForEach(socket => socket.Dispose());
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_terminal_is_asked_twice_and_shows_nothing()
    {
        string command = $"exec dotnet {Program} account create ada";
        using var terminal = Process.Start(Redirected(
            new ProcessStartInfo("script") { ArgumentList = { "-qec", command, "/dev/null" } }))!;
        string shown = await ShownAsync(terminal, "Password: ");
        await terminal.StandardInput.WriteAsync(Client.Password + "\r");
        shown += await ShownAsync(terminal, "Again: ");
        await terminal.StandardInput.WriteAsync(Client.Password + "\r");
        shown += await ShownAsync(terminal, "Created ada");
        await terminal.WaitForExitAsync().WaitAsync(HostingProcess.Net);
        Assert.Equal(0, terminal.ExitCode);
        Assert.DoesNotContain(Client.Password[..8], shown, StringComparison.Ordinal);
        Assert.Equal(["ada active"], await ListAsync());
    }

    private static bool TryConnect(EndPoint there, List<Socket> connected)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(there);
            connected.Add(socket);
            return true;
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
        {
            socket.Dispose();
            return false;
        }
    }

    private static async Task<string> ShownAsync(Process terminal, string until)
    {
        var shown = new StringBuilder();
        char[] one = new char[1];
        while (!shown.ToString().Contains(until, StringComparison.Ordinal))
        {
            int read = await terminal.StandardOutput.ReadAsync(one).AsTask().WaitAsync(HostingProcess.Net);
            Assert.True(read > 0, $"It ended with: {shown}");
            shown.Append(one[0]);
        }

        return shown.ToString();
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll");

    private async Task<string> DoneAsync(string? input, params string[] args)
    {
        (int code, string output, string errors) = await RunAsync(input, args);
        Assert.Equal((0, ""), (code, errors));
        return output.TrimEnd();
    }

    private async Task<string[]> ListAsync() =>
    [
        .. (await DoneAsync(null, "list")).Split('\n').Select(line => line.Split('\t'))
            .Select(fields => $"{fields[0]} {fields[3]}"),
    ];

    private static async Task LoginAsync(Uri address, string username, string password)
    {
        using var client = new Client(address);
        await client.Auth.LoginAsync(new() { Username = username, Password = password });
    }

    private Task<(int ExitCode, string Output, string Errors)> RunAsync(string? input, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { ArgumentList = { Program, "account" } };
        Array.ForEach(args, start.ArgumentList.Add);
        return RunAsync(input is null ? "" : input + "\n", start);
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(string input, ProcessStartInfo start)
    {
        using var net = new CancellationTokenSource(HostingProcess.Net);
        using var process = Process.Start(Redirected(start))!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync(net.Token);
        string output = await process.StandardOutput.ReadToEndAsync(net.Token);
        await process.WaitForExitAsync(net.Token);
        return (process.ExitCode, output, await errors);
    }

    private ProcessStartInfo Redirected(ProcessStartInfo start)
    {
        start.WorkingDirectory = Place;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }
}
