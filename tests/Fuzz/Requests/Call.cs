using System.Text;

namespace Squall.Fuzz;

internal enum Protocol
{
    Grpc,
    GrpcWeb,
    GrpcWebText,
    ConnectUnary,
    ConnectGet,
    ConnectStream,
}

/// <summary>The service's methods, each a kind of call; Look is unary, and may be asked for by GET.</summary>
internal enum Kind
{
    Echo,
    Look,
    Repeat,
    Collect,
    Chat,
}

/// <summary>One request as it is to be sent, and what was done to it.</summary>
internal sealed class Call
{
    public const string Service = "/squall.fuzz.v1.FuzzService/";
    private const int TargetMax = 8_000;
    private const int HeadersMax = 30_000;

    public required long Number { get; init; }
    public required Protocol Protocol { get; init; }
    public required Kind Kind { get; init; }
    public required bool IsHttp2 { get; init; }
    public required bool IsJson { get; init; }
    public required bool IsGzip { get; init; }

    public string Verb { get; set; } = "POST";
    public string Path { get; set; } = "";
    public string Query { get; set; } = "";
    public List<(string Name, string Value)> Headers { get; } = [];
    public byte[] Body { get; set; } = [];

    /// <summary>All of it as it goes onto a connection of HTTP/1.1.</summary>
    public byte[] Wire { get; set; } = [];

    /// <summary>All of it as it goes onto a connection of HTTP/2.</summary>
    public Http2Request Frames { get; set; } = new([]);

    /// <summary>What was done to it, each as stage: what.</summary>
    public List<string> Mutations { get; } = [];

    /// <summary>HTTP itself is not as it should be: the request may be cut, or waited for in vain.</summary>
    public bool IsHttpBroken { get; set; }

    /// <summary>The handler may refuse it.</summary>
    public bool MayBeRefused { get; set; }

    public bool IsFramed => Protocol is not (Protocol.ConnectUnary or Protocol.ConnectGet);

    /// <summary>More than HTTP takes, or what HTTP/2 forbids.</summary>
    public bool IsAgainstHttp =>
        Target.Length > TargetMax || Headers.Sum(header => header.Name.Length + header.Value.Length + 36) > HeadersMax
        || IsHttp2 && (Path.Contains("%00", StringComparison.Ordinal)
            || Headers.Exists(header => header is { Name: "te", Value: not "trailers" }));

    public string Target => Path + (Query.Length > 0 ? "?" : "") + Query;

    public bool Has(string stage) =>
        Mutations.Exists(mutation => mutation.StartsWith(stage, StringComparison.Ordinal));

    public override string ToString() =>
        $"{Number}: {Protocol} {Kind} over HTTP/{(IsHttp2 ? "2" : "1.1")}{(IsJson ? " in JSON" : "")}"
        + $"{(IsGzip ? " as gzip" : "")}; {(Mutations.Count == 0 ? "as it should be" : string.Join(", ", Mutations))}";

    /// <summary>All that there is to see of it.</summary>
    public string ToText()
    {
        var text = new StringBuilder().AppendLine(ToString()).Append(Verb).Append(' ').AppendLine(Target);
        foreach ((string name, string value) in Headers)
        {
            text.Append(name).Append(": ").AppendLine(value);
        }

        return text.AppendLine(Convert.ToHexString(Body)).AppendLine("On the wire:")
            .AppendLine(Convert.ToHexString(IsHttp2 ? Frames.ToBytes(1) : Wire)).ToString();
    }
}
