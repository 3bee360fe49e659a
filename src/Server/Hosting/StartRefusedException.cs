using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;

namespace Squall.Server;

/// <summary>The server does not start. The message is one line for a person, and names the cause.</summary>
internal sealed class StartRefusedException(string message, Exception? cause = null) : Exception(message, cause)
{
    private const int Busy = 5;
    private const int ReadOnly = 8;
    private const int Corrupt = 11;
    private const int CannotOpen = 14;
    private const int NoDatabase = 26;

    /// <summary>Another process, a server or an operator's command, holds the data directory.</summary>
    public bool IsInUse { get; init; }

    /// <summary>What a failure of the start is called.</summary>
    public static StartRefusedException Of(Exception failure, string database) => failure switch
    {
        StartRefusedException refused => refused,
        NewerDatabaseException => new($"{database}: {failure.Message} Start that version, or a later one", failure),
        ForeignDatabaseException => new($"{database}: {failure.Message}", failure),
        SqliteException { SqliteErrorCode: Busy } => new($"{database} is locked by another program", failure),
        SqliteException { SqliteErrorCode: Corrupt or NoDatabase } =>
            new($"{database} is no database of Squall, or is damaged", failure),
        SqliteException { SqliteErrorCode: ReadOnly or CannotOpen } => new($"{database} is not writable", failure),
        SqliteException => new($"{database} cannot be opened: {failure.Message}", failure),
        IOException { InnerException: AddressInUseException } => new(failure.Message, failure),
        UnauthorizedAccessException => new($"the data directory is not usable: {failure.Message}", failure),
        _ => new($"the start failed: {failure.Message}", failure),
    };
}
