using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Each field of each request with each value that it must not have: INVALID_ARGUMENT with the field named, and nothing
/// is changed.
/// </summary>
public sealed class BadInputTests : IClassFixture<FrozenServer>
{
    private readonly ServerFixture _server;

    public BadInputTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string> Rpcs()
    {
        var rpcs = new TheoryData<string>();
        foreach (MethodDescriptor method in Contract.Methods.Where(method => !Contract.IsLater(method)))
        {
            rpcs.Add(Contract.NameOf(method));
        }

        return rpcs;
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public void Each_field_of_a_request_has_its_row(string rpc) => Assert.Empty(
        from field in Contract.FieldsOf(Contract.Method(rpc).InputType)
        where BadInputTable.Of(rpc, field.Path, field.Field) is null
        select $"{rpc} {field.Path}");

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task A_value_that_a_field_must_not_have_is_refused_with_the_field_named(string rpc)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        string before = await _server.DumpAsync();
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            foreach (BadValue bad in BadInputTable.Of(rpc, path, field)!)
            {
                RpcException? refused = await RefusedAsync(ada, rpc, With(request, path, bad.Value));
                Assert.Equal(
                    (path, bad.Name, Expected(rpc, path, bad)),
                    (path, bad.Name, refused is null ? null : Refusal.Of(refused)));
                Assert.InRange(refused!.Status.Detail.Length, 1, 500);
                if (path == "filter" && bad.Reason != "FIELD_TOO_LONG")
                {
                    Assert.True(int.Parse(Refusal.CauseOf(refused).Metadata["position"]) > 0);
                }
            }
        }

        Assert.Equal(before, await _server.DumpAsync());

        // What was wrong was the value, and nothing else of the request.
        Assert.NotNull(await CallAsync(ada, rpc, request));
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Text_that_is_not_UTF8_is_refused_with_the_field_named(string rpc)
    {
        const string Mark = "@@@@";
        byte[][] faults = [[0xFF, 0xFE, 0x41, 0x41], [0x41, 0x41, 0x41, 0xC3], [0xED, 0xA0, 0x80, 0x41],
            [0xC0, 0x80, 0x41, 0x41], [0xF4, 0x90, 0x80, 0x80]];
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        string before = await _server.DumpAsync();
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            if (field.FieldType == FieldType.String || IsMask(field))
            {
                byte[] marked = With(request, path, MarkOf(field, Mark)).ToByteArray();
                int at = marked.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(Mark));
                foreach (byte[] fault in faults)
                {
                    fault.CopyTo(marked.AsSpan(at));
                    RpcException refused = await Assert.ThrowsAsync<RpcException>(
                        () => _server.Channel.CallAsync(Contract.Method(rpc), marked, ada.Headers));
                    Assert.Equal(
                        new Refusal(StatusCode.InvalidArgument, "INVALID_REQUEST", NameOf(path, field)),
                        Refusal.Of(refused));
                    Assert.Equal("squall", Refusal.CauseOf(refused).Domain);
                }
            }
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task What_the_server_sets_is_ignored_in_a_request(string rpc)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            string name = $"{field.ContainingType.Name}.{field.Name}";
            if (BadInputTable.Of(rpc, path, field) is []
                && BadInputTable.Anything.GetValueOrDefault(name) == "set by the server")
            {
                Contract.Set(request, path, Nonsense(field));
            }
        }

        IMessage? answer = await CallAsync(ada, rpc, request);
        Assert.DoesNotContain("nonsense", answer!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("-7777777", answer.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TaskService/CreateTask", "task.assignee_id", StatusCode.FailedPrecondition)]
    [InlineData("TaskService/CreateTask", "task.parent_id", StatusCode.NotFound)]
    [InlineData("TaskService/CreateTask", "task.task_list_id", StatusCode.NotFound)]
    [InlineData("TaskService/GetTask", "task_id", StatusCode.NotFound)]
    [InlineData("TaskService/DeleteTask", "task_id", StatusCode.NotFound)]
    [InlineData("TaskService/CreateComment", "comment.task_id", StatusCode.NotFound)]
    [InlineData("TaskListService/GetTaskList", "task_list_id", StatusCode.NotFound)]
    [InlineData("TaskListService/UpdateTaskList", "task_list.id", StatusCode.NotFound)]
    [InlineData("TaskListService/RemoveMember", "account_id", StatusCode.NotFound)]
    public async Task An_id_of_whatever_form_is_one_that_is_not_there(string rpc, string path, StatusCode code)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        string before = await _server.DumpAsync();
        string[] ids =
        [
            "x", "\0", "\u0085", "';--", "%", new string('x', 100_000), new string('x', 63) + "😀😀",
            place.List.Id.ToUpperInvariant(), $" {place.List.Id}", "\uFFFE", "\uD7FF\uE000",
        ];
        foreach (string id in ids)
        {
            RpcException refused =
                await Assert.ThrowsAsync<RpcException>(() => CallAsync(ada, rpc, With(request, path, id)));
            Assert.Equal((id, code), (id, refused.StatusCode));
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    private static bool IsMask(FieldDescriptor field) =>
        field.FieldType == FieldType.Message && field.MessageType.FullName == FieldMask.Descriptor.FullName;

    /// <summary>A value of the field whose text ends with the mark.</summary>
    private static object MarkOf(FieldDescriptor field, string mark) =>
        IsMask(field) ? new FieldMask { Paths = { "title", mark } }
        : field.IsRepeated ? (string[])["fine", mark] : mark;

    private static object Nonsense(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => "nonsense",
        FieldType.Enum => System.Enum.ToObject(field.EnumType.ClrType, -7_777_777),
        FieldType.Int64 => -7_777_777L,
        _ => new Timestamp { Seconds = -7_777_777, Nanos = -7_777_777 },
    };

    /// <summary>The request with one field changed; a mask names it, where there is one.</summary>
    internal static IMessage With(IMessage request, string path, object? value)
    {
        IMessage changed = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        if (changed is UpdateTaskRequest update && path.StartsWith("task.", StringComparison.Ordinal)
            && path != "task.id")
        {
            update.UpdateMask.Paths.Clear();
            update.UpdateMask.Paths.Add(path["task.".Length..]);
        }

        Contract.Set(changed, path, value!);
        return changed;
    }

    internal static Refusal Expected(string rpc, string path, BadValue bad) => new(
        StatusCode.InvalidArgument, bad.Reason,
        bad.Value is null && path is "task_list" or "task" or "comment" or "account" or "api_key"
            ? Missing(rpc, path)
            : path.Replace("tasks.", "tasks[0].", StringComparison.Ordinal) + bad.Within);

    /// <summary>What is named where a whole message is missing: the first of its fields that must be there.</summary>
    private static string Missing(string rpc, string path) => (rpc, path) switch
    {
        ("TaskListService/CreateTaskList", _) => "task_list.title",
        ("TaskListService/UpdateTaskList", _) => "task_list.id",
        _ => path,
    };

    private static string NameOf(string path, FieldDescriptor field)
    {
        string name = path.Replace("tasks.", "tasks[0].", StringComparison.Ordinal);
        return IsMask(field) ? $"{name}.paths[1]" : field.IsRepeated ? $"{name}[1]" : name;
    }

    private async Task<RpcException?> RefusedAsync(Client caller, string rpc, IMessage request)
    {
        try
        {
            await CallAsync(caller, rpc, request);
            return null;
        }
        catch (RpcException refused)
        {
            return refused;
        }
    }

    private Task<IMessage?> CallAsync(Client caller, string rpc, IMessage request) =>
        _server.Channel.CallAsync(Contract.Method(rpc), request, caller.Headers);

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
