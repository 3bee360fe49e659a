using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Squall.Bench;

/// <summary>What else the machine was doing.</summary>
internal sealed record Machine(string Load, DateTimeOffset Time)
{
    public static Machine Now(TimeProvider time) =>
        new(string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(1)), time.GetUtcNow());
}

/// <summary>Writes RESULTS.md: what, how, against what, spread, commit.</summary>
internal static class Report
{
    public static async Task WriteAsync(Rounds rounds, Machine before, Machine after)
    {
        string origin = await OriginAsync(before, after);
        string text = $"""
            # Results

            Written by `dotnet run -c Release --project bench`; do not edit. {origin}

            Each row is ours and a floor, measured in turn: {rounds.Count} rounds of {rounds.Duration.TotalSeconds} s
            each, after one that is not counted. Rates are medians; a ratio is taken round by round, and its spread is
            from the lowest to the highest; 1.000 would be the floor itself. "Calls/s" is by the clock, and shares the
            cores with h2load and with whatever else ran; "calls/CPU s" counts only the CPU time, in user and system
            mode, of the process that serves. Absolute figures are of the machine and the hour; the ratios carry over.

            {Comparison.Heading}
            {string.Join('\n', rounds.Comparisons.Select(comparison => comparison.ToRow()))}

            {string.Join('\n', rounds.Notes.Select(note => "- " + note))}

            Ours is the whole server, as it is shipped, but for "stream" and "fan-out", which are of the runtime alone:
            over the wire, with login, role and limits. The load is h2load over loopback; answers are checked by their
            size, created tasks also by their rows.

            - **SayHello** in `connections × calls in flight on each`. Floors, HTTP/2 only, that read the request and
              answer constant bytes. *Bare endpoint*: Kestrel with an `HttpContext` and no middleware. *Kestrel alone*:
              without host and `HttpContext`, too.
            - **Stream of 1,000** small messages a call, 8 × 4 calls in flight; messages are counted. Ours is the
              runtime alone, which serialises each message, and sends what its handler writes in one go together;
              *buffered*, with the standard hint that messages may wait for each other. Floor: a bare endpoint that
              writes, and sends one by one, frames that were made once.
            - **Fan-out** of a message of 200 bytes, encoded once, to so many open streams; deliveries are counted.
              Floor: likewise.
            - **Delivery** of a created task, committed to disk, to so many subscriptions of ten accounts, a hundred on
              a connection; the next is created when who subscribed last was told. Deliveries are counted, and at the
              end what the subscribers have read. Floor: as of fan-out, with frames of the same size.
            - **GetTask**, as SayHello. Floor: its own statement, prepared once, run by one thread in process, with all
              values read; no network, no transaction.
            - **CreateTask** by so many callers, each on a connection of its own with one call at a time, durable
              before it is answered (`synchronous=FULL`). Floors: its own statements on its own schema, prepared once,
              run by one thread in process. *Group commit*: as many in a commit as there are callers, without any
              waiting for them. *A commit a call*: one in each (to compare with: at least 12 times, where a disk makes
              about 300 commits a second). *Flushes 3 ms longer*: as on such a disk, each flush to disk waits so much
              longer, the server's by a shim before it, the floor's after each commit.

            """;
        await WriteAsync("RESULTS.md", text);
    }

    /// <summary>Of what commit, when, and on what machine.</summary>
    public static async Task<string> OriginAsync(Machine before, Machine after)
    {
        string commit = await GitAsync("rev-parse", "--short", "HEAD");
        bool clean = (await GitAsync("status", "--porcelain", "src", "bench/*.cs")).Length == 0;
        string changed = clean ? "" : ", with changes";
        string minutes = (after.Time - before.Time).TotalMinutes.ToString("0", CultureInfo.InvariantCulture);
        return $"""
            Commit {commit}{changed},
            {after.Time:yyyy-MM-dd}, {minutes} minutes; {Environment.ProcessorCount} cores,
            {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}. One-minute load before
            {before.Load}, at the end {after.Load}, the bench's own included.
            """;
    }

    /// <summary>Writes a file beside the bench's source.</summary>
    public static async Task WriteAsync(string name, string text)
    {
        string root = await GitAsync("rev-parse", "--show-toplevel");
        await File.WriteAllTextAsync(Path.Combine(root, "bench", name), text);
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        using Process git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        string said = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return said.Trim();
    }
}
