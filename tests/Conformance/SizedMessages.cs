using System.Buffers.Binary;
using Google.Protobuf;

namespace Squall.Conformance;

/// The messages between the suite's runner and a program under test, each with its length in front.
internal static class SizedMessages
{
    /// Null at the end.
    public static async Task<T?> ReadAsync<T>(this Stream input, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        byte[] length = new byte[sizeof(int)];
        if (await input.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false) < length.Length)
        {
            return null;
        }

        byte[] message = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await input.ReadExactlyAsync(message);
        return parser.ParseFrom(message);
    }

    public static async Task WriteAsync(this Stream output, IMessage message)
    {
        byte[] bytes = new byte[sizeof(int) + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - sizeof(int));
        message.WriteTo(bytes.AsSpan(sizeof(int)));
        await output.WriteAsync(bytes);
        await output.FlushAsync();
    }
}
