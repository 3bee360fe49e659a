using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Squall.Rpc;

/// How messages are spelled: in JSON, or as their marshallers say.
internal sealed class MessageCodec(JsonCodec? json, ServiceCatalog? catalog = null)
{
    public static MessageCodec Proto { get; } = new(null);

    /// Null: not in JSON.
    public JsonCodec? Json => json;

    /// What people are shown of messages that are not in JSON themselves, as errors' details; null: nothing.
    public JsonCodec? Shown => json ?? catalog?.Json.Json;

    /// What is not such a message is INVALID_ARGUMENT.
    public T Decode<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller)
    {
        if (json is not null)
        {
            return json.Decode<T>(payload);
        }

        string? fault;
        try
        {
            T message = FramePayload.Read(payload, marshaller);
            // Most requests are ASCII in all their bytes, which is seen at a glance.
            fault = !Utf8Fault.IsAscii(payload) && MessageType<T>.Descriptor is { } type
                ? Utf8Fault.Find(payload, type)
                : null;
            if (fault is null)
            {
                return message;
            }
        }
        catch (Exception exception)
            when (exception is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentException)
        {
            // A length near 2 GiB overflows within Google.Protobuf: it throws one of the others, or goes on past the
            // end, which the search for text then does not.
            throw RequestFault.Of($"The request is not a valid {MessageType<T>.Name} in binary protobuf.");
        }

        throw RequestFault.At(fault, "the text is not UTF-8");
    }

    public void Encode<T>(T message, Marshaller<T> marshaller, SerializationContext output)
    {
        if (json is not null)
        {
            output.Complete(json.Encode((IMessage)message!));
            return;
        }

        marshaller.ContextualSerializer(message, output);
    }
}

/// What is known of a message class, looked up once.
internal static class MessageType<T>
{
    public static readonly MessageDescriptor? Descriptor = typeof(T).GetProperty("Descriptor")?.GetValue(null)
        as MessageDescriptor;

    public static string Name => Descriptor?.FullName ?? "message";
}
