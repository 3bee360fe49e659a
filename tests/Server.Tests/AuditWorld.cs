using System.Net;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// A server whose audit trail is looked at, on a clock that stands still: what is noted is written when the test says.
/// Calls come from where they say, as a trusted proxy would.
/// </summary>
internal sealed class AuditWorld : IAsyncDisposable
{
    public const string Here = "192.0.2.7";
    public const string Elsewhere = "198.51.100.9";
    private long _seen;

    private AuditWorld(ServerFixture server, FakeTime time, AuditLines lines)
    {
        (Server, Time, Lines) = (server, time, lines);
        Anyone = new Client(server.Address);
    }

    public ServerFixture Server { get; }
    public FakeTime Time { get; }
    public AuditLines Lines { get; }

    /// <summary>Calls without a session of its own.</summary>
    public Client Anyone { get; private set; }

    /// <summary>All that nobody may be told of.</summary>
    public List<string> Secrets { get; } = [Client.Password];

    public static async Task<AuditWorld> StartAsync(
        Action<ServerOptions>? adjust = null, Action<IServiceCollection>? replace = null)
    {
        var time = new FakeTime();
        var lines = new AuditLines();
        ServerFixture server = await ServerFixture.StartAsync(
            options =>
            {
                options.Registration = true;
                options.ClearTextTokens = true;
                options.TrustedProxies = [new IPNetwork(IPAddress.Loopback, 32)];
                StaticIssuer.Name(options);
                adjust?.Invoke(options);
            },
            time,
            services =>
            {
                StaticIssuer.Register(services);
                lines.Register(services);
                replace?.Invoke(services);
            });
        return new AuditWorld(server, time, lines);
    }

    public async Task RestartAsync()
    {
        Anyone.Dispose();
        await Server.RestartAsync();
        Anyone = new Client(Server.Address);
    }

    public static Metadata From(string address, string? token = null)
    {
        var headers = new Metadata { { "x-forwarded-for", address } };
        if (token is not null)
        {
            headers.Add("authorization", $"Bearer {token}");
        }

        return headers;
    }

    /// <summary>A new account, logged in from <see cref="Here"/> as anyone is.</summary>
    public async Task<AuditPerson> JoinAsync(string username)
    {
        Account account = (await Anyone.Accounts.RegisterAccountAsync(
            new() { Username = username, Password = Client.Password }, From(Here))).Account;
        return await LoginAsync(account);
    }

    public async Task<AuditPerson> LoginAsync(Account account, string address = Here)
    {
        LoginResponse login = await Anyone.Auth.LoginAsync(
            new() { Username = account.Username, Password = Client.Password }, From(address));
        return await PersonAsync(login.Account, login.Tokens);
    }

    public async Task<AuditPerson> PersonAsync(Account account, Tokens tokens)
    {
        Secrets.AddRange([tokens.AccessToken, tokens.RefreshToken]);
        string session = await Server.Get<Store>().ReadAsync(
            db => db.Tokens.Single(token => token.Hash == Token.Hash(tokens.AccessToken)).SessionId,
            CancellationToken.None);
        return new AuditPerson(account, tokens, session);
    }

    /// <summary>What comes from here on is looked at.</summary>
    public async Task MarkAsync()
    {
        AuditRow[] rows = await RowsAsync();
        _seen = rows.Length == 0 ? 0 : rows[^1].Num;
        Lines.Clear();
    }

    /// <summary>All rows, in the order in which they were written, those that were noted too.</summary>
    public async Task<AuditRow[]> RowsAsync()
    {
        await Server.Get<AuditTrail>().FlushAsync(CancellationToken.None);
        return await Server.Get<Store>().ReadAsync(
            db => db.Audit.OrderBy(row => row.Num).ToArray(), CancellationToken.None);
    }

    public async Task<AuditRow[]> NewRowsAsync() => [.. (await RowsAsync()).Where(row => row.Num > _seen)];

    /// <summary>
    /// Asserts that the event was told once since the mark, so, in a row and in a line of the log alike, and that no
    /// row and no line has a secret.
    /// </summary>
    public async Task AssertToldAsync(AuditEntry expected, params string[] nowhere)
    {
        AuditRow[] rows = await NewRowsAsync();
        AuditRow row = Assert.Single(rows, row => row.Event == (int)expected.Event);
        Assert.Equal(expected, EntryOf(row));
        Assert.Equal((1, expected.Event.IsRefusal()), (row.Count, row.IsRefusal));
        Assert.InRange(row.TimeMicros, Micros.Of(Time.GetUtcNow()) - 1_000_000, Micros.Of(Time.GetUtcNow()) + 1_000);

        AuditLine line = Assert.Single(Lines.All, line => line.Id.Id == (int)expected.Event);
        Assert.Equal(expected.Event.Name(), line.Id.Name);
        Assert.Equal(expected, EntryOf(line));
        string all = string.Join('\n', rows.Select(TextOf).Concat(Lines.All.Select(told => told.Text)));
        Assert.Contains(line.Text, all, StringComparison.Ordinal);
        Assert.All([.. Secrets, .. nowhere], secret =>
            Assert.DoesNotContain(secret, all, StringComparison.OrdinalIgnoreCase));
    }

    public static AuditEntry EntryOf(AuditRow row) => new((AuditEvent)row.Event)
    {
        AccountId = row.AccountId,
        ProofId = row.ProofId,
        SubjectId = row.SubjectId,
        Address = row.Address,
        ListId = row.ListId,
        Role = (Role)row.Role,
        Cause = row.Cause,
        Rpc = row.Rpc,
    };

    private static AuditEntry EntryOf(AuditLine line)
    {
        Assert.Equal(line.Text.Split(':')[0], line.Fields["Event"]);
        return new((AuditEvent)line.Id.Id)
        {
            AccountId = Field("AccountId"),
            ProofId = Field("ProofId"),
            SubjectId = Field("SubjectId"),
            Address = Field("Address"),
            ListId = Field("TaskListId"),
            Role = Field("Role") is { } role ? Enum.Parse<Role>(role, ignoreCase: true) : Role.Unspecified,
            Cause = Field("Cause"),
            Rpc = Field("Rpc"),
        };

        string? Field(string name)
        {
            string? value = line.Fields.GetValueOrDefault(name)?.ToString();
            Assert.Contains(value is null ? "" : $"{name}={value}", line.Text, StringComparison.Ordinal);
            return value;
        }
    }

    private static string TextOf(AuditRow row) => string.Join(
        ' ', typeof(AuditRow).GetProperties().Select(column => $"{column.Name}={column.GetValue(row)}"));

    public async ValueTask DisposeAsync()
    {
        Anyone.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>Someone with a session, and its id.</summary>
internal sealed record AuditPerson(Account Account, Tokens Tokens, string SessionId)
{
    public Metadata Headers => AuditWorld.From(AuditWorld.Here, Tokens.AccessToken);

    /// <summary>What the trail is to tell of its doing.</summary>
    public AuditEntry Did(AuditEvent what) =>
        new(what) { AccountId = Account.Id, ProofId = SessionId, Address = AuditWorld.Here };
}
