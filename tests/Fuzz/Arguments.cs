using System.Globalization;

namespace Squall.Fuzz;

/// <summary>Options of a command line: a name, and what stands after it.</summary>
internal sealed class Arguments(string[] args)
{
    public long Number(string name, long otherwise) =>
        Text(name) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public string? Text(string name)
    {
        int at = Array.IndexOf(args, name);
        return at < 0 || at + 1 >= args.Length ? null : args[at + 1];
    }

    public bool Has(string name) => args.Contains(name);
}
