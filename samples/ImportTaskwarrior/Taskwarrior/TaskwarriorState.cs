using System.Globalization;

namespace ImportTaskwarrior;

internal enum Status
{
    Pending,
    Waiting,
    Recurring,
    Completed,
    Deleted,
}

/// <summary>A remark on a task. Its time is what Taskwarrior knows it by.</summary>
internal sealed record Annotation(DateTimeOffset Time, string Text);

/// <summary>A task as Taskwarrior had it at some time.</summary>
internal sealed record TaskwarriorState(SourceLine Line, Guid Uuid, string Description, Status Status)
{
    private const string AnnotationPrefix = "annotation_";
    private const string TagPrefix = "tags_";
    private const string DependencyPrefix = "dep_";
    private const long TimeSecondsMax = 253_402_300_799;

    private static readonly string[] TimeFormats = ["yyyyMMdd'T'HHmmss'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'"];

    public string Project { get; private init; } = "";

    public string Priority { get; private init; } = "";

    public DateTimeOffset? Due { get; private init; }

    public IReadOnlyList<string> Tags { get; private init; } = [];

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<Annotation> Annotations { get; private init; } = [];

    /// <summary>All that it holds beside: times, dependencies, recurrence, attributes of the user's own.</summary>
    public IReadOnlyList<(string Name, string Value)> Others { get; private init; } = [];

    /// <summary>Reads the attributes as the bracket format names them; what is empty is not there.</summary>
    public static TaskwarriorState From(SourceLine line, IEnumerable<(string Name, string Value)> attributes)
    {
        var rest = new OrderedDictionary<string, string>();
        foreach (var (name, value) in attributes.Where(attribute => attribute.Value.Length > 0))
        {
            if (!rest.TryAdd(name, value))
            {
                throw line.Fault($"has {name} twice");
            }
        }

        var due = Take(rest, "due");
        return new TaskwarriorState(line, UuidOf(line, rest), Required(line, rest, "description"), StatusOf(line, rest))
        {
            Project = Take(rest, "project"),
            Priority = Take(rest, "priority"),
            Due = due.Length > 0 ? Time(line, "due", due) : null,
            Tags = [.. Parts(rest, "tags", TagPrefix)],
            Annotations = [.. TakeAnnotations(line, rest)],
            Others =
            [
                .. Parts(rest, "depends", DependencyPrefix).Select(uuid => ("depends", uuid)),
                .. rest.Select(attribute => (attribute.Key, attribute.Value)),
            ],
        };
    }

    /// <summary>A time as seconds since 1970, or as ISO 8601 with or without its punctuation.</summary>
    public static DateTimeOffset Time(SourceLine line, string name, string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= TimeSecondsMax)
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        }

        return DateTimeOffset.TryParseExact(
                text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && time >= DateTimeOffset.UnixEpoch ? time : throw line.Fault($"{name} is no time: '{text}'");
    }

    /// <summary>The attribute that an annotation of this time is.</summary>
    public static string AnnotationName(DateTimeOffset time) => $"{AnnotationPrefix}{time.ToUnixTimeSeconds()}";

    /// <summary>The attribute that a tag is.</summary>
    public static string TagName(string tag) => TagPrefix + tag;

    /// <summary>The attribute that a dependency is.</summary>
    public static string DependencyName(string uuid) => DependencyPrefix + uuid;

    private static string Take(OrderedDictionary<string, string> attributes, string name) =>
        attributes.Remove(name, out var value) ? value : "";

    private static string Required(SourceLine line, OrderedDictionary<string, string> attributes, string name) =>
        Take(attributes, name) is { Length: > 0 } value ? value : throw line.Fault($"has no {name}");

    private static Guid UuidOf(SourceLine line, OrderedDictionary<string, string> attributes)
    {
        var text = Required(line, attributes, "uuid");
        return Guid.TryParseExact(text, "D", out var uuid) ? uuid : throw line.Fault($"uuid is none: '{text}'");
    }

    private static Status StatusOf(SourceLine line, OrderedDictionary<string, string> attributes)
    {
        var text = Required(line, attributes, "status");
        return Enum.GetValues<Status>().Select(status => (Status?)status).FirstOrDefault(
                status => status.ToString()!.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw line.Fault($"status is unknown: '{text}'");
    }

    /// <summary>
    /// What stands in one attribute, between commas, or in one attribute each: older and newer Taskwarriors write the
    /// one, the other or both.
    /// </summary>
    private static IEnumerable<string> Parts(OrderedDictionary<string, string> attributes, string name, string prefix)
    {
        var parts = Take(attributes, name).Split(',', StringSplitOptions.RemoveEmptyEntries).ToList();
        foreach (var key in attributes.Keys.Where(key => Begins(key, prefix)).ToList())
        {
            attributes.Remove(key);
            parts.Add(key[prefix.Length..]);
        }

        return parts.Distinct();
    }

    private static List<Annotation> TakeAnnotations(SourceLine line, OrderedDictionary<string, string> attributes)
    {
        var annotations = new List<Annotation>();
        foreach (var key in attributes.Keys.Where(key => Begins(key, AnnotationPrefix)).ToList())
        {
            annotations.Add(new Annotation(Time(line, key, key[AnnotationPrefix.Length..]), Take(attributes, key)));
        }

        return [.. annotations.OrderBy(annotation => annotation.Time)];
    }

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
}
