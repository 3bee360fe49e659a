using System.Text;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Squall.Cli;

/// <summary>
/// Where a command's results go: JSON, or text for people, which has tables and colours on a terminal alone. What is
/// said beside the results goes to standard error.
/// </summary>
internal sealed class Output : IAsyncDisposable
{
    private const int BrokenPipe = 32;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly StreamWriter writer;
    private readonly IAnsiConsole? terminal;

    private Output(bool isJson, bool isTerminal)
    {
        IsJson = isJson;
        writer = new StreamWriter(Standard(isTerminal), Utf8) { NewLine = "\n" };
        if (isTerminal && !isJson)
        {
            terminal = Terminal(writer);
        }
    }

    public bool IsJson { get; }

    /// <summary>Whether a person looks at it, who wants tables and can do without what does not fit.</summary>
    public bool IsTerminal => terminal is not null;

    /// <summary>Of the terminal, in columns.</summary>
    public int Width => terminal!.Profile.Width;

    public static Output Open(bool isJson)
    {
        if (OperatingSystem.IsWindows())
        {
            Console.OutputEncoding = Utf8;
        }

        return new Output(isJson, !Console.IsOutputRedirected);
    }

    /// <summary>A result: its message for programs, or a line for people.</summary>
    public void Result(IMessage message, Func<string> line)
    {
        if (IsJson)
        {
            Raw(JsonText.Of(message));
        }
        else
        {
            Line(line());
        }
    }

    /// <summary>A result among several: its message for programs, or a row of cells with tabs between them.</summary>
    public void Row(IMessage message, Func<string[]> cells) =>
        Raw(IsJson ? JsonText.Of(message) : string.Join('\t', cells().Select(Printable.Line)));

    /// <summary>That something is gone, of which there is no message any more.</summary>
    public void Deleted(string id, string line)
    {
        if (IsJson)
        {
            Raw(JsonText.Object(json =>
            {
                json.WriteString("id", id);
                json.WriteBoolean("deleted", true);
            }));
        }
        else
        {
            Line(line);
        }
    }

    /// <summary>A line for people. What others wrote in it is made harmless.</summary>
    public void Line(string text) => Raw(Printable.Line(text));

    /// <summary>A text with its own lines, each after a margin.</summary>
    public void Lines(string text, string margin = "")
    {
        foreach (var line in Printable.Lines(text).TrimEnd('\n').Split('\n'))
        {
            Raw(margin + line);
        }
    }

    /// <summary>What has colours, on a terminal.</summary>
    public void Styled(IRenderable text) => terminal!.Write(text);

    /// <summary>A line as it stands.</summary>
    public void Raw(string line) => Guarded(() => writer.WriteLine(line));

    public void Flush() => Guarded(writer.Flush);

    /// <summary>A word beside the results, for people alone.</summary>
    public void Note(string text)
    {
        if (!IsJson)
        {
            Tell(Printable.Line(text));
        }
    }

    /// <summary>A line on standard error.</summary>
    public static void Tell(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is nobody left to tell.
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await writer.DisposeAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was flushed before, where that matters; the reader went away.
        }
    }

    private static void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e) when (e.HResult == BrokenPipe)
        {
            throw new OutputClosedException(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException("IO", $"The output cannot be written: {e.Message.TrimEnd()}");
        }
    }

    /// <summary>
    /// .NET's own stream swallows the news that nobody reads a pipe any more, so that a watch would go on for ever. A
    /// stream of a file, on the other hand, would not move the place at which the next program goes on.
    /// </summary>
    private static Stream Standard(bool isTerminal)
    {
        if (!isTerminal && !OperatingSystem.IsWindows())
        {
            var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            if (!pipe.CanSeek)
            {
                return pipe;
            }
        }

        return Console.OpenStandardOutput();
    }

    private static IAnsiConsole Terminal(TextWriter writer)
    {
        var isPlain = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            || Environment.GetEnvironmentVariable("TERM") is "dumb";
        var settings = new AnsiConsoleSettings
        {
            Ansi = isPlain ? AnsiSupport.No : AnsiSupport.Yes,
            ColorSystem = isPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Out = new TerminalOutput(writer),
        };
        settings.Enrichment.UseDefaultEnrichers = false;
        return AnsiConsole.Create(settings);
    }

    /// <summary>Our writer, as wide as the terminal.</summary>
    private sealed class TerminalOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        private const int WidthMin = 20;
        private const int WidthOtherwise = 80;

        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => Console.WindowWidth is > 0 and var width ? Math.Max(width, WidthMin) : WidthOtherwise;

        public int Height => Console.WindowHeight is > 0 and var height ? height : WidthOtherwise;

        public void SetEncoding(Encoding encoding)
        {
            // It is UTF-8, whatever the console asks for.
        }
    }
}
