using Grpc.Core;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// The generated clients. They share the client's connections, tokens, deadlines and retries, and throw RpcException.
/// Their blocking forms are not supported: use those that end in Async.
/// </summary>
public sealed class RawClients(CallInvoker invoker)
{
    /// <summary>The greeting.</summary>
    public GreeterService.GreeterServiceClient Greeter { get; } = new(invoker);

    /// <summary>Sessions.</summary>
    public AuthService.AuthServiceClient Auth { get; } = new(invoker);

    /// <summary>Accounts and API keys.</summary>
    public AccountService.AccountServiceClient Accounts { get; } = new(invoker);

    /// <summary>Lists and their members.</summary>
    public TaskListService.TaskListServiceClient TaskLists { get; } = new(invoker);

    /// <summary>Tasks and their comments.</summary>
    public TaskService.TaskServiceClient Tasks { get; } = new(invoker);

    /// <summary>Subscriptions.</summary>
    public NotificationService.NotificationServiceClient Notifications { get; } = new(invoker);

    /// <summary>The side of tasks that programs use.</summary>
    public WorkService.WorkServiceClient Work { get; } = new(invoker);
}
