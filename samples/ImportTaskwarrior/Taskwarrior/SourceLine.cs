using System.Text;

namespace ImportTaskwarrior;

/// <summary>A line of a file; whatever is wrong with it is told with its place.</summary>
internal sealed record SourceLine(string File, int Number, string Text)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines of a file that are not empty. ImportException: one is not UTF-8.</summary>
    public static IReadOnlyList<SourceLine> ReadAll(string path)
    {
        var lines = new List<SourceLine>();
        ReadOnlySpan<byte> bytes = System.IO.File.ReadAllBytes(path);
        bytes = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
        var number = 0;
        foreach (var range in bytes.Split((byte)'\n'))
        {
            var line = Decode(path, ++number, bytes[range]);
            if (line.Text.Length > 0)
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    /// <summary>The error that names this line.</summary>
    public ImportException Fault(string why) => new($"{File}:{Number}: {why}");

    private static SourceLine Decode(string path, int number, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new SourceLine(path, number, Utf8.GetString(bytes).Trim());
        }
        catch (DecoderFallbackException)
        {
            throw new SourceLine(path, number, "").Fault("is not UTF-8");
        }
    }
}
