using Squall.Client;
using Squall.Server;
using Squall.Server.Tests;

namespace Squall.Samples.Tests;

/// <summary>Someone with an account and a session, made without hashing a password.</summary>
internal sealed class Person : IDisposable
{
    private readonly ServerFixture server;
    private readonly string token;

    private Person(ServerFixture server, string username, string id, string token)
    {
        (this.server, this.token) = (server, token);
        (Username, Id) = (username, id);
        Client = Connect();
    }

    public string Username { get; }

    public string Id { get; }

    public SquallClient Client { get; }

    public static async Task<Person> ComeAsync(ServerFixture server)
    {
        var username = $"p{Guid.NewGuid():N}"[..32];
        var (id, token) = await server.Get<Journal>().RunAsync(
            scope =>
            {
                var row = new AccountRow { Id = Ids.New(scope.NowMicros), Username = username };
                scope.Db.Accounts.Add(row);
                return (row.Id, server.Get<SessionChanges>().Begin(scope, row.Id, "test").AccessToken);
            },
            null, 0, CancellationToken.None);
        return new Person(server, username, id, Secrets.Remember("access", token));
    }

    /// <summary>Another client of the same account, as another process has it.</summary>
    public SquallClient Connect(Func<HttpMessageHandler>? handlerFactory = null) => new(new SquallClientOptions
    {
        Endpoint = server.Address,
        Token = token,
        HandlerFactory = handlerFactory,

        // A net: none of these tests waits for a deadline, and many run at once.
        Timeout = TimeSpan.FromMinutes(1),
    });

    public void Dispose() => Client.Dispose();
}

[CollectionDefinition(Name)]
public sealed class WithServer : ICollectionFixture<ServerFixture>
{
    public const string Name = "with a server";
}
