using System.Text.Json;

namespace ImportTaskwarrior;

/// <summary>Taskwarrior's backlog.data: the states of tasks, oldest first, a JSON object a line.</summary>
internal static class BacklogFile
{
    public static IReadOnlyList<TaskwarriorState> Read(string path) =>
        [.. SourceLine.ReadAll(path).Select(line => TaskwarriorState.From(line, Attributes(line)))];

    private static List<(string Name, string Value)> Attributes(SourceLine line)
    {
        try
        {
            using var json = JsonDocument.Parse(line.Text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? [.. json.RootElement.EnumerateObject().SelectMany(property => Attributes(line, property))]
                : throw line.Fault("is no JSON object");
        }
        catch (JsonException e)
        {
            throw line.Fault($"is no JSON, at byte {e.BytePositionInLine + 1}");
        }
        catch (InvalidOperationException)
        {
            throw line.Fault("has a text that is none, or something else where a text belongs");
        }
    }

    private static IEnumerable<(string Name, string Value)> Attributes(SourceLine line, JsonProperty property) =>
        (property.Name, property.Value.ValueKind) switch
        {
            // Taskwarrior reckons these anew, and leaves them out when it imports itself.
            ("id" or "urgency", _) => [],
            ("modification", _) => [("modified", Text(property.Value))],
            ("tags", JsonValueKind.Array) => property.Value.EnumerateArray()
                .Select(tag => (TaskwarriorState.TagName(tag.GetString()!), "x")),
            ("depends", JsonValueKind.Array) => property.Value.EnumerateArray()
                .Select(uuid => (TaskwarriorState.DependencyName(uuid.GetString()!), "x")),
            ("annotations", JsonValueKind.Array) => Annotations(line, property.Value),
            _ => [(property.Name, Text(property.Value))],
        };

    /// <summary>Two of one second are told apart as Taskwarrior does: the later one moves on by a second.</summary>
    private static IEnumerable<(string Name, string Value)> Annotations(SourceLine line, JsonElement annotations)
    {
        var taken = new HashSet<DateTimeOffset>();
        foreach (var annotation in annotations.EnumerateArray())
        {
            if (!annotation.TryGetProperty("entry", out var entry)
                || !annotation.TryGetProperty("description", out var description))
            {
                throw line.Fault("has an annotation without entry or description");
            }

            var time = TaskwarriorState.Time(line, "annotations.entry", Text(entry));
            while (!taken.Add(time))
            {
                time = time.AddSeconds(1);
            }

            yield return (TaskwarriorState.AnnotationName(time), description.GetString()!);
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };
}
