using System.Security.Cryptography;
using System.Text;
using Squall.Client;
using Squall.V1;

namespace ImportTaskwarrior;

/// <summary>
/// Takes the steps of a plan, each once, over however many runs it takes: (1) a step that the record has is passed
/// over, (2) the first that it does not have may have been taken by a run that was killed before it could note so,
/// and is looked for, (3) the others are taken, under request ids that are the same in every run, (4) each is noted.
/// </summary>
/// <param name="shareWith">Accounts that become members of every list, as editors.</param>
internal sealed class Replay(ISquallClient client, ImportRecord record, IReadOnlyList<string> shareWith)
{
    private readonly Target target = new(client, record);
    private readonly List<(Step Step, Outcome Outcome)> results = [];
    private bool mayBeTaken;

    /// <summary>What this run did, in order.</summary>
    public IReadOnlyList<(Step Step, Outcome Outcome)> Results => results;

    public async Task RunAsync(IReadOnlyList<Step> plan, CancellationToken cancellationToken)
    {
        await BeginAsync(plan, cancellationToken);
        foreach (var step in plan)
        {
            if (record.Find(step.Key) is not { } taken)
            {
                taken = await TakeAsync(step, cancellationToken);
                record.Add(taken);
                results.Add((step, taken.Outcome));
            }
            else if (taken.Request != RequestId(step))
            {
                throw step.Line.Fault($"is not the line that was imported before, as {record.Path} notes it");
            }

            if (taken.Outcome == Outcome.Done)
            {
                step.Done(target, taken.Id);
            }

            if (step is CreateList)
            {
                await ShareAsync(step, taken.Id, cancellationToken);
            }
        }
    }

    /// <summary>
    /// A new record is begun only where there is nothing of this backlog: what an import whose record is lost has done
    /// would be done again.
    /// </summary>
    private async Task BeginAsync(IReadOnlyList<Step> plan, CancellationToken cancellationToken)
    {
        var account = await client.GetAccountAsync(cancellationToken: cancellationToken);
        if (!record.IsNew)
        {
            mayBeTaken = true;
            if (record.AccountId != account.Id)
            {
                throw new ImportException($"{record.Path} is the record of another account's import.");
            }

            return;
        }

        var uuids = plan.OfType<CreateTask>().Select(step => step.Task.Uuid).ToHashSet();
        await foreach (var task in client.Tasks.List("labels:*", pageSize: 1_000).WithCancellation(cancellationToken))
        {
            if (Wanted.UuidOf(task) is { } uuid && uuids.Contains(uuid))
            {
                throw new ImportException(
                    $"Squall has {uuid} of this backlog already, but {record.Path} does not say how far that import "
                    + "came. Give the record of that import, or delete its tasks.");
            }
        }

        var hello = await client.SayHelloAsync(cancellationToken: cancellationToken);
        record.Begin(account.Id, hello.ServerTime.ToDateTimeOffset());
    }

    private async Task<Taken> TakeAsync(Step step, CancellationToken cancellationToken)
    {
        var request = RequestId(step);
        var isFirst = mayBeTaken;
        mayBeTaken = false;
        if (step.Needs is { } uuid && !target.Tasks.ContainsKey(uuid))
        {
            return new Taken(step.Key, request, Outcome.LeftAlone, "");
        }

        try
        {
            var id = (isFirst ? await step.FindAsync(target, cancellationToken) : null)
                ?? await step.DoAsync(target, CallSettings.ForRequest(request), cancellationToken);
            return new Taken(step.Key, request, Outcome.Done, id);
        }
        catch (SquallException e) when (OutcomeOf(step, e) is { } outcome)
        {
            // What was so before the first step was done by the run before this one.
            var wasOwn = isFirst && outcome == Outcome.WasSo;
            var id = step.Needs is { } known ? target.Tasks[known] : "";
            return new Taken(step.Key, request, wasOwn ? Outcome.Done : outcome, id);
        }
        catch (SquallException e)
        {
            throw new ImportException(
                $"{step.Line.File}:{step.Line.Number}: {step.Kind}: {e.Message} What was done so far is noted in "
                + $"{record.Path}: once this is mended, run the import again.");
        }
    }

    /// <summary>What people have done in Squall meanwhile is theirs; null: the failure is of another kind.</summary>
    private static Outcome? OutcomeOf(Step step, SquallException e) => (step.Kind, e) switch
    {
        (ChangeState.Delete, SquallNotFoundException) => Outcome.WasSo,
        (ChangeState.Complete, SquallPreconditionException { Reason: "TASK_DONE" }) => Outcome.WasSo,
        (ChangeState.Reopen, SquallPreconditionException { Reason: "TASK_OPEN" }) => Outcome.WasSo,
        (_, SquallNotFoundException or SquallPreconditionException) => Outcome.LeftAlone,
        _ => null,
    };

    private async Task ShareAsync(Step list, string listId, CancellationToken cancellationToken)
    {
        foreach (var username in shareWith)
        {
            var key = $"{list.Line.Number} share {username}";
            if (record.Find(key) is not null)
            {
                continue;
            }

            var members = await client.Lists.ListMembersAsync(listId, cancellationToken: cancellationToken);
            if (!members.Any(member => member.Username.Equals(username, StringComparison.OrdinalIgnoreCase)))
            {
                await client.Lists.SetMemberAsync(listId, username, Role.Editor, null, cancellationToken);
            }

            record.Add(new Taken(key, "", Outcome.Done, listId));
        }
    }

    /// <summary>
    /// A UUID made from the import, the step and its line: a request that is sent again by a later run is the same
    /// one, so that the server answers it as it did at first.
    /// </summary>
    private string RequestId(Step step)
    {
        var name = $"{record.Import}\n{step.Key}\n{step.Line.Text}";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16);
        hash[6] = (byte)(0x80 | (hash[6] & 0x0F));
        hash[8] = (byte)(0x80 | (hash[8] & 0x3F));
        return new Guid(hash, bigEndian: true).ToString();
    }
}
