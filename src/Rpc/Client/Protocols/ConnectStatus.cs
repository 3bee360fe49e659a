using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Reads how Connect says that a call failed, or that a stream ended: in JSON, of which what is not known is passed
/// over, and what is only for people not looked at.
internal static class ConnectStatus
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    /// What an HTTP status means where the body tells no code.
    public static StatusCode FromHttp(int httpStatus) => StatusTables.FromHttp(httpStatus);

    /// A unary call's error; what the HTTP status means, if that is not what the body is.
    public static Status ReadError(ReadOnlySequence<byte> json, int httpStatus, Metadata trailers)
    {
        var otherwise = new Status(FromHttp(httpStatus), $"The server answered with HTTP status {httpStatus}.");
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? ReadError(document.RootElement, otherwise, trailers)
                : otherwise;
        }
        catch (JsonException)
        {
            return otherwise;
        }
    }

    /// The last frame of a stream; INTERNAL if it is not what it has to be.
    public static Status ReadEnd(ReadOnlySequence<byte> json, Metadata trailers)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Options);
            JsonElement end = document.RootElement;
            if (end.ValueKind == JsonValueKind.Object)
            {
                ReadMetadata(end, trailers);
                return end.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object
                    ? ReadError(error, new Status(StatusCode.Unknown, "The server tells no code."), trailers)
                    : new Status(StatusCode.OK, "");
            }
        }
        catch (JsonException)
        {
            // Told below, as what is JSON and no object is.
        }

        return new Status(StatusCode.Internal, "The stream's last frame is not a JSON object.");
    }

    private static Status ReadError(JsonElement error, Status otherwise, Metadata trailers)
    {
        bool isTold = ConnectCode.TryParse(Text(error, "code"), out StatusCode told);
        StatusCode code = isTold ? told : otherwise.StatusCode;
        string message = Text(error, "message") ?? (isTold ? "" : otherwise.Detail);
        var rich = new Google.Rpc.Status { Code = (int)code, Message = message };
        if (error.TryGetProperty("details", out JsonElement details) && details.ValueKind == JsonValueKind.Array)
        {
            rich.Details.Add(details.EnumerateArray().Select(ReadDetail).OfType<Any>());
        }

        if (rich.Details.Count > 0)
        {
            trailers.SetRpcStatus(rich);
        }

        return new Status(code, message);
    }

    private static Any? ReadDetail(JsonElement detail) =>
        detail.ValueKind == JsonValueKind.Object && Text(detail, "type") is { Length: > 0 } type
            && BinaryHeader.TryDecode(Text(detail, "value") ?? "", out List<byte[]> values) && values is [var value]
                ? new Any { TypeUrl = "type.googleapis.com/" + type, Value = ByteString.CopyFrom(value) }
                : null;

    private static void ReadMetadata(JsonElement end, Metadata trailers)
    {
        if (!end.TryGetProperty("metadata", out JsonElement metadata) || metadata.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            IEnumerable<JsonElement> values = entry.Value.ValueKind == JsonValueKind.Array
                ? entry.Value.EnumerateArray() : [entry.Value];
            foreach (JsonElement value in values.Where(value => value.ValueKind == JsonValueKind.String))
            {
                HttpFields.Read(trailers, entry.Name, value.GetString()!);
            }
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;
}
