namespace Squall.Server;

/// <summary>What notifications register, and where they stand in the order of memory.</summary>
internal static class NotificationWiring
{
    public static void AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<Tail>();
        services.AddSingleton<Bell>();
        services.AddSingleton<CatchUp>();
        services.AddSingleton<JournalPages>();
        services.AddSingleton<Subscriptions>();
        services.AddSingleton<NotificationRpcs>();
    }

    /// <summary>
    /// Begins at the end of the journal, which has started. Called after all else that follows commits: what the tail
    /// has, memory knows.
    /// </summary>
    public static void StartNotifications(this IServiceProvider services, Journal journal)
    {
        Tail tail = services.GetRequiredService<Tail>();
        tail.Start(journal.End);
        journal.Committed += services.GetRequiredService<Subscriptions>().Apply;
        journal.Committed += tail.Append;
        journal.Committed += services.GetRequiredService<CatchUp>().Follow;
        journal.Committed += services.GetRequiredService<Bell>().Ring;
    }
}
