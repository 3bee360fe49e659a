namespace Squall.Server;

/// <summary>
/// The host leaves signals alone: the program takes them (see <see cref="Launch"/>), and tests have none.
/// </summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
