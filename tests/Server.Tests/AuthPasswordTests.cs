using System.Security.Cryptography;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What a password may be, and what checking one costs.</summary>
public sealed class AuthPasswordTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public AuthPasswordTests(ServerFixture server) => _server = server;

    [Theory]
    [InlineData("twelve.chars")]
    [InlineData("\0\u0007\u0085 control \r\n")]
    [InlineData("noncharacters \uFFFE\uFFFF \uFDD0")]
    [InlineData("😀🚀🌵🎈🐙🍕🎻🧊🪁🛶🦔🌋")]
    [InlineData("e\u0301 comes in two spellings")]
    [InlineData(" \t \u2028 \u200B \r\n\v \t")]
    public async Task A_password_is_12_to_1024_characters_of_any_kind(string password)
    {
        using var client = new Client(_server.Address);
        string username = $"any.{Guid.NewGuid():N}"[..20];
        await client.Accounts.RegisterAccountAsync(new() { Username = username, Password = password });
        await client.Auth.LoginAsync(new() { Username = username, Password = password });
        await AssertWrongAsync(client, username, password + "x");
        await AssertWrongAsync(client, username, password[..^1] + "x");
    }

    [Theory]
    [InlineData(12, true)]
    [InlineData(11, false)]
    [InlineData(1_024, true)]
    [InlineData(1_025, false)]
    public async Task Characters_are_counted_as_code_points(int characters, bool taken)
    {
        using var client = new Client(_server.Address);
        Task<RegisterAccountResponse> RegisterAsync() => client.Accounts.RegisterAccountAsync(new()
        {
            Username = $"count.{characters}",
            Password = string.Concat(Enumerable.Range(0x1_F300, characters).Select(char.ConvertFromUtf32)),
        }).ResponseAsync;
        if (taken)
        {
            await RegisterAsync();
            return;
        }

        string reason = characters < 12 ? "FIELD_TOO_SHORT" : "FIELD_TOO_LONG";
        await Refusal.AssertAsync(StatusCode.InvalidArgument, reason, "password", () => RegisterAsync());
    }

    [Fact]
    public async Task Two_spellings_of_the_same_characters_are_one_password()
    {
        using var client = new Client(_server.Address);
        await client.Accounts.RegisterAccountAsync(
            new() { Username = "speller", Password = "caf\u00E9 and \uFB01ne wine" });
        await client.Auth.LoginAsync(new() { Username = "speller", Password = "cafe\u0301 and fine wine" });
    }

    [Fact]
    public async Task An_unknown_name_a_wrong_password_and_an_account_without_one_are_answered_alike()
    {
        using Client without = await Client.SignInAsync(_server, "has.no.password", hasPassword: false);
        await without.Accounts.RegisterAccountAsync(new() { Username = "has.one", Password = Client.Password });
        Passwords passwords = _server.Get<Passwords>();
        var answers = new List<(string Detail, string Details, long Hashes)>();
        foreach (string username in (string[])["no.such.name", "has.one", "has.no.password"])
        {
            long before = passwords.Hashes;
            RpcException refused = await AssertWrongAsync(without, username, Secrets.Password());
            string details = Convert.ToHexString(refused.Trailers.GetValueBytes("grpc-status-details-bin")!);
            answers.Add((refused.Status.Detail, details, passwords.Hashes - before));
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(1, answers[0].Hashes);
    }

    [Fact]
    public async Task Of_two_that_register_one_name_at_once_one_gets_it()
    {
        using var client = new Client(_server.Address);
        int taken = 0;
        RegisterAccountResponse?[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                return await client.Accounts.RegisterAccountAsync(
                    new() { Username = "wanted", Password = Client.Password });
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.AlreadyExists)
            {
                Interlocked.Increment(ref taken);
                return null;
            }
        }));
        Assert.Single(answers.OfType<RegisterAccountResponse>());
        Assert.Equal(3, taken);
    }

    [Fact]
    public async Task Few_passwords_are_checked_at_a_time_few_wait_and_the_rest_are_refused_unhashed()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(options =>
        {
            options.Limits.HashesAtOnceMax = 1;
            options.Limits.HashesWaitingMax = 2;
        });
        using var client = new Client(server.Address);
        RpcException[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(at =>
            Assert.ThrowsAsync<RpcException>(async () => await client.Auth.LoginAsync(
                new() { Username = $"nobody{at}", Password = Secrets.Password() }))));

        RpcException[] refused = [.. answers.Where(answer => answer.StatusCode == StatusCode.ResourceExhausted)];
        Assert.InRange(refused.Length, 1, 37);
        Assert.Equal(40 - refused.Length, server.Get<Passwords>().Hashes);
        Assert.Equal(
            40 - refused.Length, answers.Count(answer => answer.StatusCode == StatusCode.Unauthenticated));
        Assert.All(refused, answer =>
        {
            Assert.Equal("HASHING_BUSY", Refusal.Of(answer).Reason);
            Assert.True(Refusal.Detail<Google.Rpc.RetryInfo>(answer)!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        });
        await AssertWrongAsync(client, "nobody", Secrets.Password());
    }

    [Fact]
    public async Task A_password_that_is_easy_to_guess_is_refused_wherever_one_is_chosen()
    {
        using Client client = await Client.SignInAsync(_server, "grace.hopper");
        long before = _server.Get<Passwords>().Hashes;
        foreach (string weak in (string[])["1qaz2wsx3edc", "Summer2024!!", "gracehopper1906"])
        {
            await Refusal.AssertAsync(StatusCode.InvalidArgument, "PASSWORD_WEAK", "new_password", async () =>
                await client.Accounts.ChangePasswordAsync(
                    new() { CurrentPassword = Client.Password, NewPassword = weak }, client.Headers));
            await Refusal.AssertAsync(StatusCode.InvalidArgument, "PASSWORD_WEAK", "password", async () =>
                await client.Accounts.RegisterAccountAsync(
                    new() { Username = "another.name", DisplayName = "Grace Hopper", Password = weak }));
        }

        Assert.Equal(before, _server.Get<Passwords>().Hashes);
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_is_raised_by_the_next_login_that_knows_the_password()
    {
        using Client client = await Client.SignInAsync(_server, "registered.long.ago");
        byte[] salt = new byte[16];
        byte[] hash = Rfc2898DeriveBytes.Pbkdf2(Client.Password, salt, 1_000, HashAlgorithmName.SHA512, 64);
        string old = $"pbkdf2-sha512$1000${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}";
        await _server.Get<Journal>().RunAsync(
            scope => scope.Db.Accounts.Single(row => row.Id == client.Account.Id).PasswordHash = old,
            null, 0, CancellationToken.None);

        await AssertWrongAsync(client, "registered.long.ago", Secrets.Password());
        Assert.Equal(old, await StoredAsync());
        await Task.WhenAll(LoginAsync(), LoginAsync());
        string raised = await StoredAsync();
        Assert.StartsWith("pbkdf2-sha512$210000$", raised, StringComparison.Ordinal);
        long before = _server.Get<Passwords>().Hashes;
        await LoginAsync();
        Assert.Equal((raised, before + 1), (await StoredAsync(), _server.Get<Passwords>().Hashes));
        await AssertWrongAsync(client, "registered.long.ago", Secrets.Password());

        Task LoginAsync() => client.Auth.LoginAsync(
            new() { Username = "registered.long.ago", Password = Client.Password }).ResponseAsync;

        async Task<string> StoredAsync() => (await _server.Get<Store>().ReadAsync(
            db => db.Accounts.Single(row => row.Id == client.Account.Id).PasswordHash, CancellationToken.None))!;
    }

    private static Task<RpcException> AssertWrongAsync(Client client, string username, string password) =>
        Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
            await client.Auth.LoginAsync(new() { Username = username, Password = password }));
}
