using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Bench;

/// <summary>
/// What it costs to tell of changes: the whole server, beside an endpoint that writes frames that were made once.
/// </summary>
internal sealed class NotificationBench(H2Load load, Rounds rounds, string folder, TimeProvider time)
{
    private const int StreamsOfAccount = 1_000;
    private const int Writers = 8;
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(100);
    private static readonly SubscribeRequest Quietly = new()
    {
        HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)),
    };

    public async Task RunAsync()
    {
        await DeliveryAsync(rounds.IsSmoke ? 1_000 : 10_000);
        await LatencyAsync(rounds.IsSmoke ? 100 : 1_000);
        await ResumptionAsync(rounds.IsSmoke ? 100 : 1_000, rounds.IsSmoke ? 1_000 : 10_000);
    }

    private static string Number(int of) => of.ToString("N0", CultureInfo.InvariantCulture);

    private static async Task CalmAsync(ServerProcess server)
    {
        TimeSpan cpu;
        do
        {
            cpu = server.Cpu;
            await Task.Delay(Calm);
        }
        while (server.Cpu - cpu > Calm / 10);
    }

    /// <summary>One change after the other, each to all who subscribe; who subscribed last paces them.</summary>
    private async Task DeliveryAsync(int streams)
    {
        string what = $"Delivery to {Number(streams)}";
        if (!rounds.Wants(what))
        {
            return;
        }

        string data = Path.Combine(folder, "delivery");
        await using ServerProcess ours = await ServerProcess.StartAsync("Squall.Bench.dll", "server", data);
        await using Audience audience = await Audience.OfAsync(ours.Address, streams / StreamsOfAccount);
        double before = (await ours.AskAsync("heap"))[0];
        Process[] clients = [.. audience.Tokens.Select(token => load.Hold(
            ours, NotificationPath("Subscribe"), Quietly, StreamsOfAccount, $"authorization: Bearer {token}"))];
        await CalmAsync(ours);
        double each = ((await ours.AskAsync("heap"))[0] - before) / streams;

        using AsyncServerStreamingCall<SubscribeResponse> last = audience.Subscribe(Quietly);
        SubscribeResponse told = await ToldAsync(last, await audience.CreateAsync("A change"));
        await using ServerProcess floor = await ServerProcess.StartAsync(
            "Squall.Bench.dll", "frames", told.CalculateSize().ToString(CultureInfo.InvariantCulture));
        before = (await floor.AskAsync("heap"))[0];
        using Process bare = await load.HoldAsync(floor, StreamServer.ListenPath, new SayHelloRequest(), streams);
        double bareEach = ((await floor.AskAsync("heap"))[0] - before) / streams;

        long changes = 1;
        await rounds.RunAsync(what, DeliverAsync, ("frames made once", _ => StreamBench.SendAsync(floor)));
        await rounds.NoteAsync(
            $"Heap bytes an idle subscription, of {Number(streams)}, beyond a bare stream's (at most 5,120)",
            () => Task.FromResult(each - bareEach));
        await CheckAsync(ours, clients, told.CalculateSize() * changes * streams);

        async Task<Measurement> DeliverAsync(TimeSpan duration)
        {
            await CalmAsync(ours);
            TimeSpan cpu = ours.Cpu;
            long begun = time.GetTimestamp();
            int made = 0;
            for (; time.GetElapsedTime(begun) < duration; made++)
            {
                await ToldAsync(last, await audience.CreateAsync("A change"));
            }

            changes += made;
            TimeSpan took = time.GetElapsedTime(begun);
            await CalmAsync(ours);
            return new Measurement((long)made * streams, took, ours.Cpu - cpu);
        }
    }

    /// <summary>Changes, each timed from before its call until the last of all has read it.</summary>
    private async Task LatencyAsync(int streams)
    {
        const int ChangesPerSecond = 100;
        const int Seconds = 10;
        const int StreamsEach = 100;
        string what = $"Milliseconds from a change's call until the last of {Number(streams)} has read it";
        if (!rounds.Wants(what))
        {
            return;
        }

        await using ServerProcess server = await ServerProcess.StartAsync(
            "Squall.Bench.dll", "server", Path.Combine(folder, "latency"));
        await using Audience audience = await Audience.OfAsync(server.Address, streams / StreamsEach);
        int count = ChangesPerSecond * (rounds.IsSmoke ? 1 : Seconds);
        long[] begun = new long[count];
        int[] readers = new int[count];
        double[] took = new double[count];
        Task[] reading = [.. Enumerable.Range(0, streams).Select(at => ReadAsync(at % audience.Tokens.Count))];
        await CalmAsync(server);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / ChangesPerSecond), time);
        var writing = new List<Task>();
        for (int at = 0; at < count; at++)
        {
            await timer.WaitForNextTickAsync();
            begun[at] = time.GetTimestamp();
            writing.Add(audience.CreateAsync(at.ToString(CultureInfo.InvariantCulture)));
        }

        await Task.WhenAll(writing);
        await Task.WhenAll(reading);
        Array.Sort(took);
        rounds.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}, {ChangesPerSecond} changes a second: half of them within **{took[count / 2]:N1}**, "
            + $"99 % (at most 100) within **{took[count * 99 / 100]:N1}**, all within **{took[^1]:N1}**"));

        async Task ReadAsync(int account)
        {
            using AsyncServerStreamingCall<SubscribeResponse> call = audience.Subscribe(Quietly, account);
            for (int left = count; left > 0 && await call.ResponseStream.MoveNext();)
            {
                if (call.ResponseStream.Current.Notification?.TaskCreated is { } created)
                {
                    int at = int.Parse(created.Task.Title, CultureInfo.InvariantCulture);
                    left--;
                    if (Interlocked.Increment(ref readers[at]) == streams)
                    {
                        took[at] = time.GetElapsedTime(begun[at]).TotalMilliseconds;
                    }
                }
            }
        }
    }

    /// <summary>What a writer waits for, alone and while many come back who were away for long.</summary>
    private async Task ResumptionAsync(int streams, int behind)
    {
        string what = $"CreateTask's p50 while {Number(streams)} resume {Number(behind)} changes behind";
        if (!rounds.Wants(what))
        {
            return;
        }

        await using ServerProcess server = await ServerProcess.StartAsync(
            "Squall.Bench.dll", "server", Path.Combine(folder, "resumption"));
        await using Audience audience = await Audience.OfAsync(server.Address, 1);
        string cursor = await audience.CursorAsync();
        await audience.CreateAsync(behind);
        var ratios = new List<double>();
        long stillBehind = 0;
        for (int round = 0; round < rounds.Count; round++)
        {
            await CalmAsync(server);
            double alone = await WriteAsync();
            SubscribeRequest resuming = new(Quietly) { After = cursor };
            using Process clients = load.Hold(
                server, NotificationPath("Subscribe"), resuming, streams,
                $"authorization: Bearer {audience.Tokens[0]}");
            double beside = await WriteAsync();
            TimeSpan cpu = server.Cpu;
            await Task.Delay(Calm);
            stillBehind += server.Cpu - cpu > Calm / 10 ? 1 : 0;
            clients.Kill();
            await clients.WaitForExitAsync();
            ratios.Add(beside / alone);
        }

        ratios.Sort();
        rounds.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}, of the p50 without them (at most 1.5): **{ratios[ratios.Count / 2]:N2}**, from "
            + $"{ratios[0]:N2} to {ratios[^1]:N2}; in {stillBehind} of {ratios.Count} they were behind still"));

        async Task<double> WriteAsync()
        {
            var took = new ConcurrentBag<double>();
            long begun = time.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
            {
                while (time.GetElapsedTime(begun) < rounds.Duration)
                {
                    long start = time.GetTimestamp();
                    await audience.CreateAsync("A change");
                    took.Add(time.GetElapsedTime(start).TotalMilliseconds);
                }
            }));
            double[] sorted = [.. took.Order()];
            return sorted[sorted.Length / 2];
        }
    }

    /// <summary>Those who were to be told have read at least so much.</summary>
    private static async Task CheckAsync(ServerProcess server, Process[] clients, long bytes)
    {
        server.Kill();
        long read = 0;
        foreach (Process client in clients)
        {
            read += H2Load.DataOf(await client.StandardOutput.ReadToEndAsync());
            client.Dispose();
        }

        if (read < bytes)
        {
            throw new InvalidOperationException($"{bytes} bytes were to be delivered, and {read} were.");
        }
    }

    /// <summary>Waits for what is told of a task.</summary>
    private static async Task<SubscribeResponse> ToldAsync(
        AsyncServerStreamingCall<SubscribeResponse> call, TaskItem task)
    {
        while (await call.ResponseStream.MoveNext())
        {
            if (call.ResponseStream.Current.Notification?.TaskCreated?.Task.Id == task.Id)
            {
                return call.ResponseStream.Current;
            }
        }

        throw new InvalidOperationException("The subscription ended.");
    }

    private static string NotificationPath(string method) => $"/squall.v1.NotificationService/{method}";
}
