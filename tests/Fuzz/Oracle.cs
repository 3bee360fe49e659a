using Grpc.Core;

namespace Squall.Fuzz;

/// <summary>Says whether an answer is one that the request may have.</summary>
internal static class Oracle
{
    private static readonly string[] FrameStages =
        [CallMaker.FrameStage, CallMaker.TextStage, CallMaker.HeaderStage, CallMaker.HttpStage];

    // The wire itself calls broken frames INTERNAL, and nothing else that a caller can get wrong. Another content type
    // makes frames of what was none.
    private static readonly (string Begins, string Contains, string[] Stages)[] BrokenFrames =
    [
        ("A message has the unknown flags", "", FrameStages),
        ("The stream ended", "bytes into a message", FrameStages),
        ("A message is compressed, and no encoding is named", "", FrameStages),
        ("A compressed message is", "", [CallMaker.GzipStage, .. FrameStages]),
    ];

    private static readonly string[] NoMessage =
    [
        "The request is not a valid", "The request's JSON", "The request: ", "The request has no body",
    ];

    private static readonly string[] NoField =
        ["the text is not UTF-8", "the JSON is not UTF-8", "the JSON does not fit"];

    /// <summary>What is wrong; null: nothing.</summary>
    public static string? Judge(Call call, Answer answer, Outcome outcome)
    {
        if (answer.End == End.Hung)
        {
            return "was neither answered nor closed in time";
        }

        if (answer.Http == 500 && outcome.Code is null)
        {
            return "HTTP 500";
        }

        if (outcome.Code is StatusCode.Unknown or StatusCode.DataLoss or StatusCode.Unavailable
            || outcome.Code == StatusCode.Internal && !BreaksFrames(call, outcome.Message))
        {
            return $"{outcome.Code}: {outcome.Message}";
        }

        if (call.IsHttpBroken)
        {
            return null;
        }

        if (answer.End == End.Cut)
        {
            return $"was cut, though its HTTP was in order: {answer.Note}";
        }

        return outcome.Malformed is { } malformed ? malformed
            : call.Mutations.Count > 0 || outcome.Code == StatusCode.OK ? null
            : outcome.Code == StatusCode.NotFound && call.MayBeRefused ? null
            : $"was in order, and was answered with {outcome.Code}: {outcome.Message}";
    }

    /// <summary>Whether a whole message was taken out of the request, and found to be none.</summary>
    public static bool IsPastFraming(Outcome outcome) =>
        outcome.Code == StatusCode.InvalidArgument
        && (NoMessage.Any(text => outcome.Message.StartsWith(text, StringComparison.Ordinal))
            || NoField.Any(text => outcome.Message.Contains(text, StringComparison.Ordinal)));

    private static bool BreaksFrames(Call call, string message) =>
        (call.IsFramed || call.Has(CallMaker.HeaderStage) || call.Has(CallMaker.HttpStage))
        && BrokenFrames.Any(broken =>
        message.StartsWith(broken.Begins, StringComparison.Ordinal)
        && message.Contains(broken.Contains, StringComparison.Ordinal)
        && broken.Stages.Any(call.Has));
}
