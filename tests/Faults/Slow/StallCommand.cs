using System.Globalization;
using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>
/// Has subscribers stop reading, and says what held: memory, the reset, the neighbours, and what is told in the end;
/// then each control, which is to be caught.
/// </summary>
internal sealed class StallCommand(Arguments arguments, TimeProvider time)
{
    private const int Connections = 4;
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);
    private readonly int _stalled = arguments.Number("--stalled", 100);
    private readonly TimeSpan _deadline = TimeSpan.FromSeconds(arguments.Number("--deadline", 5));
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new StallCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        await CheckAsync(Never, async run =>
        {
            long growth = await run.GrowthAsync(_stalled);
            _report.Check(
                growth < StallRun.WindowBytes / 2,
                $"{_stalled} subscribers that do not read: memory does not grow while they stall: {Grown(growth)}");
        });
        await CheckAsync(
            Never,
            async run =>
            {
                long growth = await run.GrowthAsync(_stalled);
                _report.Check(
                    growth > StallRun.WindowBytes / 2,
                    $"the control that queues for whom does not read is caught: {Grown(growth)}");
            },
            queues: true);
        await CheckAsync(_deadline, run => ResetAsync(
            run, [], "each is reset at its time, its neighbours live, and it goes on without loss",
            outcome => outcome.Whole == _stalled));
        await CheckAsync(_deadline, run => ResetAsync(
            run, [Alters.SkipOne()], "the control that skips one when it resumes is caught",
            outcome => outcome.Whole == 0));
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Stalled readers", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task ResetAsync(
        StallRun run, Interceptor[] reading, string promise, Func<StallRun.Outcome, bool> passes)
    {
        StallRun.Outcome outcome = await run.ResetAsync(Connections, _stalled / Connections, reading);
        _report.Check(
            outcome.Reset == _stalled && outcome is { Lived: Connections, NeighboursWhole: Connections }
                && outcome.Soonest >= _deadline && passes(outcome),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{promise}: {outcome.Reset} of {_stalled} reset, {outcome.Soonest.TotalSeconds:0.0} s to "
                + $"{outcome.Latest.TotalSeconds:0.0} s after they stopped (the time is {_deadline.TotalSeconds} s); "
                + $"{outcome.Whole} told of all, once, in order; {outcome.Lived} of {Connections} neighbours lived, "
                + $"and {outcome.NeighboursWhole} were"));
    }

    private async Task CheckAsync(TimeSpan deadline, Func<StallRun, Task> check, bool queues = false)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-stall-").FullName;
        try
        {
            await using StallRun run = await StallRun.StartAsync(folder, deadline, time, queues);
            await check(run);
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the others are still made.
            _report.Check(false, failure.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Say($"     {time.GetElapsedTime(begun).TotalSeconds:0} s");
    }

    private static string Grown(long bytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"by {bytes / 1024.0:0} KiB while {StallRun.WindowBytes / 1024} KiB of notes were written past them");
}
