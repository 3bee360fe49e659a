using System.CommandLine;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall lists, and what can be done with one.</summary>
internal static class ListVerbs
{
    private static readonly Argument<string> List = new("LIST") { Description = ListLookup.Means };

    public static Verb Lists() => new Verb(
        "lists", "Shows your lists, or with a further word makes, changes and shares them.",
        "squall lists")
    {
        Create(), Rename(), Delete(), MemberVerbs.Members(), MemberVerbs.Share(), MemberVerbs.Unshare(),
    }.Does(ShowAsync);

    public static string Named(Role role) => role.ToString().ToLowerInvariant();

    private static async Task ShowAsync(Invocation run)
    {
        var lists = run.Client.Lists.List(pageSize: 1_000).WithCancellation(run.Cancel);
        if (!run.Output.IsTerminal)
        {
            await foreach (var list in lists)
            {
                run.Output.Row(list, () => [ShortId.Of(list.Id), Named(list.Role), list.Title]);
            }

            return;
        }

        var rows = new List<Cell[]>();
        await foreach (var list in lists)
        {
            rows.Add([Cell.Id(list.Id), new Cell(list.Title), new Cell(Named(list.Role))]);
        }

        if (rows.Count == 0)
        {
            run.Output.Note("There are no lists yet: 'squall lists create TITLE' makes one.");
        }
        else
        {
            run.Output.Styled(Rows.Table(["Id", "Title", "Role"], rows, wrapped: 1, run.Output.Width));
        }
    }

    private static Verb Create()
    {
        var title = Words.Argument("TITLE", "The new list's title.");
        return new Verb(
            "create", "Creates a list of yours.",
            "squall lists create Home")
        {
            title,
        }.Does(async run =>
        {
            var list = await run.Client.Lists.CreateAsync(Words.Of(run.Given(title)), cancellationToken: run.Cancel);
            run.Output.Result(list, () => $"Created {ShortId.Of(list.Id)}  {list.Title}");
        });
    }

    private static Verb Rename()
    {
        var title = Words.Argument("TITLE", "Its new title.");
        return new Verb(
            "rename", "Gives a list another title.",
            "squall lists rename Home House and garden")
        {
            List, title,
        }.Does(async run =>
        {
            var id = await ListLookup.IdOfAsync(run, run.Given(List));
            var list = await run.Client.Lists.RenameAsync(
                id, Words.Of(run.Given(title)), cancellationToken: run.Cancel);
            run.Output.Result(list, () => $"Renamed {ShortId.Of(list.Id)}  {list.Title}");
        });
    }

    private static Verb Delete()
    {
        var yes = Confirmation.Yes();
        return new Verb(
            "delete", "Deletes a list with all its tasks.",
            "squall lists delete Home --yes")
        {
            List, yes,
        }.Does(async run =>
        {
            var list = await ListLookup.FindAsync(run, run.Given(List));
            await Confirmation.AskAsync(
                run, yes, $"Delete the list '{Printable.Line(list.Title)}' with all its tasks?");
            await run.Client.Lists.DeleteAsync(list.Id, cancellationToken: run.Cancel);
            run.Output.Deleted(list.Id, $"Deleted {ShortId.Of(list.Id)}  {list.Title}");
        });
    }
}
