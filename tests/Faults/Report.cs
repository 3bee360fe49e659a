using System.Globalization;

namespace Squall.Faults;

/// <summary>What a command says: to whoever looks on, and, with --results, to RESULTS.md.</summary>
internal sealed class Report
{
    private readonly List<string> _lines = [];
    private int _passed;
    private int _failed;

    public IReadOnlyList<string> Lines => _lines;

    public void Check(bool holds, string promise)
    {
        _ = holds ? _passed++ : _failed++;
        Say($"{(holds ? "ok  " : "FAIL")} {promise}");
    }

    public void Say(string line)
    {
        _lines.Add(line);
        Console.WriteLine(line);
    }

    /// <summary>The sums, which test.sh reads; gives the exit code.</summary>
    public int End()
    {
        Console.WriteLine($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }
}

/// <summary>A command's options, each a name and its value.</summary>
internal sealed class Arguments(string[] args)
{
    public int Number(string name, int otherwise)
    {
        int at = Array.IndexOf(args, name);
        return at < 0 ? otherwise : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
    }

    public bool Has(string name) => args.Contains(name);
}
