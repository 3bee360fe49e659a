namespace Squall.Conformance;

/// The programs that the Connect project's conformance suite tests: `server`, run once for each of its configurations,
/// and `client`, run once for all calls.
internal static class Program
{
    private static Task<int> Main(string[] args) => args switch
    {
        ["server"] => ServerProgram.RunAsync(),
        ["client"] => ClientProgram.RunAsync(),
        _ => Usage(),
    };

    private static Task<int> Usage()
    {
        Console.Error.WriteLine("usage: Squall.Conformance server|client");
        return Task.FromResult(2);
    }
}
