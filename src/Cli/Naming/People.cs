using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>Finds members of lists by the names that people know them by.</summary>
internal static class People
{
    /// <summary>No username is as short as this.</summary>
    private const string Me = "me";

    public static async Task<Member> MemberAsync(Invocation run, string listId, string name)
    {
        var members = await run.Client.Lists.ListMembersAsync(listId, cancellationToken: run.Cancel);
        if (name == Me)
        {
            var own = await run.Client.GetAccountAsync(cancellationToken: run.Cancel);
            return members.Single(member => member.AccountId == own.Id);
        }

        return members.FirstOrDefault(member => string.Equals(
                member.Username, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new RefusedException("NOT_FOUND", $"'{name}' is no member of the list: 'squall lists members'.");
    }
}
