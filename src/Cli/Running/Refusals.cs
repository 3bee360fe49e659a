namespace Squall.Cli;

/// <summary>The command line alone shows that it is wrong: exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What was asked for cannot be done, and the server was not even asked: exit code 1.</summary>
/// <param name="code">A word for programs, as gRPC's codes are.</param>
internal sealed class RefusedException(string code, string message) : Exception(message)
{
    public string Code => code;
}

/// <summary>Nobody reads the output any more.</summary>
internal sealed class OutputClosedException(IOException inner) : Exception("The output was closed.", inner);
