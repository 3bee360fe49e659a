using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;

namespace Squall.Cli;

/// <summary>
/// JSON as squall prints it: messages in the contract's own form, as Connect and curl have them, with the fields that
/// are empty too; only a message that is not set, such as a time, is left out.
/// </summary>
internal static class JsonText
{
    private static readonly JsonFormatter Formatter =
        new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(IMessage message) => Formatter.Format(message);

    public static string Object(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public static void WriteMessage(this Utf8JsonWriter json, string name, IMessage message)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(Of(message));
    }

    public static void WriteMessages(this Utf8JsonWriter json, string name, IEnumerable<IMessage> messages)
    {
        json.WriteStartArray(name);
        foreach (var message in messages)
        {
            json.WriteRawValue(Of(message));
        }

        json.WriteEndArray();
    }
}
