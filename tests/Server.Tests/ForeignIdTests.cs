using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Ids of others in every field that takes one: as if there were no such thing, and nothing is done.</summary>
public sealed class ForeignIdTests : IClassFixture<FrozenServer>
{
    private readonly ServerFixture _server;

    public ForeignIdTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string, string> Refused() => Rows(row => !row.IsIgnored);

    public static TheoryData<string, string> Ignored() => Rows(row => row.IsIgnored);

    public static TheoryData<string> Repeatable() =>
    [
        .. Contract.Methods.Where(method => !Contract.IsLater(method)
            && method.InputType.FindFieldByName("request_id") is not null).Select(Contract.NameOf),
    ];

    [Fact]
    public void Each_text_of_each_request_is_in_the_table_or_names_nothing()
    {
        var texts =
            from method in Contract.Methods
            where !Contract.IsLater(method)
            from field in Contract.FieldsOf(method.InputType)
            where field.Field.FieldType == FieldType.String
            where !ForeignIds.Texts.Concat(ForeignIds.Tested).Contains(field.Field.Name)
            select $"{Contract.NameOf(method)} {field.Path}";
        Assert.Equal(
            texts.Order(StringComparer.Ordinal),
            ForeignIds.Table.Select(row => $"{row.Rpc} {row.Field}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_field_that_is_called_an_id_is_taken_for_a_text() => Assert.Equal(
        ["worker_id"],
        ForeignIds.Texts.Where(name => name.EndsWith("_id", StringComparison.Ordinal)
            || name.EndsWith("_ids", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_is_anothers_is_refused_as_what_does_not_exist(string rpc, string field)
    {
        ForeignId row = Row(rpc, field);
        using Client zoe = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, bob);
        IMessage request = await RequestAsync(place, row);
        string zoes = await ThingAsync(await Place.MakeAsync(_server, zoe), row.Thing);
        string bobs = await ThingAsync(await Place.MakeAsync(_server, bob), row.Thing);
        (_, Metadata key) = await bob.AddKeyAsync(Role.Owner, null, place.List);
        using var footprint = new Footprint(_server);
        await footprint.BeginAsync();
        await AssertUnseenAsync(row, request, zoes, bob.Headers);
        bool isOfLists = row.Thing is Thing.TaskList or Thing.TaskItem;
        if (isOfLists && Contract.NeedOf(Contract.Method(rpc)).Proof != Proof.Session)
        {
            // What is of the same account is another's to a key that names other lists.
            await AssertUnseenAsync(row, request, zoes, key);
            await AssertUnseenAsync(row, request, bobs, key);
        }

        Assert.Empty(await footprint.ChangesAsync());

        // It was the id, and nothing else of the request: with one of its own the caller succeeds.
        Assert.NotNull(await CallAsync(bob, rpc, request));
        Assert.NotEqual(Writes(rpc), (await footprint.ChangesAsync()).Count == 0);
    }

    [Theory]
    [MemberData(nameof(Ignored))]
    public async Task What_the_server_sets_is_not_taken_from_a_request(string rpc, string field)
    {
        ForeignId row = Row(rpc, field);
        using Client zoe = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, bob);
        IMessage request = await RequestAsync(place, row);
        string foreign = await ThingAsync(await Place.MakeAsync(_server, zoe), row.Thing);
        IEnumerable<string> before = await RowsAsync(foreign);
        Assert.NotEmpty(before);
        foreach (bool last in Several(request, field) ? new[] { false, true } : [false])
        {
            IMessage? answer = await CallAsync(bob, rpc, With(request, field, foreign, last));
            Assert.DoesNotContain(foreign, $"{answer}", StringComparison.Ordinal);
        }

        Assert.Equal(before, await RowsAsync(foreign));
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public async Task A_request_id_of_another_caller_is_as_one_that_was_never_used(string rpc)
    {
        using Client zoe = await SignInAsync();
        using Client bob = await SignInAsync();
        string id = Guid.NewGuid().ToString();
        IMessage request = await (await Place.MakeAsync(_server, zoe)).RequestAsync(rpc);
        Contract.Set(request, "request_id", id);
        IMessage? first = await CallAsync(zoe, rpc, request);
        using var footprint = new Footprint(_server);
        await footprint.BeginAsync();
        if (rpc == "TaskListService/CreateTaskList")
        {
            Assert.NotEqual(first, await CallAsync(bob, rpc, request));
            return;
        }

        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => CallAsync(bob, rpc, request));
        Assert.Empty(await footprint.ChangesAsync());
        IMessage own = await (await Place.MakeAsync(_server, bob)).RequestAsync(rpc);
        Contract.Set(own, "request_id", id);
        await footprint.BeginAsync();
        IMessage? answer = await CallAsync(bob, rpc, own);
        Assert.NotEmpty(await footprint.ChangesAsync());
        Assert.Equal(answer, await CallAsync(bob, rpc, own));
        Assert.Equal(first, await CallAsync(zoe, rpc, request));
    }

    [Fact]
    public async Task A_page_token_of_another_caller_is_refused_as_one_that_is_none()
    {
        using Client zoe = await SignInAsync();
        using Client bob = await SignInAsync();
        TaskList list = await zoe.CreateListAsync();
        await zoe.ShareAsync(list, bob, Role.Editor);
        TaskItem task = await zoe.AddAsync(list);
        await zoe.AddAsync(await zoe.CreateListAsync());
        await bob.AddAsync(await bob.CreateListAsync());
        await zoe.CommentAsync(task, "one");
        await zoe.CommentAsync(task, "two");
        foreach (IMessage request in (IMessage[])
            [
                new ListTaskListsRequest { PageSize = 1 }, new ListTasksRequest { PageSize = 1 },
                new ListCommentsRequest { TaskId = task.Id, PageSize = 1 },
            ])
        {
            string rpc = Contract.NameOf(Contract.Methods.Single(method => method.InputType == request.Descriptor));
            string zoes = await TokenAsync(zoe, rpc, request);
            string bobs = await TokenAsync(bob, rpc, request);
            Contract.Set(request, "page_token", zoes);
            Assert.NotNull(await CallAsync(zoe, rpc, request));
            RpcException foreign = await TokenRefusedAsync(bob, rpc, request);
            Contract.Set(request, "page_token", new string('A', zoes.Length));
            RpcException none = await TokenRefusedAsync(bob, rpc, request);
            Assert.Equal(Trailers(none, ""), Trailers(foreign, ""));
            Contract.Set(request, "page_token", bobs);
            Assert.NotNull(await CallAsync(bob, rpc, request));
        }
    }

    /// <summary>A cursor is a place in the journal of all, and no right to see what is there.</summary>
    [Fact]
    public async Task A_cursor_of_another_caller_shows_nothing_of_what_that_one_saw()
    {
        using Client zoe = await SignInAsync();
        using Client bob = await SignInAsync();
        ListNotificationsResponse start = await zoe.Notifications.ListNotificationsAsync(
            new() { PageSize = 1_000 }, zoe.Headers);
        string cursor = start.NextCursor;
        TaskList list = await zoe.CreateListAsync();
        await zoe.AddAsync(list);
        TaskList own = await bob.CreateListAsync();
        foreach ((Client client, TaskList sees, int count) in new[] { (zoe, list, 2), (bob, own, 1) })
        {
            ListNotificationsResponse page = await client.Notifications.ListNotificationsAsync(
                new() { After = cursor }, client.Headers);
            using var stream = new Subscriber(client, new SubscribeRequest { After = cursor });
            List<SubscribeResponse> told = await stream.ThroughAsync(SubscribeResponse.MessageOneofCase.Synced);
            Assert.Equal(count, page.Messages.Count);
            Assert.All(page.Messages, message => Assert.Equal(sees.Id, message.Notification.TaskListId));
            Assert.Equal(page.Messages, told.SkipLast(1));
        }
    }

    private static TheoryData<string, string> Rows(Func<ForeignId, bool> which)
    {
        var rows = new TheoryData<string, string>();
        foreach (ForeignId row in ForeignIds.Table.Where(which))
        {
            rows.Add(row.Rpc, row.Field);
        }

        return rows;
    }

    private static ForeignId Row(string rpc, string field) =>
        ForeignIds.Table.Single(row => (row.Rpc, row.Field) == (rpc, field));

    private static bool Writes(string rpc) => Contract.Method(rpc).GetOptions()?.IdempotencyLevel
        != MethodOptions.Types.IdempotencyLevel.NoSideEffects;

    /// <summary>A request that succeeds, with something of the caller's own in the field, if that is to be refused.
    /// </summary>
    private static async Task<IMessage> RequestAsync(Place place, ForeignId row)
    {
        IMessage request = await place.RequestAsync(row.Rpc);
        if (request is UpdateTaskRequest update)
        {
            update.UpdateMask.Paths.Add("assignee_id");
        }

        if (row.Field.EndsWith("parent_id", StringComparison.Ordinal))
        {
            Contract.Set(request, row.Field, await place.AddTaskAsync());
        }
        else if (row.Field.EndsWith("assignee_id", StringComparison.Ordinal))
        {
            Contract.Set(request, row.Field, place.Owner.Account.Id);
        }
        else if (request is CreateApiKeyRequest key)
        {
            key.ApiKey.TaskListIds.Add((await place.Owner.CreateListAsync()).Id);
        }

        return request;
    }

    private async Task<string> ThingAsync(Place of, Thing thing) => thing switch
    {
        Thing.TaskList => of.List.Id,
        Thing.TaskItem => await of.AddTaskAsync(),
        Thing.Comment => (await of.Owner.CommentAsync(await of.Owner.AddAsync(of.List), "well")).Id,
        Thing.Account => of.Owner.Account.Id,
        Thing.ApiKey => (await of.Owner.AddKeyAsync()).Key.Id,
        _ => (await of.Owner.Auth.ListSessionsAsync(new(), of.Owner.Headers)).Sessions[0].Id,
    };

    private static bool Several(IMessage request, string field) =>
        request is BatchCreateTasksRequest && field.StartsWith("tasks.", StringComparison.Ordinal)
        || field == "api_key.task_list_ids";

    /// <summary>The same with another id: of several, all others are the caller's own.</summary>
    private static IMessage With(IMessage request, string field, string id, bool last)
    {
        IMessage other = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        switch (other)
        {
            case CreateApiKeyRequest key when field == "api_key.task_list_ids":
                key.ApiKey.TaskListIds[last ? 1 : 0] = id;
                break;
            case BatchCreateTasksRequest batch when field.StartsWith("tasks.", StringComparison.Ordinal):
                Contract.Set(batch.Tasks[last ? 1 : 0], field["tasks.".Length..], id);
                break;
            default:
                Contract.Set(other, field, id);
                break;
        }

        return other;
    }

    /// <summary>Byte for byte, save the id, it is refused as an id that there is not.</summary>
    private async Task AssertUnseenAsync(ForeignId row, IMessage request, string id, Metadata headers)
    {
        string none = Guid.CreateVersion7().ToString();
        foreach (bool last in Several(request, row.Field) ? new[] { false, true } : [false])
        {
            RpcException unseen = await RefusedAsync(row, With(request, row.Field, id, last), headers);
            RpcException absent = await RefusedAsync(row, With(request, row.Field, none, last), headers);
            Assert.Equal(absent.Status.Detail, unseen.Status.Detail);
            Assert.Equal(Trailers(absent, none), Trailers(unseen, id));
        }
    }

    private async Task<RpcException> RefusedAsync(ForeignId row, IMessage request, Metadata headers)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => _server.Channel.CallAsync(Contract.Method(row.Rpc), request, headers));
        Refusal told = Refusal.Of(refused);
        Assert.Equal((row.Code, row.Reason), (told.Code, told.Reason));
        return refused;
    }

    private Task<RpcException> TokenRefusedAsync(Client caller, string rpc, IMessage request) =>
        Refusal.AssertAsync(
            StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", () => CallAsync(caller, rpc, request));

    private async Task<string> TokenAsync(Client caller, string rpc, IMessage request)
    {
        IMessage answer = (await CallAsync(caller, rpc, request))!;
        string token = (string)answer.Descriptor.FindFieldByName("next_page_token").Accessor.GetValue(answer);
        Assert.NotEmpty(token);
        return token;
    }

    private static IEnumerable<(string Key, string Value)> Trailers(RpcException refused, string id) =>
        refused.Trailers.Where(entry => entry.Key != "date").Select(entry => (
            entry.Key, Text(entry.IsBinary ? Encoding.Latin1.GetString(entry.ValueBytes) : entry.Value, id)));

    private static string Text(string value, string id) =>
        id.Length == 0 ? value : value.Replace(id, "the id", StringComparison.Ordinal);

    /// <summary>Every row that says the id.</summary>
    private async Task<IEnumerable<string>> RowsAsync(string id) =>
        (await _server.DumpAsync()).Split('\n').Where(row => row.Contains(id, StringComparison.Ordinal));

    private Task<IMessage?> CallAsync(Client caller, string rpc, IMessage request) =>
        _server.Channel.CallAsync(Contract.Method(rpc), request, caller.Headers);

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
