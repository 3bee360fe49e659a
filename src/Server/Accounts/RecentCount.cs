namespace Squall.Server;

/// <summary>
/// How often something happened lately, by key: at most <paramref name="max"/> times within any
/// <paramref name="window"/>. What is being tried is held, so that of many at once no more get through. Not for use
/// by several threads at once.
/// </summary>
/// <param name="remembered">How many, of all keys together: the oldest is forgotten for one more.</param>
internal sealed class RecentCount<TKey>(int max, TimeSpan window, int remembered)
    where TKey : notnull
{
    /// <summary>Whoever is refused for what is still being tried: how long that takes, about.</summary>
    private static readonly TimeSpan TryingTime = TimeSpan.FromSeconds(1);
    private readonly Dictionary<TKey, Times> _timesOf = [];
    private readonly Queue<(TimeSpan Time, TKey Key)> _all = new();

    private sealed class Times
    {
        public Queue<TimeSpan> Past { get; } = new();
        public int Held { get; set; }
    }

    /// <summary>How many keys there is something of.</summary>
    public int Keys => _timesOf.Count;

    /// <summary>How long until it may happen again; zero: now.</summary>
    /// <param name="now">Of a clock that is never set back.</param>
    public TimeSpan WaitOf(TKey key, TimeSpan now)
    {
        while (_all.TryPeek(out (TimeSpan Time, TKey Key) oldest) && oldest.Time + window <= now)
        {
            ForgetOldest();
        }

        return !_timesOf.TryGetValue(key, out Times? times) || times.Past.Count + times.Held < max ? TimeSpan.Zero
            : times.Past.Count < max ? TryingTime
            : times.Past.Peek() + window - now;
    }

    /// <summary>It is being tried: until <see cref="Release"/> it counts.</summary>
    public void Hold(TKey key)
    {
        if (!_timesOf.TryGetValue(key, out Times? times))
        {
            _timesOf[key] = times = new Times();
        }

        times.Held++;
    }

    /// <summary>It was tried, and does not count.</summary>
    public void Release(TKey key)
    {
        Times times = _timesOf[key];
        times.Held--;
        ForgetIfEmpty(key, times);
    }

    /// <summary>It was tried, and it happened.</summary>
    public void Count(TKey key, TimeSpan now)
    {
        Times times = _timesOf[key];
        times.Held--;
        times.Past.Enqueue(now);
        _all.Enqueue((now, key));
        if (_all.Count > remembered)
        {
            ForgetOldest();
        }
    }

    private void ForgetOldest()
    {
        TKey key = _all.Dequeue().Key;
        Times times = _timesOf[key];
        times.Past.Dequeue();
        ForgetIfEmpty(key, times);
    }

    private void ForgetIfEmpty(TKey key, Times times)
    {
        if (times.Past.Count == 0 && times.Held == 0)
        {
            _timesOf.Remove(key);
        }
    }
}
