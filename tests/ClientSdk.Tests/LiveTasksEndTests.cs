using System.Collections.Concurrent;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>How a live view ends, and what its handlers may do to it.</summary>
public sealed class LiveTasksEndTests : IAsyncLifetime
{
    private static readonly string Password = Secrets.Password();

    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Disposed_of_it_is_over_and_the_server_knows()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.Log.Ended += method => _ = method == "Subscribe" && ended.TrySetResult();
        var (client, list) = await WithListAsync();
        var live = client.WatchTasks();
        var told = 0;
        live.Changed += _ => told++;
        await live.StartAsync();
        var waiting = live.WhenAsync(now => now.Tasks.Count > 0);
        await live.DisposeAsync();
        await live.DisposeAsync();
        await live.Completion;
        await ended.Task.WaitAsync(Net.TimeMax);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => live.StartAsync());
        await client.Tasks.CreateAsync(list.Id, "not told");
        Assert.Equal((1, 0), (told, live.View.Tasks.Count));

        var unused = client.WatchTasks();
        await unused.DisposeAsync();
        await unused.Completion;
    }

    [Fact]
    public async Task It_ends_with_its_session_with_its_client_and_with_a_filter_that_is_none()
    {
        var tokens = await world.SignInAsync();
        var client = world.Client(options => options.TokenStore = new MemoryTokenStore(tokens));
        await using var live = client.WatchTasks();
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();
        await world.Client(options => options.TokenStore = new MemoryTokenStore(tokens)).LogoutAsync();
        var end = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => live.Completion.WaitAsync(Net.TimeMax));
        Assert.Equal("SESSION_ENDED", end.Reason);
        Assert.Same(end, await Record.ExceptionAsync(() => live.WhenAsync(now => now.Tasks.Count > 0)));
        Assert.Equal([true, false], told.Select(step => step.View.IsLive));

        var other = await world.SignedInAsync();
        await using var wrong = other.WatchTasks("state =");
        await Assert.ThrowsAsync<SquallValidationException>(() => wrong.StartAsync());
        await using var last = other.WatchTasks();
        await last.StartAsync();
        other.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => last.Completion.WaitAsync(Net.TimeMax));
    }

    [Fact]
    public async Task It_does_not_become_another_accounts()
    {
        var client = world.Client(options =>
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero);
        await client.RegisterAsync("first", Password);
        await client.RegisterAsync("second", Password);
        await client.LoginAsync("first", Password);
        await client.Tasks.CreateAsync((await client.Lists.CreateAsync("of the first")).Id, "of the first");
        await using var live = client.WatchTasks();
        await live.StartAsync();

        // At the worst time: while a list that was gained is read, before the stream that goes on from there.
        var owner = await world.SignedInAsync();
        var list = await owner.Lists.CreateAsync("a list");
        await owner.Tasks.CreateAsync(list.Id, "a task");
        await owner.Lists.SetMemberAsync(list.Id, "second", Role.Viewer);
        world.Log.Before(
            "Subscribe", count => count == 2 ? client.LoginAsync("second", Password) : Task.CompletedTask);
        await owner.Lists.SetMemberAsync(list.Id, "first", Role.Viewer);
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => live.Completion.WaitAsync(Net.TimeMax));
        Assert.Equal("of the first", Assert.Single(live.View.Tasks).Title);
        Assert.Equal(3, world.Log.Count("Subscribe"));
    }

    [Fact]
    public async Task A_handler_that_throws_harms_neither_the_view_nor_the_others()
    {
        var (client, list) = await WithListAsync();
        await using var live = client.WatchTasks();
        var (told, failures) = (new List<LiveTasksChange>(), new List<string>());
        live.Changed += step => throw new InvalidOperationException($"{step.View.Tasks.Count}");
        live.Changed += told.Add;
        live.HandlerFailed += e => failures.Add(e.Message);
        await live.StartAsync();
        for (var count = 1; count <= 3; count++)
        {
            await client.Tasks.CreateAsync(list.Id, $"{count}");
        }

        await live.WhenAsync(now => now.Tasks.Count == 3);
        await live.DisposeAsync();
        await live.Completion;
        Assert.Equal(["0", "1", "2", "3"], failures);
        Assert.Equal([0, 1, 2, 3], told.Select(step => step.View.Tasks.Count));

        await using var strict = client.WatchTasks();
        var fault = new InvalidOperationException();
        strict.Changed += _ => throw new InvalidOperationException("handled");
        strict.HandlerFailed += _ => throw fault;
        Assert.Same(fault, await Record.ExceptionAsync(async () =>
        {
            await strict.StartAsync();
            await strict.Completion.WaitAsync(Net.TimeMax);
        }));
    }

    [Fact]
    public async Task A_handler_may_end_it_and_is_told_nothing_more()
    {
        var (client, list) = await WithListAsync();
        var live = client.WatchTasks();
        var told = 0;
        live.Changed += step =>
        {
            told++;
            // It waits for itself, if it waits for the handler.
            live.DisposeAsync().AsTask().Wait(Net.TimeMax);
        };
        live.Changed += _ => told++;
        await Assert.ThrowsAsync<ObjectDisposedException>(() => live.StartAsync());
        await live.Completion.WaitAsync(Net.TimeMax);
        await client.Tasks.CreateAsync(list.Id, "not told");
        Assert.Equal(1, told);
    }

    [Fact]
    public async Task Its_handlers_run_in_order_where_they_are_asked_to()
    {
        var (client, list) = await WithListAsync();
        using var context = new OneThread();
        await using var live = client.WatchTasks("", new LiveTasksSettings { Context = context });
        var told = new List<(int Tasks, int Thread)>();
        live.Changed += step => told.Add((step.View.Tasks.Count, Environment.CurrentManagedThreadId));
        await live.StartAsync();
        await client.Tasks.CreateManyAsync(list.Id, Enumerable.Range(1, 50).Select(_ => new TaskItem { Title = "a" }));
        await live.WhenAsync(now => now.Tasks.Count == 50);
        Assert.Equal(Enumerable.Range(0, 51).Select(count => (count, context.Thread)), told);
        Assert.Equal(1, context.PostedAtOnceMax);
    }

    [Fact]
    public async Task A_context_that_runs_nothing_any_more_does_not_keep_it_from_ending()
    {
        var (client, _) = await WithListAsync();
        var context = new OneThread();
        context.Dispose();
        var live = client.WatchTasks("", new LiveTasksSettings { Context = context });
        live.Changed += _ => Assert.Fail("It is over.");
        var starting = live.StartAsync();
        await context.Posted.WaitAsync(Net.TimeMax);
        Assert.False(starting.IsCompleted);
        await live.DisposeAsync().AsTask().WaitAsync(Net.TimeMax);
        await live.Completion;
        await Assert.ThrowsAsync<ObjectDisposedException>(() => starting);
    }

    private async Task<(SquallClient Client, TaskList List)> WithListAsync()
    {
        var client = await world.SignedInAsync();
        return (client, await client.Lists.CreateAsync("a list"));
    }

    /// <summary>Runs what is posted on a thread of its own, one after the other, as a UI does.</summary>
    private sealed class OneThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Run, object? State)> posted = [];
        private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Thread thread;
        private volatile bool isOver;

        public OneThread()
        {
            thread = new Thread(Run);
            thread.Start();
        }

        public int Thread => thread.ManagedThreadId;

        /// <summary>Done once something was posted.</summary>
        public Task Posted => first.Task;

        /// <summary>How many waited at most when one was posted, it included.</summary>
        public int PostedAtOnceMax { get; private set; }

        public override void Post(SendOrPostCallback d, object? state)
        {
            posted.Add((d, state));
            PostedAtOnceMax = Math.Max(PostedAtOnceMax, posted.Count);
            first.TrySetResult();
        }

        public void Dispose()
        {
            isOver = true;
            posted.Add((_ => { }, null));
            thread.Join();
        }

        private void Run()
        {
            while (!isOver)
            {
                var (run, state) = posted.Take();
                run(state);
            }
        }
    }
}
