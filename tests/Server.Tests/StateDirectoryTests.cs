namespace Squall.Server.Tests;

/// <summary>The data directory is one server's, also where several start at once.</summary>
public sealed class StateDirectoryTests : HostingPlace
{
    private const int Rounds = 1_000;
    private const int Starters = 2;

    [Fact]
    public async Task Of_several_that_start_at_once_one_holds_the_directory_and_the_others_leave_it_alone()
    {
        for (int round = 0; round < Rounds; round++)
        {
            string path = Path.Combine(Place, $"{round}");
            using var start = new Barrier(Starters);
            Task<StateDirectory?>[] starters =
                [.. Enumerable.Range(0, Starters).Select(_ => Task.Run(() => Open(path, start)))];
            StateDirectory?[] opened = await Task.WhenAll(starters);
            using StateDirectory held = Assert.Single(opened, directory => directory is not null)!;

            Assert.Throws<StartRefusedException>(() => StateDirectory.Open(path));
            Assert.True(File.Exists(held.Database));
        }
    }

    [Fact]
    public void What_a_refused_start_takes_back_goes_before_its_lock()
    {
        using StateDirectory directory = StateDirectory.Open(Stored);
        string stays = directory.Of("a directory, which is no file to delete");
        directory.OpenOrMake(stays, FileShare.None).Dispose();
        File.Delete(stays);
        Directory.CreateDirectory(stays);
        Assert.ThrowsAny<Exception>(directory.Forget);
        Assert.True(File.Exists(directory.Of("squall.lock")));
    }

    private static StateDirectory? Open(string path, Barrier start)
    {
        start.SignalAndWait();
        try
        {
            return StateDirectory.Open(path);
        }
        catch (StartRefusedException)
        {
            return null;
        }
    }
}
