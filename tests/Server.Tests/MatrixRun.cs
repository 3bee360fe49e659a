using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A cell of matrix.txt, and how the one who calls there is answered.</summary>
internal delegate Task<IMessage?> MatrixCall(ListKind kind, Actor actor, IMessage request);

/// <summary>Makes the calls of one row of matrix.txt, and compares.</summary>
internal sealed class MatrixRun : IDisposable
{
    private readonly ServerFixture _server;
    private readonly MatrixRow _row;
    private readonly MethodDescriptor _method;
    private readonly Footprint _footprint;
    private readonly MatrixCall _call;
    private readonly List<string> _wrong = [];
    private Cast _cast;

    private MatrixRun(ServerFixture server, MatrixRow row, Cast cast, Func<MatrixRun, MatrixCall>? through)
    {
        (_server, _row, _cast) = (server, row, cast);
        _method = MatrixTable.Methods[row.Rpc];
        _footprint = new Footprint(server);
        _call = through?.Invoke(this) ?? CallAsync;
    }

    /// <summary>Each cell that was answered otherwise than the table says, or that had an effect it must not have.
    /// </summary>
    public IReadOnlyList<string> Wrong => _wrong;

    public int Cells { get; private set; }

    /// <summary>Those that were refused, and whose want of an effect was seen.</summary>
    public int Refused { get; private set; }

    public Cast Cast => _cast;

    /// <param name="server">Its clock stands, so that nothing happens in it but what is called.</param>
    /// <param name="row">What is expected.</param>
    /// <param name="through">What stands between the caller and the server, to break it.</param>
    public static async Task<MatrixRun> RunAsync(
        ServerFixture server, MatrixRow row, Func<MatrixRun, MatrixCall>? through = null)
    {
        using var run = new MatrixRun(server, row, await Cast.MakeAsync(server), through);
        foreach (ListKind kind in row.Kinds)
        {
            await run.RunAsync(kind);
        }

        return run;
    }

    public void Dispose()
    {
        _cast.Dispose();
        _footprint.Dispose();
    }

    /// <summary>As the caller itself calls, with its token.</summary>
    public Task<IMessage?> CallAsync(ListKind kind, Actor actor, IMessage request) =>
        _server.Channel.CallAsync(_method, request, actor.Headers);

    /// <summary>
    /// (1) Who is to be refused, all with one request, which has no effect; (2) who is to be answered, each with a
    /// request of its own; (3) the foreign list's owner, whose success with the request that was refused shows that
    /// this was not its fault.
    /// </summary>
    private async Task RunAsync(ListKind kind)
    {
        (char Letter, char Answer)[] cells =
            [.. _row.Cells.Where(cell => cell.Key.Kind == kind).Select(cell => (cell.Key.Caller, cell.Value))];
        (char Letter, char Answer)[] refused = [.. cells.Where(cell => !IsOk(cell.Answer))];
        var requests = new Dictionary<(Client, string), IMessage>();
        foreach (Actor actor in refused.Select(cell => _cast[cell.Letter]))
        {
            if (!requests.ContainsKey(Place(kind, actor)))
            {
                requests.Add(Place(kind, actor), await RequestAsync(kind, actor));
            }
        }

        if (kind == ListKind.Deleted)
        {
            await _cast.Ada.DeleteAsync(_cast.Deleted);
        }

        if (refused.Length > 0)
        {
            await _footprint.BeginAsync();
        }

        foreach ((char letter, char answer) in refused)
        {
            await RefuseAsync(kind, _cast[letter], answer, requests[Place(kind, _cast[letter])]);
        }

        foreach ((char letter, char answer) in cells.Where(cell => IsOk(cell.Answer)))
        {
            await RenewAsync(kind, _cast[letter]);
            Actor actor = _cast[letter];
            Tell(kind, letter, answer, await AnswerAsync(kind, actor, await RequestAsync(kind, actor)));
        }

        if (kind == ListKind.Foreign && !IsOneself)
        {
            Actor host = _cast.Host;
            Tell(kind, host.Letter, '+', await AnswerAsync(kind, host, requests[Place(kind, host)]));
        }
    }

    private bool IsOneself => _row.Name.EndsWith("(oneself)", StringComparison.Ordinal);

    private static bool IsOk(char answer) => answer is '+' or '0' or 'd';

    /// <summary>Whose request it is, and whom it names.</summary>
    private (Client, string) Place(ListKind kind, Actor actor) =>
        (_cast.OwnerOf(kind, actor), IsOneself ? actor.Account.Account.Id : "");

    private async Task RefuseAsync(ListKind kind, Actor actor, char expected, IMessage request)
    {
        Tell(kind, actor.Letter, expected, await AnswerAsync(kind, actor, request));
        IReadOnlyList<string> changes = await _footprint.ChangesAsync();
        Refused++;
        if (changes.Count > 0)
        {
            string rows = string.Join("; ", changes.Take(3).Select(row => row[..Math.Min(row.Length, 100)]));
            _wrong.Add($"{_row.Name} {kind} {actor.Letter}: had an effect: {rows}");
        }
    }

    /// <summary>Gives back what earlier cells of the row have taken.</summary>
    private async Task RenewAsync(ListKind kind, Actor actor)
    {
        if (_row.Rpc == "TaskListService/DeleteTaskList")
        {
            _cast.Dispose();
            _cast = await Cast.MakeAsync(_server);
        }
        else if (IsOneself && kind == ListKind.Shared)
        {
            await _cast.ComeBackAsync(actor);
        }
    }

    private async Task<string> AnswerAsync(ListKind kind, Actor actor, IMessage request)
    {
        try
        {
            if (request is SubscribeRequest)
            {
                return await new MatrixStreams(_server, _cast, actor, kind).SeenAsync();
            }

            IMessage? answer = await _call(kind, actor, request);
            TaskList list = _cast.ListOf(kind, actor);
            return await _server.Get<Store>().ReadAsync(
                db => new MatrixEffects(db, actor, list).Of(request, answer), CancellationToken.None);
        }
        catch (RpcException refused)
        {
            return Sign(Refusal.Of(refused), actor.Reason);
        }
    }

    private void Tell(ListKind kind, char letter, char expected, string seen)
    {
        Cells++;
        if (seen != $"{expected}")
        {
            _wrong.Add($"{_row.Name} {kind} {letter}: {expected} expected, {seen} seen");
        }
    }

    private static string Sign(Refusal refused, string notLetIn) => (refused.Code, refused.Reason) switch
    {
        (StatusCode.Unauthenticated, { } reason) when reason == notLetIn => "-",
        (StatusCode.PermissionDenied, "SESSION_REQUIRED") => "s",
        (StatusCode.PermissionDenied, "KEY_LIMITED") => "k",
        (StatusCode.PermissionDenied, "ROLE_TOO_LOW") => "l",
        (StatusCode.NotFound, "NOT_FOUND") => "?",
        (StatusCode.FailedPrecondition, "LAST_OWNER") => "p",
        (StatusCode.Unimplemented, "NOT_YET_SUPPORTED") => "~",
        _ => $"{refused}",
    };

    private async Task<IMessage> RequestAsync(ListKind kind, Actor actor)
    {
        Client owner = _cast.OwnerOf(kind, actor);
        TaskList list = _cast.ListOf(kind, actor);
        var place = new Place(_server, owner, list);
        if (IsOneself)
        {
            return new RemoveMemberRequest { TaskListId = list.Id, AccountId = actor.Account.Account.Id };
        }

        if (!_row.Rpc.StartsWith("grpc.", StringComparison.Ordinal))
        {
            return _row.Rpc switch
            {
                "AuthService/Login" =>
                    new LoginRequest { Username = actor.Account.Account.Username, Password = Client.Password },
                "TaskListService/ListTaskLists" => new ListTaskListsRequest { PageSize = 1_000 },
                "TaskService/ListTasks" => new ListTasksRequest { PageSize = 1_000 },
                "TaskService/ListComments" => await CommentedAsync(owner, list),
                "NotificationService/ListNotifications" =>
                    new ListNotificationsRequest { After = _cast.Start, PageSize = 1_000 },
                _ => await place.RequestAsync(_row.Rpc),
            };
        }

        IMessage probe = _method.InputType.Parser.ParseFrom(ByteString.Empty);
        if (_method.IsClientStreaming)
        {
            Contract.Set(probe, "list_services", "*");
        }

        return probe;
    }

    private static async Task<IMessage> CommentedAsync(Client owner, TaskList list)
    {
        TaskItem task = await owner.AddAsync(list);
        await owner.CommentAsync(task, "well");
        return new ListCommentsRequest { TaskId = task.Id };
    }
}
