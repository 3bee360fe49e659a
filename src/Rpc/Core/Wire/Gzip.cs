using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Squall.Rpc;

/// Compresses messages, each by itself, and inflates them, never beyond what a message may weigh.
public static class Gzip
{
    public const string Name = "gzip";

    // Ten bytes before the content, and eight after it.
    private const int BytesMin = 18;

    private static readonly uint[] ChecksumOfByte = ChecksumsOfBytes();

    public static readonly ICompressionProvider Provider = new GzipCompressionProvider(CompressionLevel.Fastest);

    // .NET's streams write nothing where nothing was written to them, and that is neither gzip nor zlib.
    private static readonly byte[] NothingInGzip =
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static readonly byte[] NothingInZlib = [0x78, 1, 3, 0, 0, 0, 0, 1];

    public static ReadOnlySequence<byte> Inflate(ReadOnlySequence<byte> compressed, int bytesMax) =>
        Provider.Inflate(compressed, bytesMax);

    /// Above `bytesMax`, RESOURCE_EXHAUSTED as soon as that is known: a small input can inflate to any size.
    /// Nothing stays nothing; what is not in the provider's encoding is INTERNAL.
    public static ReadOnlySequence<byte> Inflate(
        this ICompressionProvider provider, ReadOnlySequence<byte> compressed, int bytesMax)
    {
        if (compressed.IsEmpty)
        {
            return compressed;
        }

        // One byte more than is allowed shows that there is more.
        var inflated = new ArrayBufferWriter<byte>();
        try
        {
            using Stream stream = provider.CreateDecompressionStream(new MemoryStream(compressed.ToArray()));
            while (stream.Read(inflated.GetSpan()) is > 0 and int read)
            {
                inflated.Advance(read);
                if (inflated.WrittenCount > bytesMax)
                {
                    throw Refusal.Of(
                        new Status(StatusCode.ResourceExhausted,
                            $"A received message inflates to more than the {bytesMax} bytes allowed."),
                        ErrorReasons.RequestTooLarge);
                }

                if (inflated.FreeCapacity == 0 && inflated.Capacity > bytesMax / 2)
                {
                    // Twice as much again would be more than is allowed, and than is needed to see that it is too much.
                    var last = new ArrayBufferWriter<byte>(Math.Min(bytesMax, Array.MaxLength - 1) + 1);
                    last.Write(inflated.WrittenSpan);
                    inflated = last;
                }
            }
        }
        catch (InvalidDataException)
        {
            throw Broken($"A compressed message is not {provider.EncodingName}.");
        }

        if (provider is GzipCompressionProvider && !EndsWhole(compressed, inflated.WrittenSpan))
        {
            throw Broken("A compressed message is cut off.");
        }

        return new ReadOnlySequence<byte>(inflated.WrittenMemory);
    }

    /// A message as it goes onto the wire, without its five bytes.
    public static ReadOnlyMemory<byte> Deflate(
        this ICompressionProvider provider, ReadOnlyMemory<byte> plain, CompressionLevel? level = null)
    {
        if (plain.IsEmpty && provider is (GzipCompressionProvider or DeflateCompressionProvider))
        {
            return provider is GzipCompressionProvider ? NothingInGzip : NothingInZlib;
        }

        var compressed = new MemoryStream();
        using (Stream stream = provider.CreateCompressionStream(compressed, level))
        {
            stream.Write(plain.Span);
        }

        return compressed.GetBuffer().AsMemory(0, (int)compressed.Length);
    }

    private static RpcException Broken(string how) =>
        Refusal.Of(new Status(StatusCode.Internal, how), ErrorReasons.BrokenEncoding);

    /// Whether gzip's end, which tells length and checksum of the last member, fits what there is: the inflating stream
    /// takes input that is cut off for the whole. Mostly there is one member, whose checksum the stream has looked at.
    private static bool EndsWhole(ReadOnlySequence<byte> compressed, ReadOnlySpan<byte> inflated)
    {
        Span<byte> end = stackalloc byte[2 * sizeof(uint)];
        if (compressed.Length < BytesMin)
        {
            return false;
        }

        compressed.Slice(compressed.Length - end.Length).CopyTo(end);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end[sizeof(uint)..]);
        return length == inflated.Length || length < inflated.Length
            && Checksum(inflated[^(int)length..]) == BinaryPrimitives.ReadUInt32LittleEndian(end);
    }

    /// CRC-32 as gzip has it.
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint checksum = uint.MaxValue;
        foreach (byte next in bytes)
        {
            checksum = (checksum >> 8) ^ ChecksumOfByte[(byte)(checksum ^ next)];
        }

        return ~checksum;
    }

    private static uint[] ChecksumsOfBytes()
    {
        const uint Polynomial = 0xEDB88320;
        uint[] checksums = [.. Enumerable.Range(0, 256).Select(value => (uint)value)];
        for (int bit = 0; bit < 8; bit++)
        {
            checksums = [.. checksums.Select(value => (value >> 1) ^ ((value & 1) * Polynomial))];
        }

        return checksums;
    }
}
