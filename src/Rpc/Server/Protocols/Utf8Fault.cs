using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Google.Protobuf.Reflection;

namespace Squall.Rpc;

/// Finds text that is not UTF-8 in a binary message. The format forbids it, but Google.Protobuf takes it and puts
/// U+FFFD in its place, so that what is stored would not be what was sent.
internal static class Utf8Fault
{
    private const int TagTypeBits = 3;

    /// The path of the first field whose text is at fault; null: there is none.
    public static string? Find(ReadOnlySequence<byte> message, MessageDescriptor type) =>
        Find(message.IsSingleSegment ? message.FirstSpan : message.ToArray(), type);

    /// Whether nothing can be at fault.
    public static bool IsAscii(ReadOnlySequence<byte> message)
    {
        if (message.IsSingleSegment)
        {
            return Ascii.IsValid(message.FirstSpan);
        }

        foreach (ReadOnlyMemory<byte> segment in message)
        {
            if (!Ascii.IsValid(segment.Span))
            {
                return false;
            }
        }

        return true;
    }

    /// The message has been parsed before: its form is right, and it is not nested too deep.
    private static string? Find(ReadOnlySpan<byte> message, MessageDescriptor type)
    {
        var fields = new Fields(message);
        while (fields.Next())
        {
            FieldDescriptor? field = fields.IsDelimited ? type.FindFieldByNumber(fields.Number) : null;
            switch (field?.FieldType)
            {
                case FieldType.String when !Utf8.IsValid(fields.Value):
                    return NameOf(field, message, fields.At);
                case FieldType.Message when Find(fields.Value, field.MessageType) is { } inner:
                    return $"{NameOf(field, message, fields.At)}.{inner}";
            }
        }

        return null;
    }

    /// With its place, if there can be several.
    private static string NameOf(FieldDescriptor field, ReadOnlySpan<byte> message, int end)
    {
        if (!field.IsRepeated)
        {
            return field.Name;
        }

        int before = -1;
        var fields = new Fields(message);
        while (fields.At < end && fields.Next())
        {
            before += fields.IsDelimited && fields.Number == field.FieldNumber ? 1 : 0;
        }

        return $"{field.Name}[{before}]";
    }

    /// The fields of a message, one after the other; what stands in a group is passed over.
    private ref struct Fields(ReadOnlySpan<byte> message)
    {
        private readonly ReadOnlySpan<byte> _message = message;
        private int _groups;

        public int At { get; private set; }

        public int Number { get; private set; }

        public bool IsDelimited { get; private set; }

        public ReadOnlySpan<byte> Value { get; private set; }

        public bool Next()
        {
            if (At >= _message.Length)
            {
                return false;
            }

            ulong tag = Varint();
            Number = (int)(tag >> TagTypeBits);
            Value = default;
            int type = (int)tag & ((1 << TagTypeBits) - 1);
            switch (type)
            {
                case 0:
                    Varint();
                    break;
                case 1:
                    At += sizeof(ulong);
                    break;
                case 2:
                    int length = (int)Varint();
                    Value = _message.Slice(At, length);
                    At += length;
                    break;
                case 3:
                    _groups++;
                    break;
                case 4:
                    _groups--;
                    break;
                default:
                    At += sizeof(uint);
                    break;
            }

            IsDelimited = type == 2 && _groups == 0;
            return true;
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = _message[At++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }
    }
}
