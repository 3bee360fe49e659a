using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>Makes messages that are in order, each with some of its fields set.</summary>
internal static class MixedFaker
{
    private const int DepthMax = 2;
    private const int LargeTextMax = 20_000;
    private static readonly string[] Texts =
    [
        "", "a", "naïve", "日本語", "😈", "a\tb\r\nc", "100%", "\"quoted\"", "a\\b", "\u0000", "\u007F",
        "x: y", "</script>", "%zz", "true", "NaN",
    ];

    public static Mixed Make(Random random, int depth = 0)
    {
        var made = new Mixed { Text = TextOf(random), Answers = random.Next(5) };
        for (int fields = random.Next(6); fields > 0; fields--)
        {
            Set(made, random, depth);
        }

        return made;
    }

    private static void Set(Mixed made, Random random, int depth)
    {
        switch (random.Next(22))
        {
            case 0: made.Payload = ByteString.CopyFrom(Bytes.Some(random, 300)); break;
            case 1: made.Small = random.Next(int.MinValue, int.MaxValue); break;
            case 2: made.Large = (ulong)random.NextInt64(); break;
            case 3: made.Signed = -random.NextInt64(); break;
            case 4: made.Real = Bytes.Pick([0, -0.0, 1.5, double.NaN, double.MaxValue, -1e-300], random); break;
            case 5: made.Flag = true; break;
            case 6: made.Kind = (Mixed.Types.Kind)random.Next(3); break;
            case 7 when depth < DepthMax: made.Inner = Make(random, depth + 1); break;
            case 8 when depth < DepthMax: made.Inners.Add(Make(random, depth + 1)); break;
            case 9: made.Counts[TextOf(random)] = random.Next(); break;
            case 10: made.Numbers.Add([1, -1, random.Next()]); break;
            case 11: made.Word = TextOf(random); break;
            case 12 when depth < DepthMax: made.Other = Make(random, depth + 1); break;
            case 13: made.Fixed = (uint)random.Next(); break;
            case 14: made.Maybe = TextOf(random); break;
            case 15: made.At = new Timestamp { Seconds = random.Next(), Nanos = random.Next(1_000_000_000) }; break;
            case 16: made.Span = new Duration { Seconds = random.Next(), Nanos = random.Next(1_000_000_000) }; break;
            case 17: made.Mask = new FieldMask { Paths = { "text", "inner.by_number" } }; break;
            case 18: made.Object = StructOf(random); break;
            case 19: made.Any = Any.Pack(new StringValue { Value = TextOf(random) }); break;
            case 20: made.Words.Add([TextOf(random), TextOf(random)]); break;
            case 21 when depth < DepthMax: made.ByNumber[random.Next(9)] = Make(random, depth + 1); break;
        }
    }

    /// <summary>With a name, since one that is empty has no JSON.</summary>
    private static Struct StructOf(Random random) =>
        new() { Fields = { ["a" + TextOf(random)] = Value.ForNumber(random.Next()) } };

    private static string TextOf(Random random) => random.Next(60) switch
    {
        0 => new string('x', random.Next(LargeTextMax)),
        < 30 => Bytes.Pick(Texts, random),
        _ => Convert.ToHexString(Bytes.Some(random, 20)),
    };
}
