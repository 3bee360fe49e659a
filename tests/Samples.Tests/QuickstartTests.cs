using Squall.Server.Tests;

namespace Squall.Samples.Tests;

[Collection(WithServer.Name)]
public sealed class QuickstartTests(ServerFixture server)
{
    [Fact]
    public async Task The_quickstart_prints_what_it_is_told_and_ends()
    {
        var run = await Ran.ProjectAsync("samples/Quickstart", server.Address);
        Assert.Equal("", run.Errors);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(
            @"\A[0-9:]+ TaskListCreated\n[0-9:]+ TaskCreated\n[0-9:]+ TaskCompleted\nDone: Buy milk\n\z", run.Output);
    }

    [Fact]
    public async Task The_quickstart_fails_where_there_is_no_server()
    {
        // Port 1 is nobody's: a control for the test above.
        var run = await Ran.ProjectAsync("samples/Quickstart", new Uri("http://127.0.0.1:1"));
        Assert.NotEqual(0, run.ExitCode);
    }
}
