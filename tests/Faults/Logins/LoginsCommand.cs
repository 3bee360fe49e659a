using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Times logins by a name that nobody has and by a wrong password, in pairs, and says whether whoever measures them can
/// tell which names there are; then with each control, which is to be caught.
/// </summary>
internal sealed class LoginsCommand(Arguments arguments, TimeProvider time)
{
    /// <summary>Fewer are too few for 5 %, or are measured where anything else may run: they are told, not judged.
    /// </summary>
    private const int PairsToJudge = 500;

    private const int WarmUpPairs = 3;
    private const int Accounts = 4;
    private static readonly string Password = Secrets.Password();
    private static readonly string Wrong = Secrets.Password();
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] Hasty = [Path.Combine(Here, "Squall.Faults.dll"), "serve-hasty"];
    private static readonly string[] Hiding = [Path.Combine(Here, "Squall.Faults.dll"), "serve-hiding"];
    private readonly int _pairs = Math.Max(arguments.Number("--pairs", 20), LoginTimes.PairsMin);
    private readonly int _runs = arguments.Number("--runs", 1);
    private readonly int _seed = arguments.Number("--seed", Environment.TickCount);
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new LoginsCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        bool isJudged = _pairs >= PairsToJudge;
        _report.Say(FormattableString.Invariant(
            $"{_runs} runs of {_pairs} pairs of logins, an unknown name and a wrong password in random order; ")
            + FormattableString.Invariant($"seed {_seed}"));
        for (int run = 0; run < _runs; run++)
        {
            await CheckAsync(
                isJudged
                    ? "an unknown name takes as long as a wrong password, within 5 %"
                    : "an unknown name takes neither half nor twice as long as a wrong password (too few to say more)",
                Server, _seed + run, times => isJudged ? times.AreAlike : !times.AreFarApart);
        }

        await CheckAsync(
            "the control that hashes nothing for an unknown name is caught", Hasty, _seed,
            times => times is { AreAlike: false, AreFarApart: true });
        if (isJudged)
        {
            await CheckAsync(
                "the control that waits for a random time instead, as long on average, is caught", Hiding, _seed,
                times => !times.AreAlike);
        }

        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Login times", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task CheckAsync(string promise, string[] program, int seed, Func<LoginTimes, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-logins-").FullName;
        try
        {
            LoginTimes times = await MeasureAsync(program, folder, new Random(seed));
            _report.Check(passes(times), $"{promise}: {times}");
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the others are still made.
            _report.Check(false, $"{promise}: {failure}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Say(FormattableString.Invariant($"     {time.GetElapsedTime(begun).TotalSeconds:0} s"));
    }

    /// <summary>One login after the other on one connection, as whoever guesses at names would measure them.</summary>
    private async Task<LoginTimes> MeasureAsync(string[] program, string folder, Random random)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(program, folder);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var accounts = new AccountService.AccountServiceClient(channel);
        for (int at = 0; at < Accounts; at++)
        {
            await accounts.RegisterAccountAsync(
                new RegisterAccountRequest { Username = Known(at), Password = Password });
        }

        var auth = new AuthService.AuthServiceClient(channel);
        var pairs = new List<(double Unknown, double Wrong)>();
        for (int at = -WarmUpPairs; at < _pairs; at++)
        {
            string unknown = FormattableString.Invariant($"nobody{at + WarmUpPairs:0000}");
            string known = Known(random.Next(Accounts));
            bool isUnknownFirst = random.Next(2) == 0;
            double first = await TimeAsync(auth, isUnknownFirst ? unknown : known);
            double second = await TimeAsync(auth, isUnknownFirst ? known : unknown);
            if (at >= 0)
            {
                pairs.Add(isUnknownFirst ? (first, second) : (second, first));
            }
        }

        return new LoginTimes(pairs);
    }

    /// <summary>As long as the names of nobody are.</summary>
    private static string Known(int number) => FormattableString.Invariant($"person{number:0000}");

    private async Task<double> TimeAsync(AuthService.AuthServiceClient auth, string username)
    {
        long begun = time.GetTimestamp();
        try
        {
            await auth.LoginAsync(new LoginRequest { Username = username, Password = Wrong });
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
        {
            return time.GetElapsedTime(begun).TotalMilliseconds;
        }

        throw new UnreachableException($"{username} has another password.");
    }
}
