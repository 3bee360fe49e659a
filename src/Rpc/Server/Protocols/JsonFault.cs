using System.Text;
using System.Text.Json;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Squall.Rpc;

/// Finds what is wrong with JSON that was refused: where it stops being JSON, or else which field holds something
/// that does not fit.
internal static class JsonFault
{
    private const char Replaced = '\uFFFD';
    private const int NameCharactersMax = 64;

    // What is nested costs JsonDocument the square of its depth.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 2 * JsonCodec.DepthMax };
    private static readonly string TooDeep = $"the JSON is nested too deep; at most {JsonCodec.DepthMax} levels";

    /// <param name="text">What the parser refused.</param>
    public static RpcException Of(string text, MessageDescriptor type, JsonCodec codec)
    {
        return string.IsNullOrWhiteSpace(text)
            ? RequestFault.Of("The request has no body. A request without fields is written {}.")
            : Find(text, type, (alone, of) => codec.TryParse(alone, of, out _), Message);

        string Message(JsonElement value) =>
            Deepest(value.GetRawText()).Depth < JsonCodec.DepthMax ? $"the JSON does not fit {type.FullName}" : TooDeep;
    }

    /// <param name="text">What is left of the text where each fault is replaced by U+FFFD.</param>
    public static RpcException NotUtf8(string text, MessageDescriptor type) => Find(
        text, type, (alone, _) => !alone.Contains(Replaced, StringComparison.Ordinal), _ => "the JSON is not UTF-8");

    private static RpcException Find(
        string text, MessageDescriptor type, Func<string, MessageDescriptor, bool> fits,
        Func<JsonElement, string> message)
    {
        try
        {
            if (Deepest(text) is var (depth, name) && depth > Options.MaxDepth)
            {
                return name.Length == 0
                    ? RequestFault.Of($"The request: {TooDeep}.")
                    : RequestFault.At(NameOf(FieldOf(type, name), name), TooDeep);
            }

            using JsonDocument document = JsonDocument.Parse(text, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return RequestFault.Of($"The request's JSON is not an object, as {type.FullName} asks.");
            }

            return FieldAtFault(document.RootElement, type, fits) is var (path, value)
                ? RequestFault.At(path, message(value))
                : RequestFault.Of($"The request: {message(document.RootElement)}.");
        }
        catch (JsonException exception)
        {
            // System.Text.Json counts from nought.
            return RequestFault.Of(
                $"The request's JSON is broken at line {exception.LineNumber + 1}, " +
                $"byte {exception.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            return RequestFault.Of("The request's JSON has a name with half a surrogate pair, which is no text.");
        }
    }

    /// The path of the first field that does not fit by itself, and what it holds.
    private static (string Path, JsonElement Value)? FieldAtFault(
        JsonElement element, MessageDescriptor type, Func<string, MessageDescriptor, bool> fits)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = property.Name;
            if (fits(Alone(name, property.Value), type))
            {
                continue;
            }

            FieldDescriptor? field = FieldOf(type, name);
            (string path, JsonElement value) =
                field is null ? ("", property.Value) : Within(field, name, property.Value, type, fits);
            return (NameOf(field, name) + path, value);
        }

        return null;
    }

    /// Where in the field's value the fault is.
    private static (string Path, JsonElement Value) Within(
        FieldDescriptor field, string name, JsonElement value, MessageDescriptor type,
        Func<string, MessageDescriptor, bool> fits)
    {
        if (field is { IsRepeated: true, IsMap: false } && value.ValueKind == JsonValueKind.Array)
        {
            int at = 0;
            foreach (JsonElement item in value.EnumerateArray())
            {
                if (!fits($"{{{JsonSerializer.Serialize(name)}:[{item.GetRawText()}]}}", type))
                {
                    (string inner, JsonElement found) = Inner(field, item, fits);
                    return ($"[{at}]{inner}", found);
                }

                at++;
            }
        }

        return field.IsRepeated ? ("", value) : Inner(field, value, fits);
    }

    private static (string Path, JsonElement Value) Inner(
        FieldDescriptor field, JsonElement value, Func<string, MessageDescriptor, bool> fits) =>
        field.FieldType == FieldType.Message && value.ValueKind == JsonValueKind.Object
            && FieldAtFault(value, field.MessageType, fits) is var (path, found)
                ? ($".{path}", found)
                : ("", value);

    private static FieldDescriptor? FieldOf(MessageDescriptor type, string name) => type.Fields.InFieldNumberOrder()
        .FirstOrDefault(field => field.JsonName == name || field.Name == name);

    private static string NameOf(FieldDescriptor? field, string name) =>
        field?.Name ?? name[..Math.Min(name.Length, NameCharactersMax)];

    /// How deep it is nested, and below which name of the outermost object.
    private static (int Depth, string Name) Deepest(string json)
    {
        var reader = new Utf8JsonReader(
            Encoding.UTF8.GetBytes(json), new JsonReaderOptions { MaxDepth = int.MaxValue });
        (int depth, string deepest, string name) = (0, "", "");
        while (reader.Read())
        {
            if (reader is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 })
            {
                name = reader.GetString()!;
            }
            else if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray
                && reader.CurrentDepth + 1 > depth)
            {
                (depth, deepest) = (reader.CurrentDepth + 1, name);
            }
        }

        return (depth, deepest);
    }

    private static string Alone(string name, JsonElement value) =>
        $"{{{JsonSerializer.Serialize(name)}:{value.GetRawText()}}}";
}
