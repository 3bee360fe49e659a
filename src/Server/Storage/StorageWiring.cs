namespace Squall.Server;

/// <summary>What storage registers.</summary>
internal static class StorageWiring
{
    public static void AddStorage(this IServiceCollection services)
    {
        services.AddSingleton(provider => new Store(provider.GetRequiredService<StateDirectory>().Database));
        services.AddSingleton<Journal>();
        services.AddSingleton<Upkeep>();
        services.AddHostedService(provider => provider.GetRequiredService<Upkeep>());
    }
}
