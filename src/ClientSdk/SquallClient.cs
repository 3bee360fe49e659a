using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// A server, as an application sees it. Making one connects to nothing; keep it and share it. It owns its connections.
/// </summary>
public sealed class SquallClient : ISquallClient, IDisposable
{
    private readonly SquallClientOptions options;
    private readonly Connections connections;
    private readonly TokenKeeper tokens;
    private readonly Answers answers;

    /// <summary>A client of the server at an address such as http://localhost:7080.</summary>
    public SquallClient(string endpoint)
        : this(new SquallClientOptions { Endpoint = SquallClientOptions.Address(endpoint, "Endpoint") })
    {
    }

    /// <summary>A client of the server at an address.</summary>
    public SquallClient(Uri endpoint)
        : this(new SquallClientOptions { Endpoint = endpoint })
    {
    }

    /// <summary>A client with options; ArgumentException if they cannot be used.</summary>
    public SquallClient(SquallClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options.Checked();
        connections = new Connections(this.options);
        answers = new Answers(this.options.TimeProvider);
        var budget = new RetryBudget(this.options.TimeProvider);
        var auth = new AuthService.AuthServiceClient(
            connections.Intercept(new CallPipeline(this.options, budget, tokens: null)));
        tokens = new TokenKeeper(this.options, new TokenRenewal(this.options, connections, auth));
        Raw = new RawClients(connections.Intercept(new CallPipeline(this.options, budget, tokens)));
        Lists = new TaskListCalls(Raw.TaskLists, answers);
        Tasks = new TaskCalls(Raw.Tasks, answers);
        Access = new AccessCalls(Raw, tokens, answers);
    }

    /// <summary>The generated clients, over the same connections, tokens, deadlines and retries.</summary>
    public RawClients Raw { get; }

    /// <inheritdoc/>
    public ITaskLists Lists { get; }

    /// <inheritdoc/>
    public ITasks Tasks { get; }

    /// <inheritdoc/>
    public IAccess Access { get; }

    /// <inheritdoc/>
    public Task<SayHelloResponse> ConnectAsync(CancellationToken cancellationToken = default) =>
        SayHelloAsync("", null, cancellationToken);

    /// <inheritdoc/>
    public Task<SayHelloResponse> SayHelloAsync(
        string name = "", CallSettings? settings = null, CancellationToken cancellationToken = default) =>
        answers.OfAsync(
            call => Raw.Greeter.SayHelloAsync(new SayHelloRequest { Name = name }, call), answer => answer,
            settings, cancellationToken);

    /// <inheritdoc/>
    public Task<Account> RegisterAsync(
        string username, string password, string displayName = "", CallSettings? settings = null,
        CancellationToken cancellationToken = default)
    {
        var request = new RegisterAccountRequest
        {
            Username = username,
            Password = password,
            DisplayName = displayName,
        };
        return answers.OfAsync(
            call => Raw.Accounts.RegisterAccountAsync(request, call), answer => answer.Account,
            settings, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Account> LoginAsync(
        string username, string password, CallSettings? settings = null,
        CancellationToken cancellationToken = default)
    {
        if (options.Token is not null)
        {
            throw new InvalidOperationException("This client was given a token: it does not log in.");
        }

        var request = new LoginRequest { Username = username, Password = password };
        var answer = await answers.OfAsync(
            call => Raw.Auth.LoginAsync(request, call), answer => answer, settings, cancellationToken)
            .ConfigureAwait(false);
        await tokens.SetAsync(SessionTokens.From(answer.Tokens), answer.Account.Id, cancellationToken)
            .ConfigureAwait(false);
        return answer.Account;
    }

    /// <inheritdoc/>
    public async Task LogoutAsync(CallSettings? settings = null, CancellationToken cancellationToken = default)
    {
        try
        {
            await answers.OfAsync(
                call => Raw.Auth.LogoutAsync(new LogoutRequest(), call), answer => answer, settings, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (SquallUnauthenticatedException)
        {
            // The session had ended already, which is what was asked for.
        }

        await tokens.SetAsync(null, null, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<Account> GetAccountAsync(
        CallSettings? settings = null, CancellationToken cancellationToken = default) =>
        answers.OfAsync(
            call => Raw.Accounts.GetAccountAsync(new GetAccountRequest(), call), answer => answer.Account,
            settings, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<SubscriptionEvent> SubscribeAsync(
        SubscribeSettings? settings = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var subscription = new Subscription(
            options, connections, tokens, Raw.Notifications, settings ?? new SubscribeSettings());
        while (true)
        {
            yield return await subscription.NextAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public LiveTasks WatchTasks(string filter = "", LiveTasksSettings? settings = null) =>
        new(this, filter, settings, options.TimeProvider);

    /// <inheritdoc/>
    public PagedItems<SubscriptionEvent> ListNotifications(
        string filter = "", string after = "", int pageSize = 0, CallSettings? settings = null) =>
        new((token, cancellationToken) =>
        {
            var from = token.Length > 0 ? token : after;
            var request = new ListNotificationsRequest { Filter = filter, After = from, PageSize = pageSize };
            return answers.OfAsync(
                call => Raw.Notifications.ListNotificationsAsync(request, call),
                answer => Subscription.Past(answer, from), settings, cancellationToken, from);
        });

    /// <summary>Ends the calls that are under way and closes the connections.</summary>
    public void Dispose() => connections.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
