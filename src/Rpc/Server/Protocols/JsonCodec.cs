using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Squall.Rpc;

/// Protobuf's JSON: fields by their camel-case or original names, those that are not known are passed over.
internal sealed partial class JsonCodec(TypeRegistry types)
{
    /// How deep messages may be nested.
    public const int DepthMax = 100;
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly JsonParser parser = new(
        new JsonParser.Settings(DepthMax, types).WithIgnoreUnknownFields(true));

    private readonly JsonFormatter formatter = new(new JsonFormatter.Settings(false, types));

    public T Decode<T>(ReadOnlySequence<byte> payload)
    {
        MessageDescriptor type = MessageType<T>.Descriptor ?? throw Refusal.Of(
            new Status(StatusCode.Unimplemented, "This method's messages have no JSON form."), ErrorReasons.NoJsonForm);
        string text;
        try
        {
            text = Utf8.GetString(payload);
        }
        catch (DecoderFallbackException)
        {
            throw JsonFault.NotUtf8(Encoding.UTF8.GetString(payload), type);
        }

        return TryParse(text, type, out IMessage? message) ? (T)message : throw JsonFault.Of(text, type, this);
    }

    public bool TryParse(string text, MessageDescriptor type, [NotNullWhen(true)] out IMessage? message)
    {
        try
        {
            message = parser.Parse(text, type);
            if (EmptyName().IsMatch(text))
            {
                // In a Struct, a name that is empty can be read and not be written: no answer could hold it.
                formatter.Format(message);
            }

            return true;
        }
        catch (Exception exception)
            when (exception is IOException or FormatException or OverflowException
                or ArgumentException or InvalidOperationException)
        {
            message = null;
            return false;
        }
    }

    public byte[] Encode(IMessage message) => Encoding.UTF8.GetBytes(formatter.Format(message));

    /// A detail of an error as JSON, for people to read; null if its type is not known.
    public string? Describe(Google.Protobuf.WellKnownTypes.Any any) =>
        types.Find(Google.Protobuf.WellKnownTypes.Any.GetTypeName(any.TypeUrl)) is { } type
            ? formatter.Format(type.Parser.ParseFrom(any.Value))
            : null;

    [GeneratedRegex("\"\"\\s*:")]
    private static partial Regex EmptyName();
}
