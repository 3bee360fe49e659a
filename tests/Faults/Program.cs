using Squall.Faults;

const string Usage = """
    Squall.Faults kill [--kills N] [--changes N] [--writers N] [--subscribers N] [--minutes N] [--seed N]
                [--results]                                   kills the server under load, and cuts its subscribers;
                                                              then runs its controls
    Squall.Faults snapshot [--snapshots N] [--tasks N] [--minutes N] [--seed N] [--results]
                                                              takes snapshots under load; then its controls'
    Squall.Faults stall [--stalled N] [--deadline SECONDS] [--results]
                                                              has subscribers not read; then its controls
    Squall.Faults slow [--pairs N] [--stalled N] [--seconds N] [--results]
                                                              measures a load with and without such subscribers
    Squall.Faults revoke [--races N] [--results]              races changes against losses of access
    Squall.Faults logins [--pairs N] [--runs N] [--seed N] [--results]
                                                              times unknown names beside wrong passwords; then its
                                                              controls'
    Squall.Faults loginload [--pairs N] [--seconds N] [--rate N] [--results]
                                                              offers too many logins beside other calls; then to its
                                                              controls
    Squall.Faults power [--rounds N] [--writers N] [--seed N] [--results]
                                                              cuts its power under load; then its control's
    Squall.Faults disk [--results]                            fails its disk under load; then its control's
    Squall.Faults serve ...                                   the control's server (used by kill and disk)
    Squall.Faults serve-eager ...                             the control's server (used by kill)
    Squall.Faults serve-lax ...                               the control's server (used by power)
    Squall.Faults serve-hasty ...                             the control's server (used by logins)
    Squall.Faults serve-hiding ...                            the control's server (used by logins)
    Squall.Faults serve-harsh ...                             the control's server (used by loginload)
    """;

return args switch
{
    ["kill", .. string[] rest] => await KillCommand.RunAsync(rest, TimeProvider.System),
    ["snapshot", .. string[] rest] => await SnapshotCommand.RunAsync(rest, TimeProvider.System),
    ["stall", .. string[] rest] => await StallCommand.RunAsync(rest, TimeProvider.System),
    ["slow", .. string[] rest] => await SlowCommand.RunAsync(rest, TimeProvider.System),
    ["revoke", .. string[] rest] => await RevocationCommand.RunAsync(rest, TimeProvider.System),
    ["logins", .. string[] rest] => await LoginsCommand.RunAsync(rest, TimeProvider.System),
    ["loginload", .. string[] rest] => await LoginLoadCommand.RunAsync(rest, TimeProvider.System),
    ["power", .. string[] rest] => await PowerCommand.RunAsync(rest, TimeProvider.System),
    ["disk", .. string[] rest] => await DiskCommand.RunAsync(rest, TimeProvider.System),
    ["serve-lax", .. string[] rest] => await LaxServer.RunAsync(rest),
    ["serve", .. string[] rest] => await CarelessServer.AnswerEarlyAsync(rest),
    ["serve-eager", .. string[] rest] => await CarelessServer.TellEarlyAsync(rest),
    ["serve-hasty", .. string[] rest] => await CarelessServer.LoginHastilyAsync(rest, hides: false),
    ["serve-hiding", .. string[] rest] => await CarelessServer.LoginHastilyAsync(rest, hides: true),
    ["serve-harsh", .. string[] rest] => await CarelessServer.RefuseHarshlyAsync(rest),
    _ => Refuse(),
};

static int Refuse()
{
    Console.Error.WriteLine(Usage);
    return 2;
}
