using System.CommandLine;

namespace Squall.Cli;

/// <summary>A command: what it does in one sentence, and an example of its use.</summary>
internal sealed class Verb(string name, string sentence, string example) : Command(name, sentence)
{
    public string Example => example;

    /// <summary>What it does, given a server and an output. Returns the exit code.</summary>
    public Verb Does(Func<Invocation, Task<int>> body)
    {
        SetAction((given, cancellationToken) => Invocation.RunAsync(given, body, cancellationToken));
        return this;
    }

    /// <summary>What it does, if it ends well or throws.</summary>
    public Verb Does(Func<Invocation, Task> body) => Does(async run =>
    {
        await body(run);
        return Failure.Done;
    });
}
