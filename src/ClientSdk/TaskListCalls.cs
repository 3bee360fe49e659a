using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

internal sealed class TaskListCalls(TaskListService.TaskListServiceClient raw, Answers answers) : ITaskLists
{
    public Task<TaskList> CreateAsync(string title, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new CreateTaskListRequest
        {
            TaskList = new TaskList { Title = title },
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.CreateTaskListAsync(request, options), answer => answer.TaskList,
            settings, cancellationToken);
    }

    public Task<TaskList> GetAsync(string listId, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.GetTaskListAsync(new GetTaskListRequest { TaskListId = listId }, options),
            answer => answer.TaskList, settings, cancellationToken);

    public PagedItems<TaskList> List(int pageSize, CallSettings? settings) => new((token, cancellationToken) =>
        answers.OfAsync(
            options => raw.ListTaskListsAsync(
                new ListTaskListsRequest { PageSize = pageSize, PageToken = token }, options),
            answer => new Page<TaskList>(answer.TaskLists, answer.NextPageToken), settings, cancellationToken));

    public Task<TaskList> RenameAsync(
        string listId, string title, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new UpdateTaskListRequest
        {
            TaskList = new TaskList { Id = listId, Title = title },
            UpdateMask = new FieldMask { Paths = { "title" } },
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.UpdateTaskListAsync(request, options), answer => answer.TaskList,
            settings, cancellationToken);
    }

    public Task DeleteAsync(
        string listId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new DeleteTaskListRequest
        {
            TaskListId = listId,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.DeleteTaskListAsync(request, options), answer => answer, settings, cancellationToken);
    }

    public Task<IReadOnlyList<Member>> ListMembersAsync(
        string listId, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.ListMembersAsync(new ListMembersRequest { TaskListId = listId }, options),
            answer => (IReadOnlyList<Member>)answer.Members, settings, cancellationToken);

    public Task<Member> SetMemberAsync(
        string listId, string username, Role role, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new SetMemberRequest
        {
            TaskListId = listId,
            Username = username,
            Role = role,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.SetMemberAsync(request, options), answer => answer.Member, settings, cancellationToken);
    }

    public Task RemoveMemberAsync(
        string listId, string accountId, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new RemoveMemberRequest
        {
            TaskListId = listId,
            AccountId = accountId,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.RemoveMemberAsync(request, options), answer => answer, settings, cancellationToken);
    }
}
