using System.Net;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>The limits of failed logins as a caller meets them; addresses are what a trusted proxy says.</summary>
public sealed class LimitLoginTests : IAsyncLifetime
{
    private static readonly string Wrong = Secrets.Password();
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(10);
    private readonly FakeTime _time = new();
    private ServerFixture? _started;

    private ServerFixture Server => _started!;

    public async Task InitializeAsync()
    {
        _started = await ServerFixture.StartAsync(Limited, _time);
        using var client = new Client(Server.Address);
        await client.Accounts.RegisterAccountAsync(new() { Username = "ada", Password = Client.Password });
    }

    public Task DisposeAsync() => Server.DisposeAsync();

    [Fact]
    public async Task Too_many_are_refused_unhashed_with_the_true_wait_whatever_the_password()
    {
        await FailAsync("ada", "192.0.2.1", times: 3);
        long hashes = Server.Get<Passwords>().Hashes;
        TimeSpan wait = await RefusedAsync("ada", "192.0.2.1", Client.Password);
        Assert.Equal(TimeSpan.FromMinutes(15), wait);
        _time.Advance(wait - Tick);
        Assert.Equal(Tick, await RefusedAsync("ada", "192.0.2.1", Wrong));
        Assert.Equal(hashes, Server.Get<Passwords>().Hashes);

        _time.Advance(Tick);
        await LoginAsync("ada", "192.0.2.1", Client.Password);
    }

    [Fact]
    public async Task Several_addresses_of_one_64_of_IPv6_are_one()
    {
        for (int at = 0; at < 5; at++)
        {
            await FailAsync($"name{at}", $"2001:db8:1:2::{at}");
        }

        await RefusedAsync("ada", "2001:db8:1:2:ffff::6", Client.Password);
        await LoginAsync("ada", "2001:db8:1:3::6", Client.Password);
    }

    [Fact]
    public async Task No_stranger_keeps_an_account_out_of_where_it_is_used_also_after_a_restart()
    {
        await LoginAsync("ada", "198.51.100.7", Client.Password);
        await Server.RestartAsync();
        await FailAsync("ada", "192.0.2.1", times: 3);
        await FailAsync("ada", "192.0.2.2", times: 1);
        await RefusedAsync("ada", "192.0.2.3", Client.Password);
        await LoginAsync("ada", "198.51.100.7", Client.Password);

        // It is forgotten after 30 days, and where it was is not kept.
        _time.Advance(TimeSpan.FromDays(30));
        await Server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Empty(await Server.Get<Store>().ReadAsync(db => db.Places.ToArray(), CancellationToken.None));
        await FailAsync("ada", "192.0.2.1", times: 3);
        await FailAsync("ada", "192.0.2.2", times: 1);
        await RefusedAsync("ada", "198.51.100.7", Client.Password);
    }

    [Fact]
    public async Task The_limiter_tells_nobody_who_exists()
    {
        Assert.Equal(await TranscriptAsync("ada"), await TranscriptAsync("no.such.name"));
    }

    [Fact]
    public async Task A_limiter_that_tells_who_exists_is_caught()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(
            Limited, _time, services => services.AddGrpc(grpc => grpc.Interceptors.Add<ForgetsUnknownNames>()));
        using var client = new Client(server.Address);
        await client.Accounts.RegisterAccountAsync(new() { Username = "ada", Password = Client.Password });
        Assert.NotEqual(await TranscriptAsync("ada", server), await TranscriptAsync("no.such.name", server));
    }

    [Fact]
    public async Task What_an_untrusted_proxy_says_is_not_believed_and_its_calls_are_not_exempt()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(
            options =>
            {
                Limited(options);
                options.TrustedProxies = [];
                options.LimitLoopback = false;
            },
            _time);
        for (int at = 0; at < 3; at++)
        {
            await FailAsync("ada", $"192.0.2.{at}", server: server);
        }

        await RefusedAsync("ada", "192.0.2.9", Wrong, server);
        using var client = new Client(server.Address);
        for (int at = 0; at < 4; at++)
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
                await client.Auth.LoginAsync(new() { Username = "ada", Password = Wrong }));
        }
    }

    [Fact]
    public async Task Registrations_are_counted_whether_or_not_the_name_is_taken()
    {
        using var client = new Client(Server.Address);
        for (int at = 0; at < 2; at++)
        {
            await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", () => RegisterAsync("ada"));
        }

        await Refusal.AssertAsync(StatusCode.InvalidArgument, "USERNAME_FORMAT", "username", () => RegisterAsync("?"));
        RpcException refused = await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_REGISTRATIONS", () => RegisterAsync("eve"));
        Assert.Equal(TimeSpan.FromHours(1), WaitOf(refused));
        _time.Advance(TimeSpan.FromHours(1));
        await RegisterAsync("eve");

        Task RegisterAsync(string username) => client.Accounts.RegisterAccountAsync(
            new() { Username = username, Password = Client.Password }, From("192.0.2.1")).ResponseAsync;
    }

    [Fact]
    public async Task Whoever_holds_a_session_guesses_no_more_often_and_where_it_was_goes_with_the_account()
    {
        Tokens tokens = await LoginAsync("ada", "192.0.2.1", Client.Password);
        Metadata headers = From("192.0.2.1");
        headers.Add("authorization", $"Bearer {tokens.AccessToken}");
        using var client = new Client(Server.Address);
        for (int at = 0; at < 3; at++)
        {
            await Refusal.AssertAsync(StatusCode.PermissionDenied, "PASSWORD_WRONG", () => DeleteAsync(Wrong));
        }

        await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS", () => DeleteAsync(Client.Password));
        await RefusedAsync("ada", "192.0.2.1", Client.Password);
        _time.Advance(TimeSpan.FromMinutes(15));
        headers[^1] = new("authorization",
            $"Bearer {(await LoginAsync("ada", "192.0.2.1", Client.Password)).AccessToken}");
        await DeleteAsync(Client.Password);
        Assert.Empty(await Server.Get<Store>().ReadAsync(db => db.Places.ToArray(), CancellationToken.None));

        Task DeleteAsync(string password) =>
            client.Accounts.DeleteAccountAsync(new() { Password = password }, headers).ResponseAsync;
    }

    private static void Limited(ServerOptions options)
    {
        options.LimitLoopback = true;
        options.ClearTextTokens = true;
        options.TrustedProxies = [new IPNetwork(IPAddress.Loopback, 32)];
        options.Limits.AccountAddressFailuresMax = 3;
        options.Limits.AccountFailuresMax = 4;
        options.Limits.AddressFailuresMax = 5;
        options.Limits.AddressRegistrationsMax = 2;
    }

    /// <summary>Everything that is told to whoever guesses at a name: from here and there, sooner and later.</summary>
    private async Task<string> TranscriptAsync(string username, ServerFixture? server = null)
    {
        var told = new List<string>();
        foreach (string address in (string[])["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1",
            "192.0.2.3", "2001:db8::1"])
        {
            await TryAsync(username, address);
        }

        await TryAsync("someone.else", "192.0.2.1");
        _time.Advance(TimeSpan.FromMinutes(15));
        await TryAsync(username, "192.0.2.1");
        _time.Advance(TimeSpan.FromMinutes(45));
        await TryAsync(username, "192.0.2.1");
        _time.Advance(TimeSpan.FromHours(2));
        return string.Join('\n', told);

        async Task TryAsync(string name, string address)
        {
            using var client = new Client((server ?? Server).Address);
            long hashes = (server ?? Server).Get<Passwords>().Hashes;
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.Auth.LoginAsync(
                new() { Username = name, Password = Wrong }, From(address)));
            told.Add($"{refused.Status} {(server ?? Server).Get<Passwords>().Hashes - hashes} "
                + Convert.ToHexString(refused.Trailers.GetValueBytes("grpc-status-details-bin")!));
        }
    }

    private async Task FailAsync(string username, string address, int times = 1, ServerFixture? server = null)
    {
        for (int at = 0; at < times; at++)
        {
            await Refusal.AssertAsync(
                StatusCode.Unauthenticated, "CREDENTIALS_WRONG", () => LoginAsync(username, address, Wrong, server));
        }
    }

    private async Task<TimeSpan> RefusedAsync(
        string username, string address, string password, ServerFixture? server = null) =>
        WaitOf(await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS",
            () => LoginAsync(username, address, password, server)));

    private async Task<Tokens> LoginAsync(
        string username, string address, string password, ServerFixture? server = null)
    {
        using var client = new Client((server ?? Server).Address);
        LoginResponse login = await client.Auth.LoginAsync(
            new() { Username = username, Password = password }, From(address));
        return login.Tokens;
    }

    private static Metadata From(string address) => new() { { "x-forwarded-for", address } };

    private static TimeSpan WaitOf(RpcException refused) =>
        Refusal.Detail<RetryInfo>(refused)!.RetryDelay.ToTimeSpan();

    /// <summary>The fault: of a name that nobody has, no failure is counted.</summary>
    private sealed class ForgetsUnknownNames(Store store, Passwords passwords) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            if (request is LoginRequest login && !await store.ReadAsync(
                db => db.Accounts.Any(account => account.Username == login.Username), context.CancellationToken))
            {
                await passwords.VerifyAsync(null, login.Password, context.CancellationToken);
                throw Fault.Unauthenticated(
                    "CREDENTIALS_WRONG", "There is no account with this username and password.");
            }

            return await continuation(request, context);
        }
    }
}
