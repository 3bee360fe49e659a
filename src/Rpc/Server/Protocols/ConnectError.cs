using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Squall.Rpc;

/// An error as Connect writes it: JSON, whatever the call's own content is.
internal static class ConnectError
{
    // A reader sees "naïve" and not an escape; the answer's type says that it is JSON, never HTML.
    private static readonly JsonWriterOptions Options =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// The content of a unary answer.
    public static ReadOnlyMemory<byte> Body(Status status, Metadata? trailers, JsonCodec? json = null)
    {
        var body = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(body, Options);
        Write(writer, status, trailers?.GetRpcStatus(ignoreParseError: true), json);
        writer.Flush();
        return body.WrittenMemory;
    }

    /// The content of a stream's last frame.
    public static ReadOnlyMemory<byte> EndOfStream(Status status, Metadata? trailers, JsonCodec? json)
    {
        var end = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(end, Options);
        writer.WriteStartObject();
        if (status.StatusCode != StatusCode.OK)
        {
            writer.WritePropertyName("error");
            Write(writer, status, trailers?.GetRpcStatus(ignoreParseError: true), json);
        }

        WriteMetadata(writer, trailers);
        writer.WriteEndObject();
        writer.Flush();
        return end.WrittenMemory;
    }

    private static void WriteMetadata(Utf8JsonWriter writer, Metadata? trailers)
    {
        // The details of an error stand in the error itself.
        List<IGrouping<string, Metadata.Entry>> names = [.. (trailers ?? Metadata.Empty)
            .Where(entry => HttpFields.IsMetadata(entry.Key) && entry.Key != StatusTrailers.Details)
            .GroupBy(entry => entry.Key)];
        if (names.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("metadata");
        foreach (IGrouping<string, Metadata.Entry> name in names)
        {
            writer.WriteStartArray(name.Key);
            foreach (Metadata.Entry entry in name)
            {
                writer.WriteStringValue(HttpFields.Write(entry));
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, Status status, Google.Rpc.Status? rich, JsonCodec? json)
    {
        writer.WriteStartObject();
        writer.WriteString("code", ConnectCode.Name(status.StatusCode));
        if (status.Detail.Length > 0)
        {
            writer.WriteString("message", status.Detail);
        }

        if (rich is { Details.Count: > 0 } && rich.Code == (int)status.StatusCode)
        {
            writer.WriteStartArray("details");
            foreach (Any detail in rich.Details)
            {
                writer.WriteStartObject();
                writer.WriteString("type", Any.GetTypeName(detail.TypeUrl));
                writer.WriteString("value", BinaryHeader.Encode(detail.Value.Span));
                WriteDebug(writer, detail, json);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteDebug(Utf8JsonWriter writer, Any detail, JsonCodec? json)
    {
        try
        {
            if (json?.Describe(detail) is { } text)
            {
                writer.WritePropertyName("debug");
                writer.WriteRawValue(text);
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // It is for people only: a detail that cannot be read is still in "value".
        }
    }
}
