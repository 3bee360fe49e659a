using Squall.Client;

namespace Squall.Cli;

/// <summary>What lists and members are called, as far as was asked; what is not known goes by its short id.</summary>
internal sealed class Names(Invocation run)
{
    private readonly Dictionary<string, string> lists = [];
    private readonly Dictionary<string, Dictionary<string, string>> members = [];

    public string OfList(string id) => lists.GetValueOrDefault(id) ?? ShortId.Of(id);

    /// <summary>Empty: nobody.</summary>
    public string OfMember(string listId, string accountId) =>
        members.GetValueOrDefault(listId)?.GetValueOrDefault(accountId) ?? ShortId.Of(accountId);

    public async Task LearnListsAsync()
    {
        foreach (var list in await ListLookup.AllAsync(run))
        {
            lists[list.Id] = list.Title;
        }
    }

    public void LearnList(string id, string title) => lists[id] = title;

    /// <summary>Asks who the members are, once; someone unknown is a reason to ask again.</summary>
    public async Task LearnMembersAsync(string listId, string accountId)
    {
        if (accountId.Length == 0 || members.GetValueOrDefault(listId)?.ContainsKey(accountId) == true)
        {
            return;
        }

        var known = members[listId] = members.GetValueOrDefault(listId) ?? [];
        // Whoever is no member any more stays unknown, and is not asked for again.
        known[accountId] = ShortId.Of(accountId);
        try
        {
            foreach (var member in await run.Client.Lists.ListMembersAsync(listId, cancellationToken: run.Cancel))
            {
                known[member.AccountId] = member.Username;
            }
        }
        catch (SquallException)
        {
            // A name is not worth a failure.
        }
    }
}
