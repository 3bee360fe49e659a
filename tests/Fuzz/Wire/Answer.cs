namespace Squall.Fuzz;

/// <summary>How a request ended for its sender.</summary>
internal enum End
{
    /// <summary>With a whole answer.</summary>
    Answered,

    /// <summary>Its stream or its connection was closed before that.</summary>
    Cut,

    /// <summary>Neither, in all the time that there was.</summary>
    Hung,
}

/// <summary>What came back for a request.</summary>
internal sealed class Answer
{
    public End End { get; set; } = End.Cut;
    public int Http { get; set; }
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);
    public Dictionary<string, string> Trailers { get; } = new(StringComparer.OrdinalIgnoreCase);
    public MemoryStream Body { get; } = new();

    /// <summary>Why it was cut, where that was told.</summary>
    public string Note { get; set; } = "";

    public override string ToString() =>
        $"{End} {Http} {Note} {Fields(Headers)} {Body.Length} bytes {Fields(Trailers)}";

    private static string Fields(Dictionary<string, string> fields) =>
        $"[{string.Join("; ", fields.Select(field => $"{field.Key}: {field.Value}"))}]";
}
