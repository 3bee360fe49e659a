using Squall.Client;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Samples.Tests;

[Collection(WithServer.Name)]
public sealed class BoardTests(ServerFixture server)
{
    private static readonly string Password = Secrets.Password();
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_board_shows_what_is_open_as_it_changes()
    {
        var username = $"board-{Guid.NewGuid():N}"[..32];
        using var client = new SquallClient(server.Address);
        await client.RegisterAsync(username, Password);
        await client.LoginAsync(username, Password);
        var list = await client.Lists.CreateAsync("Groceries");
        await client.Tasks.CreateAsync(list.Id, "Buy milk");
        using var board = Ran.StartProject("samples/Board", server.Address, Password, username);
        try
        {
            await ShowsAsync("Open:", "  Unspecified  Buy milk");
            var bread = await client.Tasks.CreateAsync(
                new TaskItem { TaskListId = list.Id, Title = "Buy bread", Priority = Priority.High });
            await ShowsAsync("Open:", "  High  Buy bread", "  Unspecified  Buy milk");
            await client.Tasks.CompleteAsync(bread.Id);
            await ShowsAsync("Open:", "  Unspecified  Buy milk");
        }
        finally
        {
            board.Kill(entireProcessTree: true);
            await board.WaitForExitAsync();
        }

        async Task ShowsAsync(params string[] lines)
        {
            foreach (var line in lines)
            {
                Assert.Equal(line, await board.StandardOutput.ReadLineAsync().WaitAsync(PatienceMax));
            }
        }
    }

    [Fact]
    public void The_packages_readme_shows_the_board_as_it_is()
    {
        var program = string.Join('\n', Ran.Text("samples/Board/Program.cs").Split('\n').Skip(1));
        Assert.Contains($"```csharp\n{program}```\n", Ran.Text("src/ClientSdk/README.md"), StringComparison.Ordinal);
    }
}
