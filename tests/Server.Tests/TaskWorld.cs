using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A server, Ada who has lists on it, and Bob who has none of hers unless she shares it.</summary>
public sealed class TaskWorld : IAsyncLifetime
{
    internal ServerFixture Server { get; } = new();
    internal Client Ada { get; private set; } = null!;
    internal Client Bob { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        Ada = await Client.SignInAsync(Server, "ada");
        Bob = await Client.SignInAsync(Server, "bob");
    }

    /// <summary>A list of Ada's that Bob is a member of.</summary>
    internal async Task<TaskList> SharedListAsync(Role bobs)
    {
        TaskList list = await Ada.CreateListAsync();
        await Ada.ShareAsync(list, Bob, bobs);
        return list;
    }

    public async Task DisposeAsync()
    {
        Ada.Dispose();
        Bob.Dispose();
        await Server.DisposeAsync();
    }
}
