namespace Squall.Server;

/// <summary>
/// What the limits let an answer or a notification grow to, at most: one that a message cannot hold would be stored
/// and never be told.
/// </summary>
internal sealed record LargestAnswer(string What, Func<Limits, long> Bytes, params string[] Limits)
{
    /// <summary>In UTF-8.</summary>
    private const long CharacterBytesMax = 4;

    /// <summary>A field's tag and length.</summary>
    private const long FramingBytesMax = 6;

    /// <summary>Ids, names, times, tokens and cursors.</summary>
    private const long OtherBytesMax = 2 << 10;
    private const long MemberOtherBytesMax = 128;
    private const long IdBytes = 36 + FramingBytesMax;

    /// <summary>A user agent of at most 200 characters, with an id and times.</summary>
    private const long SessionBytesMax = (200 * CharacterBytesMax) + 128;

    public static readonly IReadOnlyList<LargestAnswer> All =
    [
        new("a task", TaskBytes,
            nameof(Server.Limits.NoteBytesMax), nameof(Server.Limits.LabelsMax),
            nameof(Server.Limits.LabelCharactersMax), nameof(Server.Limits.TaskTitleCharactersMax)),
        new("a comment", limits => limits.CommentBytesMax + OtherBytesMax, nameof(Server.Limits.CommentBytesMax)),
        new("a list's members", limits => limits.ListMembersMax * MemberBytes(limits) + OtherBytesMax,
            nameof(Server.Limits.ListMembersMax), nameof(Server.Limits.NameCharactersMax)),
        new("an account's sessions", limits => limits.AccountSessionsMax * SessionBytesMax,
            nameof(Server.Limits.AccountSessionsMax)),
        new("an account's API keys", limits => limits.AccountKeysMax * KeyBytes(limits),
            nameof(Server.Limits.AccountKeysMax), nameof(Server.Limits.KeyListsMax),
            nameof(Server.Limits.NameCharactersMax)),
        new("a page", limits => limits.AnswerBytesMax + (limits.PageSizeMax * FramingBytesMax) + TokenBytes(limits),
            nameof(Server.Limits.AnswerBytesMax), nameof(Server.Limits.PageSizeMax)),
    ];

    private static long TaskBytes(Limits limits) =>
        (limits.TaskTitleCharactersMax * CharacterBytesMax) + limits.NoteBytesMax + limits.RankCharactersMax
        + (limits.LabelsMax * ((limits.LabelCharactersMax * CharacterBytesMax) + FramingBytesMax)) + OtherBytesMax;

    private static long MemberBytes(Limits limits) =>
        (limits.NameCharactersMax * CharacterBytesMax) + MemberOtherBytesMax;

    private static long KeyBytes(Limits limits) =>
        (limits.NameCharactersMax * CharacterBytesMax) + (limits.KeyListsMax * IdBytes) + MemberOtherBytesMax;

    /// <summary>Of the next page: base64 of the last one's place, which may be by title.</summary>
    private static long TokenBytes(Limits limits) =>
        OtherBytesMax + (2 * ((limits.TaskTitleCharactersMax * CharacterBytesMax) + limits.RankCharactersMax));
}
