using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What each RPC needs, by the resolved method. An RPC of the contract without a row here fails the tests and the
/// server's start; a method of another package (health, reflection) needs nothing.
/// </summary>
internal static class Needs
{
    private const string Package = "/squall.v1.";

    private static readonly Need Nothing = new(Proof.Nothing, Role.Unspecified);
    private static readonly Need Session = new(Proof.Session, Role.Unspecified);
    private static readonly Need Any = new(Proof.SessionOrKey, Role.Unspecified);
    private static readonly Need Viewer = new(Proof.SessionOrKey, Role.Viewer);
    private static readonly Need Worker = new(Proof.SessionOrKey, Role.Worker);
    private static readonly Need Editor = new(Proof.SessionOrKey, Role.Editor);
    private static readonly Need Owner = new(Proof.SessionOrKey, Role.Owner);

    /// <summary>What the contract has and this version has not.</summary>
    private static readonly FrozenSet<string> Later = Paths("""
        WorkService/LeaseWork WorkService/RenewLeases WorkService/CompleteWork WorkService/FailWork
        WorkService/ReleaseWork WorkService/SubmitWork
        """).ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Need> Table = new (Need Need, string Rpcs)[]
    {
        (Nothing, "GreeterService/SayHello"),
        (Nothing with { HasSecret = true }, """
            AccountService/RegisterAccount
            AuthService/Login AuthService/LoginWithIdToken AuthService/RefreshSession
            """),
        (Any, """
            AccountService/GetAccount
            TaskListService/ListTaskLists
            TaskService/ListTasks
            NotificationService/Subscribe NotificationService/ListNotifications
            WorkService/LeaseWork
            """),
        (Any with { CreatesLists = true }, "TaskListService/CreateTaskList"),
        (Session, """
            AuthService/Logout AuthService/ListSessions AuthService/RevokeSession
            AccountService/UpdateAccount AccountService/ChangePassword AccountService/DeleteAccount
            AccountService/CreateApiKey AccountService/ListApiKeys AccountService/RevokeApiKey
            """),
        // RemoveMember asks for an owner itself, where it is not oneself that is removed.
        (Viewer, """
            TaskListService/GetTaskList TaskListService/ListMembers TaskListService/RemoveMember
            TaskService/GetTask TaskService/ListComments
            """),
        (Worker, """
            TaskService/CompleteTask TaskService/CreateComment
            WorkService/RenewLeases WorkService/CompleteWork WorkService/FailWork WorkService/ReleaseWork
            """),
        (Editor, """
            TaskService/CreateTask TaskService/BatchCreateTasks TaskService/UpdateTask TaskService/CancelTask
            TaskService/ReopenTask TaskService/DeleteTask
            WorkService/SubmitWork
            """),
        (Owner, """
            TaskListService/UpdateTaskList TaskListService/DeleteTaskList TaskListService/SetMember
            """),
    }
    .SelectMany(row => Paths(row.Rpcs).Select(path => KeyValuePair.Create(
        path, row.Need with { IsLater = Later.Contains(path) })))
    .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The services of the contract.</summary>
    public static IEnumerable<Google.Protobuf.Reflection.ServiceDescriptor> Contract =>
        new[]
        {
            GreeterReflection.Descriptor, AuthReflection.Descriptor, AccountReflection.Descriptor,
            TaskListReflection.Descriptor, TaskReflection.Descriptor, NotificationReflection.Descriptor,
            WorkReflection.Descriptor,
        }.SelectMany(file => file.Services);

    /// <param name="method">As <see cref="Grpc.Core.ServerCallContext.Method"/> tells it.</param>
    public static Need Of(string method) =>
        Table.TryGetValue(method, out Need? need) ? need
        : method.StartsWith(Package, StringComparison.Ordinal)
            ? throw new InvalidOperationException($"{method} has no row in {nameof(Needs)}.")
            : Nothing;

    /// <summary>The methods of the contract that have no row, and the rows that have no method.</summary>
    public static IEnumerable<string> Gaps()
    {
        string[] methods = [.. from service in Contract from method in service.Methods select PathOf(method)];
        return methods.Except(Table.Keys).Concat(Table.Keys.Except(methods)).Concat(Later.Except(methods));
    }

    private static IEnumerable<string> Paths(string rpcs) =>
        rpcs.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(rpc => Package + rpc);

    private static string PathOf(MethodDescriptor method) => $"/{method.Service.FullName}/{method.Name}";
}
