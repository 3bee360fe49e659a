using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;
using SQLitePCL;

namespace Squall.Server.Tests;

/// <summary>
/// What a failed login costs the server, counted: whoever measures it cannot learn who exists. How long it takes is
/// measured by <c>tests/Faults</c>.
/// </summary>
public sealed partial class AuthWorkTests : IAsyncLifetime
{
    private const string Nobody = "no.such.name";

    // More than are ever open at once here: each is listened to.
    private const int Readers = 4;
    private static readonly string Wrong = Secrets.Password();
    private static readonly string[] Known = ["has.one", "has.none", "is.disabled"];
    private readonly ConcurrentQueue<string> _reads = [];
    private readonly QuickTime _time = new();
    private ServerFixture? _server;

    public enum Lapse
    {
        HashesNothing,
        ReadsLess,
        Waits,
    }

    private ServerFixture Server => _server!;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => Server.DisposeAsync();

    [Fact]
    public async Task Whoever_is_named_the_same_is_hashed_and_read_and_nothing_waited_for()
    {
        await StartAsync(null);
        Work unknown = await WorkAsync(Nobody);
        Assert.Equal((1, ""), (unknown.Hashes, unknown.Waits));
        Assert.Equal(1, Regex.Count(unknown.Reads, "FROM \"accounts\""));
        Assert.Equal(1, Regex.Count(unknown.Reads, "FROM \"places\""));
        foreach (string name in Known)
        {
            Assert.Equal(unknown, await WorkAsync(name));
        }
    }

    [Theory]
    [InlineData(Lapse.HashesNothing)]
    [InlineData(Lapse.ReadsLess)]
    [InlineData(Lapse.Waits)]
    public async Task A_server_that_works_otherwise_for_an_unknown_name_is_caught(Lapse lapse)
    {
        await StartAsync(lapse);
        Work unknown = await WorkAsync(Nobody), known = await WorkAsync(Known[0]);
        Assert.NotEqual(unknown, known);
        Assert.Equal(lapse == Lapse.HashesNothing, unknown.Hashes != known.Hashes);
        Assert.Equal(lapse == Lapse.Waits, unknown.Waits != known.Waits);
        Assert.Equal(lapse != Lapse.Waits, unknown.Reads != known.Reads);
    }

    [Fact]
    public async Task Whoever_is_named_waits_in_the_same_queue()
    {
        await StartAsync(null);
        Limits limits = Server.Get<Limits>();
        limits.HashesAtOnceMax = limits.HashesWaitingMax = 0;
        using var client = new Client(Server.Address);
        long before = Server.Get<Passwords>().Hashes;
        foreach (string name in (string[])[Nobody, .. Known])
        {
            RpcException refused = await Refusal.AssertAsync(
                StatusCode.ResourceExhausted, "HASHING_BUSY", async () =>
                    await client.Auth.LoginAsync(new() { Username = name, Password = Wrong }));
            Assert.Equal(
                TimeSpan.FromSeconds(1), Refusal.Detail<Google.Rpc.RetryInfo>(refused)!.RetryDelay.ToTimeSpan());
        }

        Assert.Equal(before, Server.Get<Passwords>().Hashes);
    }

    private async Task StartAsync(Lapse? lapse)
    {
        _server = await ServerFixture.StartAsync(time: _time, replace: services =>
        {
            if (lapse is { } kind)
            {
                services.AddGrpc(grpc => grpc.Interceptors.Add<Lapses>(kind));
            }
        });
        foreach (string name in Known)
        {
            using Client client = await Client.SignInAsync(Server, name, hasPassword: name != "has.none");
        }

        await Server.Get<Journal>().RunAsync(
            scope => scope.Db.Accounts.Single(row => row.Username == "is.disabled").DisableTimeMicros = scope.NowMicros,
            null, 0, CancellationToken.None);
        Assert.True(ListenAsync(Readers).IsCompletedSuccessfully);
    }

    /// <summary>To each connection in turn, while those before it are held.</summary>
    private Task<bool> ListenAsync(int readers) => Server.Get<Store>().ReadAsync(
        db =>
        {
            raw.sqlite3_trace(
                ((SqliteConnection)db.Database.GetDbConnection()).Handle!,
                (_, statement) => _reads.Enqueue(Value().Replace(statement, "?")), null);
            return readers == 1 || ListenAsync(readers - 1).IsCompletedSuccessfully;
        },
        CancellationToken.None);

    /// <summary>Of a login by this name, with a wrong password.</summary>
    private async Task<Work> WorkAsync(string username)
    {
        using var client = new Client(Server.Address);
        _reads.Clear();
        _time.Waits.Clear();
        long hashes = Server.Get<Passwords>().Hashes;
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
            await client.Auth.LoginAsync(new() { Username = username, Password = Wrong }));
        return new Work(
            Server.Get<Passwords>().Hashes - hashes, string.Join('\n', _reads), string.Join('\n', _time.Waits));
    }

    [GeneratedRegex(@"'[^']*'|\b[0-9]+\b")]
    private static partial Regex Value();

    /// <summary>Each statement counts, and each delay.</summary>
    private sealed record Work(long Hashes, string Reads, string Waits);

    /// <summary>
    /// A clock that stands still, but for whoever waits at most a few seconds: that is noted, and over at once. Not the
    /// audit trail, which waits after the answer, nor bounds on connections; a login that waited so would not end.
    /// </summary>
    private sealed class QuickTime : TimeProvider
    {
        private static readonly TimeSpan Few = TimeSpan.FromSeconds(5);
        private readonly FakeTime _still = new();

        public ConcurrentQueue<TimeSpan> Waits { get; } = [];

        public override long TimestampFrequency => _still.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => _still.GetUtcNow();

        public override long GetTimestamp() => _still.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan || dueTime <= TimeSpan.Zero || dueTime > Few
                || dueTime == AuditTrail.Interval)
            {
                return _still.CreateTimer(callback, state, dueTime, period);
            }

            Waits.Enqueue(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    /// <summary>The faults: what a server does otherwise for a name that nobody has.</summary>
    private sealed class Lapses(Store store, Passwords passwords, TimeProvider time, Lapse lapse) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            if (request is LoginRequest login && !await store.ReadAsync(
                db => db.Accounts.Any(account => account.Username == login.Username), context.CancellationToken))
            {
                await LapseAsync(login.Password);
            }

            return await continuation(request, context);
        }

        private async Task LapseAsync(string password)
        {
            if (lapse == Lapse.Waits)
            {
                var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using ITimer timer = time.CreateTimer(
                    _ => over.SetResult(), null, TimeSpan.FromMilliseconds(Random.Shared.Next(1, 50)),
                    Timeout.InfiniteTimeSpan);
                await over.Task;
                return;
            }

            if (lapse == Lapse.ReadsLess)
            {
                await passwords.VerifyAsync(null, password, CancellationToken.None);
            }

            throw Fault.Unauthenticated(
                "CREDENTIALS_WRONG", "There is no account with this username and password.");
        }
    }
}
