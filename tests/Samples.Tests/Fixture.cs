using ImportTaskwarrior;

namespace Squall.Samples.Tests;

/// <summary>Fictional tasks, with all that Taskwarrior's tasks can have.</summary>
internal static class Fixture
{
    public static readonly string[] Finals = [PathOf("pending.data"), PathOf("completed.data")];

    public static IReadOnlyList<TaskwarriorState> States => BacklogFile.Read(PathOf("backlog.data"));

    public static IReadOnlyList<TaskwarriorState> FinalStates => [.. Finals.SelectMany(BracketFile.Read)];

    public static IReadOnlyList<Step> Steps => Plan.Of(States, new Losses());

    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "fixture", name);

    public static Guid Uuid(int number) => new($"00000000-0000-4000-8000-{number:D12}");
}

/// <summary>A folder that goes with the test.</summary>
internal sealed class Folder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("squall-samples-").FullName;

    public string Record => PathOf("import.record");

    public string Log => PathOf("watch.log");

    public string PathOf(string name) => Path.Combine(path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    public void Dispose() => Directory.Delete(path, recursive: true);
}
