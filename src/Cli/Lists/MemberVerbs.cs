using System.CommandLine;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall lists members, share and unshare.</summary>
internal static class MemberVerbs
{
    public static readonly string[] Roles = ["viewer", "worker", "editor", "owner"];
    private static readonly Argument<string> List = new("LIST") { Description = ListLookup.Means };
    private static readonly Argument<string> Username = new("USERNAME") { Description = "The member, by its name." };

    public static Verb Members() => new Verb(
        "members", "Shows who shares a list.",
        "squall lists members Home")
    {
        List,
    }.Does(async run =>
    {
        var id = await ListLookup.IdOfAsync(run, run.Given(List));
        var members = await run.Client.Lists.ListMembersAsync(id, cancellationToken: run.Cancel);
        if (run.Output.IsTerminal)
        {
            run.Output.Styled(Rows.Table(
                ["Username", "Role", "Name"],
                [.. members.Select(member => (Cell[])
                    [new(member.Username), new(ListVerbs.Named(member.Role)), new(member.DisplayName)])],
                wrapped: 2, run.Output.Width));
            return;
        }

        foreach (var member in members)
        {
            run.Output.Row(member, () => [member.Username, ListVerbs.Named(member.Role), member.DisplayName]);
        }
    });

    public static Verb Share()
    {
        var role = new Argument<string>("ROLE")
        {
            Description = $"What the member may do: {string.Join(", ", Roles)}; each all that the ones before it may.",
            HelpName = "ROLE",
        };
        role.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, Roles);
        return new Verb(
            "share", "Makes someone a member of a list, or gives a member another role.",
            "squall lists share Home bob editor")
        {
            List, Username, role,
        }.Does(async run =>
        {
            var id = await ListLookup.IdOfAsync(run, run.Given(List));
            var member = await run.Client.Lists.SetMemberAsync(
                id, run.Given(Username), Enum.Parse<Role>(run.Given(role), ignoreCase: true),
                cancellationToken: run.Cancel);
            run.Output.Result(
                member, () => $"Shared {run.Given(List)} with {member.Username} as {ListVerbs.Named(member.Role)}");
        });
    }

    public static Verb Unshare() => new Verb(
        "unshare", "Takes a member off a list; your own name, or me, leaves it.",
        "squall lists unshare Home bob")
    {
        List, Username,
    }.Does(async run =>
    {
        var id = await ListLookup.IdOfAsync(run, run.Given(List));
        var member = await People.MemberAsync(run, id, run.Given(Username));
        await run.Client.Lists.RemoveMemberAsync(id, member.AccountId, cancellationToken: run.Cancel);
        run.Output.Result(member, () => $"Took {member.Username} off {run.Given(List)}");
    });
}
