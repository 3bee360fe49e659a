using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Squall.Fuzz;

/// <summary>What may be found.</summary>
internal enum Finding
{
    Crash,
    Hang,
    Fault,
    Log,
    Memory,
    LeftOpen,
    Healthy,
    Shallow,
}

/// <summary>
/// Sends the calls of a seed to a server: (1) some, so that everything is warm; (2) the rest, with the heap measured
/// before, amid and after; (3) looks at what is left, when all connections have ended.
/// </summary>
internal sealed class FuzzRun(long seed, long from, long count, TimeProvider time)
{
    /// <summary>Calls whose numbers share their tens share connections, one for each HTTP.</summary>
    public const int CallsTogether = 20;

    private const int Workers = 48;
    private const int FailuresTold = 10;
    private const long WarmCalls = 10_000;

    // What a leak may come to: it grows with the calls, in each half of them, where the pools of a busy machine's many
    // threads grow once.
    private const long GrowthMax = 2 * 1024 * 1024;

    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private readonly CallMaker _maker = new(seed);
    private readonly ConcurrentQueue<(Finding What, string Text)> _findings = new();
    private readonly ConcurrentDictionary<string, long> _outcomes = new();
    private readonly ConcurrentDictionary<string, List<long>> _senders = new();
    private long _next = from / CallsTogether * CallsTogether;
    private long _sent;
    private long _pastFraming;
    private ServerProcess _server = null!;

    public long Seed => seed;
    public long Sent => _sent;
    public ServerState Before { get; private set; } = null!;
    public ServerState Amid { get; private set; } = null!;
    public ServerState After { get; private set; } = null!;
    public string Healthy { get; private set; } = "";
    public IEnumerable<(string Outcome, long Count)> Outcomes => _outcomes.Select(of => (of.Key, of.Value));

    /// <summary>Of all calls: whose message was taken out of its frame, and whose handler was given one.</summary>
    public double PastFraming => (double)(_pastFraming + After.Handled) / _sent;

    public double Handled => (double)After.Handled / _sent;

    public Plant Plant { get; init; }

    /// <summary>By then a request is answered, or its connection closed.</summary>
    public TimeSpan HangMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Prints each call and its answer, where there are few.</summary>
    public bool IsTalkative { get; init; }

    public IReadOnlyList<string> Of(Finding what) =>
        [.. _findings.Where(finding => finding.What == what).Select(finding => finding.Text)];

    public async Task RunAsync()
    {
        string[] arguments =
            ["--plant", Plant.ToString(), "--read-max", "1000", "--stalled-max", "1000", "--headers-max", "2000"];
        _server = await ServerProcess.StartAsync(arguments);
        await using ServerProcess server = _server;
        await using var healthy = new HealthyClient(server.Address, time);
        try
        {
            long warm = Math.Min(WarmCalls, count / 3);
            await SendAsync(from + warm);
            Before = await QuietAsync();
            _senders.Clear();
            await SendAsync(from + warm + ((count - warm) / 2));
            Amid = await QuietAsync();
            await SendAsync(from + count);
            After = await QuietAsync();
            Healthy = await healthy.EndAsync();
            Look(healthy);
        }
        catch (ServerEndedException ended)
        {
            Add(Finding.Crash, ended.Message);
        }
    }

    private void Look(HealthyClient healthy)
    {
        foreach (string error in After.Different)
        {
            Add(Finding.Log, $"one kind of {After.Errors} errors: {error}");
        }

        long first = Amid.HeapBytes - Before.HeapBytes;
        long second = After.HeapBytes - Amid.HeapBytes;
        if (Math.Min(first, second) > GrowthMax / 2)
        {
            Add(Finding.Memory, $"the heap has grown by {first:N0} bytes, and then by {second:N0}");
        }

        if (healthy.Failures.Count > 0 || healthy.Calls == 0)
        {
            Add(Finding.Healthy, $"the healthy client failed: {string.Join("; ", healthy.Failures)}");
        }

        if (PastFraming < 1.0 / 3 || Handled < 0.1)
        {
            Add(Finding.Shallow, $"{PastFraming:P1} of the calls got past framing, and {Handled:P1} into a handler");
        }
    }

    private Task SendAsync(long end) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => WorkAsync(end))));

    private async Task WorkAsync(long end)
    {
        while (!_server.HasEnded)
        {
            // Not all at once: the last session of a part is taken up again by the next one.
            long first = Interlocked.Add(ref _next, CallsTogether) - CallsTogether;
            if (first >= end)
            {
                Interlocked.Add(ref _next, -CallsTogether);
                return;
            }

            await TogetherAsync(Math.Max(first, from), Math.Min(first + CallsTogether, from + count));
        }
    }

    private async Task TogetherAsync(long first, long end)
    {
        var open = new Connection?[2];
        for (long number = first; number < end && !_server.HasEnded; number++)
        {
            Call call = _maker.Make(number);
            int version = call.IsHttp2 ? 1 : 0;
            try
            {
                Connection connection = open[version] ??= await ConnectAsync(call.IsHttp2);
                _senders.GetOrAdd(connection.Name, _ => []).Add(number);
                Answer answer = await connection.SendAsync(call);
                Take(call, answer);
                if (!connection.IsOpen)
                {
                    connection.Dispose();
                    open[version] = null;
                }
            }
            catch (SocketException refused)
            {
                if (!await _server.EndsAsync())
                {
                    Add(Finding.Fault, $"no connection: {refused.Message}: {call}");
                }

                return;
            }
        }

        foreach (Connection connection in open.OfType<Connection>())
        {
            if (!await connection.EndAsync() && !_server.HasEnded)
            {
                Add(Finding.Hang, $"the connection of {first} and those after it was not closed");
            }

            connection.Dispose();
        }
    }

    private async Task<Connection> ConnectAsync(bool isHttp2)
    {
        WireSocket socket = await WireSocket.ConnectAsync(_server.EndPoint);
        return isHttp2 ? new Http2Connection(socket, HangMax, time) : new Http1Connection(socket, HangMax, time);
    }

    private void Take(Call call, Answer answer)
    {
        Outcome outcome = Outcome.Read(answer);
        Interlocked.Increment(ref _sent);
        string what = outcome.Code?.ToString() ?? (answer.Http > 0 ? $"HTTP {answer.Http}" : answer.End.ToString());
        _outcomes.AddOrUpdate(what, 1, (_, before) => before + 1);
        if (Oracle.IsPastFraming(outcome))
        {
            Interlocked.Increment(ref _pastFraming);
        }

        if (IsTalkative)
        {
            Console.WriteLine($"{call}\n    {outcome} {answer}");
        }

        if (Oracle.Judge(call, answer, outcome) is { } fault && !_server.HasEnded)
        {
            Add(answer.End == End.Hung ? Finding.Hang : Finding.Fault, $"{fault}: {call}");
        }
    }

    /// <summary>Waits until nothing is open in the server but what the healthy client has.</summary>
    private async Task<ServerState> QuietAsync()
    {
        long begun = time.GetTimestamp();
        while (await _server.AskAsync() is { } state && (state.OpenRequests.Length > 0 || state.OpenConnections > 1))
        {
            if (time.GetElapsedTime(begun) > QuietMax)
            {
                Add(Finding.LeftOpen,
                    $"{state.OpenConnections - 1} connections are still there, and requests served which are among "
                    + string.Join("; ", state.OpenRequests.Select(
                        name => string.Join(", ", _senders.GetValueOrDefault(name, [])))));
                break;
            }

            await Task.Delay(Poll, time);
        }

        return await _server.AskAsync(collect: true);
    }

    private void Add(Finding what, string text)
    {
        if (_findings.Count(finding => finding.What == what) < FailuresTold)
        {
            _findings.Enqueue((what, text));
        }
    }
}
