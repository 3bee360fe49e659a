using Google.Rpc;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

public sealed class FilterTests
{
    private static readonly TaskItem Printer = new()
    {
        Id = "t1", TaskListId = "l1", Title = "Fix the printer", State = TaskState.Open, Priority = Priority.High,
        Labels = { "ocr", "office" }, Rank = "i00000", CreatorId = "a1",
        DueTime = Micros.ToTimestamp(Rfc3339.MicrosOf("2026-11-30T12:00:00Z")!.Value),
        CreateTime = Micros.ToTimestamp(1_000_000), UpdateTime = Micros.ToTimestamp(2_000_000),
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("  \n", true)]
    [InlineData("title = \"Fix the printer\"", true)]
    [InlineData("title='Fix the printer'", true)]
    [InlineData("title = \"fix the printer\"", false)]
    [InlineData("title = \"Fix\"", false)]
    [InlineData("title != \"Fix\"", true)]
    [InlineData("title = \"Fix \\\"the\\\" printer\"", false)]
    [InlineData("task_list_id = l1 AND state = OPEN AND due_time < \"2026-12-01T00:00:00Z\"", true)]
    [InlineData("due_time < 2026-11-30T12:00:00.000001Z", true)]
    [InlineData("due_time < 2026-11-30T13:00:00+01:00", false)]
    [InlineData("due_time <= 2026-11-30T13:00:00+01:00", true)]
    [InlineData("state = OPEN", true)]
    [InlineData("state = \"OPEN\"", true)]
    [InlineData("priority >= HIGH", true)]
    [InlineData("priority < HIGH", false)]
    [InlineData("priority > NONE", true)]
    [InlineData("priority:*", true)]
    [InlineData("labels:ocr", true)]
    [InlineData("labels:\"oc\"", false)]
    [InlineData("labels:*", true)]
    [InlineData("labels:(x OR ocr)", true)]
    [InlineData("labels:(ocr AND office)", true)]
    [InlineData("labels:(ocr -office)", false)]
    [InlineData("state:OPEN", true)]
    public void A_comparison_holds_or_not(string filter, bool holds) =>
        Assert.Equal(holds, Filter.Parse(filter, new Limits()).Matches(Printer));

    [Theory]
    [InlineData("assignee_id = x", false)]
    [InlineData("assignee_id != x", false)]
    [InlineData("NOT assignee_id = x", true)]
    [InlineData("NOT assignee_id != x", true)]
    [InlineData("-assignee_id = \"\"", true)]
    [InlineData("assignee_id:*", false)]
    [InlineData("-assignee_id:*", true)]
    [InlineData("complete_time > 1970-01-01T00:00:00Z", false)]
    [InlineData("NOT complete_time > 1970-01-01T00:00:00Z", true)]
    [InlineData("work.kind = x OR work.attempt >= 0 OR remind_time:*", false)]
    [InlineData("NOT (work.kind = x OR work.attempt >= 0 OR remind_time:*)", true)]
    public void A_comparison_with_an_unset_field_is_false_and_NOT_turns_it_round(string filter, bool holds) =>
        Assert.Equal(holds, Filter.Parse(filter, new Limits()).Matches(Printer));

    [Theory]
    [InlineData("state = OPEN OR state = DONE AND title = x", false)]
    [InlineData("title = x AND state = DONE OR state = OPEN", false)]
    [InlineData("(title = x AND state = DONE) OR state = OPEN", true)]
    [InlineData("state = OPEN labels:ocr", true)]
    [InlineData("state = DONE OR state = OPEN labels:x", false)]
    [InlineData("state = OPEN -labels:ocr OR labels:office", true)]
    [InlineData("NOT state = DONE AND NOT (labels:x OR labels:y)", true)]
    [InlineData("(state = OPEN)(labels:ocr)", true)]
    public void OR_binds_closer_than_AND(string filter, bool holds) =>
        Assert.Equal(holds, Filter.Parse(filter, new Limits()).Matches(Printer));

    [Theory]
    [InlineData("printer", true)]
    [InlineData("PRINTER", true)]
    [InlineData("print", false)]
    [InlineData("prínter", true)]
    [InlineData("\"the printer\"", true)]
    [InlineData("'fix THE  printer!'", true)]
    [InlineData("\"fix printer\"", false)]
    [InlineData("fix printer", true)]
    [InlineData("fix-the", true)]
    [InlineData("the-fix", false)]
    [InlineData("title", false)]
    [InlineData("ocr", false)]
    [InlineData("-scanner", true)]
    [InlineData("NOT printer", false)]
    [InlineData("scanner OR printer", true)]
    [InlineData("labels:\"ocr\" AND (priority >= HIGH OR \"printer\")", true)]
    [InlineData("priority < HIGH OR \"printer\" AND state = DONE", false)]
    [InlineData("and or not", false)]
    public void A_bare_word_or_a_phrase_is_searched_for_in_title_and_note(string filter, bool holds) =>
        Assert.Equal(holds, Filter.Parse(filter, new Limits()).Matches(Printer));

    [Fact]
    public void A_phrase_stands_in_the_title_or_in_the_note_but_not_across_both()
    {
        var task = new TaskItem { Title = "one two", Note = "three, four" };
        Assert.True(Filter.Parse("\"one two\" \"three four\" two three", new Limits()).Matches(task));
        Assert.False(Filter.Parse("\"two three\"", new Limits()).Matches(task));
    }

    [Fact]
    public void Text_is_compared_by_code_point()
    {
        var task = new TaskItem { Title = "\uFF5E" };
        Assert.True(Filter.Parse("title < \"\U0001F600\"", new Limits()).Matches(task));
        Assert.False(Filter.Parse("title > \"\U0001F600\"", new Limits()).Matches(task));
        Assert.True(Filter.Parse("title > \"\uFF5D\"", new Limits()).Matches(task));
    }

    [Theory]
    [InlineData("tite = x", 1, "FILTER_INVALID")]
    [InlineData("\"title\" = x", 1, "FILTER_INVALID")]
    [InlineData("http://x", 1, "FILTER_INVALID")]
    [InlineData("\"\"", 1, "FILTER_INVALID")]
    [InlineData("a OR \"😀 …\" b", 6, "FILTER_INVALID")]
    [InlineData("state = OPEN *", 14, "FILTER_INVALID")]
    [InlineData("😀print*", 7, "FILTER_INVALID")]
    [InlineData("-", 2, "FILTER_INVALID")]
    [InlineData("a, b", 2, "FILTER_INVALID")]
    [InlineData("printer(office)", 8, "FILTER_INVALID")]
    [InlineData("title = \"😀\" AND colour = red", 17, "FILTER_INVALID")]
    [InlineData("state = open", 9, "FILTER_INVALID")]
    [InlineData("state = NONE", 9, "FILTER_INVALID")]
    [InlineData("priority = 3", 12, "FILTER_INVALID")]
    [InlineData("due_time < tomorrow", 12, "FILTER_INVALID")]
    [InlineData("due_time < 2026-02-30T00:00:00Z", 12, "FILTER_INVALID")]
    [InlineData("due_time < 2026-12-01", 12, "FILTER_INVALID")]
    [InlineData("work.attempt = many", 16, "FILTER_INVALID")]
    [InlineData("labels = ocr", 8, "FILTER_INVALID")]
    [InlineData("title = *", 9, "FILTER_INVALID")]
    [InlineData("title =", 8, "FILTER_INVALID")]
    [InlineData("title = AND", 9, "FILTER_INVALID")]
    [InlineData("title == x", 8, "FILTER_INVALID")]
    [InlineData("title ! x", 7, "FILTER_INVALID")]
    [InlineData("title = \"x", 9, "FILTER_INVALID")]
    [InlineData("title = \"x\"y", 12, "FILTER_INVALID")]
    [InlineData("title = \"\\q\"", 10, "FILTER_INVALID")]
    [InlineData("(title = x", 1, "FILTER_INVALID")]
    [InlineData("title = x)", 10, "FILTER_INVALID")]
    [InlineData("()", 2, "FILTER_INVALID")]
    [InlineData("title = x OR", 13, "FILTER_INVALID")]
    [InlineData("OR title = x", 1, "FILTER_INVALID")]
    [InlineData("NOT", 4, "FILTER_INVALID")]
    [InlineData("title = \"a\0b\"", 11, "FILTER_INVALID")]
    [InlineData("NOT NOT title = x", 5, "FILTER_INVALID")]
    [InlineData("--a", 2, "FILTER_INVALID")]
    [InlineData("NOT -a", 5, "FILTER_INVALID")]
    public void What_does_not_parse_is_refused_with_its_place(string filter, int position, string reason)
    {
        var refused = Assert.Throws<RpcException>(() => Filter.Parse(filter, new Limits()));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        ErrorInfo cause = Refusal.CauseOf(refused);
        Assert.Equal(reason, cause.Reason);
        Assert.Equal(position, int.Parse(cause.Metadata["position"]));
        Assert.Contains($"character {position}:", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(["filter"], Refusal.FieldsOf(refused));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        var refused = Assert.Throws<RpcException>(() => Filter.Parse($"title = \"a{(char)0xD83D}b\"", new Limits()));
        Assert.Equal("11", Refusal.CauseOf(refused).Metadata["position"]);
    }

    [Fact]
    public void A_filter_is_bounded_in_length_terms_and_nesting()
    {
        string Terms(int count) => string.Join(" OR ", Enumerable.Repeat("title = x", count));
        string Nested(int depth) => new string('(', depth) + "title = x" + new string(')', depth);
        Filter.Parse(Terms(50), new Limits());
        Filter.Parse(Nested(50), new Limits());
        Filter.Parse("title = \"" + new string('é', 2_043) + "\"", new Limits());

        Assert.Contains("50 terms", Refused(Terms(51)), StringComparison.Ordinal);
        Assert.Contains("50 deep", Refused(Nested(51)), StringComparison.Ordinal);
        Assert.Contains("4096 bytes", Refused("title = \"" + new string('é', 2_044) + "\""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("task_list_id = l1", "l1")]
    [InlineData("state = OPEN AND (task_list_id = l1 AND labels:x)", "l1")]
    [InlineData("task_list_id != l1", null)]
    [InlineData("task_list_id = l1 OR state = OPEN", null)]
    [InlineData("NOT task_list_id = l1", null)]
    public void A_filter_tells_the_one_list_it_is_about(string filter, string? listId) =>
        Assert.Equal(listId, Filter.Parse(filter, new Limits()).OnlyList);

    private static string Refused(string filter) =>
        Assert.Throws<RpcException>(() => Filter.Parse(filter, new Limits())).Status.Detail;
}
