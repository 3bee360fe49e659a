using ImportTaskwarrior;

namespace Squall.Samples.Tests;

public sealed class BacklogFileTests : IDisposable
{
    private const string Rest = "\"status\":\"pending\",\"uuid\":\"00000000-0000-4000-8000-000000000001\"";

    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void All_that_a_task_has_is_read()
    {
        var state = Read("""
            {"annotations":[{"entry":"20310701T090000Z","description":"one"},
            {"entry":"20310701T090000Z","description":"of the same second"}],
            "depends":["a","b"],"description":"Say \"hi\" \/ [x] \ud83d\ude00","due":"2031-08-01T12:00:00Z","empty":"",
            "estimate":3,"id":7,"none":null,"odd":{"a":[1]},"priority":"L","project":"p","tags":["t","u"],"urgency":1.5,
            """.ReplaceLineEndings("") + Rest + "}");
        Assert.Equal(("Say \"hi\" / [x] 😀", "p", "L"), (state.Description, state.Project, state.Priority));
        Assert.Equal(new DateTimeOffset(2031, 8, 1, 12, 0, 0, TimeSpan.Zero), state.Due);
        Assert.Equal(["t", "u"], state.Tags);
        Assert.Equal(
            [("one", 0), ("of the same second", 1)],
            state.Annotations.Select(annotation => (annotation.Text, annotation.Time.Second)));
        Assert.Equal(
            [("depends", "a"), ("depends", "b"), ("estimate", "3"), ("odd", "{\"a\":[1]}")], state.Others);
    }

    [Theory]
    [InlineData("{\"description\":\"d\"", "is no JSON, at byte")]
    [InlineData("[1]", "is no JSON object")]
    [InlineData("{\"description\":\"\\ud83d\"," + Rest + "}", "has a text that is none")]
    [InlineData("{\"description\":\"d\",\"tags\":[1]," + Rest + "}", "has a text that is none, or something else")]
    [InlineData("{\"description\":\"d\",\"description\":\"e\"," + Rest + "}", "has description twice")]
    [InlineData("{\"description\":\"d\",\"annotations\":[{}]," + Rest + "}", "has an annotation without entry")]
    [InlineData("{\"description\":\"\"," + Rest + "}", "has no description")]
    [InlineData("{\"description\":\"d\",\"due\":\"20311301T000000Z\"," + Rest + "}", "due is no time")]
    [InlineData("{\"description\":\"d\",\"due\":\"19691231T235959Z\"," + Rest + "}", "due is no time")]
    [InlineData("{\"description\":\"d\",\"due\":99999999999999," + Rest + "}", "due is no time")]
    public void A_line_that_is_wrong_is_named_with_what_is_wrong(string line, string fault)
    {
        var path = folder.Write("bad.data", $"{{\"description\":\"good\",{Rest}}}\n{line}\n");
        var refusal = Assert.Throws<ImportException>(() => BacklogFile.Read(path));
        Assert.StartsWith($"{path}:2: {fault}", refusal.Message, StringComparison.Ordinal);
    }

    private TaskwarriorState Read(string line) => Assert.Single(BacklogFile.Read(folder.Write("a.data", line)));
}
