using Grpc.Core;

namespace Squall.Server;

/// <summary>A change that waits for the writer, or is being run by it.</summary>
internal abstract class QueuedChange(string? accountId, long bytes, CancellationToken cancelled)
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Dropped = 2;
    private int _state;
    private CancellationTokenRegistration _registration;
    private Exception? _refusal;

    /// <summary>Whose it is; null for the server's own, which are not counted.</summary>
    public string? AccountId => accountId;

    public long Bytes => bytes;

    /// <summary>
    /// From here on a cancelled caller no longer waits, and its change is not run unless it is taken.
    /// </summary>
    public void Watch() =>
        _registration = cancelled.UnsafeRegister(static state => ((QueuedChange)state!).Drop(), this);

    /// <summary>False: its caller has gone, and it must not be run.</summary>
    public bool Take()
    {
        _registration.Dispose();
        return Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;
    }

    /// <summary>Runs it within the transaction; throws what it throws.</summary>
    public abstract void Run(ChangeScope scope);

    /// <summary>What its caller is to be told in place of what it made.</summary>
    public void Refuse(Exception failure) => _refusal = failure;

    /// <summary>
    /// Tells its caller how it ended; called after the commit only: a refusal, too, rests on what ran before it.
    /// </summary>
    public void Answer()
    {
        if (_refusal is null)
        {
            AnswerMade();
        }
        else
        {
            AnswerRefused(_refusal);
        }
    }

    protected abstract void AnswerMade();

    protected abstract void AnswerRefused(Exception failure);

    protected abstract void AnswerCancelled(CancellationToken token);

    private void Drop()
    {
        if (Interlocked.CompareExchange(ref _state, Dropped, Waiting) == Waiting)
        {
            AnswerCancelled(cancelled);
        }
    }
}

internal sealed class QueuedChange<T>(
    Func<ChangeScope, T> change, string? accountId, long bytes, CancellationToken cancelled)
    : QueuedChange(accountId, bytes, cancelled)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Answered => _answer.Task;

    public override void Run(ChangeScope scope) => _result = change(scope);

    protected override void AnswerMade() => _answer.TrySetResult(_result!);

    protected override void AnswerRefused(Exception failure) => _answer.TrySetException(failure);

    protected override void AnswerCancelled(CancellationToken token) => _answer.TrySetCanceled(token);
}

/// <summary>
/// What waits for the writer: bounded in changes, in bytes and for each account. The server's own changes are not
/// counted and go first.
/// </summary>
internal sealed class JournalQueue(Limits limits)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly object _gate = new();
    private readonly Queue<QueuedChange> _urgent = new();
    private readonly Queue<QueuedChange> _ordinary = new();
    private readonly Dictionary<string, int> _ofAccount = [];
    private long _bytes;
    private bool _closed;

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: it is full. UNAVAILABLE: the server stops.</exception>
    public void Add(QueuedChange change)
    {
        lock (_gate)
        {
            if (_closed)
            {
                throw Fault.Unavailable("STOPPING", "The server is stopping.", RetryAfter);
            }

            if (change.AccountId is { } account)
            {
                Count(account, change.Bytes);
            }

            change.Watch();
            (change.AccountId is null ? _urgent : _ordinary).Enqueue(change);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits until there is something to take; false: closed, and all was taken.</summary>
    public bool WaitForOne()
    {
        lock (_gate)
        {
            while (_urgent.Count + _ordinary.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            return _urgent.Count + _ordinary.Count > 0;
        }
    }

    /// <summary>The next one whose caller still waits; null: none is there.</summary>
    public QueuedChange? TryTake()
    {
        while (true)
        {
            QueuedChange? next;
            lock (_gate)
            {
                if (!_urgent.TryDequeue(out next) && !_ordinary.TryDequeue(out next))
                {
                    return null;
                }

                Discount(next);
            }

            if (next.Take())
            {
                return next;
            }
        }
    }

    /// <summary>Refuses what comes from here on; what was accepted is still to be taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Count(string account, long bytes)
    {
        int own = _ofAccount.GetValueOrDefault(account);
        if (own >= limits.QueuedChangesPerAccountMax
            || _ordinary.Count >= limits.QueuedChangesMax || _bytes + bytes > limits.QueuedBytesMax)
        {
            throw Fault.Busy("QUEUE_FULL", "Too many changes are waiting to be stored.", RetryAfter);
        }

        _ofAccount[account] = own + 1;
        _bytes += bytes;
    }

    private void Discount(QueuedChange change)
    {
        if (change.AccountId is not { } account)
        {
            return;
        }

        _bytes -= change.Bytes;
        if (--_ofAccount[account] == 0)
        {
            _ofAccount.Remove(account);
        }
    }
}
