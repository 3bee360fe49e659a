using System.Globalization;
using System.Text;
using Grpc.Core;
using Squall.V1;
using Xunit.Abstractions;

namespace Squall.Server.Tests;

/// <summary>Whatever stands in a filter, it is asked as it is meant, or refused with its place.</summary>
public sealed class FilterNoiseTests(ITestOutputHelper output)
{
    private const int Texts = 10_000;
    private const int Calls = 300;
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, Role.Unspecified));

    /// <summary>What means something to a filter, to SQL or to the full-text index; and what is hard to cut.</summary>
    private static readonly string[] Pieces =
    [
        " ", " ", " ", "(", ")", "\"", "'", "AND", "OR", "NOT", "-", "*", ":", "=", "!=", "<", "<=", ">", ">=", ",",
        "title", "note", "labels", "state", "OPEN", "priority", "HIGH", "due_time", "2026-12-01T00:00:00Z", "id",
        "task_list_id", "work.kind", "work.attempt", "7", "printer", "a", "\\", "\\n", "\\\"", "NEAR(a b)", "^",
        "{title}",
        "+", ".", ";", "--", "/*", "@p0", "{0}", "%s", "?", "\0", "\n", "\t", "\u0085", "é", "e\u0301", "\u0301", "日本",
        "😀", "\uFFFD", "\uFFFE", "\uFFFF", "\uD83D", "\uDE00", "\uFDFA", "ß", "İ", "\u200B", "\u00AD", "\U0010FFFF",
    ];

    [Fact]
    public async Task Any_text_is_understood_or_refused_with_its_place()
    {
        (int understood, int refused) = await AskAsync(Texts, Filter.Parse);
        output.WriteLine($"{understood} understood, {refused} refused");
        Assert.InRange(understood, Texts / 20, Texts);
        Assert.InRange(refused, Texts / 20, Texts);
    }

    /// <summary>Control: one that fails where a text is no Unicode, as .NET's own normalisation does.</summary>
    [Fact]
    public async Task A_parser_that_fails_in_another_way_is_told() => await Assert.ThrowsAsync<ArgumentException>(
        () => AskAsync(Texts, (text, limits) => Filter.Parse(text.Normalize(), limits)));

    [Fact]
    public async Task Over_the_wire_too_no_text_is_the_servers_fault()
    {
        ServerFixture server = await ServerFixture.StartAsync();
        using Client ada = await Client.SignInAsync(server, "noise");
        await server.StoreAsync([.. FsCheck.Fluent.Gen.Sample(TaskGen.Task, 5)], (await ada.CreateListAsync()).Id);
        var random = new Random(5);
        (int understood, int refused) = (0, 0);
        for (int at = 0; at < Calls; at++)
        {
            // What cannot be encoded does not leave a client.
            string text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(Noise(random)));
            try
            {
                await ada.Tasks.ListTasksAsync(new() { Filter = text }, ada.Headers);
                await ada.Notifications.ListNotificationsAsync(new() { Filter = text }, ada.Headers);
                understood++;
            }
            catch (RpcException fault)
            {
                Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
                Assert.Equal(["filter"], Refusal.FieldsOf(fault));
                refused++;
            }
        }

        Assert.InRange(understood, Calls / 20, Calls);
        Assert.InRange(refused, Calls / 20, Calls);
        await server.DisposeAsync();
    }

    private static async Task<(int Understood, int Refused)> AskAsync(int texts, Func<string, Limits, Filter> parse)
    {
        await using Ground ground = await Ground.StartAsync();
        TaskItem[] tasks = await StoreAsync(ground);
        var random = new Random(4);
        return await ground.ReadAsync(db =>
        {
            (int Understood, int Refused) count = (0, 0);
            for (int at = 0; at < texts; at++)
            {
                string text = Noise(random);
                if (Parse(text, limits => parse(text, limits)) is { } filter)
                {
                    count.Understood++;
                    Assert.Equal(Count(tasks, filter), List(db, filter, at).Count);
                }
                else
                {
                    count.Refused++;
                }
            }

            return count;
        });
    }

    /// <summary>Pieces, bytes at random, or both; most of it short, since the first fault ends it.</summary>
    private static string Noise(Random random)
    {
        var text = new StringBuilder();
        for (int piece = random.Next(1, random.Next(4) == 0 ? 60 : 8); piece > 0; piece--)
        {
            if (random.Next(12) == 0)
            {
                byte[] bytes = new byte[random.Next(1, 8)];
                random.NextBytes(bytes);
                text.Append(Encoding.UTF8.GetString(bytes));
            }
            else
            {
                text.Append(Pieces[random.Next(Pieces.Length)]);
            }
        }

        return text.ToString();
    }

    private static Filter? Parse(string text, Func<Limits, Filter> parse)
    {
        try
        {
            return parse(new Limits());
        }
        catch (RpcException fault)
        {
            Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
            Google.Rpc.ErrorInfo cause = Refusal.CauseOf(fault);
            Assert.Equal("FILTER_INVALID", cause.Reason);
            int place = int.Parse(cause.Metadata["position"], CultureInfo.InvariantCulture);
            Assert.InRange(place, 1, text.Length + 1);
            return null;
        }
    }

    private static int Count(TaskItem[] tasks, Filter filter) => tasks.Count(filter.Matches);

    private static List<TaskItem> List(SquallDb db, Filter filter, int way)
    {
        if (filter.OnlyList is { } list && !Me.Sees(db, list))
        {
            return [];
        }

        TaskOrder order = TaskOrder.Parse((way & 2) == 0 ? "" : "due_time", filter.OnlyList is not null);
        var pages = new TaskPages(Me, filter, order, null, 1_000, (way & 1) == 0 ? TaskPages.SearchedMax : 0);
        return [.. pages.Read(db, new PageToken(""), 3 << 20).Tasks];
    }

    private static Task<TaskItem[]> StoreAsync(Ground ground) => ground.RunAsync(scope =>
    {
        string list = Ids.New(1);
        scope.Db.Members.Add(new MemberRow { ListId = list, AccountId = Me.AccountId, Role = (int)Role.Viewer });
        return TaskGen.Store(scope, [.. FsCheck.Fluent.Gen.Sample(TaskGen.Task, 12)], list);
    });
}
