namespace Squall.Faults;

/// <summary>
/// Races changes against the loss of the access to them, and says what held; then with each control, which is to be
/// caught.
/// </summary>
internal sealed class RevocationCommand(Arguments arguments, TimeProvider time)
{
    private const int AtOnce = 8;
    private const int ControlRaces = 60;
    private readonly int _races = arguments.Number("--races", 500);
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new RevocationCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        await CheckAsync(
            "nothing behind a loss is delivered, and nothing late", Neglect.None, _races,
            tally => tally is { Behind: 0, Late: 0 }
                && tally.ChangeFirst >= _races / 10 && tally.ChangeFirst <= _races - (_races / 10));
        await CheckAsync(
            "the control whose memory does not learn of losses is caught", Neglect.Forgets, ControlRaces,
            tally => tally.Behind > 0);
        await CheckAsync(
            "the control that sends late is caught", Neglect.Lags, ControlRaces, tally => tally.Late > 0);
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Revocation", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task CheckAsync(string promise, Neglect neglect, int races, Func<Tally, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-revocation-").FullName;
        try
        {
            await using RevocationRun run = await RevocationRun.StartAsync(folder, neglect, time);
            Tally tally = await run.RaceAsync(races, AtOnce);
            _report.Check(passes(tally), $"{promise}: {tally}");
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

        _report.Say($"     {time.GetElapsedTime(begun).TotalSeconds:0} s");
    }
}
