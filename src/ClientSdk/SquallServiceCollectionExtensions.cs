using Microsoft.Extensions.Configuration;
using Squall.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Squall clients as singletons: ISquallClient, and SquallClient for its raw clients.</summary>
public static class SquallServiceCollectionExtensions
{
    /// <summary>A client as SQUALL_ENDPOINT and SQUALL_TOKEN say.</summary>
    public static IServiceCollection AddSquallClient(this IServiceCollection services) =>
        services.AddSquallClient(_ => { });

    /// <summary>A client as a section of the configuration says.</summary>
    public static IServiceCollection AddSquallClient(this IServiceCollection services, IConfiguration section) =>
        Add(services, null, _ => SquallClientOptions.FromConfiguration(section));

    /// <summary>A client of the server at an address.</summary>
    public static IServiceCollection AddSquallClient(this IServiceCollection services, Uri endpoint) =>
        services.AddSquallClient(options => options.Endpoint = endpoint);

    /// <summary>A client with options, which start from the environment's unless they name an endpoint.</summary>
    public static IServiceCollection AddSquallClient(
        this IServiceCollection services, Action<SquallClientOptions> configure) =>
        services.AddSquallClient((_, options) => configure(options));

    /// <summary>A client with options that are taken from other services, such as its token store.</summary>
    public static IServiceCollection AddSquallClient(
        this IServiceCollection services, Action<IServiceProvider, SquallClientOptions> configure) =>
        Add(services, null, provider => Configured(options => configure(provider, options)));

    /// <summary>One client of several, to be injected by <c>[FromKeyedServices(name)]</c>.</summary>
    public static IServiceCollection AddKeyedSquallClient(
        this IServiceCollection services, string name, Action<SquallClientOptions> configure) =>
        services.AddKeyedSquallClient(name, (_, options) => configure(options));

    /// <summary>One client of several, with options that are taken from other services.</summary>
    public static IServiceCollection AddKeyedSquallClient(
        this IServiceCollection services, string name, Action<IServiceProvider, SquallClientOptions> configure) =>
        Add(services, name, provider => Configured(options => configure(provider, options)));

    /// <summary>One client of several, as a section of the configuration says.</summary>
    public static IServiceCollection AddKeyedSquallClient(
        this IServiceCollection services, string name, IConfiguration section) =>
        Add(services, name, _ => SquallClientOptions.FromConfiguration(section));

    private static IServiceCollection Add(
        IServiceCollection services, string? name, Func<IServiceProvider, SquallClientOptions> options)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (name is null)
        {
            services.AddSingleton(provider => Make(provider, options));
            return services.AddSingleton<ISquallClient>(provider => provider.GetRequiredService<SquallClient>());
        }

        services.AddKeyedSingleton(name, (provider, _) => Make(provider, options));
        return services.AddKeyedSingleton<ISquallClient>(
            name, (provider, key) => provider.GetRequiredKeyedService<SquallClient>(key));
    }

    private static SquallClientOptions Configured(Action<SquallClientOptions> configure)
    {
        var options = new SquallClientOptions();
        configure(options);
        if (options.Endpoint is null)
        {
            // The token of the environment goes to the endpoint of the environment, and nowhere else.
            options = SquallClientOptions.FromEnvironment();
            configure(options);
        }

        return options;
    }

    private static SquallClient Make(IServiceProvider provider, Func<IServiceProvider, SquallClientOptions> options)
    {
        var made = options(provider);
        if (made.TimeProvider == TimeProvider.System && provider.GetService<TimeProvider>() is { } time)
        {
            made.TimeProvider = time;
        }

        return new SquallClient(made);
    }
}
