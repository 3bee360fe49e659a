using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// Squall, as an application uses it. Calls throw SquallException and its kin; a caller's own cancellation is an
/// OperationCanceledException with the caller's token. All members may be called at once from any thread.
/// </summary>
public interface ISquallClient : IAsyncDisposable
{
    /// <summary>Lists, and who shares them.</summary>
    ITaskLists Lists { get; }

    /// <summary>Tasks and their comments.</summary>
    ITasks Tasks { get; }

    /// <summary>The account's own password, sessions and keys.</summary>
    IAccess Access { get; }

    /// <summary>Finds out whether the server answers; calls do not need it, they connect by themselves.</summary>
    Task<SayHelloResponse> ConnectAsync(CancellationToken cancellationToken = default);

    /// <summary>Says hello; needs no login.</summary>
    Task<SayHelloResponse> SayHelloAsync(
        string name = "", CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Creates an account; log in to use it. SquallConflictException: the name is taken.</summary>
    Task<Account> RegisterAsync(
        string username, string password, string displayName = "", CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Opens a session, whose tokens the client keeps and renews.</summary>
    Task<Account> LoginAsync(
        string username, string password, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends the session, its subscriptions too, and forgets its tokens; if the server cannot be reached, nothing is
    /// forgotten.
    /// </summary>
    Task LogoutAsync(CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>The account that the client calls for.</summary>
    Task<Account> GetAccountAsync(CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells every change, in order and without loss, over breaks of the connection and of the server. It ends only by
    /// cancellation, or with an exception that trying again cannot help: SquallUnauthenticatedException when its
    /// session ends, SquallGapException when the server cannot resume it.
    /// </summary>
    IAsyncEnumerable<SubscriptionEvent> SubscribeAsync(
        SubscribeSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// The tasks that match a filter, in memory and kept current. Nothing is read before it is started; dispose of it
    /// when it is not needed any more. ArgumentException: the order is none.
    /// </summary>
    LiveTasks WatchTasks(string filter = "", LiveTasksSettings? settings = null);

    /// <summary>
    /// What a subscription would tell from a cursor on, the oldest that is kept unless given, until now. The last event
    /// is Synced: the place to go on from. Page tokens are cursors.
    /// </summary>
    PagedItems<SubscriptionEvent> ListNotifications(
        string filter = "", string after = "", int pageSize = 0, CallSettings? settings = null);
}

/// <summary>Lists of tasks, and who shares them.</summary>
public interface ITaskLists
{
    /// <summary>Creates a list that the caller owns.</summary>
    Task<TaskList> CreateAsync(
        string title, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>One list.</summary>
    Task<TaskList> GetAsync(
        string listId, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>The lists that the caller is a member of, in order of creation.</summary>
    PagedItems<TaskList> List(int pageSize = 0, CallSettings? settings = null);

    /// <summary>Changes the title. SquallConflictException: the version is another than the expected one.</summary>
    Task<TaskList> RenameAsync(
        string listId, string title, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Deletes a list with all its tasks.</summary>
    Task DeleteAsync(
        string listId, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>All members, by name.</summary>
    Task<IReadOnlyList<Member>> ListMembersAsync(
        string listId, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Adds a member, or gives one another role.</summary>
    Task<Member> SetMemberAsync(
        string listId, string username, Role role, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Removes a member, or leaves the list.</summary>
    Task RemoveMemberAsync(
        string listId, string accountId, CallSettings? settings = null,
        CancellationToken cancellationToken = default);
}

/// <summary>Tasks and their comments.</summary>
public interface ITasks
{
    /// <summary>Creates a task.</summary>
    Task<TaskItem> CreateAsync(
        TaskItem task, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Creates up to 1,000 tasks of one list, all or none; answered without their notes.</summary>
    Task<IReadOnlyList<TaskItem>> CreateManyAsync(
        string listId, IEnumerable<TaskItem> tasks, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>One task.</summary>
    Task<TaskItem> GetAsync(
        string taskId, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>The tasks that match a filter such as <c>state = OPEN AND labels:"home"</c>.</summary>
    PagedItems<TaskItem> List(
        string filter = "", string orderBy = "", int pageSize = 0, CallSettings? settings = null);

    /// <summary>Changes the fields that the mask names, and no other.</summary>
    Task<TaskItem> UpdateAsync(
        TaskItem task, FieldMask mask, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Completes a task.</summary>
    Task<TaskItem> CompleteAsync(
        string taskId, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Ends a task without doing it.</summary>
    Task<TaskItem> CancelAsync(
        string taskId, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Opens a task again that has ended.</summary>
    Task<TaskItem> ReopenAsync(
        string taskId, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Deletes a task and its steps.</summary>
    Task DeleteAsync(
        string taskId, long expectedVersion = 0, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>Adds a message to a task's conversation.</summary>
    Task<Comment> CommentAsync(
        string taskId, string text, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>A task's conversation, oldest first.</summary>
    PagedItems<Comment> ListComments(string taskId, int pageSize = 0, CallSettings? settings = null);
}
