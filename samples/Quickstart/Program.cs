// An account, a list, a task, and a subscription that is told what happens to them.
using Squall.Client;
using static Squall.V1.Notification.EventOneofCase;

var endpoint = Environment.GetEnvironmentVariable("SQUALL_ENDPOINT") ?? "http://localhost:7080";
using var client = new SquallClient(endpoint);

// An account of its own for each run; yours has a name and a password that you keep.
var username = $"quickstart-{Random.Shared.Next():x}";
var password = Guid.NewGuid().ToString();
await client.RegisterAsync(username, password);
await client.LoginAsync(username, password);

await foreach (var told in client.SubscribeAsync())
{
    switch (told)
    {
        // From here on every change is told: time to make some.
        case SubscriptionEvent.Synced:
            var list = await client.Lists.CreateAsync("Groceries");
            var task = await client.Tasks.CreateAsync(list.Id, "Buy milk");
            await client.Tasks.CompleteAsync(task.Id);
            break;

        case SubscriptionEvent.Changed { Notification: var change }:
            Console.WriteLine($"{change.Time.ToDateTimeOffset():T} {change.EventCase}");
            if (change.EventCase == TaskCompleted)
            {
                Console.WriteLine($"Done: {change.TaskCompleted.Task.Title}");
                return;
            }

            break;
    }
}
