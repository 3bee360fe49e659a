using System.Buffers.Text;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>
/// Makes the calls of a seed, each from its number alone: a call that is in order, of any protocol, and then spoilt in
/// one stage, or in several, of those that it passes on its way to the wire.
/// </summary>
internal sealed class CallMaker(long seed)
{
    public const string MessageStage = "message";
    public const string GzipStage = "gzip";
    public const string FrameStage = "frames";
    public const string TextStage = "base64";
    public const string HeaderStage = "headers";
    public const string HttpStage = "http";

    // Of a hundred: how often the stages are chosen. What is spoilt late hides what was spoilt before.
    private static readonly (string Stage, int Weight)[] Stages =
    [
        (MessageStage, 46), (GzipStage, 8), (FrameStage, 10), (TextStage, 6), (HeaderStage, 18), (HttpStage, 12),
    ];

    private static readonly JsonFormatter Json = new(new JsonFormatter.Settings(
        false, TypeRegistry.FromMessages(Mixed.Descriptor, Google.Protobuf.WellKnownTypes.StringValue.Descriptor)));

    public Call Make(long number)
    {
        var random = new Random(HashOf(number));
        Call call = Begin(number, random);
        List<string> stages = ChooseStages(call, random);
        byte[][] messages = [.. MakeMessages(call, random).Select(message => Encode(call, message))];
        byte[][] payloads = [.. messages.Select((message, at) => Pack(call, message, at == 0, stages, random))];
        call.Path = Call.Service + call.Kind;
        if (call.Protocol == Protocol.ConnectGet)
        {
            call.Verb = "GET";
            call.Query = QueryOf(call, payloads[0], stages, random);
        }
        else
        {
            call.Body = Frame(call, payloads, stages, random);
        }

        AddHeaders(call, random);
        Spoil(call, HeaderStage, stages, call, HeaderMutations.All, random);
        call.IsHttpBroken = call.IsAgainstHttp;
        if (call.IsHttp2)
        {
            call.Frames = Http2Request.Make(call, random);
            call.Frames = Spoil(call, HttpStage, stages, call.Frames, Http2Request.Mutations, random);
        }
        else
        {
            call.Wire = Spoil(call, HttpStage, stages, Http1Request.Make(call, random), Http1Request.Mutations, random)
                .ToBytes();
        }

        call.IsHttpBroken |= stages.Contains(HttpStage);
        return call;
    }

    private int HashOf(long number)
    {
        // As SplitMix64 does, so that neighbours have nothing in common.
        ulong hash = (ulong)seed * 0x9E3779B97F4A7C15 + (ulong)number * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 30)) * 0x94D049BB133111EB;
        return (int)((hash ^ (hash >> 31)) & int.MaxValue);
    }

    private static Call Begin(long number, Random random)
    {
        var protocol = (Protocol)random.Next(6);
        Kind kind = protocol switch
        {
            Protocol.ConnectUnary => Bytes.Pick([Kind.Echo, Kind.Look], random),
            Protocol.ConnectGet => Kind.Look,
            Protocol.ConnectStream => Bytes.Pick([Kind.Repeat, Kind.Collect, Kind.Chat], random),
            _ => (Kind)random.Next(5),
        };
        return new Call
        {
            Number = number,
            Protocol = protocol,
            Kind = kind,
            IsHttp2 = protocol == Protocol.Grpc || kind == Kind.Chat || random.Next(2) == 0,
            IsJson = protocol != Protocol.GrpcWebText && random.Next(2) == 0,
            IsGzip = random.Next(3) == 0,
        };
    }

    private static List<string> ChooseStages(Call call, Random random)
    {
        int count = random.Next(100) switch { < 8 => 0, < 70 => 1, < 92 => 2, _ => 3 };
        var chosen = new List<string>();
        while (chosen.Count < count)
        {
            int at = random.Next(100);
            string stage = Stages.First(stage => (at -= stage.Weight) < 0).Stage;
            bool applies = stage switch
            {
                GzipStage => call.IsGzip,
                FrameStage => call.IsFramed,
                TextStage => call.Protocol is Protocol.GrpcWebText or Protocol.ConnectGet,
                _ => true,
            };
            chosen.Add(applies ? stage : MessageStage);
        }

        return chosen;
    }

    private static Mixed[] MakeMessages(Call call, Random random)
    {
        int count = call.Kind is Kind.Collect or Kind.Chat ? random.Next(4) : 1;
        Mixed[] made = [.. Enumerable.Range(0, count).Select(_ => MixedFaker.Make(random))];
        call.MayBeRefused = made.Length > 0 && random.Next(12) == 0;
        if (call.MayBeRefused)
        {
            made[^1].Refuse = true;
        }

        // Where it is to be tried by GET, it has to fit.
        return call.Protocol == Protocol.ConnectGet && made[0].CalculateSize() > 2_000 ? [new Mixed()] : made;
    }

    private static byte[] Encode(Call call, Mixed message) =>
        call.IsJson ? Encoding.UTF8.GetBytes(Json.Format(message)) : message.ToByteArray();

    /// <summary>One message's way: spoilt, compressed, and spoilt again.</summary>
    private static byte[] Pack(Call call, byte[] message, bool isFirst, List<string> stages, Random random)
    {
        Mutation<byte[]>[] mutations = call.IsJson ? JsonMutations.All : ProtoMutations.All;
        byte[] spoilt = isFirst ? Spoil(call, MessageStage, stages, message, mutations, random) : message;
        if (!call.IsGzip)
        {
            return spoilt;
        }

        // In two members, now and then: rare, and legal.
        int first = random.Next(20) == 0 ? random.Next(spoilt.Length) : 0;
        byte[] zipped = [.. FrameMutations.Zip(spoilt[..first]), .. FrameMutations.Zip(spoilt[first..])];
        return isFirst ? Spoil(call, GzipStage, stages, zipped, FrameMutations.Gzip, random) : zipped;
    }

    private static byte[] Frame(Call call, byte[][] payloads, List<string> stages, Random random)
    {
        if (!call.IsFramed)
        {
            return payloads[0];
        }

        List<Framed> frames = [.. payloads.Select(payload => new Framed((byte)(call.IsGzip ? 1 : 0), payload))];
        frames = Spoil(call, FrameStage, stages, frames, FrameMutations.Frames, random);
        if (call.Protocol != Protocol.GrpcWebText)
        {
            return [.. frames.SelectMany(frame => frame.ToBytes())];
        }

        // Padded after each message, or only once.
        byte[] text = random.Next(2) == 0
            ? [.. frames.SelectMany(frame => ToBase64(frame.ToBytes()))]
            : ToBase64([.. frames.SelectMany(frame => frame.ToBytes())]);
        return Spoil(call, TextStage, stages, text, FrameMutations.Text, random);
    }

    private static byte[] ToBase64(byte[] bytes) => Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes));

    private static string QueryOf(Call call, byte[] message, List<string> stages, Random random)
    {
        bool isText = call.IsJson && !call.IsGzip && random.Next(2) == 0;
        byte[] text = isText ? message : Encoding.ASCII.GetBytes(Base64Url.EncodeToString(message));
        text = Spoil(call, TextStage, stages, text, FrameMutations.Text, random);
        return string.Join('&',
            [
                "connect=v1", $"encoding={(call.IsJson ? "json" : "proto")}", .. (string[])(isText ? [] : ["base64=1"]),
                .. (string[])(call.IsGzip ? ["compression=gzip"] : []), $"message={Escape(text)}",
            ]);
    }

    private static string Escape(byte[] text) => string.Concat(text.Select(
        one => char.IsAsciiLetterOrDigit((char)one) || one is (byte)'-' or (byte)'_' ? $"{(char)one}" : $"%{one:X2}"));

    private static void AddHeaders(Call call, Random random)
    {
        string codec = call.IsJson ? "json" : "proto";
        string type = call.Protocol switch
        {
            Protocol.Grpc => call.IsJson ? "application/grpc+json" : "application/grpc",
            Protocol.GrpcWeb => $"application/grpc-web+{codec}",
            Protocol.GrpcWebText => "application/grpc-web-text",
            Protocol.ConnectStream => $"application/connect+{codec}",
            _ => $"application/{codec}",
        };
        bool isConnect = call.Protocol is Protocol.ConnectUnary or Protocol.ConnectStream;
        string prefix = call.Protocol switch
        {
            Protocol.ConnectStream => "connect-content-",
            Protocol.ConnectUnary => "content-",
            _ => "grpc-",
        };
        (bool, string, string)[] headers =
        [
            (call.Protocol != Protocol.ConnectGet, "content-type", type),
            (call.Protocol == Protocol.Grpc, "te", "trailers"),
            (call.IsGzip && call.Protocol != Protocol.ConnectGet, prefix + "encoding", "gzip"),
            (random.Next(2) == 0, prefix.Replace("content-", "", StringComparison.Ordinal) + "accept-encoding", "gzip"),
            (isConnect && random.Next(2) == 0, "connect-protocol-version", "1"),
            (isConnect && random.Next(4) == 0, "connect-timeout-ms", "60000"),
            (!isConnect && call.IsFramed && random.Next(4) == 0, "grpc-timeout", "60S"),
            (random.Next(4) == 0, "echo-a", "some value"),
            (random.Next(4) == 0, "echo-b-bin", "AAECAw"),
        ];
        call.Headers.AddRange(headers.Where(header => header.Item1).Select(header => (header.Item2, header.Item3)));
    }

    private static T Spoil<T>(
        Call call, string stage, List<string> stages, T what, Mutation<T>[] mutations, Random random)
    {
        foreach (string _ in stages.Where(chosen => chosen == stage))
        {
            Mutation<T> mutation = Bytes.Pick(mutations, random);
            what = mutation.Apply(what, random);
            call.Mutations.Add($"{stage}: {mutation.Name}");
        }

        return what;
    }
}
