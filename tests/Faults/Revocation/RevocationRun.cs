using System.Collections;
using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>What takes the access to a list away.</summary>
internal enum Loss
{
    OfMembership,
    OfSession,
    OfKey,
    OfList,
}

/// <summary>How a server of a control differs.</summary>
internal enum Neglect
{
    None,

    /// <summary>Its memory does not learn of losses.</summary>
    Forgets,

    /// <summary>It sends what it tells of late.</summary>
    Lags,
}

/// <summary>
/// A server in this process, on a real clock. In each race (1) a member of a list subscribes; (2) a task is made there
/// while the member loses its access: either is asked for first, or the loss as the task is made and on its way; (3)
/// what the member is sent is read to its end, or to a change that comes after all of this; (4) the places of both are
/// looked up in the journal.
/// </summary>
internal sealed class RevocationRun : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(2);
    private readonly SquallServer _server;
    private readonly GrpcChannel _channel;
    private readonly TimeProvider _time;

    private RevocationRun(SquallServer server, TimeProvider time)
    {
        (_server, _time) = (server, time);
        _channel = GrpcChannel.ForAddress(server.Addresses[0]);
    }

    private TaskListService.TaskListServiceClient Lists => new(_channel);

    private AccountService.AccountServiceClient Accounts => new(_channel);

    private Store Store => _server.Services.GetRequiredService<Store>();

    public static async Task<RevocationRun> StartAsync(string folder, Neglect neglect, TimeProvider time)
    {
        ServerOptions options = OptionReader.Read(
            ["--http", "127.0.0.1:0", "--https", "off", "--data", folder, "--access-lifetime", "1d"],
            new Hashtable(), AppContext.BaseDirectory);
        SquallServer server = await SquallServer.StartAsync(options, replace: services =>
        {
            if (neglect == Neglect.Lags)
            {
                services.AddSingleton(new Lags(time));
                services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Lags>());
            }
        });
        if (neglect == Neglect.Forgets)
        {
            Forget(server.Services);
        }

        return new RevocationRun(server, time);
    }

    public async Task<Tally> RaceAsync(int races, int atOnce)
    {
        var tally = new Tally();
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async number =>
        {
            string owner = await NewAccountAsync($"owner{number}");
            string member = await NewAccountAsync($"member{number}");
            Metadata owners = await NewSessionAsync(owner);
            Metadata members = await NewSessionAsync(member);
            for (int race; (race = Interlocked.Increment(ref next)) < races;)
            {
                await RaceAsync(race, owners, members, member, $"member{number}", tally).WaitAsync(WaitMax, _time);
            }
        }));
        return tally;
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    /// <summary>Memory, which is told of commits first, is told of them without the losses.</summary>
    private static void Forget(IServiceProvider services)
    {
        int[] losses =
        [
            (int)Notification.EventOneofCase.MemberRemoved, (int)Notification.EventOneofCase.TaskListDeleted,
            (int)ChangeKind.SessionEnded, (int)ChangeKind.KeyEnded,
        ];
        Journal journal = services.GetRequiredService<Journal>();
        Action<IReadOnlyList<ChangeRow>>[] memory =
            [services.GetRequiredService<Memberships>().Apply, services.GetRequiredService<Subscriptions>().Apply];
        Action<IReadOnlyList<ChangeRow>>[] after =
            [services.GetRequiredService<Tail>().Append, services.GetRequiredService<Bell>().Ring];
        Array.ForEach([.. memory, .. after], handler => journal.Committed -= handler);
        Array.ForEach(memory, learn => journal.Committed += rows =>
            learn([.. rows.Where(row => !losses.Contains(row.Kind))]));
        Array.ForEach(after, handler => journal.Committed += handler);
    }

    private Task<T> ChangeAsync<T>(Func<ChangeScope, T> change) =>
        _server.Services.GetRequiredService<Journal>().RunAsync(change, null, 0, CancellationToken.None);

    /// <summary>Without a password, whose hash would take longer than a race.</summary>
    private Task<string> NewAccountAsync(string username) => ChangeAsync(scope =>
    {
        string id = Ids.New(scope.NowMicros);
        scope.Db.Accounts.Add(new AccountRow { Id = id, Username = username });
        return id;
    });

    private async Task<Metadata> NewSessionAsync(string account)
    {
        SessionChanges sessions = _server.Services.GetRequiredService<SessionChanges>();
        Tokens tokens = await ChangeAsync(scope => sessions.Begin(scope, account, "harness"));
        return new Metadata { { "authorization", $"Bearer {tokens.AccessToken}" } };
    }

    private async Task<(string Id, Metadata Proof)> NewKeyAsync(Metadata member)
    {
        CreateApiKeyResponse made = await Accounts.CreateApiKeyAsync(
            new CreateApiKeyRequest { ApiKey = new ApiKey { Title = "raced", Role = Role.Viewer } }, member);
        return (made.ApiKey.Id, new Metadata { { "authorization", $"Bearer {made.Secret}" } });
    }

    private async Task<TaskList> NewListAsync(Metadata owner, string title) => (await Lists.CreateTaskListAsync(
        new CreateTaskListRequest { TaskList = new TaskList { Title = title } }, owner)).TaskList;

    private async Task RaceAsync(
        int race, Metadata owners, Metadata members, string member, string username, Tally tally)
    {
        var loss = (Loss)(race % 4);
        string last = string.Create(CultureInfo.InvariantCulture, $"last of {race}");
        string list = (await NewListAsync(owners, "raced")).Id;
        await Lists.SetMemberAsync(
            new SetMemberRequest { TaskListId = list, Username = username, Role = Role.Viewer }, owners);
        string keyId = "";
        Metadata proof = members;
        switch (loss)
        {
            case Loss.OfSession:
                proof = await NewSessionAsync(member);
                break;
            case Loss.OfKey:
                (keyId, proof) = await NewKeyAsync(members);
                break;
        }

        using AsyncServerStreamingCall<SubscribeResponse> stream =
            new NotificationService.NotificationServiceClient(_channel).Subscribe(new SubscribeRequest(), proof);
        await stream.ResponseStream.MoveNext(CancellationToken.None);
        long start = SeqOf(stream.ResponseStream.Current.Synced.Cursor);
        Task<List<(Notification Told, long At)>> reading = ReadAsync(stream.ResponseStream, last);

        // In turn, of each kind of loss; where both wait, a loss goes first.
        int order = race / 4 % 3;
        Task? change = order > 0 ? ChangeAsync(list, owners) : null;
        if (order > 1)
        {
            await change!;
        }

        Task lost = LoseAsync(loss, list, member, owners, members, proof, keyId);
        change ??= ChangeAsync(list, owners);
        await lost;
        long acknowledged = _time.GetTimestamp();
        await change;
        await NewListAsync(members, last);
        List<(Notification Told, long At)> told = await reading;
        (long lostSeq, long? changeSeq) = await Store.ReadAsync(db => Places(db, start, loss, list, member),
            CancellationToken.None);
        tally.Add(
            changeSeq < lostSeq,
            told.Where(of => loss is Loss.OfSession or Loss.OfKey || of.Told.TaskListId == list)
                .Select(of => (SeqOf(of.Told.Cursor) > lostSeq, _time.GetElapsedTime(acknowledged, of.At))));
    }

    private static (long Lost, long? Change) Places(SquallDb db, long start, Loss loss, string list, string member)
    {
        int kind = loss switch
        {
            Loss.OfMembership => (int)Notification.EventOneofCase.MemberRemoved,
            Loss.OfSession => (int)ChangeKind.SessionEnded,
            Loss.OfKey => (int)ChangeKind.KeyEnded,
            _ => (int)Notification.EventOneofCase.TaskListDeleted,
        };
        bool ofAccount = loss is Loss.OfSession or Loss.OfKey;
        IQueryable<ChangeRow> since = db.Changes.Where(row => row.Seq > start);
        return (
            since.Single(row => row.Kind == kind
                && (ofAccount ? row.AccountId == member : row.ListId == list)).Seq,
            since.SingleOrDefault(row => row.ListId == list
                && row.Kind == (int)Notification.EventOneofCase.TaskCreated)?.Seq);
    }

    private static long SeqOf(string cursor) => Cursor.TryParse(cursor, out Cursor place)
        ? place.Seq
        : throw new InvalidOperationException($"{cursor} is no cursor.");

    /// <summary>Of a list that is deleted no more can be changed, which is as it should be.</summary>
    private async Task ChangeAsync(string list, Metadata owner)
    {
        try
        {
            await new TaskService.TaskServiceClient(_channel).CreateTaskAsync(
                new CreateTaskRequest { Task = new TaskItem { TaskListId = list, Title = "raced" } }, owner);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            // The list went first.
        }
    }

    private async Task LoseAsync(
        Loss loss, string list, string member, Metadata owner, Metadata members, Metadata session, string keyId)
    {
        switch (loss)
        {
            case Loss.OfMembership:
                await Lists.RemoveMemberAsync(
                    new RemoveMemberRequest { TaskListId = list, AccountId = member }, owner);
                break;
            case Loss.OfSession:
                await new AuthService.AuthServiceClient(_channel).LogoutAsync(new LogoutRequest(), session);
                break;
            case Loss.OfKey:
                await Accounts.RevokeApiKeyAsync(new RevokeApiKeyRequest { ApiKeyId = keyId }, members);
                break;
            default:
                await Lists.DeleteTaskListAsync(new DeleteTaskListRequest { TaskListId = list }, owner);
                break;
        }
    }

    /// <summary>To the list that is made last, or to the proof's end; each with the time when it was here.</summary>
    private async Task<List<(Notification Told, long At)>> ReadAsync(
        IAsyncStreamReader<SubscribeResponse> stream, string last)
    {
        var told = new List<(Notification Told, long At)>();
        try
        {
            while (await stream.MoveNext(CancellationToken.None))
            {
                if ((stream.Current.Notification ?? stream.Current.Left) is not { } change)
                {
                    continue;
                }

                told.Add((change, _time.GetTimestamp()));
                if (change.TaskListCreated?.TaskList.Title == last)
                {
                    return told;
                }
            }
        }
        catch (RpcException end) when (end.StatusCode == StatusCode.Unauthenticated)
        {
            // That is how a stream ends whose session or key did.
        }

        return told;
    }
}

/// <summary>What the races came to.</summary>
internal sealed class Tally
{
    private static readonly TimeSpan SentMax = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private TimeSpan _latest;

    public int Races { get; private set; }

    /// <summary>Races in which the change came before the loss.</summary>
    public int ChangeFirst { get; private set; }

    /// <summary>Notifications whose place lies behind that of the loss.</summary>
    public int Behind { get; private set; }

    /// <summary>Those that came more than a second after its acknowledgement.</summary>
    public int Late { get; private set; }

    public void Add(bool changeFirst, IEnumerable<(bool Behind, TimeSpan After)> told)
    {
        lock (_gate)
        {
            Races++;
            ChangeFirst += changeFirst ? 1 : 0;
            foreach ((bool behind, TimeSpan after) in told)
            {
                Behind += behind ? 1 : 0;
                Late += after > SentMax ? 1 : 0;
                _latest = after > _latest ? after : _latest;
            }
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"in {Races} races, {ChangeFirst} of them with the change first, {Behind} notifications from behind the loss, "
        + $"{Late} more than 1 s after its acknowledgement (the latest {_latest.TotalMilliseconds:0} ms after it)");
}
