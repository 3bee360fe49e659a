using System.Text.Json;
using Google.Protobuf;

namespace Squall.Cli.Tests;

/// <summary>A squall that ran to its end, and what it said.</summary>
internal sealed record Ran(int ExitCode, string Output, string Errors)
{
    /// <summary>A net under programs that hang, for a machine that is busy.</summary>
    public static readonly TimeSpan Net = TimeSpan.FromMinutes(2);

    private static readonly JsonParser Strict = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));

    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>It did what it was asked.</summary>
    public Ran Well()
    {
        Assert.True(ExitCode == 0, ToString());
        return this;
    }

    /// <summary>It said in one line of standard error what is wrong, in these words too, and printed nothing.</summary>
    public string Refused(int exitCode, string words = "")
    {
        Assert.True(ExitCode == exitCode, ToString());
        Assert.Equal("", Output);
        var line = OnlyError();
        Assert.Contains(words, line, StringComparison.Ordinal);
        return line;
    }

    public string OnlyError()
    {
        var line = Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", line, StringComparison.Ordinal);
        return line;
    }

    /// <summary>The error that it told programs, by the keys of the one object.</summary>
    public JsonElement ErrorJson(int exitCode) =>
        JsonDocument.Parse(Refused(exitCode)).RootElement.GetProperty("error");

    /// <summary>The one line that it printed, as JSON.</summary>
    public JsonElement Json() => JsonDocument.Parse(Assert.Single(Well().Lines)).RootElement;

    /// <summary>The one line that it printed, as a message of the contract and nothing else.</summary>
    public T Message<T>()
        where T : IMessage, new() => Read<T>(Assert.Single(Well().Lines));

    /// <summary>Its lines, as messages of the contract and nothing else.</summary>
    public IReadOnlyList<T> Messages<T>()
        where T : IMessage, new() => [.. Well().Lines.Select(Read<T>)];

    public static T Read<T>(JsonElement json)
        where T : IMessage, new() => Read<T>(json.GetRawText());

    private static T Read<T>(string json)
        where T : IMessage, new() => Strict.Parse<T>(json);
}
