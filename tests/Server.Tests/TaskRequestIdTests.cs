using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// The same request_id twice has one effect and one answer. What was changed is read off the journal: every change has
/// its place in it.
/// </summary>
public sealed class TaskRequestIdTests : IClassFixture<TaskWorld>
{
    private static int _eves;
    private readonly TaskWorld _world;
    private TaskList _list = new();

    public TaskRequestIdTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    private long Changes => _world.Server.Get<Journal>().End.Seq;

    public static TheoryData<string> EachRpc() => [.. TaskMutation.All.Select(mutation => mutation.Rpc)];

    [Fact]
    public void Each_rpc_of_lists_and_tasks_that_takes_a_request_id_is_tested()
    {
        var taking =
            from service in Needs.Contract
            where service.Name is "TaskListService" or "TaskService"
            from method in service.Methods
            where method.InputType.FindFieldByName("request_id") is not null
            select $"{service.Name}/{method.Name}";
        Assert.Equal(taking.Order(), TaskMutation.All.Select(mutation => mutation.Rpc).Order());
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task Twice_the_same_has_one_effect_and_one_answer(string rpc)
    {
        (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
        long before = Changes;
        IMessage first = await mutation.Call(Ada, request);
        long after = Changes;
        Assert.True(after > before);

        Assert.Equal(first.ToByteString(), (await mutation.Call(Ada, request)).ToByteString());
        using Client elsewhere = Ada.On(_world.Server.Address);
        Assert.Equal(first.ToByteString(), (await mutation.Call(elsewhere, request)).ToByteString());
        Assert.Equal(after, Changes);
    }

    [Fact]
    public async Task A_request_id_in_upper_case_is_the_same_one()
    {
        CreateTaskListRequest request = new() { TaskList = new() { Title = "once" }, RequestId = $"{Guid.NewGuid()}" };
        CreateTaskListResponse first = await Ada.Lists.CreateTaskListAsync(request, Ada.Headers);
        long after = Changes;
        request.RequestId = request.RequestId.ToUpperInvariant();
        Assert.Equal(first, await Ada.Lists.CreateTaskListAsync(request, Ada.Headers));
        Assert.Equal(after, Changes);
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task The_same_with_another_body_is_refused(string rpc)
    {
        (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
        IMessage answer = await mutation.Call(Ada, request);
        long after = Changes;
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", "request_id", () =>
            mutation.Call(Ada, mutation.Other(Ada, request)));
        Assert.Equal(after, Changes);
        Assert.Equal(answer, await mutation.Call(Ada, request));
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task A_call_that_was_refused_is_not_remembered(string rpc)
    {
        (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
        int listsMax = _world.Server.Get<Limits>().AccountListsMax;
        using Client eve = await Client.SignInAsync(_world.Server, $"eve.{++_eves}");
        _world.Server.Get<Limits>().AccountListsMax = 0;
        long before = Changes;
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => mutation.Call(eve, request));
        Assert.Equal(
            rpc == "TaskListService/CreateTaskList" ? StatusCode.ResourceExhausted : StatusCode.NotFound,
            refused.StatusCode);
        Assert.Equal(before, Changes);

        _world.Server.Get<Limits>().AccountListsMax = listsMax;
        await Ada.ShareAsync(_list, eve, Role.Owner);
        before = Changes;
        IMessage answer = await mutation.Call(eve, request);
        Assert.True(Changes > before);
        Assert.Equal(answer, await mutation.Call(eve, request));
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task Doubles_at_once_have_one_effect_and_one_answer(string rpc)
    {
        (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
        using Client elsewhere = Ada.On(_world.Server.Address);
        long before = Changes;
        using WriterHold hold = await WriterHold.StartAsync(_world.Server.Get<Journal>());
        Task<IMessage>[] calls =
            [.. Enumerable.Range(0, 8).Select(at => mutation.Call(at % 2 == 0 ? Ada : elsewhere, request))];
        hold.Release();
        IMessage[] answers = await Task.WhenAll(calls);

        Assert.All(answers, answer => Assert.Equal(answers[0].ToByteString(), answer.ToByteString()));
        Assert.Equal(before + EffectsOf(rpc), Changes);
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task Of_two_bodies_at_once_one_is_done_and_the_other_refused(string rpc)
    {
        for (int round = 0; round < 4; round++)
        {
            (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
            IMessage other = mutation.Other(Ada, request);
            using Client elsewhere = Ada.On(_world.Server.Address);
            long before = Changes;
            using WriterHold hold = await WriterHold.StartAsync(_world.Server.Get<Journal>());
            Task<bool> first = DoneAsync(mutation.Call(Ada, round % 2 == 0 ? request : other));
            Task<bool> second = DoneAsync(mutation.Call(elsewhere, round % 2 == 0 ? other : request));
            hold.Release();
            Assert.NotEqual(await first, await second);
            Assert.Equal(before + EffectsOf(rpc), Changes);
        }

        static async Task<bool> DoneAsync(Task<IMessage> call)
        {
            try
            {
                await call;
                return true;
            }
            catch (RpcException refused)
            {
                Assert.Equal(
                    new Refusal(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", "request_id"), Refusal.Of(refused));
                return false;
            }
        }
    }

    [Theory]
    [MemberData(nameof(EachRpc))]
    public async Task A_call_that_was_given_up_and_is_made_again_has_one_effect(string rpc)
    {
        (TaskMutation mutation, IMessage request) = await PrepareAsync(rpc);
        long before = Changes;
        using WriterHold hold = await WriterHold.StartAsync(_world.Server.Get<Journal>());
        var givenUp = Ada.On(_world.Server.Address);
        Task<IMessage> first = mutation.Call(givenUp, request);
        givenUp.Dispose();
        Task<IMessage> second = mutation.Call(Ada, request);
        hold.Release();
        await Assert.ThrowsAnyAsync<Exception>(() => first);
        await second;
        Assert.Equal(before + EffectsOf(rpc), Changes);
    }

    [Fact]
    public async Task The_same_id_of_another_account_or_another_rpc_is_another()
    {
        TaskList list = await _world.SharedListAsync(Role.Editor);
        string id = $"{Guid.NewGuid()}";
        var create = new CreateTaskRequest { Task = new() { TaskListId = list.Id, Title = "x" }, RequestId = id };
        TaskItem hers = (await Ada.Tasks.CreateTaskAsync(create, Ada.Headers)).Task;
        TaskItem his = (await _world.Bob.Tasks.CreateTaskAsync(create, _world.Bob.Headers)).Task;
        await Ada.Tasks.CompleteTaskAsync(new() { TaskId = hers.Id, RequestId = id }, Ada.Headers);
        await Ada.Tasks.ReopenTaskAsync(new() { TaskId = hers.Id, RequestId = id }, Ada.Headers);
        await Ada.Tasks.DeleteTaskAsync(new() { TaskId = hers.Id, RequestId = id }, Ada.Headers);

        Assert.NotEqual(hers.Id, his.Id);
        Assert.Equal([his], await Ada.ListAsync(list));
        Assert.Equal(hers, (await Ada.Tasks.CreateTaskAsync(create, Ada.Headers)).Task);
        Assert.Equal([his], await Ada.ListAsync(list));
    }

    [Fact]
    public async Task Without_an_id_each_call_is_one_of_its_own()
    {
        TaskList list = await Ada.CreateListAsync();
        Assert.NotEqual((await Ada.AddAsync(list)).Id, (await Ada.AddAsync(list)).Id);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "REQUEST_ID_FORMAT", "request_id", async () =>
            await Ada.Tasks.CreateTaskAsync(
                new() { Task = new() { TaskListId = list.Id, Title = "x" }, RequestId = "again" }, Ada.Headers));
    }

    [Fact]
    public async Task An_answer_is_that_of_the_first_call_whatever_has_changed_since()
    {
        TaskList list = await Ada.CreateListAsync();
        string id = $"{Guid.NewGuid()}";
        var create = new CreateTaskRequest { Task = new() { TaskListId = list.Id, Title = "x" }, RequestId = id };
        TaskItem task = (await Ada.Tasks.CreateTaskAsync(create, Ada.Headers)).Task;
        UpdateTaskRequest update = TaskCalls.UpdateOf(task, it => it.Title = "y", "title");
        (update.ExpectedVersion, update.RequestId) = (1, id);
        TaskItem updated = (await Ada.Tasks.UpdateTaskAsync(update, Ada.Headers)).Task;
        await Ada.CompleteAsync(task);
        Assert.Equal(updated, (await Ada.Tasks.UpdateTaskAsync(update, Ada.Headers)).Task);
        await Ada.DeleteAsync(list);
        Assert.Equal(task, (await Ada.Tasks.CreateTaskAsync(create, Ada.Headers)).Task);
        Assert.Equal(updated, (await Ada.Tasks.UpdateTaskAsync(update, Ada.Headers)).Task);
    }

    private async Task<(TaskMutation Mutation, IMessage Request)> PrepareAsync(string rpc)
    {
        TaskMutation mutation = TaskMutation.Named(rpc);
        _list = await Ada.CreateListAsync();
        return (mutation, TaskMutation.Under($"{Guid.NewGuid()}", await mutation.Prepare(Ada, _world.Bob, _list)));
    }

    private static int EffectsOf(string rpc) => rpc == "TaskService/BatchCreateTasks" ? 2 : 1;
}
