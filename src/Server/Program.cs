namespace Squall.Server;

/// <summary>The table of contents: what the server consists of, a line a feature.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => Launch.RunAsync(args);

    /// <summary>What each feature registers.</summary>
    public static void Add(IServiceCollection services, ServerOptions options)
    {
        services.AddRpc(options);
        services.AddStorage();
        services.AddSingleton<GreeterRpcs>();
        services.AddAccounts();
        services.AddTasks();
        services.AddNotifications();
    }

    /// <summary>
    /// What is read before the first call: the journal, then memory, then the tail; each commit goes the same way.
    /// </summary>
    public static async Task LoadAsync(IServiceProvider services)
    {
        Journal journal = services.StartStorage();
        await services.LoadAccountsAsync(journal);
        services.LoadTasks(journal);
        services.StartNotifications(journal);
    }

    /// <summary>What each feature serves.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapProbes();
        routes.MapGreetingPage();
        routes.MapGrpcService<GreeterRpcs>();
        routes.MapAccounts();
        routes.MapTasks();
        routes.MapGrpcService<NotificationRpcs>();
        routes.MapGrpcService<WorkRpcs>();
    }
}
