using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client.Testing;

/// <summary>
/// A client without a server, for the tests of an application. Lists, tasks and comments live in memory and behave as
/// the server's: versions, states, request ids, missing things and empty titles are refused alike, and every change is
/// told to subscriptions and kept in the history. A test scripts failures, gaps and whatever others do.
/// <para>
/// What it does not do: it is one account's view, so that roles permit everything and members see nothing; limits,
/// forms of names and unknown fields are not looked at; an account that is deleted leaves its lists; a filter means
/// what <see cref="Matches"/> says, and without it lets everything through; orders are not looked at either, tasks come
/// as they were made; another request under a request id that was used is not noticed; nothing takes time, so that
/// deadlines never pass, and nothing breaks but as a test says.
/// </para>
/// </summary>
public sealed class FakeSquallClient : ISquallClient
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Account> accounts = [];
    private readonly Dictionary<(string Call, string RequestId), object?> answers = [];
    private readonly Queue<Exception> failures = [];
    private bool isDisposed;

    /// <summary>An empty server with an account that is signed in.</summary>
    public FakeSquallClient(TimeProvider? time = null)
    {
        Time = time ?? TimeProvider.System;
        FakeLists = new FakeTaskLists(this);
        FakeTasks = new FakeTasks(this);
        Access = new FakeAccess(this);
    }

    /// <summary>Who the client calls for; null: nobody is signed in.</summary>
    public Account? Account { get; set; } = new() { Id = "account-1", Username = "fake" };

    /// <summary>What a filter means; unless set, every task matches.</summary>
    public Func<string, TaskItem, bool> Matches
    {
        get => Journal.Matches;
        set => Journal.Matches = value;
    }

    /// <inheritdoc/>
    public ITaskLists Lists => FakeLists;

    /// <inheritdoc/>
    public ITasks Tasks => FakeTasks;

    /// <inheritdoc/>
    public IAccess Access { get; }

    /// <summary>Of accounts that were registered, by their ids.</summary>
    internal Dictionary<string, string> Passwords { get; } = [];

    internal FakeTaskLists FakeLists { get; }

    internal FakeTasks FakeTasks { get; }

    internal FakeJournal Journal { get; } = new();

    internal TimeProvider Time { get; }

    /// <summary>The account that calls; UNAUTHENTICATED if there is none.</summary>
    internal Account Caller => Account ?? throw FakeFailure.Make(
        StatusCode.Unauthenticated, "TOKEN_MISSING", "This call needs an access token: log in.");

    /// <summary>A failure such as calls end with.</summary>
    public static SquallException Failure(StatusCode code, string message = "Scripted.", string reason = "") =>
        FakeFailure.Make(code, reason, message);

    /// <summary>Makes the next call fail, or the next subscription that begins.</summary>
    public void FailNext(Exception failure)
    {
        lock (gate)
        {
            failures.Enqueue(failure);
        }
    }

    /// <summary>Tells an event to all subscriptions, later ones that resume from before it too.</summary>
    public void Tell(SubscriptionEvent told)
    {
        lock (gate)
        {
            Journal.Tell(told);
        }
    }

    /// <summary>Forgets the history: who resumes from an earlier cursor meets a gap.</summary>
    public void ForgetHistory()
    {
        lock (gate)
        {
            Journal.Forget();
        }
    }

    /// <summary>Ends the subscriptions that are open now.</summary>
    public void EndSubscriptions(Exception failure)
    {
        lock (gate)
        {
            Journal.EndAll(failure);
        }
    }

    /// <inheritdoc/>
    public Task<SayHelloResponse> ConnectAsync(CancellationToken cancellationToken = default) =>
        SayHelloAsync(cancellationToken: cancellationToken);

    /// <inheritdoc/>
    public Task<SayHelloResponse> SayHelloAsync(
        string name = "", CallSettings? settings = null, CancellationToken cancellationToken = default) =>
        AnswerAsync(
            () => new SayHelloResponse { Message = $"Hello, {(name.Length == 0 ? "world" : name)}" },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Account> RegisterAsync(
        string username, string password, string displayName = "", CallSettings? settings = null,
        CancellationToken cancellationToken = default) =>
        AnswerAsync(
            () =>
            {
                var account = new Account
                {
                    Id = $"account-{username}",
                    Username = username,
                    DisplayName = displayName,
                };
                if (!accounts.TryAdd(username, account))
                {
                    throw FakeFailure.Taken(username);
                }

                Passwords[account.Id] = password;
                return account.Clone();
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Account> LoginAsync(
        string username, string password, CallSettings? settings = null,
        CancellationToken cancellationToken = default) =>
        AnswerAsync(
            () => accounts.TryGetValue(username, out var known) && Passwords[known.Id] == password
                ? (Account = known).Clone()
                : throw FakeFailure.Make(
                    StatusCode.Unauthenticated, "CREDENTIALS_WRONG", "There is no such account and password."),
            cancellationToken);

    /// <inheritdoc/>
    public Task LogoutAsync(CallSettings? settings = null, CancellationToken cancellationToken = default) =>
        AnswerAsync(
            () =>
            {
                EndSession();
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Account> GetAccountAsync(
        CallSettings? settings = null, CancellationToken cancellationToken = default) =>
        AnswerAsync(() => Caller.Clone(), cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<SubscriptionEvent> SubscribeAsync(
        SubscribeSettings? settings = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        settings ??= new SubscribeSettings();
        var channel = Channel.CreateUnbounded<SubscriptionEvent>();
        await AnswerAsync(() => Begin(channel, settings), cancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (var told in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return told;
            }
        }
        finally
        {
            lock (gate)
            {
                Journal.Leave(channel);
            }
        }
    }

    /// <inheritdoc/>
    public LiveTasks WatchTasks(string filter = "", LiveTasksSettings? settings = null) =>
        new(this, filter, settings, Time);

    /// <inheritdoc/>
    public PagedItems<SubscriptionEvent> ListNotifications(
        string filter = "", string after = "", int pageSize = 0, CallSettings? settings = null) =>
        Pages<SubscriptionEvent>(
            () =>
            [
                .. Journal.After(after, Journal.Sees(filter)), new SubscriptionEvent.Synced { Cursor = Journal.End },
            ],
            pageSize);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            isDisposed = true;
            Journal.EndAll(new ObjectDisposedException(nameof(FakeSquallClient)));
        }

        return ValueTask.CompletedTask;
    }

    internal Task<T> AnswerAsync<T>(Func<T> answer, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (isDisposed)
            {
                return Task.FromException<T>(new ObjectDisposedException(nameof(FakeSquallClient)));
            }

            if (cancellationToken.IsCancellationRequested)
            {
                return Task.FromCanceled<T>(cancellationToken);
            }

            try
            {
                return failures.TryDequeue(out var failure)
                    ? Task.FromException<T>(failure) : Task.FromResult(answer());
            }
            catch (SquallException e)
            {
                return Task.FromException<T>(e);
            }
        }
    }

    internal void EndSession()
    {
        Account = null;
        Journal.EndAll(FakeFailure.Make(StatusCode.Unauthenticated, "SESSION_ENDED", "The session has ended."));
    }

    internal void Forget(Account account)
    {
        accounts.Remove(account.Username);
        Passwords.Remove(account.Id);
    }

    /// <summary>Makes a change once for each request id, and answers again what it answered first.</summary>
    internal Task<T> ChangeAsync<T>(
        string call, CallSettings? settings, Func<T> change, CancellationToken cancellationToken) =>
        AnswerAsync(
            () =>
            {
                _ = Caller;
                if (settings?.RequestId is not { } id)
                {
                    return change();
                }

                if (!answers.TryGetValue((call, id), out var earlier))
                {
                    answers[(call, id)] = earlier = change();
                }

                return (T)earlier!;
            },
            cancellationToken);

    /// <summary>Pages of what there is when each is asked for.</summary>
    internal PagedItems<T> Pages<T>(Func<List<T>> items, int pageSize) => new((token, cancellationToken) =>
        AnswerAsync(
            () =>
            {
                _ = Caller;
                var start = token.Length == 0 ? 0 : int.TryParse(token, out var place) ? place
                    : throw FakeFailure.Field("page_token", "PAGE_TOKEN", "is no page token of this call");
                var size = pageSize > 0 ? pageSize : 50;
                var all = items();
                return new Page<T>(
                    [.. all.Skip(start).Take(size)], start + size < all.Count ? $"{start + size}" : "");
            },
            cancellationToken));

    private bool Begin(Channel<SubscriptionEvent> channel, SubscribeSettings settings)
    {
        _ = Caller;
        var snapshot = settings.Snapshot;
        var sees = Journal.Sees(settings.Filter, settings.TaskListId);
        try
        {
            if (settings.After.Length > 0)
            {
                Journal.After(settings.After, sees).ForEach(told => channel.Writer.TryWrite(told));
            }
        }
        catch (SquallGapException) when (settings.OnGap == OnGap.Resnapshot)
        {
            channel.Writer.TryWrite(new SubscriptionEvent.Gap(settings.After));
            snapshot = true;
        }

        if (snapshot)
        {
            FakeTasks.Matching(sees)
                .ForEach(task => channel.Writer.TryWrite(new SubscriptionEvent.SnapshotTask(task)));
        }

        channel.Writer.TryWrite(new SubscriptionEvent.Synced { Cursor = Journal.End });
        Journal.Join(channel, sees);
        return true;
    }
}
