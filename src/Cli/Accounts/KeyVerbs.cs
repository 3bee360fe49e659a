using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall keys: the API keys with which programs call in one's name.</summary>
internal static class KeyVerbs
{
    public static Verb Keys() => new Verb(
        "keys", "Shows your API keys, or with a further word makes and ends them.",
        "squall keys")
    {
        Create(), List(), Revoke(),
    }.Does(ShowAsync);

    private static Verb List() => new Verb(
        "list", "Shows your API keys, without their secrets.",
        "squall keys list").Does(ShowAsync);

    private static async Task ShowAsync(Invocation run)
    {
        var keys = await run.Client.Access.ListKeysAsync(cancellationToken: run.Cancel);
        if (!run.Output.IsTerminal)
        {
            foreach (var key in keys)
            {
                run.Output.Row(key, () => [ShortId.Of(key.Id), .. Facts(run, key), key.Title]);
            }
        }
        else if (keys.Count == 0)
        {
            run.Output.Note("There are no API keys yet: 'squall keys create TITLE --role ROLE' makes one.");
        }
        else
        {
            run.Output.Styled(Rows.Table(
                ["Id", "Role", "Lists", "Expires", "Last used", "Title"],
                [.. keys.Select(key => (Cell[])
                [
                    Cell.Id(key.Id), .. Facts(run, key).Select(fact => new Cell(fact)), new(key.Title),
                ])],
                wrapped: 5, run.Output.Width));
        }
    }

    private static string[] Facts(Invocation run, ApiKey key) =>
    [
        ListVerbs.Named(key.Role),
        key.TaskListIds.Count == 0 ? "all" : string.Join(' ', key.TaskListIds.Select(ShortId.Of)),
        key.ExpireTime is { } end ? DueTime.Text(end.ToDateTimeOffset(), run.Time) : "never",
        ShowVerb.At(run, key.LastUseTime),
    ];

    private static Verb Create()
    {
        var title = Words.Argument("TITLE", "What the key is for.");
        var role = new Option<string>("--role")
        {
            Description = $"The highest role that it is given on any list: {string.Join(", ", MemberVerbs.Roles)}.",
            HelpName = "ROLE",
            Required = true,
        };
        role.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, MemberVerbs.Roles);
        var lists = new Option<string[]>("--list")
        {
            Description = "A list that it reaches, and no others; may be given again. All lists, if it is left out.",
            HelpName = "LIST",
        };
        var expires = new Option<string?>("--expires")
        {
            Description = $"When it expires: {DueTime.Forms}.",
            HelpName = "TIME",
        };
        return new Verb(
            "create", "Creates an API key and shows its secret, this once.",
            "squall keys create Nightly builds --role editor --list Home --expires +90d")
        {
            title, role, lists, expires,
        }.Does(async run =>
        {
            var key = new ApiKey
            {
                Title = Words.Of(run.Given(title)),
                Role = System.Enum.Parse<Role>(run.Given(role)!, ignoreCase: true),
                ExpireTime = ExpireTime(run, run.Given(expires)),
            };
            foreach (var list in run.Given(lists) ?? [])
            {
                key.TaskListIds.Add(await ListLookup.IdOfAsync(run, list));
            }

            var made = await run.Client.Access.CreateKeyAsync(key, cancellationToken: run.Cancel);
            run.Output.Result(made, () => made.Secret);
            run.Output.Note($"Created {ShortId.Of(made.ApiKey.Id)}  {key.Title}; its secret is not shown again.");
        });
    }

    private static Verb Revoke()
    {
        var which = new Argument<string>("KEY")
        {
            Description = "An API key: its id, or the end of its id as it is printed.",
        };
        return new Verb(
            "revoke", "Ends an API key.",
            "squall keys revoke 4f3a91c2")
        {
            which,
        }.Does(async run =>
        {
            var keys = await run.Client.Access.ListKeysAsync(cancellationToken: run.Cancel);
            var id = ShortId.Only("key", run.Given(which), keys.Select(key => (key.Id, key.Title)));
            await run.Client.Access.RevokeKeyAsync(id, cancellationToken: run.Cancel);
            run.Output.Deleted(id, $"Ended the key {ShortId.Of(id)}");
        });
    }

    private static Timestamp? ExpireTime(Invocation run, string? given)
    {
        DateTimeOffset? time = null;
        return given is null || DueTime.TryParse(given, run.Time, out time)
            ? time?.ToTimestamp()
            : throw new UsageException($"'{given}' is no time: give {DueTime.Forms}.");
    }
}
