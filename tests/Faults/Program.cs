using Squall.Faults;

const string Usage = """
    Squall.Faults kill [--kills N] [--writers N] [--seed N]   kills the server under load; then runs its control
    Squall.Faults serve ...                                   the control's server (used by kill)
    """;

return args switch
{
    ["kill", .. string[] rest] => await KillCommand.RunAsync(rest, TimeProvider.System),
    ["serve", .. string[] rest] => await CarelessServer.RunAsync(rest),
    _ => Refuse(),
};

static int Refuse()
{
    Console.Error.WriteLine(Usage);
    return 2;
}
