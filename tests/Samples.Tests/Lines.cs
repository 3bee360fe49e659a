using System.Text;

namespace Squall.Samples.Tests;

/// <summary>Takes the lines that a program prints, and says when there are enough.</summary>
internal sealed class Lines(int count) : TextWriter
{
    private readonly List<string> lines = [];
    private readonly CancellationTokenSource enough = new();

    public override Encoding Encoding => Encoding.UTF8;

    public CancellationToken Enough => enough.Token;

    public IReadOnlyList<string> All => lines;

    public override void WriteLine(object? value)
    {
        lines.Add(value!.ToString()!);
        if (lines.Count == count)
        {
            enough.Cancel();
        }
    }
}
