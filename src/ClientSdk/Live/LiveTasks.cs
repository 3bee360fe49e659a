using Squall.V1;

namespace Squall.Client;

/// <summary>
/// The tasks that match a filter, in memory and kept current: read once by a snapshot, then changed as the server
/// tells. Breaks of the connection and restarts of the server lose nothing and show nothing out of order; where the
/// server no longer knows all that happened since, the tasks are read anew and only the differences are told. A list
/// that is gained comes whole, one that is lost goes whole. Memory: what matches, and twice that while it is read anew.
/// <para>
/// It ends when it is disposed of, with its client, or with an exception that trying again cannot help, such as
/// SquallUnauthenticatedException when its session ends or SquallValidationException for its filter. All members may be
/// called at once from any thread.
/// </para>
/// </summary>
public sealed class LiveTasks : IAsyncDisposable
{
    private static readonly TimeSpan BackoffFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource disposed = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Backoff backoff = new(BackoffFirst, BackoffMax);
    private readonly SynchronizationContext? context;
    private readonly TimeProvider time;
    private readonly LiveFeed feed;
    private TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveView view;
    private LiveView told;
    private Task? running;
    private int handlingThread;

    /// <summary>A view through a client, which it does not own; nothing is read before it is started.</summary>
    /// <exception cref="ArgumentException">The order is none.</exception>
    public LiveTasks(ISquallClient client, string filter = "", LiveTasksSettings? settings = null)
        : this(client, filter, settings, TimeProvider.System)
    {
    }

    internal LiveTasks(ISquallClient client, string filter, LiveTasksSettings? settings, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(client);
        settings ??= new LiveTasksSettings();
        this.time = time;
        context = settings.Context;
        feed = new LiveFeed(client, filter, settings, new LiveOrder(settings.OrderBy));
        view = told = feed.View;
    }

    /// <summary>
    /// Told of each step, one after the other and in order; the next step waits for it. Once DisposeAsync is through,
    /// it is told no more. What a handler throws goes to <see cref="HandlerFailed"/>; the others are told all the same,
    /// and the view goes on.
    /// </summary>
    public event Action<LiveTasksChange>? Changed;

    /// <summary>
    /// Told what a handler of <see cref="Changed"/> threw; that it is so is counted by the metric
    /// <c>squall.client.handler_failures</c> as well. What this throws ends the view.
    /// </summary>
    public event Action<Exception>? HandlerFailed;

    /// <summary>The tasks as they are now, all of one place; handlers may still be about to be told of it.</summary>
    public LiveView View => Volatile.Read(ref view);

    /// <summary>Done when the view is disposed of; faulted when it ended otherwise.</summary>
    public Task Completion => ended.Task;

    /// <summary>
    /// Begins, the first time, and waits until the tasks have been read and handlers told of them; for a server that is
    /// away as well. To cancel ends the wait alone. Throws what the view ended with.
    /// </summary>
    public Task<LiveView> StartAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed.IsCancellationRequested, this);
            running ??= Task.Run(RunAsync, CancellationToken.None);
        }

        return WhenAsync(now => now.Cursor.Length > 0, cancellationToken);
    }

    /// <summary>
    /// Waits until the view meets a condition, which it may pass by if it does not last, and handlers have been told of
    /// it. Throws what the view ended with.
    /// </summary>
    public async Task<LiveView> WhenAsync(
        Func<LiveView, bool> isMet, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(isMet);
        while (true)
        {
            // Before the view is looked at: what comes after that is not missed.
            var next = Volatile.Read(ref moved).Task;
            var isOver = Completion.IsCompleted;
            var now = Volatile.Read(ref told);
            if (isMet(now))
            {
                return now;
            }

            if (isOver)
            {
                await Completion.ConfigureAwait(false);
                throw new ObjectDisposedException(nameof(LiveTasks));
            }

            await Task.WhenAny(next, Completion).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends it, and waits for a handler that runs, unless that is who calls.</summary>
    public async ValueTask DisposeAsync()
    {
        var isHandler = Volatile.Read(ref handlingThread) == Environment.CurrentManagedThreadId;
        Task? last;
        lock (gate)
        {
            last = running;
        }

        await disposed.CancelAsync().ConfigureAwait(false);
        if (last is null)
        {
            ended.TrySetResult();
        }
        else if (!isHandler)
        {
            await last.ConfigureAwait(false);
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var wait = await FollowAsync().ConfigureAwait(false);
                await TellAsync(feed.Lost()).ConfigureAwait(false);
                await Task.Delay(wait, time, disposed.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (disposed.IsCancellationRequested)
        {
            ended.TrySetResult();
        }
        catch (Exception e)
        {
            ended.TrySetException(e);
            // Whoever asks for it sees it; whoever does not is not told that it went unseen.
            _ = ended.Task.Exception;
        }
    }

    /// <summary>Follows the feed until it breaks, and gives how long to wait before following it again.</summary>
    private async Task<TimeSpan> FollowAsync()
    {
        try
        {
            await foreach (var step in feed.FollowAsync(disposed.Token).ConfigureAwait(false))
            {
                if (step.View.IsLive)
                {
                    backoff.Reset();
                }

                await TellAsync(step).ConfigureAwait(false);
            }

            return backoff.Next();
        }
        catch (SquallException e) when (feed.Outlives(e))
        {
            return (e.RetryAfter ?? TimeSpan.Zero) + backoff.Next();
        }
        catch (Exception) when (!disposed.IsCancellationRequested)
        {
            await TellAsync(feed.Lost()).ConfigureAwait(false);
            throw;
        }
    }

    private async Task TellAsync(LiveTasksChange step)
    {
        var isNews = step.Changes.Count > 0 || step.View.IsLive != View.IsLive;
        Volatile.Write(ref view, step.View);
        if (isNews && Changed is { } handlers)
        {
            if (context is null)
            {
                HandleAll(handlers, step);
            }
            else
            {
                await PostAsync(() => HandleAll(handlers, step)).ConfigureAwait(false);
            }
        }

        Volatile.Write(ref told, step.View);
        Interlocked.Exchange(
            ref moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Waits for what it posts, so that steps do not pile up; at the end, only for what has begun.</summary>
    private async Task PostAsync(Action run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isTaken = 0;
        using var end = disposed.Token.UnsafeRegister(
            _ =>
            {
                if (Interlocked.Exchange(ref isTaken, 1) == 0)
                {
                    done.TrySetCanceled(disposed.Token);
                }
            },
            null);
        context!.Post(
            _ =>
            {
                if (Interlocked.Exchange(ref isTaken, 1) == 0)
                {
                    try
                    {
                        run();
                        done.TrySetResult();
                    }
                    catch (Exception e)
                    {
                        done.TrySetException(e);
                    }
                }
            },
            null);
        await done.Task.ConfigureAwait(false);
    }

    private void HandleAll(Action<LiveTasksChange> handlers, LiveTasksChange step)
    {
        Volatile.Write(ref handlingThread, Environment.CurrentManagedThreadId);
        try
        {
            foreach (var handler in Delegate.EnumerateInvocationList(handlers))
            {
                disposed.Token.ThrowIfCancellationRequested();
                Handle(handler, step);
            }
        }
        finally
        {
            Volatile.Write(ref handlingThread, 0);
        }
    }

    private void Handle(Action<LiveTasksChange> handler, LiveTasksChange step)
    {
        try
        {
            handler(step);
        }
        catch (Exception e)
        {
            Telemetry.HandlerFailed();
            HandlerFailed?.Invoke(e);
        }
    }
}
