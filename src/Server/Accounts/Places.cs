namespace Squall.Server;

/// <summary>Where accounts logged in lately: there, what strangers try elsewhere keeps nobody out.</summary>
internal sealed class Places(Origins origins, Limits limits, TimeProvider time)
{
    private const int RowsMax = 500;

    private long FamiliarMicros => (long)limits.FamiliarTime.TotalMicroseconds;

    /// <summary>Whether the account logged in from there lately.</summary>
    public bool Knows(SquallDb db, string accountId, Origin origin)
    {
        string address = origin.ToString();
        long since = Micros.Of(time.GetUtcNow()) - FamiliarMicros;
        return db.Places.Any(place =>
            place.AccountId == accountId && place.Address == address && place.LoginTimeMicros > since);
    }

    /// <summary>Remembers, as part of a login, where from it came; the oldest place is forgotten for one too many.
    /// </summary>
    public void Remember(ChangeScope scope, string accountId, Origin origin)
    {
        if (!origins.IsLimited(origin))
        {
            return;
        }

        string address = origin.ToString();
        if (scope.Db.Places.Find(accountId, address) is { } known)
        {
            known.LoginTimeMicros = scope.NowMicros;
            return;
        }

        scope.Db.Places.RemoveRange(scope.Db.Places.Where(place => place.AccountId == accountId)
            .OrderByDescending(place => place.LoginTimeMicros).Skip(limits.AccountPlacesMax - 1));
        scope.Db.Places.Add(
            new PlaceRow { AccountId = accountId, Address = address, LoginTimeMicros = scope.NowMicros });
    }

    /// <summary>Clears away places that are familiar no more, at most 500; a change of its own.</summary>
    public int Forget(ChangeScope scope)
    {
        long until = scope.NowMicros - FamiliarMicros;
        PlaceRow[] old =
        [
            .. scope.Db.Places.Where(place => place.LoginTimeMicros <= until)
                .OrderBy(place => place.LoginTimeMicros).Take(RowsMax),
        ];
        scope.Db.Places.RemoveRange(old);
        return old.Length;
    }
}

/// <summary>Where an account logged in, and when it last did.</summary>
internal sealed class PlaceRow
{
    public required string AccountId { get; set; }

    /// <summary>As <see cref="Origin"/> writes it.</summary>
    public required string Address { get; set; }

    public long LoginTimeMicros { get; set; }
}
