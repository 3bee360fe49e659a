using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A value that a field must not have, and what it is refused with.</summary>
/// <param name="Within">Where in the field the fault is named: <c>[1]</c> of a repeated one.</param>
internal sealed record BadValue(string Name, object? Value, string Reason, string Within = "");

/// <summary>
/// For each field that a caller can fill what it must not be filled with; or why it takes anything. Fields of the
/// messages within a request are named by their type, others by their name alone, or by their RPC where it matters.
/// </summary>
internal static class BadInputTable
{
    private const string Character = "CHARACTER_NOT_ALLOWED";
    private const string TooLong = "FIELD_TOO_LONG";
    private const string Required = "FIELD_REQUIRED";
    private const string Unsupported = "FIELD_NOT_SUPPORTED";

    private static readonly BadValue[] Times =
    [
        new("before 1970", new Timestamp { Seconds = -1 }, "TIME_RANGE"),
        new("after 9999", new Timestamp { Seconds = 253_402_300_800 }, "TIME_RANGE"),
        new("beyond all", new Timestamp { Seconds = long.MaxValue, Nanos = int.MaxValue }, "TIME_RANGE"),
        new("before all", new Timestamp { Seconds = long.MinValue, Nanos = int.MinValue }, "TIME_RANGE"),
        new("negative nanos", new Timestamp { Seconds = 5, Nanos = -1 }, "TIME_RANGE"),
        new("a second of nanos", new Timestamp { Seconds = 5, Nanos = 1_000_000_000 }, "TIME_RANGE"),
    ];

    private static readonly BadValue[] Roles =
    [
        new("none", Role.Unspecified, Required), new("unknown", (Role)5, "ENUM_UNKNOWN"),
        new("negative", (Role)(-1), "ENUM_UNKNOWN"),
    ];

    private static readonly BadValue[] Id = [new("empty", "", Required)];

    /// <summary>Taken whatever it is, for the reason given.</summary>
    public static readonly IReadOnlyDictionary<string, string> Anything = new Dictionary<string, string>
    {
        ["TaskItem.id"] = "set by the server", ["TaskItem.state"] = "set by the server",
        ["TaskItem.creator_id"] = "set by the server", ["TaskItem.create_time"] = "set by the server",
        ["TaskItem.update_time"] = "set by the server", ["TaskItem.complete_time"] = "set by the server",
        ["TaskItem.version"] = "set by the server",
        ["TaskList.id"] = "set by the server", ["TaskList.create_time"] = "set by the server",
        ["TaskList.update_time"] = "set by the server", ["TaskList.version"] = "set by the server",
        ["TaskList.role"] = "set by the server",
        ["Comment.id"] = "set by the server", ["Comment.author_id"] = "set by the server",
        ["Comment.create_time"] = "set by the server",
        ["ApiKey.id"] = "set by the server", ["ApiKey.create_time"] = "set by the server",
        ["ApiKey.last_use_time"] = "set by the server",
        ["Account.id"] = "set by the server", ["Account.username"] = "set by the server",
        ["Account.create_time"] = "set by the server",
        ["TaskItem.assignee_id"] = "an id: FAILED_PRECONDITION where it is no member's",
        ["TaskItem.parent_id"] = "an id: NOT_FOUND where there is no such task",
        ["nonce"] = "the token's, or the token is not accepted",
        ["snapshot"] = "a bool, which has no wrong value by itself",
    };

    private static readonly Dictionary<string, BadValue[]> Values = new()
    {
        ["TaskItem.task_list_id"] = Id, ["Comment.task_id"] = Id,
        ["task_list_id"] = Id, ["task_id"] = Id, ["account_id"] = Id,
        ["TaskService/UpdateTask task.id"] = Id, ["TaskListService/UpdateTaskList task_list.id"] = Id,
        ["TaskService/BatchCreateTasks tasks.task_list_id"] = [new("another list", "another", "LIST_DIFFERS")],
        ["refresh_token"] = Id, ["session_id"] = Id,

        ["name"] = Text(200),
        ["TaskList.title"] = [.. Text(200), new("empty", "", Required)],
        ["TaskItem.title"] = [.. Text(500), new("empty", "", Required)],
        ["TaskItem.note"] = Lines(64 << 10),
        ["Comment.text"] = [.. Lines(16 << 10), new("empty", "", Required)],
        ["TaskItem.labels"] =
        [
            .. Text(100).Append(new("empty", "", Required))
                .Select(bad => bad with { Value = (string[])["fine", (string)bad.Value!], Within = "[1]" }),
            new("too many", Enumerable.Range(0, 51).Select(at => $"label {at}").ToArray(), "TOO_MANY"),
        ],
        ["TaskItem.priority"] =
        [
            new("unknown", (Priority)5, "ENUM_UNKNOWN"), new("negative", (Priority)(-1), "ENUM_UNKNOWN"),
        ],
        ["TaskItem.due_time"] = Times,
        ["TaskItem.rank"] =
        [
            .. new[] { "A", "a b", "ä", "-", "a\0", "a\n" }.Select(rank => new BadValue(rank, rank, "RANK_FORMAT")),
            new("too long", new string('a', 65), "RANK_FORMAT"),
        ],
        ["TaskItem.remind_time"] = [new("a time", new Timestamp { Seconds = 1 }, Unsupported), .. Times
            .Select(bad => bad with { Reason = Unsupported })],
        ["TaskItem.recurrence"] = [new("a rule", "FREQ=DAILY", Unsupported), new("nonsense", "\0", Unsupported)],
        ["TaskItem.time_zone"] = [new("a zone", "Europe/Berlin", Unsupported), new("nonsense", "\0", Unsupported)],
        ["TaskItem.work"] = [new("some", new Work { Kind = "x" }, Unsupported), new("none", new Work(), Unsupported)],
        ["task"] = [new("none", null, Required)],
        ["comment"] = [new("none", null, Required)],
        ["task_list"] = [new("none", null, Required)],
        ["tasks"] =
        [
            new("none", Array.Empty<TaskItem>(), Required),
            new("too many", Enumerable.Repeat(new TaskItem { Title = "x" }, 1_001).ToArray(), "TOO_MANY"),
            new("too large an answer", Enumerable.Repeat(
                new TaskItem { Title = "x", Labels = { Enumerable.Range(0, 50).Select(at => $"{at:D80}") } }, 1_000)
                .ToArray(), "ANSWER_TOO_LARGE"),
        ],

        ["username"] =
        [
            new("empty", "", Required),
            .. new[] { "ab", new string('a', 33), "a b c", "a\0b", "a\u0085b", "äbc", "a\u0301bc", "😀😀", "a/b" }
                .Select(name => new BadValue(name, name, "USERNAME_FORMAT")),
        ],
        ["password"] = [new("empty", "", Required), new("too long", new string('x', 1_025), TooLong)],
        ["AccountService/RegisterAccount password"] =
        [
            new("empty", "", Required), new("too short", "elevenchars", "FIELD_TOO_SHORT"),
            new("easy to guess", "1qaz2wsx3edc", "PASSWORD_WEAK"), new("too long", new string('x', 1_025), TooLong),
        ],
        ["current_password"] = [new("empty", "", Required), new("too long", new string('x', 1_025), TooLong)],
        ["new_password"] =
        [
            new("empty", "", Required), new("too short", "elevenchars", "FIELD_TOO_SHORT"),
            new("easy to guess", "1qaz2wsx3edc", "PASSWORD_WEAK"), new("too long", new string('x', 1_025), TooLong),
        ],
        ["AccountService/DeleteAccount id_token"] = [], // It is for an account that has no password.
        ["AuthService/LoginWithIdToken id_token"] = [new("empty", "", Required)],
        ["AuthService/LoginWithIdToken username"] =
            [new("short", "ab", "USERNAME_FORMAT"), new("with a space", "a b c", "USERNAME_FORMAT")],
        ["account"] = [new("none", null, Required)],
        ["display_name"] = Text(100), ["Account.display_name"] = Text(100),
        ["role"] = Roles, ["ApiKey.role"] = Roles,
        ["ApiKey.title"] = Text(100),
        ["ApiKey.expire_time"] = [.. Times, new("past", new Timestamp { Seconds = 1_600_000_000 }, "TIME_PAST")],
        ["ApiKey.task_list_ids"] =
        [
            new("an empty one", (string[])["fine", ""], Required, "[1]"),
            new("too many", Enumerable.Range(0, 101).Select(at => $"list {at}").ToArray(), "TOO_MANY"),
        ],
        ["api_key"] = [new("none", null, Required)], ["api_key_id"] = Id,

        ["request_id"] =
        [
            .. new[]
            {
                "1", "nonsense", "\0", "01890000-0000-7000-8000-00000000000", "01890000-0000-7000-8000-0000000000000",
                "01890000000070008000000000000000", "{01890000-0000-7000-8000-000000000000}",
                " 01890000-0000-7000-8000-000000000000", "0189000g-0000-7000-8000-000000000000",
            }.Select(id => new BadValue(id, id, "REQUEST_ID_FORMAT")),
            new("long", new string('0', 100_000), "REQUEST_ID_FORMAT"),
        ],
        ["expected_version"] =
            [new("-1", -1L, "VERSION_NEGATIVE"), new("the least", long.MinValue, "VERSION_NEGATIVE")],
        ["update_mask"] =
        [
            new("none", null, Required), new("empty", new FieldMask(), Required),
            Mask("*"), Mask("nothing"), Mask("title.more"), Mask("Title"), Mask(""), Mask("id"), Mask("version"),
            Mask("\0"), Mask("create_time"), Mask(new string('x', 100_000)), Mask(new string('x', 63) + "😀"),
            Mask("title,title"),
            new("doubled", new FieldMask { Paths = { "title", "title" } }, "PATH_DOUBLED"),
        ],

        ["AccountService/UpdateAccount update_mask"] =
        [
            new("none", null, Required), new("empty", new FieldMask(), Required),
            Mask("*"), Mask("id"), Mask("username"), Mask("create_time"), Mask("display_name.more"), Mask(""),
            new("doubled", new FieldMask { Paths = { "display_name", "display_name" } }, "PATH_DOUBLED"),
        ],

        ["page_size"] = [new("-1", -1, "PAGE_SIZE"), new("the least", int.MinValue, "PAGE_SIZE")],
        ["page_token"] = Nonsense("PAGE_TOKEN"),
        ["after"] = Nonsense("CURSOR_FORMAT"),
        ["order_by"] =
        [
            .. new[]
            {
                "nothing", "title desc desc", "title asc", "title,,rank", "title,title", "note", "\0", "title\n",
            }.Select(order => new BadValue(order, order, "ORDER_BY_INVALID")),
            new("long", new string('x', 10_000), "ORDER_BY_INVALID"),
        ],
        ["filter"] =
        [
            .. new[] { "title = = x", "title = \"x", "(title = x", "colour = red", "state = open", "title = \"\0\"" }
                .Select(filter => new BadValue(filter, filter, "FILTER_INVALID")),
            new("a beginning", "print*", "FILTER_INVALID"),
            new("no word", "\"…\"", "FILTER_INVALID"),
            new("too long", $"title = \"{new string('x', 4_096)}\"", TooLong),
            new("too many terms", string.Join(" OR ", Enumerable.Repeat("title = x", 51)), "FILTER_INVALID"),
            new("nested too deep", new string('(', 2_000), "FILTER_INVALID"),
        ],
        ["heartbeat_interval"] =
        [
            .. new Duration[]
            {
                new() { Seconds = -1 }, new() { Nanos = -1 }, new() { Nanos = 999_999_999 },
                new() { Seconds = 300, Nanos = 1 }, new() { Seconds = 1, Nanos = -1 },
                new() { Seconds = 2, Nanos = 1_000_000_000 }, new() { Seconds = long.MaxValue, Nanos = int.MaxValue },
                new() { Seconds = long.MinValue, Nanos = int.MinValue },
            }.Select(time => new BadValue($"{time.Seconds} s {time.Nanos} ns", time, "HEARTBEAT_INTERVAL")),
        ],
    };

    /// <summary>Null: the table has no row for the field. Empty: it takes anything.</summary>
    public static BadValue[]? Of(string rpc, string path, FieldDescriptor field)
    {
        string type = field.ContainingType.Name;
        string name = type.EndsWith("Request", StringComparison.Ordinal) ? field.Name : $"{type}.{field.Name}";
        return Values.GetValueOrDefault($"{rpc} {path}")
            ?? Values.GetValueOrDefault(name)
            ?? (Anything.ContainsKey(name) || path.Contains(".work.", StringComparison.Ordinal) ? [] : null);
    }

    private static BadValue[] Text(int charactersMax) =>
    [
        new("too long", new string('x', charactersMax + 1), TooLong),
        new("too many code points", string.Concat(Enumerable.Repeat("😀", charactersMax + 1)), TooLong),
        .. Controls("\n", "\t", "\r\n"),
    ];

    private static BadValue[] Lines(int bytesMax) =>
    [
        new("too long", new string('x', bytesMax + 1), TooLong),
        new("too many bytes", new string('é', (bytesMax / 2) + 1), TooLong),
        .. Controls("\r", "\n\r"),
    ];

    private static IEnumerable<BadValue> Controls(params string[] layout) =>
        new[] { "\0", "\u0007", "\u001B", "\u007F", "\u0085", "\u009F" }.Concat(layout).Select(
            control => new BadValue($"U+{(int)control[0]:X4} of {control.Length}", $"a{control}b", Character));

    private static BadValue Mask(string path) =>
        new($"mask of {path[..Math.Min(path.Length, 20)]}", new FieldMask { Paths = { path } }, "PATH_UNKNOWN");

    private static BadValue[] Nonsense(string reason) =>
    [
        .. new[]
        {
            "nonsense", "!", "\0", "AAAA", new string('A', 32), new string('A', 43), new string('A', 100_000), "ä",
        }.Select(text => new BadValue($"{text.Length} of {text[0]}", text, reason)),
    ];
}
