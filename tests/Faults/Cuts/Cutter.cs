namespace Squall.Faults;

/// <summary>
/// Cuts one subscriber's stream while it is live, in each way in turn, at random places: what the subscriber sees of
/// the stream sets the pace. A cut that the server's end forestalls is made again on the next stream.
/// </summary>
internal sealed class Cutter(Proxy proxy, Random random, int messagesBetween)
{
    private const int MessagesBetweenMin = 150;
    private const int BytesPassedMax = 2_000;

    // Well below an HTTP/2 stream's first window, half of which may be taken: the server could not fill more.
    private const int BytesHeldMax = 8_000;
    private readonly TaskCompletionSource _calm = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<Cut> _plan = [];
    private readonly int[] _made = new int[Enum.GetValues<Cut>().Length];
    private Task<bool>? _underWay;
    private int _stream;
    private int _cutStream;
    private int _rest = random.Next(MessagesBetweenMin);
    private volatile bool _enough;

    public IReadOnlyList<int> Made => _made;

    public Proxy Proxy => proxy;

    /// <summary>
    /// Cuts no more once each kind was made, and no cut is under way. Done when the subscriber has seen a change since.
    /// </summary>
    public Task CalmAsync()
    {
        _enough = true;
        return _calm.Task;
    }

    /// <summary>The subscriber begins a stream.</summary>
    public void Begin() => _stream++;

    /// <summary>The subscriber has seen a change on its present stream.</summary>
    public void Saw()
    {
        // What it sees after its connection's end had come before; only a stall's end leaves it a stream.
        bool isOver = _underWay is { IsCompleted: true }
            && (_stream > _cutStream || (_plan.Peek() == Cut.Stall && _underWay.Result));
        if (_calm.Task.IsCompleted || (_underWay is not null && !isOver))
        {
            return;
        }

        if (_underWay is { Result: true })
        {
            _made[(int)_plan.Dequeue()]++;
            _rest = random.Next(Math.Max(messagesBetween, MessagesBetweenMin));
        }

        _underWay = null;
        if (_enough && _made.All(count => count > 0))
        {
            _calm.SetResult();
        }
        else if (--_rest <= 0)
        {
            _cutStream = _stream;
            _underWay = proxy.CutAsync(NextCut(), random.Next(BytesPassedMax), random.Next(1, BytesHeldMax));
        }
    }

    private Cut NextCut()
    {
        if (_plan.Count == 0)
        {
            Cut[] order = Enum.GetValues<Cut>();
            random.Shuffle(order);
            Array.ForEach(order, _plan.Enqueue);
        }

        return _plan.Peek();
    }
}

/// <summary>The cuts of all subscribers of a run, added up.</summary>
internal sealed class Cuts(IReadOnlyList<Cutter> cutters)
{
    private static readonly Cut[] Kinds = Enum.GetValues<Cut>();

    /// <summary>Each subscriber was cut at least so often in each way.</summary>
    public int Least => cutters.Select(cutter => cutter.Made.Min()).DefaultIfEmpty().Min();

    public override string ToString() =>
        string.Join(", ", Kinds.Select(kind => $"{cutters.Sum(cutter => cutter.Made[(int)kind])} {kind}"))
        + $" of live streams of {cutters.Count} subscribers, each of them cut at least {Least} times in each way";
}
