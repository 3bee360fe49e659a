namespace Squall.Server;

/// <summary>What storage registers, and how it starts.</summary>
internal static class StorageWiring
{
    public static void AddStorage(this IServiceCollection services)
    {
        services.AddSingleton(provider => new Store(
            provider.GetRequiredService<StateDirectory>().Database, provider.GetRequiredService<ILogger<Store>>()));
        services.AddSingleton<Journal>();
        services.AddSingleton<Retention>();
        services.AddHostedService(provider => provider.GetRequiredService<Retention>());
        services.AddSingleton<Upkeep>();
        services.AddHostedService(provider => provider.GetRequiredService<Upkeep>());
    }

    /// <summary>Opens the database: what is committed from here on is looked at for what is too much.</summary>
    public static Journal StartStorage(this IServiceProvider services)
    {
        Journal journal = services.GetRequiredService<Journal>();
        journal.Start();
        journal.Committed += services.GetRequiredService<Retention>().Apply;
        return journal;
    }
}
