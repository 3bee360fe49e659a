using Squall.Fuzz;

const string Usage = """
    Squall.Fuzz fuzz [--count N] [--seed N] [--from N]   sends mutated requests to a server; then runs its controls
    Squall.Fuzz floods [--full]                          asks too much of it in each way; then runs its controls
    Squall.Fuzz show --seed N --from N                   prints one of them
    Squall.Fuzz serve ...                                the server (used by the others)
    """;

return args switch
{
    ["fuzz", .. string[] rest] => await FuzzCommand.RunAsync(new Arguments(rest), TimeProvider.System),
    ["floods", .. string[] rest] => await FloodCommand.RunAsync(new Arguments(rest), TimeProvider.System),
    ["show", .. string[] rest] => FuzzCommand.Show(new Arguments(rest)),
    ["serve", .. string[] rest] => await FuzzServer.RunAsync(new Arguments(rest)),
    _ => Refuse(),
};

static int Refuse()
{
    Console.Error.WriteLine(Usage);
    return 2;
}
