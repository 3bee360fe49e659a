using System.Globalization;
using Squall.Bench;

if (args is ["constant" or "endpoint"])
{
    return await (args[0] == "constant" ? ConstantServer.RunAsync() : ConstantServer.RunEndpointAsync());
}

if (args is ["streams" or "frames", string bytes])
{
    return await StreamServer.RunAsync(args[0] == "frames", int.Parse(bytes, CultureInfo.InvariantCulture));
}

if (args is ["server", string data])
{
    return await WholeServer.RunAsync(data);
}

if (args is ["growth", ..])
{
    return await GrowthRun.RunAsync(args[1..], TimeProvider.System);
}

bool smoke = args.Contains("--smoke");
var rounds = new Rounds(
    smoke ? 1 : Option("--rounds", 9),
    smoke ? 0 : 1,
    TimeSpan.FromSeconds(smoke ? 1 : Option("--seconds", 2)),
    args.SkipWhile(arg => arg != "--only").Skip(1).FirstOrDefault(),
    smoke);
Machine before = Machine.Now(TimeProvider.System);
string folder = Directory.CreateTempSubdirectory("squall-bench-").FullName;
try
{
    await H2Load.FindAsync();
    await using Bench bench = await Bench.StartAsync(folder, TimeProvider.System);
    await bench.SayHelloAsync(rounds);
    await new StreamBench(new H2Load(TimeProvider.System, folder), rounds).RunAsync();
    await new NotificationBench(
        new H2Load(TimeProvider.System, folder), rounds, folder, TimeProvider.System).RunAsync();
    await bench.GetTaskAsync(rounds);
    await bench.CreateTaskAsync(rounds);
    await CreateBench.RunSlowlyAsync(rounds, folder, TimeProvider.System);
}
catch (NotHereException missing)
{
    await Console.Error.WriteLineAsync(missing.Message);
    return 2;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

if (smoke)
{
    Console.WriteLine($"{rounds.Comparisons.Count} passed, 0 failed");
}
else if (rounds.IsAll)
{
    await Report.WriteAsync(rounds, before, Machine.Now(TimeProvider.System));
}

return 0;

int Option(string name, int otherwise)
{
    int at = Array.IndexOf(args, name);
    return at < 0 ? otherwise : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
}
