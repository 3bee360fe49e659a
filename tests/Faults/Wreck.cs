namespace Squall.Faults;

/// <summary>What a killed server left behind.</summary>
/// <param name="InTransaction">The kill came after a transaction's begin and before its commit's end.</param>
/// <param name="InWriting">It came within a write of a commit to the log.</param>
/// <param name="Stored">Calls that were not answered, and whose change was committed.</param>
/// <param name="NotStored">Calls that were not answered, and of which there is nothing.</param>
/// <param name="TornPages">Pages of a commit that was being written, behind the last one that was.</param>
internal sealed record Wreck(bool InTransaction, bool InWriting, int Stored, int NotStored, int TornPages)
{
    /// <summary>The kill came after the writer had taken a change and before its caller was answered.</summary>
    public bool HitCommit => InTransaction || Stored > 0;
}

/// <summary>The wrecks of a run, added up.</summary>
internal sealed class Wrecks
{
    private readonly List<Wreck> _all = [];

    public int Kills => _all.Count;
    public int Hits => _all.Count(wreck => wreck.HitCommit);

    /// <summary>Kills while a commit was being written, and after it was, but before its callers knew.</summary>
    public int InWriting => _all.Count(wreck => wreck.InWriting);
    public int BeforeAnswers => _all.Count(wreck => wreck.Stored > 0);

    public void Add(Wreck wreck) => _all.Add(wreck);

    public override string ToString() =>
        $"{Hits} of {Kills} kills with a commit in flight ({InWriting} while it was being written, "
        + $"{_all.Count(wreck => wreck.TornPages > 0)} left some of one in the log, {BeforeAnswers} came after that "
        + $"and before its answers); {_all.Sum(wreck => wreck.Stored)} calls stored and not answered, "
        + $"{_all.Sum(wreck => wreck.NotStored)} neither";
}
