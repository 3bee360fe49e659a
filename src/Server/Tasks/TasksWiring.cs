namespace Squall.Server;

/// <summary>What lists and tasks register, and what clears away after them.</summary>
internal static class TasksWiring
{
    public static void AddTasks(this IServiceCollection services)
    {
        services.AddSingleton<TaskUpkeep>();
        services.AddSingleton<TaskListRpcs>();
        services.AddSingleton<TaskRpcs>();
        services.AddHostedService(provider => provider.GetRequiredService<TaskUpkeep>());
    }

    public static void LoadTasks(this IServiceProvider services, Journal journal) =>
        journal.Committed += services.GetRequiredService<TaskUpkeep>().Apply;

    public static void MapTasks(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<TaskListRpcs>();
        routes.MapGrpcService<TaskRpcs>();
    }
}
