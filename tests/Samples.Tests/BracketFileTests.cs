using ImportTaskwarrior;

namespace Squall.Samples.Tests;

public sealed class BracketFileTests : IDisposable
{
    private const string Rest = "status:\"pending\" uuid:\"00000000-0000-4000-8000-000000000001\"";

    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData(@"and\/or", "and/or")]
    [InlineData(@"say \""hi\""", "say \"hi\"")]
    [InlineData(@"C:\\temp\\new", @"C:\temp\new")]
    [InlineData(@"ends with a backslash \\", @"ends with a backslash \")]
    [InlineData(@"a\tb\nc\rd\be\ff", "a\tb\nc\rd\be\ff")]
    [InlineData(@"caf\u00e9 \ud83d\ude00", "café 😀")]
    [InlineData("&open;x&close; & &amp;", "[x] & &amp;")]
    [InlineData("name:value a:b", "name:value a:b")]
    [InlineData("] [", "] [")]
    [InlineData(@"unknown \x stays", @"unknown \x stays")]
    [InlineData("Ärger 🚰 日本語", "Ärger 🚰 日本語")]
    [InlineData(@"an escaped name \\&open;", @"an escaped name \[")]
    public void A_value_is_what_its_escapes_stand_for(string written, string meant) =>
        Assert.Equal(meant, Read($"[description:\"{written}\" {Rest}]").Description);

    [Fact]
    public void All_that_a_task_has_is_read()
    {
        var state = Read("[annotation_1900000100:\"second\" annotation_1900000000:\"first\" "
            + "depends:\"a,b\" dep_b:\"x\" "
            + "description:\"d\" due:\"1900000000\" estimate:\"3\" priority:\"H\" project:\"p.q\" tags:\"t,u\" "
            + $"tags_u:\"x\" tags_v:\"x\" {Rest}]");
        Assert.Equal(("p.q", "H", Status.Pending), (state.Project, state.Priority, state.Status));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_900_000_000), state.Due);
        Assert.Equal(["t", "u", "v"], state.Tags);
        Assert.Equal(["first", "second"], state.Annotations.Select(annotation => annotation.Text));
        Assert.Equal([("depends", "a"), ("depends", "b"), ("estimate", "3")], state.Others);
    }

    [Theory]
    [InlineData("{}", "is no task")]
    [InlineData("[]", "is no task")]
    [InlineData("[description:\"d\"", "is no task")]
    [InlineData("[description:\"d]", "at column 2")]
    [InlineData("[description:\"d\\\"]", "at column 2")]
    [InlineData("[:\"d\"]", "at column 2")]
    [InlineData("[description:\"d\"  status:\"pending\"]", "has no uuid")]
    [InlineData("[description:\"d\"status:\"pending\"]", "where a space belongs, at column 17")]
    [InlineData("[description:\"d\" status]", "at column 18")]
    [InlineData("[description:\"\\u12\"]", "four hexadecimal digits")]
    [InlineData("[description:\"\\ud83d\"]", "half of a surrogate pair")]
    [InlineData("[description:\"d\" description:\"e\"]", "has description twice")]
    [InlineData("[status:\"pending\" uuid:\"1\"]", "uuid is none")]
    [InlineData("[status:\"pending\" uuid:\"00000000-0000-4000-8000-000000000001\"]", "has no description")]
    [InlineData("[description:\"d\" status:\"odd\" uuid:\"00000000-0000-4000-8000-000000000001\"]", "'odd'")]
    [InlineData("[description:\"d\" due:\"soon\" " + Rest + "]", "due is no time: 'soon'")]
    [InlineData("[annotation_x:\"a\" description:\"d\" " + Rest + "]", "annotation_x is no time")]
    public void A_line_that_is_wrong_is_named_with_what_is_wrong(string line, string fault)
    {
        var path = folder.Write("bad.data", $"[description:\"good\" {Rest}]\n\n{line}\n");
        var refusal = Assert.Throws<ImportException>(() => BracketFile.Read(path));
        Assert.StartsWith($"{path}:3: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(fault, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_refused()
    {
        File.WriteAllBytes(folder.PathOf("bad.data"), [.. "[description:\""u8, 0xC3, .. "\"]"u8]);
        var refusal = Assert.Throws<ImportException>(() => BracketFile.Read(folder.PathOf("bad.data")));
        Assert.EndsWith("bad.data:1: is not UTF-8", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_backlog_and_the_bracket_files_say_the_same_of_the_last_states()
    {
        var last = Fixture.States.GroupBy(state => state.Uuid).Select(states => states.Last()).ToList();
        Assert.Equal(
            last.OrderBy(state => state.Uuid).Select(Told),
            Fixture.FinalStates.OrderBy(state => state.Uuid).Select(Told));

        static string Told(TaskwarriorState state) => string.Join('|',
            state.Uuid, state.Description, state.Status, state.Project, state.Priority, state.Due,
            string.Join(',', state.Tags), string.Join(',', state.Annotations));
    }

    private TaskwarriorState Read(string line) => Assert.Single(BracketFile.Read(folder.Write("a.data", line + "\n")));
}
