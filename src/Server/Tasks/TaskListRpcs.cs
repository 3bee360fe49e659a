using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>Lists of tasks, and who shares them.</summary>
internal sealed class TaskListRpcs(Store store, Mutations mutations, Limits limits)
    : TaskListService.TaskListServiceBase
{
    public override Task<CreateTaskListResponse> CreateTaskList(
        CreateTaskListRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string title = Title(request.TaskList);
        return mutations.RunAsync(context, request, request.RequestId, scope =>
        {
            MemberChanges.CountList(scope, caller.AccountId, limits);
            var list = new TaskListRow
            {
                Id = Ids.New(scope.NowMicros),
                Title = title,
                CreateTimeMicros = scope.NowMicros,
                UpdateTimeMicros = scope.NowMicros,
                Version = 1,
                MemberCount = 1,
            };
            scope.Db.TaskLists.Add(list);
            scope.Db.Members.Add(new MemberRow
            {
                ListId = list.Id,
                AccountId = caller.AccountId,
                Role = (int)Role.Owner,
                SinceSeq = scope.NextSeq,
            });
            var created = new Notification { TaskListCreated = new TaskListCreated { TaskList = list.ToProto() } };
            scope.Tell(caller.AccountId, list.Id, created);
            scope.Record(caller.Did(AuditEvent.ListCreated) with { ListId = list.Id, Role = Role.Owner });
            return new CreateTaskListResponse { TaskList = list.ToProto(Role.Owner) };
        });
    }

    public override async Task<GetTaskListResponse> GetTaskList(GetTaskListRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskListId);
        TaskList list = await store.ReadAsync(
            db =>
            {
                Role role = caller.RequireMember(db, listId);
                return db.TaskLists.Single(row => row.Id == listId).ToProto(role);
            },
            context.CancellationToken);
        return new GetTaskListResponse { TaskList = list };
    }

    public override Task<ListTaskListsResponse> ListTaskLists(ListTaskListsRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string accountId = caller.AccountId;
        IReadOnlySet<string>? named = caller.Key?.Lists;
        var pages = new PageToken(accountId, context.Method);
        int size = PageToken.Size(request.PageSize, limits);

        // Ids are in order of creation.
        string after = pages.Read(request.PageToken, keys: 1)?[0] ?? "";
        return store.ReadAsync(
            db =>
            {
                IQueryable<MemberRow> members = db.Members.Where(member =>
                    member.AccountId == accountId && member.EndSeq == null
                    && string.Compare(member.ListId, after) > 0);
                var rows = (
                    from member in named is null ? members : members.Where(member => named.Contains(member.ListId))
                    orderby member.ListId
                    join list in db.TaskLists on member.ListId equals list.Id
                    select new { List = list, member.Role })
                    .Take(size + 1);
                var answer = new ListTaskListsResponse();
                answer.NextPageToken = PageFill.Take(
                    rows.AsEnumerable(), size, limits.AnswerBytesMax,
                    row => row.List.ToProto(caller.Given(row.List.Id, (Role)row.Role)), answer.TaskLists,
                    last => pages.Write(last.List.Id));
                return answer;
            },
            context.CancellationToken);
    }

    public override Task<UpdateTaskListResponse> UpdateTaskList(
        UpdateTaskListRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskList?.Id ?? "", "task_list.id");
        UpdateMask.Require(request.UpdateMask, "title");
        UpdateMask.CheckVersion(request.ExpectedVersion);
        string title = Title(request.TaskList);
        return mutations.RunAsync(context, request, request.RequestId, scope =>
        {
            Role role = caller.RequireMember(scope.Db, listId);
            TaskListRow list = scope.Db.TaskLists.Single(row => row.Id == listId);
            UpdateMask.RequireVersion(request.ExpectedVersion, list.Version);
            if (list.Title == title)
            {
                return new UpdateTaskListResponse { TaskList = list.ToProto(role) };
            }

            list.Title = title;
            list.UpdateTimeMicros = scope.NowMicros;
            list.Version++;
            var updated = new Notification { TaskListUpdated = new TaskListUpdated { TaskList = list.ToProto() } };
            scope.Tell(caller.AccountId, listId, updated);
            return new UpdateTaskListResponse { TaskList = list.ToProto(role) };
        });
    }

    public override Task<DeleteTaskListResponse> DeleteTaskList(
        DeleteTaskListRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskListId);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        return mutations.RunAsync(context, request, request.RequestId, scope =>
        {
            caller.RequireMember(scope.Db, listId);
            TaskListRow list = scope.Db.TaskLists.Single(row => row.Id == listId);
            UpdateMask.RequireVersion(request.ExpectedVersion, list.Version);
            TaskClearing.Mark(scope, list, caller.AccountId);
            scope.Record(caller.Did(AuditEvent.ListDeleted) with { ListId = listId });
            return new DeleteTaskListResponse();
        });
    }

    public override Task<ListMembersResponse> ListMembers(ListMembersRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskListId);
        return store.ReadAsync(
            db =>
            {
                caller.RequireMember(db, listId);
                var rows = (
                    from member in db.LiveMembers
                    where member.ListId == listId
                    join account in db.Accounts on member.AccountId equals account.Id
                    orderby account.Username
                    select new { Account = account, member.Role })
                    .ToList();
                var answer = new ListMembersResponse();
                answer.Members.AddRange(rows.Select(row => MemberChanges.ToProto(row.Account, (Role)row.Role)));
                return answer;
            },
            context.CancellationToken);
    }

    public override Task<SetMemberResponse> SetMember(SetMemberRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskListId);
        string username = Username.Parse("username", request.Username);
        Role role = Roles.Require("role", request.Role);
        return mutations.RunAsync(context, request, request.RequestId, scope =>
        {
            caller.RequireMember(scope.Db, listId);
            AccountRow account = scope.Db.Accounts
                .SingleOrDefault(row => row.Username == username && row.DeleteTimeMicros == null)
                ?? throw Fault.NotFound("account", username);
            return new SetMemberResponse
            {
                Member = MemberChanges.Set(scope, caller, listId, account, role, limits),
            };
        });
    }

    public override Task<RemoveMemberResponse> RemoveMember(RemoveMemberRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string listId = Id(request.TaskListId);
        string accountId = Id(request.AccountId, "account_id");
        return mutations.RunAsync(
            context, request, request.RequestId,
            scope =>
            {
                caller.RequireMember(scope.Db, listId);
                MemberChanges.Remove(scope, caller, listId, accountId);
                return new RemoveMemberResponse();
            },
            endsAccess: true);
    }

    private string Title(TaskList? list) =>
        Text.Require("task_list.title", list?.Title ?? "", limits.ListTitleCharactersMax);

    private static string Id(string id, string field = "task_list_id") =>
        id.Length == 0 ? throw Fault.Required(field) : id;
}
