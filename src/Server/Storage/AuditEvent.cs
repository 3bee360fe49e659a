namespace Squall.Server;

/// <summary>
/// All that the audit trail tells of. A number stands for the same event for good: rows have it, and it is the event id
/// of the log's lines. Operators and their programs name an event as <see cref="AuditEvents.Name"/> does.
/// </summary>
internal enum AuditEvent
{
    // What was done: each stands in the commit of what it tells of, but for a key's use, which changes nothing.
    Registered = 201,
    LoginSucceeded = 202,
    IdTokenLoginSucceeded = 203,
    LoggedOut = 204,
    SessionRevoked = 205,

    /// <summary>It was the one unused for longest when there was one too many.</summary>
    SessionDisplaced = 206,

    /// <summary>A spent refresh token came back, after its grace, and ended the session.</summary>
    RefreshTokenReused = 207,
    PasswordChanged = 208,
    AccountUpdated = 209,
    AccountDeleted = 210,
    ApiKeyCreated = 211,
    ApiKeyRevoked = 212,

    /// <summary>The first use of a key from an address in so long (<see cref="Limits.KeyUseInterval"/>).</summary>
    ApiKeyUsed = 213,

    /// <summary>Whoever creates a list is its owner; whoever shared it when it is deleted is no member any more.
    /// </summary>
    ListCreated = 214,
    ListDeleted = 215,
    MemberSet = 216,
    MemberRemoved = 217,
    OperatorCreatedAccount = 221,
    OperatorResetPassword = 222,
    OperatorDisabledAccount = 223,
    OperatorEnabledAccount = 224,

    // What was refused: anyone can cause these, in any number. They are written together, and kept within a bound of
    // their own.
    LoginFailed = 251,
    IdTokenRefused = 252,
    RefreshRefused = 253,
    TokenRefused = 254,

    /// <summary>Whoever holds a session gave a wrong password for what asks for it once more.</summary>
    PasswordRefused = 255,
    AccessDenied = 256,
    LoginLimited = 257,
    CallLimited = 258,

    /// <summary>So many more happened within a moment than are written down of one.</summary>
    NotRecorded = 299,
}

/// <summary>Events as text, and what kind they are.</summary>
internal static class AuditEvents
{
    private const int FirstRefused = (int)AuditEvent.LoginFailed;

    private static readonly Dictionary<AuditEvent, string> Names = Enum.GetValues<AuditEvent>()
        .ToDictionary(what => what, what => Option.Kebab(what.ToString()).Replace('-', '_'));

    /// <summary>All of them, in the order of their numbers.</summary>
    public static IEnumerable<string> All => Names.OrderBy(name => name.Key).Select(name => name.Value);

    /// <summary>As <c>login_failed</c>; of a number that only a later version knows, the number.</summary>
    public static string Name(this AuditEvent what) => Names.GetValueOrDefault(what) ?? what.ToString();

    /// <summary>Null: there is none of this name.</summary>
    public static AuditEvent? Parse(string name) => Names.ContainsValue(name)
        ? Names.First(known => known.Value == name).Key
        : null;

    public static bool IsRefusal(this AuditEvent what) => (int)what >= FirstRefused;
}
