// What is open, the most urgent first, on a board that keeps itself current: SQUALL_PASSWORD=... dotnet run -- ada
using Squall.Client;

using var client = new SquallClient(SquallClientOptions.FromEnvironment());
await client.LoginAsync(args[0], Environment.GetEnvironmentVariable("SQUALL_PASSWORD")!);
await using var open = client.WatchTasks("state = OPEN", new() { OrderBy = "priority desc, due_time" });
open.Changed += step =>
{
    var titles = step.View.Tasks.Select(task => $"\n  {task.Priority}  {task.Title}");
    Console.WriteLine($"{(step.View.IsLive ? "Open" : "Open, when last heard of")}:{string.Concat(titles)}");
};
await open.StartAsync();
await open.Completion;
