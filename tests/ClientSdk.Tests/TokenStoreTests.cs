using System.Diagnostics;
using Squall.Server.Tests;

namespace Squall.Client.Tests;

/// <summary>A session in a file, of one process or of several.</summary>
public sealed class TokenStoreTests : IAsyncLifetime
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly SessionTokens Some = new(
        "sqa_some", new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_560),
        "sqr_some", new DateTimeOffset(2026, 12, 22, 12, 0, 0, TimeSpan.Zero));

    private readonly string folder = Directory.CreateTempSubdirectory("squall-store-").FullName;
    private readonly FakeTime time = new();
    private readonly World world;

    public TokenStoreTests() => world = new World(null, time);

    private string File => Path.Combine(folder, "deep", "session.json");

    public Task InitializeAsync() => world.InitializeAsync();

    public async Task DisposeAsync()
    {
        await world.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_is_saved_is_loaded_and_only_its_user_can_read_it()
    {
        var store = new FileTokenStore(File);
        Assert.Null(await store.LoadAsync(default));
        await store.SaveAsync(Some, default);
        Assert.Equal(Some, await new FileTokenStore(File).LoadAsync(default));
        Assert.Equal(Private, System.IO.File.GetUnixFileMode(File));
        Assert.Equal(Private | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
        await store.SaveAsync(null, default);
        Assert.False(System.IO.File.Exists(File));
        await store.SaveAsync(null, default);
    }

    [Fact]
    public async Task What_a_crash_left_readable_does_not_make_the_session_readable()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync(File + ".next", "left");
        System.IO.File.SetUnixFileMode(File + ".next", Private | UnixFileMode.OtherRead | UnixFileMode.GroupRead);
        await new FileTokenStore(File).SaveAsync(Some, default);
        Assert.Equal(Private, System.IO.File.GetUnixFileMode(File));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"access_token\":\"sqa_secret\"")]
    [InlineData("{\"access_token\":\"sqa_secret\"}")]
    [InlineData("[\"sqa_secret\"]")]
    [InlineData("{\"access_token\":null,\"access_expire_time\":\"sqa_secret\"}")]
    public async Task A_file_that_holds_no_session_is_named_and_not_quoted(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync(File, text);
        var client = world.Client(options => options.TokenStore = new FileTokenStore(File));
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => client.GetAccountAsync());
        Assert.Contains(File, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sqa_secret", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_never_sees_half_a_session()
    {
        var store = new FileTokenStore(File);
        await store.SaveAsync(Some, default);
        var writing = Task.Run(async () =>
        {
            for (var count = 0; count < 200; count++)
            {
                await store.SaveAsync(Some with { AccessToken = $"sqa_{new string('x', count * 50)}" }, default);
            }
        });
        while (!writing.IsCompleted)
        {
            Assert.StartsWith("sqa_", (await store.LoadAsync(default))!.AccessToken, StringComparison.Ordinal);
        }

        await writing;
    }

    [Fact]
    public async Task A_later_process_goes_on_with_the_session()
    {
        var first = world.Client(options => options.TokenStore = new FileTokenStore(File));
        await first.RegisterAsync("keeper", World.Password);
        await first.LoginAsync("keeper", World.Password);
        first.Dispose();
        var second = world.Client(options => options.TokenStore = new FileTokenStore(File));
        Assert.Equal("keeper", (await second.GetAccountAsync()).Username);
        await second.LogoutAsync();
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task Clients_that_share_a_session_renew_it_once_and_all_go_on()
    {
        var clients = await SharingAsync(5, TimeProvider.System);
        time.Advance(TimeSpan.FromMinutes(16));
        await Task.WhenAll(clients.Select(client => client.GetAccountAsync()));
        Assert.Equal(1, world.Log.Count("RefreshSession"));
        time.Advance(TimeSpan.FromMinutes(16));
        await Task.WhenAll(clients.Select(client => client.GetAccountAsync()));
        Assert.Equal(2, world.Log.Count("RefreshSession"));
    }

    [Fact]
    public async Task A_process_that_slept_while_another_renewed_does_not_end_the_session()
    {
        var clients = await SharingAsync(2);
        for (var renewals = 1; renewals <= 3; renewals++)
        {
            time.Advance(TimeSpan.FromMinutes(16));
            await clients[0].GetAccountAsync();
        }

        // What the other had saved has expired as well, and its own refresh token was spent long ago.
        time.Advance(TimeSpan.FromMinutes(16));
        await clients[1].GetAccountAsync();
        await clients[0].GetAccountAsync();
        Assert.Equal(4, world.Log.Count("RefreshSession"));
    }

    [Fact]
    public async Task A_renewal_waits_for_another_process_that_holds_the_lock()
    {
        var client = (await SharingAsync(1))[0];
        time.Advance(TimeSpan.FromMinutes(16));
        string[] hold = [File + ".lock", "sh", "-c", "echo held; read x"];
        using var holder = Process.Start(new ProcessStartInfo("flock", hold)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync());
        var call = client.GetAccountAsync();
        await time.TimerSetAsync(TimeSpan.FromMilliseconds(20));
        Assert.Equal(0, world.Log.Count("RefreshSession"));
        holder.StandardInput.Close();
        await holder.WaitForExitAsync();
        time.Advance(TimeSpan.FromMilliseconds(20));
        await call;
        Assert.Equal(1, world.Log.Count("RefreshSession"));
    }

    [Fact]
    public async Task A_process_that_stopped_with_the_lock_is_not_waited_for_long()
    {
        var client = (await SharingAsync(1))[0];
        time.Advance(TimeSpan.FromMinutes(16));
        await using var held = await new FileTokenStore(File).LockAsync(default);
        var call = client.GetAccountAsync(new CallSettings { Timeout = TimeSpan.FromMinutes(1) });
        await time.TimerSetAsync(TimeSpan.FromMilliseconds(20));
        time.Advance(TimeSpan.FromSeconds(10));
        await call;
    }

    private async Task<List<SquallClient>> SharingAsync(int count, TimeProvider? lockTime = null)
    {
        await new FileTokenStore(File).SaveAsync(await world.SignInAsync(), default);
        var clients = Enumerable.Range(0, count).Select(_ => world.Client(options =>
        {
            options.TimeProvider = time;
            options.TokenStore = new FileTokenStore(File, lockTime ?? time);
        })).ToList();
        await Task.WhenAll(clients.Select(client => client.GetAccountAsync()));
        return clients;
    }
}
