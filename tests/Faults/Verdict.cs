namespace Squall.Faults;

/// <summary>What the checker found: how much there was to find, and each kind of fault with its number.</summary>
internal sealed class Verdict
{
    public const string Lost = "acknowledged tasks lost";
    public const string Differs = "tasks other than acknowledged";
    public const string Refused = "cursors refused";
    public const string NotTold = "changes not told";
    public const string Twice = "changes told twice";
    public const string Disordered = "writers told out of order";
    public const string Earlier = "told with an earlier time";
    public const string Baseless = "changes told that were not acknowledged";
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);

    public int Acknowledged { get; set; }

    public int Deliveries { get; set; }

    public bool Holds => _faults.Count == 0;

    /// <summary>No fault of any other kind.</summary>
    public bool HoldsBut(params string[] faults) => _faults.Keys.All(faults.Contains);

    public int Of(string fault)
    {
        lock (_gate)
        {
            return _faults.GetValueOrDefault(fault);
        }
    }

    public void Count(string fault, bool found) => Count(fault, found ? 1 : 0);

    public void Count(string fault, int found)
    {
        if (found == 0)
        {
            return;
        }

        lock (_gate)
        {
            _faults[fault] = _faults.GetValueOrDefault(fault) + found;
        }
    }

    public override string ToString() => $"{Acknowledged} acknowledged; "
        + (Deliveries > 0 ? $"{Deliveries} deliveries; " : "")
        + (Holds ? "no fault" : string.Join(", ", _faults.Select(fault => $"{fault.Value} {fault.Key}")));
}
