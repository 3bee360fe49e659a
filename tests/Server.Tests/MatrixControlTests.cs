using Google.Protobuf;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>
/// What MatrixTests would report if a check were gone, or its table wrong: the same run, in front of which something
/// breaks the server's promise.
/// </summary>
public sealed class MatrixControlTests : IClassFixture<FrozenServer>
{
    private readonly ServerFixture _server;

    public MatrixControlTests(FrozenServer frozen) => _server = frozen.Server;

    [Theory]
    [InlineData("TaskService/GetTask")]
    [InlineData("TaskService/UpdateTask")]
    [InlineData("AccountService/UpdateAccount")]
    public async Task A_table_that_is_wrong_in_each_cell_is_reported_in_each(string name)
    {
        MatrixRow right = MatrixTable.Row(name);
        var wrong = right with { Cells = right.Cells.ToDictionary(cell => cell.Key, cell => Other(cell.Value)) };
        MatrixRun run = await MatrixRun.RunAsync(_server, wrong);
        string[] told = [.. run.Wrong.Where(line => !line.Contains("had an effect", StringComparison.Ordinal))];
        Assert.Equal(
            right.Cells.Select(cell =>
                $"{name} {cell.Key.Kind} {cell.Key.Caller}: {Other(cell.Value)} expected, {cell.Value} seen").Order(),
            told.Order());
        bool writes = name != "TaskService/GetTask";
        Assert.Equal(writes, run.Wrong.Count > told.Length);
    }

    [Theory]
    [InlineData("AccountService/UpdateAccount", "X", 'O')] // the time of an access token
    [InlineData("TaskService/CompleteTask", "Rr", 'O')] // that a session or key was ended
    [InlineData("TaskService/CreateTask", "VW", 'O')] // the role in the list
    [InlineData("AuthService/RevokeSession", "vweoan", 'O')] // that a session is asked for
    [InlineData("TaskListService/CreateTaskList", "vwean", 'o')] // that a key is limited
    [InlineData("TaskService/CreateComment", "a", 'o')] // the lists that a key names
    public async Task Whom_a_check_lets_through_as_another_is_reported(string name, string callers, char other)
    {
        MatrixRow row = MatrixTable.Row(name);
        MatrixRun run = await MatrixRun.RunAsync(_server, row, run => (kind, actor, request) =>
            run.CallAsync(kind, IsRefused(kind, actor.Letter) ? run.Cast[other] : actor, request));
        Assert.Equal(
            row.Cells.Where(cell => IsRefused(cell.Key.Kind, cell.Key.Caller)
                && cell.Value != row.Cells[(cell.Key.Kind, other)])
                .Select(cell => $"{cell.Key.Kind} {cell.Key.Caller}").Order(),
            Reported(run, "seen"));
        Assert.NotEmpty(Reported(run, "effect"));

        bool IsRefused(ListKind kind, char caller) => callers.Contains(caller) && row.Cells[(kind, caller)] != '+';
    }

    [Fact]
    public async Task Lists_that_are_seen_by_whoever_is_no_member_are_reported()
    {
        MatrixRow row = MatrixTable.Row("TaskService/GetTask");
        MatrixRun run = await MatrixRun.RunAsync(_server, row, run => (kind, actor, request) =>
            run.CallAsync(kind, kind == ListKind.Foreign ? run.Cast.Host : actor, request));
        Assert.Equal(
            row.Cells.Where(cell => cell.Key.Kind == ListKind.Foreign)
                .Select(cell => $"{ListKind.Foreign} {cell.Key.Caller}").Order(),
            Reported(run, "seen"));
    }

    [Theory]
    [InlineData("TaskListService/ListTaskLists")]
    [InlineData("TaskService/ListTasks")]
    [InlineData("NotificationService/ListNotifications")]
    public async Task What_is_shown_of_others_is_reported(string name)
    {
        MatrixRow row = MatrixTable.Row(name);
        MatrixRun run = await MatrixRun.RunAsync(_server, row, run => (kind, actor, request) =>
            run.CallAsync(kind, actor.Letter is 'S' or 'a' ? run.Cast['O'] : actor, request));
        string[] kinds = [.. row.Kinds.Select(kind => $"{kind}")];
        Assert.Equal(kinds.SelectMany(kind => new[] { $"{kind} S", $"{kind} a" }).Order(), Reported(run, "seen"));
    }

    [Fact]
    public async Task An_effect_of_a_refused_call_is_reported()
    {
        MatrixRow row = MatrixTable.Row("TaskService/CreateTask");
        MatrixRun run = await MatrixRun.RunAsync(_server, row, run => async (kind, actor, request) =>
        {
            try
            {
                return await run.CallAsync(kind, actor, request);
            }
            catch (RpcException) when (kind == ListKind.Foreign)
            {
                await run.CallAsync(kind, run.Cast.Host, request);
                throw;
            }
        });
        Assert.Empty(Reported(run, "seen"));
        Assert.Equal(
            row.Cells.Where(cell => cell.Key.Kind == ListKind.Foreign)
                .Select(cell => $"{ListKind.Foreign} {cell.Key.Caller}").Order(),
            Reported(run, "effect"));
    }

    [Fact]
    public async Task An_answer_without_its_effect_is_reported()
    {
        MatrixRow row = MatrixTable.Row("TaskService/CompleteTask");
        MatrixRun run = await MatrixRun.RunAsync(_server, row, run => async (kind, actor, request) =>
            actor.Letter == 'E' && kind == ListKind.Shared
                ? request.Descriptor.Parser.ParseFrom(ByteString.Empty)
                : await run.CallAsync(kind, actor, request));
        Assert.Equal([$"{ListKind.Shared} E"], Reported(run, "seen"));
    }

    private static char Other(char answer) => answer is '?' or '-' ? 'l' : '?';

    /// <summary>The cells, without what is said of them.</summary>
    private static IEnumerable<string> Reported(MatrixRun run, string what) =>
        run.Wrong.Where(line => line.Contains(what, StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split(':')[0].Split(' ')[1..])).Order();
}
