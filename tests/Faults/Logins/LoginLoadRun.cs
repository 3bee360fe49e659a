using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Callers who logged in before, at a steady pace; and logins of as many others that come at a rate, whether or not
/// those before them were answered.
/// </summary>
internal sealed class LoginLoadRun(ServerProcess server, int accounts, TimeProvider time) : IAsyncDisposable
{
    private const int Connections = 4;
    private static readonly string Password = Secrets.Password();

    // A slow machine's queue of hashes is no fault: what is looked for here has no time in it.
    private static readonly TimeSpan CallMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    // As many as are hashed at once.
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 2 };
    private readonly CancellationTokenSource _end = new();
    private readonly List<LoginCaller> _callers = [];
    private readonly GrpcChannel[] _channels =
        [.. Enumerable.Range(0, Connections).Select(_ => GrpcChannel.ForAddress(server.Address))];

    private Task[] _calling = [];

    public LoginTally Tally { get; } = new();

    public static CallOptions WithHeaders(Metadata headers, TimeProvider time) =>
        new(headers, time.GetUtcNow().UtcDateTime + CallMax);

    public async Task BeginAsync()
    {
        string[] callers = [.. Enumerable.Range(0, accounts).Select(at => FormattableString.Invariant($"caller{at}"))];
        await Parallel.ForEachAsync(
            callers.Concat(Enumerable.Range(0, accounts).Select(Username)), AtOnce,
            async (username, _) => await RegisterAsync(username));
        await Parallel.ForEachAsync(callers, AtOnce, async (username, _) =>
        {
            LoginResponse login = await LoginAsync(0, username);
            var caller = new LoginCaller(server.Address, login.Tokens.AccessToken, time);
            await caller.BeginAsync();
            lock (_callers)
            {
                _callers.Add(caller);
            }
        });
        _calling = [.. _callers.Select(caller => caller.CallAsync(_end.Token))];
    }

    public async Task<Durations> MeasureAsync(TimeSpan duration)
    {
        var measured = new Durations();
        _callers.ForEach(caller => caller.Durations = measured);
        await Task.Delay(duration, time);
        _callers.ForEach(caller => caller.Durations = null);
        return measured;
    }

    /// <summary>Sends what is due by the clock, and waits for its answers only when all of it is sent.</summary>
    public async Task OfferAsync(int rate, TimeSpan duration)
    {
        int all = (int)(rate * duration.TotalSeconds);
        var logins = new List<Task>(all);
        using var timer = new PeriodicTimer(Tick, time);
        long begun = time.GetTimestamp();
        while (logins.Count < all && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            int due = Math.Min(all, (int)(time.GetElapsedTime(begun).TotalSeconds * rate));
            while (logins.Count < due)
            {
                logins.Add(TryAsync(logins.Count));
            }
        }

        await Task.WhenAll(logins);
    }

    /// <summary>Ends the calls; who of those that were logged in before, and those that were since, still is.</summary>
    public async Task<LoginOutcome> EndAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_calling);
        (bool Session, bool Stream)[] callers =
            await Task.WhenAll(_callers.Select(caller => caller.EndAsync(CallMax)));
        int since = 0;
        foreach (string token in Tally.AccessTokens)
        {
            since += await IsInAsync(token) ? 1 : 0;
        }

        return new LoginOutcome(
            accounts, callers.Count(of => of.Session), callers.Count(of => of.Stream),
            [.. _callers.Select(caller => caller.Failure).OfType<RpcException>()], Tally.AccessTokens.Count, since);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_calling);
        _callers.ForEach(caller => caller.Dispose());
        Array.ForEach(_channels, channel => channel.Dispose());
        _end.Dispose();
    }

    private string Username(int number) => FormattableString.Invariant($"comer{number % accounts}");

    private async Task RegisterAsync(string username) =>
        await new AccountService.AccountServiceClient(_channels[0]).RegisterAccountAsync(
            new RegisterAccountRequest { Username = username, Password = Password }, WithHeaders([], time));

    private async Task<LoginResponse> LoginAsync(int number, string username) =>
        await new AuthService.AuthServiceClient(_channels[number % Connections]).LoginAsync(
            new LoginRequest { Username = username, Password = Password }, WithHeaders([], time));

    private async Task TryAsync(int number)
    {
        try
        {
            Tally.Accept((await LoginAsync(number, Username(number))).Tokens.AccessToken);
        }
        catch (RpcException refused)
        {
            Tally.Refuse(refused);
        }
    }

    private async Task<bool> IsInAsync(string accessToken)
    {
        try
        {
            await new AccountService.AccountServiceClient(_channels[0]).GetAccountAsync(
                new GetAccountRequest(),
                WithHeaders(new Metadata { { "authorization", $"Bearer {accessToken}" } }, time));
            return true;
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
        {
            return false;
        }
    }
}

/// <summary>What became of the callers, and of the sessions that were begun meanwhile.</summary>
internal sealed record LoginOutcome(
    int Callers, int Sessions, int Streams, RpcException[] Failures, int Begun, int BegunAlive)
{
    public bool NobodyLoggedOut => Sessions == Callers && BegunAlive == Begun && Failures.Length == 0;

    public bool StreamsOpen => Streams == Callers;
}

/// <summary>How the logins that were offered were answered.</summary>
internal sealed class LoginTally
{
    private readonly Lock _gate = new();
    private readonly List<string> _accessTokens = [];
    private readonly SortedDictionary<string, int> _others = new(StringComparer.Ordinal);
    private int _refused;
    private int _withoutRetry;

    /// <summary>Of those that were accepted.</summary>
    public IReadOnlyList<string> AccessTokens => _accessTokens;

    /// <summary>
    /// At two hashes at a time no machine accepts as many as half: most are refused, all of them with when to try
    /// again, and none is answered in another way.
    /// </summary>
    public bool ExcessIsRefused =>
        _accessTokens.Count > 0 && _refused > _accessTokens.Count && _withoutRetry == 0 && _others.Count == 0;

    public void Accept(string accessToken)
    {
        lock (_gate)
        {
            _accessTokens.Add(accessToken);
        }
    }

    public void Refuse(RpcException refused)
    {
        lock (_gate)
        {
            if (refused.StatusCode != StatusCode.ResourceExhausted)
            {
                string what = $"{refused.StatusCode} {refused.Status.Detail}";
                _others[what] = _others.GetValueOrDefault(what) + 1;
                return;
            }

            _refused++;
            _withoutRetry += refused.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay is { } wait
                && wait.ToTimeSpan() > TimeSpan.Zero ? 0 : 1;
        }
    }

    public override string ToString() => FormattableString.Invariant(
        $"{_accessTokens.Count} accepted, {_refused} refused, {_withoutRetry} of those without RetryInfo, ")
        + FormattableString.Invariant($"{_others.Values.Sum()} answered otherwise")
        + string.Concat(_others.Select(other => FormattableString.Invariant($"; {other.Value} {other.Key}")));
}
