using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>
/// What one caller of matrix.txt is sent by its subscriptions: what was, what is there, and what then comes.
/// </summary>
internal sealed class MatrixStreams(ServerFixture server, Cast cast, Actor actor, ListKind kind)
{
    private readonly NotificationService.NotificationServiceClient _service = new(server.Channel);
    private readonly TaskList _list = cast.ListOf(kind, actor);

    /// <summary>What matrix.txt calls it: all three say the same, save that a deleted list only was.</summary>
    public async Task<string> SeenAsync()
    {
        string was = await JudgeAsync(await PastAsync());
        using var stream = new Subscriber(_service, actor.Headers, new SubscribeRequest { Snapshot = true });
        List<SubscribeResponse> snapshot = await stream.ThroughAsync(Case.Synced);
        string there = await server.Get<Store>().ReadAsync(
            db => new MatrixEffects(db, actor, _list).Of(snapshot.Select(one => one.Task).OfType<TaskItem>()),
            CancellationToken.None);
        if (kind != ListKind.Deleted)
        {
            await cast.OwnerOf(kind, actor).AddAsync(_list, "to be told");
        }

        string comes = await JudgeAsync(await ThroughMarkAsync(stream));
        bool agree = was == "d" ? (there, comes) == ("0", "0") : (there, comes) == (was, was);
        return agree ? was : $"OK, but what was is {was}, what is there {there}, what comes {comes}";
    }

    private Task<string> JudgeAsync(List<SubscribeResponse> told) => server.Get<Store>().ReadAsync(
        db => new MatrixEffects(db, actor, _list).Of(told), CancellationToken.None);

    private async Task<List<SubscribeResponse>> PastAsync()
    {
        using var stream = new Subscriber(_service, actor.Headers, new SubscribeRequest { After = cast.Start });
        return await stream.ThroughAsync(Case.Synced);
    }

    /// <summary>What is told up to a change that the caller sees, which comes after the one it may see.</summary>
    private async Task<List<SubscribeResponse>> ThroughMarkAsync(Subscriber stream)
    {
        TaskItem mark = await actor.Account.AddAsync(cast.ReachedBy(actor), "a mark");
        var told = new List<SubscribeResponse>();
        do
        {
            told.Add(await stream.NextAsync());
        }
        while (told[^1].Notification?.TaskCreated?.Task.Id != mark.Id);

        return told;
    }
}
