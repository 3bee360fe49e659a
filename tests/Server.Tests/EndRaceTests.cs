using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;
using Xunit.Abstractions;

namespace Squall.Server.Tests;

/// <summary>
/// The end of sessions, keys and tokens against calls, changes and streams of them: no call that began after the
/// acknowledgement succeeds, and no stream outlives it.
/// </summary>
public sealed class EndRaceTests(ITestOutputHelper output)
{
    private const int AtOnce = 50;
    private const int Rounds = 20;
    private static readonly Ending[] Endings = Enum.GetValues<Ending>();

    /// <summary>Those whose end goes ahead of all that waits, so that a change which waits is refused for it.</summary>
    private static readonly Ending[] First = [Ending.LoggedOut, Ending.SessionRevoked, Ending.KeyRevoked];

    [Fact]
    public async Task Of_1000_races_no_late_call_succeeds_and_no_stream_stays_open()
    {
        var tally = new EndTally();
        var arrivals = new Arrivals(method => !method.EndsWith("/GetAccount", StringComparison.Ordinal));
        await using World world = await World.StartAsync(arrivals.Register);
        int held = 0;
        int streams = 0;
        for (int round = 0; round < Rounds; round++)
        {
            List<EndRace> races = await world.PrepareAsync(AtOnce, round);

            // In every other round all changes stand in the journal's queue, and all ends that queue at once as well,
            // before any of them is run.
            bool holds = round % 2 == 0;
            held += holds ? races.Count(race => First.Contains(race.Ending)) : 0;
            streams += races.Count(race => race.Ending != Ending.Voided);
            await RunAsync(world, races, tally, holds ? arrivals : null);
        }

        int refused = tally.Changes.Count(change => change.Refused && First.Contains(change.Ending));
        TimeSpan[] times = [.. tally.StreamTimes.Order()];
        output.WriteLine(
            $"{Rounds * AtOnce} races: {tally.After.Count} calls after the acknowledgement, {tally.Late} let in; "
            + $"{tally.Across} calls across it; {tally.Streams.Count} streams, {tally.Open} left open, the last ended "
            + $"{times[^1].TotalMilliseconds:F0} ms after it, half {times[times.Length / 2].TotalMilliseconds:F0} ms; "
            + $"{refused} changes refused that waited behind an end, at least {held}");
        Assert.Equal((0, 0), (tally.Late, tally.Open));
        Assert.Equal(Rounds * AtOnce * 3, tally.After.Count);
        Assert.Equal(streams, tally.Streams.Count);
        Assert.InRange(refused, held, int.MaxValue);
    }

    [Fact]
    public async Task An_acknowledgement_ahead_of_the_end_is_caught()
    {
        var tally = new EndTally();
        var early = new EarlyAnswers();
        await using World world = await World.StartAsync(early.Register);
        List<EndRace> races = await world.PrepareAsync(Endings.Length * 2, round: 0);
        await RunAsync(world, races, tally, null);
        output.WriteLine($"{tally.Late} of {tally.After.Count} calls let in; {tally.Open} streams left open");

        // Each of those that are answered early: of two of a kind, all calls and all streams.
        Assert.InRange(tally.Late, 4 * 2 * 3, tally.After.Count);
        Assert.InRange(tally.Open, 4 * 2, tally.Streams.Count);
    }

    private static async Task RunAsync(World world, List<EndRace> races, EndTally tally, Arrivals? queued)
    {
        await Task.WhenAll(races.Select(race => race.BeginAsync(tally)));
        queued?.Forget();
        using WriterHold? hold = queued is null ? null : await WriterHold.StartAsync(world.Server.Get<Journal>());
        races.ForEach(race => race.Change());
        if (queued is not null)
        {
            await queued.WaitAsync(races.Count);
        }

        races.ForEach(race => race.End());
        if (queued is not null)
        {
            // Those that change the password share one end.
            await queued.WaitAsync(races.Count - races.Count(race => race.Ending == Ending.PasswordChanged) + 1);
        }

        hold?.Release();
        await Task.WhenAll(races.Select(race => race.FinishAsync(tally)));
    }

    /// <summary>Acknowledges what ends access, long before it is done.</summary>
    private sealed class EarlyAnswers : Interceptor
    {
        private static readonly string[] Ends =
            ["/Logout", "/RevokeSession", "/RevokeApiKey", "/ChangePassword"];

        public void Register(IServiceCollection services)
        {
            services.AddSingleton(this);
            services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<EarlyAnswers>());
        }

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
            Ends.Any(context.Method.EndsWith)
                ? Task.FromResult(Activator.CreateInstance<TResponse>())
                : continuation(request, context);
    }

    private sealed class World(FakeTime time, ServerFixture server) : IAsyncDisposable
    {
        private static readonly TimeSpan BeyondGrace = TimeSpan.FromSeconds(11);

        public ServerFixture Server => server;

        public static async Task<World> StartAsync(Action<IServiceCollection> replace)
        {
            var time = new FakeTime();
            return new World(time, await ServerFixture.StartAsync(time: time, replace: replace));
        }

        /// <summary>So many races, of each ending the same number.</summary>
        public async Task<List<EndRace>> PrepareAsync(int races, int round)
        {
            using Client changes = await Client.SignInAsync(server, $"changes.{round}");
            var change = new Lazy<Task>(() => Accounts.ChangePasswordAsync(
                new() { CurrentPassword = Client.Password, NewPassword = Secrets.Password() },
                changes.Headers).ResponseAsync);
            Ending[] endings = [.. Enumerable.Range(round, races).Select(at => Endings[at % Endings.Length])];
            var reused = new Queue<(Tokens First, Tokens Second)>();
            foreach (int at in Enumerable.Range(0, endings.Count(ending => ending == Ending.Reused)))
            {
                reused.Enqueue(await RefreshedAsync($"reused.{round}.{at}"));
            }

            time.Advance(BeyondGrace);
            var prepared = new List<EndRace>();
            for (int at = 0; at < races; at++)
            {
                string name = $"race.{round}.{at}";
                prepared.Add(endings[at] switch
                {
                    Ending.Voided => Again(Ending.Voided, await RefreshedAsync(name)),
                    Ending.Reused => Again(Ending.Reused, reused.Dequeue()),
                    Ending.PasswordChanged => new(
                        server, Ending.PasswordChanged, await BesideAsync(changes.Account.Id), change),
                    var ending => await OfAccountAsync(ending, name),
                });
            }

            return prepared;
        }

        public ValueTask DisposeAsync() => new(server.DisposeAsync());

        private AccountService.AccountServiceClient Accounts => new(server.Channel);

        private AuthService.AuthServiceClient Auth => new(server.Channel);

        private async Task<EndRace> OfAccountAsync(Ending ending, string name)
        {
            using Client client = await Client.SignInAsync(server, name);
            Metadata own = client.Headers;
            if (ending == Ending.KeyRevoked)
            {
                CreateApiKeyResponse made = await Accounts.CreateApiKeyAsync(
                    new() { ApiKey = new() { Role = Role.Owner } }, own);
                return new(server, ending, Client.Bearer(made.Secret), new(() => Accounts.RevokeApiKeyAsync(
                    new() { ApiKeyId = made.ApiKey.Id }, own).ResponseAsync));
            }

            if (ending == Ending.LoggedOut)
            {
                return new(server, ending, own, new(() => Auth.LogoutAsync(new(), own).ResponseAsync));
            }

            Metadata other = await BesideAsync(client.Account.Id);
            string id = (await Auth.ListSessionsAsync(new(), own)).Sessions.Single(session => !session.Current).Id;
            return new(server, ending, other, new(() => Auth.RevokeSessionAsync(
                new() { SessionId = id }, own).ResponseAsync));
        }

        private EndRace Again(Ending ending, (Tokens First, Tokens Second) pairs) => new(
            server, ending, Client.Bearer(pairs.Second.AccessToken), new(async () =>
            {
                Task again = Auth.RefreshSessionAsync(new() { RefreshToken = pairs.First.RefreshToken }).ResponseAsync;
                await (ending == Ending.Voided
                    ? again
                    : Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => again));
            }));

        private async Task<(Tokens First, Tokens Second)> RefreshedAsync(string name)
        {
            using Client client = await Client.SignInAsync(server, name);
            RefreshSessionResponse second = await Auth.RefreshSessionAsync(
                new() { RefreshToken = client.Tokens.RefreshToken });
            return (client.Tokens, second.Tokens);
        }

        private async Task<Metadata> BesideAsync(string accountId) => Client.Bearer(
            (await server.Get<Journal>().RunAsync(
                scope => server.Get<SessionChanges>().Begin(scope, accountId, "test"),
                null, 0, CancellationToken.None)).AccessToken);
    }
}
