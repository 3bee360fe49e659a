using System.CommandLine;

namespace Squall.Cli;

/// <summary>squall sessions, and the end of one.</summary>
internal static class SessionVerbs
{
    public static Verb Sessions() => new Verb(
        "sessions", "Shows where you are logged in, or with a further word ends a session.",
        "squall sessions")
    {
        Revoke(),
    }.Does(async run =>
    {
        var sessions = await run.Client.Access.ListSessionsAsync(cancellationToken: run.Cancel);
        if (!run.Output.IsTerminal)
        {
            foreach (var session in sessions)
            {
                run.Output.Row(session, () => [ShortId.Of(session.Id), .. Facts()]);
                string[] Facts() =>
                [
                    session.Current ? "this one" : "", ShowVerb.At(run, session.LastUseTime),
                    ShowVerb.At(run, session.CreateTime), session.UserAgent,
                ];
            }

            return;
        }

        run.Output.Styled(Rows.Table(
            ["Id", "", "Last used", "Since", "With"],
            [.. sessions.Select(session => (Cell[])
            [
                Cell.Id(session.Id), new(session.Current ? "this one" : ""), new(ShowVerb.At(run, session.LastUseTime)),
                new(ShowVerb.At(run, session.CreateTime)), new(session.UserAgent),
            ])],
            wrapped: 4, run.Output.Width));
    });

    private static Verb Revoke()
    {
        var which = new Argument<string>("SESSION")
        {
            Description = "A session: its id, or the end of its id as it is printed.",
        };
        return new Verb(
            "revoke", "Ends one of your sessions.",
            "squall sessions revoke 4f3a91c2")
        {
            which,
        }.Does(async run =>
        {
            var sessions = await run.Client.Access.ListSessionsAsync(cancellationToken: run.Cancel);
            var id = ShortId.Only(
                "session", run.Given(which), sessions.Select(session => (session.Id, session.UserAgent)));
            await run.Client.Access.RevokeSessionAsync(id, cancellationToken: run.Cancel);
            run.Output.Deleted(id, $"Ended the session {ShortId.Of(id)}");
        });
    }
}
