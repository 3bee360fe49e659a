namespace Squall.Server.Tests;

/// <summary>A directory of a test's own.</summary>
public abstract class HostingPlace : IDisposable
{
    protected string Place { get; } = Directory.CreateTempSubdirectory("squall-hosting-").FullName;

    protected string Stored => Path.Combine(Place, "squall-data");

    public void Dispose()
    {
        Directory.Delete(Place, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected static void AssertRefused(HostingProcess server, string cause)
    {
        Assert.Equal(2, server.ExitCode);
        string line = Assert.Single(server.Errors);
        Assert.StartsWith("squall: ", line, StringComparison.Ordinal);
        Assert.Contains(cause, line, StringComparison.Ordinal);
        Assert.Empty(server.Output);
    }
}
