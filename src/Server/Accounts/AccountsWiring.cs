namespace Squall.Server;

/// <summary>What accounts register, and what they read before the first call.</summary>
internal static class AccountsWiring
{
    /// <summary>What a provider may answer with.</summary>
    private const int ProviderBytesMax = 1 << 20;

    public static void AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton<Memberships>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<SessionChanges>();
        services.AddSingleton<SessionUpkeep>();
        services.AddHostedService(provider => provider.GetRequiredService<SessionUpkeep>());
        services.AddSingleton<AuditLog>();
        services.AddSingleton<AuditTrail>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditTrail>());
        services.AddSingleton<AuditRetention>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<KeyUses>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<Origins>();
        services.AddSingleton<Attempts>();
        services.AddSingleton<Places>();
        services.AddSingleton<AccountCommands>();
        services.AddSingleton<AuditList>();
        services.AddSingleton<OperatorCommands>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton(_ => new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            MaxResponseContentBufferSize = ProviderBytesMax,
        });
        services.AddHostedService<OperatorSocket>();
        services.AddSingleton<RequestRates>();
        services.AddSingleton<Mutations>();
        services.AddSingleton<Gate>();
        services.AddSingleton<AuthRpcs>();
        services.AddSingleton<AccountRpcs>();
    }

    /// <summary>
    /// Reads what is kept in memory, and keeps it up to date: ahead of whatever else is told of commits.
    /// </summary>
    public static async Task LoadAccountsAsync(this IServiceProvider services, Journal journal)
    {
        if (Needs.Gaps().ToArray() is { Length: > 0 } gaps)
        {
            throw new InvalidOperationException(
                $"{nameof(Needs)} and the contract differ in {string.Join(", ", gaps)}.");
        }

        Memberships memberships = services.GetRequiredService<Memberships>();
        await memberships.LoadAsync(CancellationToken.None);
        journal.Committed += memberships.Apply;
        journal.Committed += services.GetRequiredService<Sessions>().Apply;
        journal.Recorded += services.GetRequiredService<AuditLog>().Tell;
    }

    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<AuthRpcs>();
        routes.MapGrpcService<AccountRpcs>();
    }
}
