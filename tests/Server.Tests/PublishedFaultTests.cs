using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Faults that others had to publish, each by its name, and tried here over the wire as whoever found it did, beside
/// what is to work all the same. This is the table of contents: the suites that each one names try it in depth. Those
/// of logging in stand in <see cref="PublishedLoginFaultTests"/>.
/// </summary>
public sealed class PublishedFaultTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private ServerFixture? _server;
    private Client? _ada;
    private Client? _eve;

    private ServerFixture Server => _server!;

    private Client Ada => _ada!;

    private Client Eve => _eve!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(time: _time);
        _ada = await Client.SignInAsync(_server, "ada");
        _eve = await Client.SignInAsync(_server, "eve");
    }

    public async Task DisposeAsync()
    {
        Ada.Dispose();
        Eve.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>
    /// The check is made for the one object, the work done on the other: Vikunja, CVE-2026-33312, asked whether a
    /// project may be read and then deleted what belongs to it. Depth: <see cref="AccessTests"/>.
    /// </summary>
    [Fact]
    public async Task Objects_reached_through_another_lists_id()
    {
        TaskList hers = await Ada.CreateListAsync();
        TaskList own = await Eve.CreateListAsync();
        TaskItem task = await Ada.AddAsync(hers, "hers");
        TaskItem mine = await Eve.AddAsync(own, "mine");
        await Ada.CommentAsync(task, "hers alone");
        string session = (await Ada.Auth.ListSessionsAsync(new(), Ada.Headers)).Sessions.Single().Id;
        (ApiKey key, Metadata keyHeaders) = await Ada.AddKeyAsync();
        Func<Task>[] attempts =
        [
            () => Eve.UpdateAsync(task, it => (it.TaskListId, it.Title) = (own.Id, "taken"), "task_list_id", "title"),
            () => Eve.UpdateAsync(mine, it => it.TaskListId = hers.Id, "task_list_id"),
            () => Eve.UpdateAsync(mine, it => it.ParentId = task.Id, "parent_id"),
            () => Eve.AddAsync(own, "a step of hers", it => it.ParentId = task.Id),
            () => Eve.AddAsync(hers, "among hers"),
            () => Eve.CommentAsync(task, "mine"),
            () => Eve.GetAsync(task),
            () => Eve.Tasks.ListCommentsAsync(new() { TaskId = task.Id }, Eve.Headers).ResponseAsync,
            () => Eve.DeleteAsync(task),
            () => Eve.Lists.RemoveMemberAsync(
                new() { TaskListId = own.Id, AccountId = Ada.Account.Id }, Eve.Headers).ResponseAsync,
            () => Eve.Auth.RevokeSessionAsync(new() { SessionId = session }, Eve.Headers).ResponseAsync,
            () => Eve.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = key.Id }, Eve.Headers).ResponseAsync,
            () => Eve.AddKeyAsync(Role.Viewer, null, hers),
        ];
        foreach (Func<Task> attempt in attempts)
        {
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", attempt);
        }

        Assert.Empty(await Eve.ListAsync($"task_list_id = \"{hers.Id}\""));
        Assert.Equal([mine], await Eve.ListAsync());

        // Nothing happened to it, and whoever it belongs to can do all of that.
        Assert.Equal(task, await Ada.GetAsync(task));
        Assert.Equal([task], await Ada.ListAsync());
        TaskList other = await Ada.CreateListAsync();
        await Ada.CommentAsync(task, "one more");
        Assert.Equal(2, (await Ada.Tasks.ListCommentsAsync(new() { TaskId = task.Id }, Ada.Headers)).Comments.Count);
        Assert.Equal("moved", (await Ada.UpdateAsync(
            task, it => (it.TaskListId, it.Title) = (other.Id, "moved"), "task_list_id", "title")).Title);
        await Ada.Accounts.GetAccountAsync(new(), keyHeaders);
        await Ada.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = key.Id }, Ada.Headers);
    }

    /// <summary>
    /// Vikunja, CVE-2026-35594: what a token says was believed for days after its share was gone; Directus,
    /// GHSA-56p6-qw3c-fq2g: a suspended user's token went on. Depth: <see cref="EndRaceTests"/>.
    /// </summary>
    [Fact]
    public Task Tokens_alive_after_logout() =>
        EndedAsync(() => Ada.Auth.LogoutAsync(new(), Ada.Headers).ResponseAsync, keyLives: true);

    /// <summary>The same; the session that changes it stays, and so do keys, which are no sessions.</summary>
    [Fact]
    public async Task Tokens_alive_after_a_password_change()
    {
        string password = Secrets.Password();
        Tokens other = (await Ada.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password })).Tokens;
        await EndedAsync(
            () => Ada.Accounts.ChangePasswordAsync(
                new() { CurrentPassword = Client.Password, NewPassword = password },
                Client.Bearer(other.AccessToken)).ResponseAsync,
            keyLives: true);
        await Ada.Accounts.GetAccountAsync(new(), Client.Bearer(other.AccessToken));
        await Ada.Auth.LoginAsync(new() { Username = "ada", Password = password });
    }

    /// <summary>The same; nothing is left.</summary>
    [Fact]
    public Task Tokens_alive_after_deletion() => EndedAsync(
        () => Ada.Accounts.DeleteAccountAsync(new() { Password = Client.Password }, Ada.Headers).ResponseAsync,
        keyLives: false);

    /// <summary>
    /// What is to be used once is used again: Vikunja, CVE-2026-28268, took a spent token for ever; of refresh tokens,
    /// RFC 9700, 4.14. Depth: <see cref="AuthRefreshTests"/>.
    /// </summary>
    [Fact]
    public async Task Refresh_reuse()
    {
        Tokens stolen = Ada.Tokens;
        Tokens second = await RefreshAsync(stolen);
        Tokens third = await RefreshAsync(second);
        await Ada.Accounts.GetAccountAsync(new(), Client.Bearer(third.AccessToken));
        _time.Advance(TimeSpan.FromSeconds(11));
        await RefusedAsync(() => RefreshAsync(stolen));
        await RefusedAsync(() => RefreshAsync(third));
        await RefusedAsync(() => Ada.Accounts.GetAccountAsync(
            new(), Client.Bearer(third.AccessToken)).ResponseAsync);
        await Eve.Accounts.GetAccountAsync(new(), Client.Bearer((await RefreshAsync(Eve.Tokens)).AccessToken));
    }

    /// <summary>
    /// What may not be seen decides about an order, or a match: Strapi, CVE-2023-22894, let anyone find fields of other
    /// users by filtering for them. Depth: <see cref="AccessTests"/>, <see cref="PageTokenTests"/>.
    /// </summary>
    [Fact]
    public async Task Enumeration_by_sort_order()
    {
        TaskList hers = await Ada.CreateListAsync();
        TaskList own = await Eve.CreateListAsync();
        TaskItem[] mine = [await Eve.AddAsync(own, "b"), await Eve.AddAsync(own, "d"), await Eve.AddAsync(own, "a")];
        foreach (string field in (string[])["password_hash", "creator.password_hash", "creator.username", "username",
            "creator_id", "assignee_id", "account.username", "title desc, creator.username"])
        {
            await Refusal.AssertAsync(StatusCode.InvalidArgument, "ORDER_BY_INVALID", "order_by", () =>
                Eve.ListAsync(orderBy: field));
        }

        string[] filters = ["", $"assignee_id = \"{Ada.Account.Id}\"", $"creator_id = \"{Ada.Account.Id}\""];
        string[] orders = ["title", "title desc", "create_time", "update_time desc", "priority"];
        string[] before = await PagesAsync();
        await Ada.AddAsync(hers, "a", it => it.AssigneeId = Ada.Account.Id);
        await Ada.AddAsync(hers, "c", it => it.Priority = Priority.High);
        Assert.Equal(before, await PagesAsync());

        // Her own, in the order that was asked for: it is a page of two and one of one.
        Assert.Equal([mine[2], mine[0], mine[1]], await Eve.ListAsync(orderBy: "title", pageSize: 2));
        Assert.Equal(["a", "c"], (await Ada.ListAsync(orderBy: "title")).Select(task => task.Title));

        async Task<string[]> PagesAsync()
        {
            var pages = new List<string>();
            foreach ((string filter, string order) in filters.SelectMany(filter => orders, (one, two) => (one, two)))
            {
                List<TaskItem> page = await Eve.ListAsync(filter, order, pageSize: 2);
                pages.Add($"{filter} by {order}: {string.Join(' ', page.Select(task => task.Id))}");
            }

            return [.. pages];
        }
    }

    /// <summary>
    /// The path that is looked up in the rules is not the one that is called: grpc-go, CVE-2026-33186, did without the
    /// first slash. Written byte by byte, since clients mend paths. Depth: <see cref="AccessTokenTests"/>.
    /// </summary>
    [Fact]
    public async Task Path_spellings()
    {
        const string Right = "/squall.v1.TaskService/ListTasks";
        string[] others =
        [
            "squall.v1.TaskService/ListTasks", "/" + Right, Right + "/", "/." + Right, "/x/.." + Right,
            "/squall.v1.GreeterService/.." + Right, "/squall.v1.GreeterService/SayHello/../../.." + Right,
            "/%2e" + Right, "/squall.v1.TaskService%2FListTasks", "/squall.v1.TaskService/List%54asks",
            "/squall%2Ev1.TaskService/ListTasks", "/squall.v1.taskservice/listtasks",
            "/SQUALL.V1.TASKSERVICE/LISTTASKS",
            Right + "%20", Right + "%00", Right + ";x", "/squall.v1.TaskService\\ListTasks", Right + "%3fx",
        ];
        string token = Eve.Tokens.AccessToken;
        foreach (string path in others)
        {
            int without = await PostAsync(path, null);
            Assert.True(without is 400 or 404, $"{path}: {without}");
            Assert.Equal((path, without), (path, await PostAsync(path, token)));
        }

        // What is the same path by the rules of HTTP needs the same token.
        foreach (string path in (string[])[Right, Right + "?x=y", $"http://localhost{Right}"])
        {
            Assert.Equal((path, 401, 200), (path, await PostAsync(path, null), await PostAsync(path, token)));
        }
    }

    /// <summary>
    /// Gitea, GHSA-683j-3ff6-hh2x: a token sent as a password made another token, of whatever reach. Depth:
    /// <see cref="ApiKeyReachTests"/>.
    /// </summary>
    [Fact]
    public async Task A_key_that_makes_a_stronger_key()
    {
        TaskList list = await Ada.CreateListAsync();
        (ApiKey weak, Metadata headers) = await Ada.AddKeyAsync(Role.Viewer, null, list);
        (ApiKey strong, Metadata strongHeaders) = await Ada.AddKeyAsync();
        string secret = headers.GetValue("authorization")!["Bearer ".Length..];
        foreach (Metadata key in (Metadata[])[headers, strongHeaders])
        {
            Func<Task>[] attempts =
            [
                () => Ada.Accounts.CreateApiKeyAsync(
                    new() { ApiKey = new() { Role = Role.Owner } }, key).ResponseAsync,
                () => Ada.Accounts.CreateApiKeyAsync(
                    new() { ApiKey = new() { Role = Role.Viewer, TaskListIds = { list.Id } } }, key).ResponseAsync,
                () => Ada.Accounts.ListApiKeysAsync(new(), key).ResponseAsync,
                () => Ada.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = strong.Id }, key).ResponseAsync,
                () => Ada.Accounts.ChangePasswordAsync(new() { NewPassword = Secrets.Password() }, key).ResponseAsync,
                () => Ada.Accounts.DeleteAccountAsync(new() { Password = Client.Password }, key).ResponseAsync,
                () => Ada.Auth.ListSessionsAsync(new(), key).ResponseAsync,
            ];
            foreach (Func<Task> attempt in attempts)
            {
                await Refusal.AssertAsync(StatusCode.PermissionDenied, "SESSION_REQUIRED", attempt);
            }
        }

        string basic = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{secret}:x-oauth-basic"));
        await RefusedAsync(() => Ada.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Owner } }, new Metadata { { "authorization", $"Basic {basic}" } })
            .ResponseAsync);
        await RefusedAsync(() => RefreshAsync(new Tokens { RefreshToken = secret }));

        // Both are there, as they were; a session makes a third one.
        await Ada.AddKeyAsync(Role.Editor, Timestamp.FromDateTimeOffset(_time.GetUtcNow().AddDays(1)), list);
        ApiKey[] keys = [.. (await Ada.Accounts.ListApiKeysAsync(new(), Ada.Headers)).ApiKeys];
        Assert.Equal([Role.Editor, strong.Role, weak.Role], keys.Select(key => key.Role));
        Assert.Equal(list, (await Ada.Lists.GetTaskListAsync(new() { TaskListId = list.Id }, Ada.Headers)).TaskList);
    }

    /// <summary>
    /// What is meant for whoever operates a server holds what only its users know: Gogs, CVE-2026-26196, took tokens in
    /// addresses, which any log has. Depth: <see cref="AuthSecretsTests"/>; and ./test.sh searches all that the tests
    /// and their servers say for all secrets of theirs.
    /// </summary>
    [Fact]
    public async Task Secrets_in_logs_errors_and_traces()
    {
        var heard = new Overheard(keeps: true);
        await using ServerFixture server = await ServerFixture.StartAsync(replace: heard.Register);
        using Client bob = await Client.RegisterAsync(server.Address, "bob");
        string wrong = Secrets.Password();
        List<string> secrets = [Client.Password, wrong, bob.Tokens.AccessToken, bob.Tokens.RefreshToken];
        List<string> told = [];
        (_, Metadata key) = await bob.AddKeyAsync();
        secrets.Add(key.GetValue("authorization")!["Bearer ".Length..]);
        await bob.Lists.ListTaskListsAsync(new(), key);
        await FailsAsync(() => bob.Auth.LoginAsync(new() { Username = "bob", Password = wrong }).ResponseAsync);
        await FailsAsync(() => bob.Auth.LoginWithIdTokenAsync(new() { IdToken = wrong }).ResponseAsync);
        await FailsAsync(() => bob.Auth.RefreshSessionAsync(
            new() { RefreshToken = bob.Tokens.AccessToken }).ResponseAsync);
        await FailsAsync(() => bob.Accounts.GetAccountAsync(
            new(), Client.Bearer(bob.Tokens.RefreshToken)).ResponseAsync);
        await FailsAsync(() => bob.Accounts.ChangePasswordAsync(
            new() { CurrentPassword = wrong, NewPassword = wrong }, bob.Headers).ResponseAsync);
        await FailsAsync(() => bob.Accounts.RegisterAccountAsync(
            new() { Username = "bob", Password = wrong }).ResponseAsync);

        // Nor is a token taken from an address.
        using var http = new HttpClient { BaseAddress = server.Address };
        using var empty = new StringContent("{}", Encoding.UTF8, "application/json");
        string address = $"/squall.v1.AccountService/GetAccount?access_token={bob.Tokens.AccessToken[4..]}";
        using HttpResponseMessage asked = await http.PostAsync(new Uri(address, UriKind.Relative), empty);
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        told.Add(await asked.Content.ReadAsStringAsync());

        // It was heard: what a caller wrote into an address is its own, and alone there.
        string[] lines = [.. heard.Lines.Concat(told)];
        Assert.Contains(lines, line => line.StartsWith("trace: ", StringComparison.Ordinal)
            && line.Contains("AuthService/Login", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("Debug: ", StringComparison.Ordinal));
        Assert.All(lines.Where(line => Holds(line, secrets)), line => Assert.Contains("access_token=", line));
        Assert.True(Holds($"a log with {wrong} in it", secrets));

        async Task FailsAsync(Func<Task> call)
        {
            RpcException refused = await Assert.ThrowsAsync<RpcException>(call);
            told.Add($"{refused} {string.Join(' ', refused.Trailers.Select(entry => entry.IsBinary
                ? Encoding.UTF8.GetString(entry.ValueBytes) : entry.Value))}");
        }
    }

    /// <summary>After an end neither token, nor a stream, nor, or all the same, a key lets in.</summary>
    private async Task EndedAsync(Func<Task> end, bool keyLives)
    {
        (_, Metadata key) = await Ada.AddKeyAsync();
        using var stream = new Subscriber(Ada);
        await stream.NextAsync();
        await Ada.Accounts.GetAccountAsync(new(), Ada.Headers);
        await Ada.Accounts.GetAccountAsync(new(), key);
        Tokens old = Ada.Tokens;
        await end();

        await RefusedAsync(() => Ada.Accounts.GetAccountAsync(new(), Client.Bearer(old.AccessToken)).ResponseAsync);
        await RefusedAsync(() => RefreshAsync(old));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => stream.NextAsync());
        if (keyLives)
        {
            await Ada.Accounts.GetAccountAsync(new(), key);
        }
        else
        {
            await RefusedAsync(() => Ada.Accounts.GetAccountAsync(new(), key).ResponseAsync);
        }

        await Eve.Accounts.GetAccountAsync(new(), Eve.Headers);
    }

    private async Task<Tokens> RefreshAsync(Tokens tokens) =>
        (await Ada.Auth.RefreshSessionAsync(new() { RefreshToken = tokens.RefreshToken })).Tokens;

    private static Task RefusedAsync(Func<Task> call) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", call);

    /// <summary>Whether a text holds one of them, or, of a token, what is secret in it.</summary>
    private static bool Holds(string text, List<string> secrets) =>
        secrets.Exists(secret => text.Contains(secret[4..], StringComparison.Ordinal));

    /// <summary>The status that an RPC of this path is answered with over HTTP/1.1.</summary>
    private async Task<int> PostAsync(string path, string? token)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Server.Address.Host, Server.Address.Port);
        await using NetworkStream stream = socket.GetStream();
        string authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            + $"{authorization}Connection: close\r\n\r\n{{}}"));
        using var reader = new StreamReader(stream);
        string line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? "";
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
