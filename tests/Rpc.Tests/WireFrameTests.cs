using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Squall.Rpc.Tests;

public sealed class WireFrameTests
{
    [Fact]
    public async Task Frames_survive_any_way_of_being_cut()
    {
        byte[] wire = [0, 0, 0, 0, 3, 1, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        for (int cut = 1; cut <= wire.Length; cut++)
        {
            var pipe = new Pipe();
            var frames = new FrameReader(pipe.Reader, 100);
            Task<List<string>> reading = ReadAllAsync(frames);
            foreach (byte[] part in wire.Chunk(cut))
            {
                await pipe.Writer.WriteAsync(part);
            }

            await pipe.Writer.CompleteAsync();
            Assert.Equal(["0:010203", "1:", "0:09"], await reading.WaitAsync(TimeSpan.FromSeconds(10)));
        }
    }

    [Theory]
    [InlineData(new byte[] { 2, 0, 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0 }, StatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0, 0, 101 }, StatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0x80, 0, 0, 0 }, StatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0xFF, 0xFF, 0xFF, 0xFF }, StatusCode.ResourceExhausted)]
    public void A_bad_header_is_refused_before_its_message_arrives(byte[] header, StatusCode expected)
    {
        var buffer = new ReadOnlySequence<byte>(header);
        var thrown = Assert.Throws<RpcException>(
            () => Frame.TryRead(ref buffer, 100, Frame.GrpcFlags, out _, out _));
        Assert.Equal(expected, thrown.StatusCode);
    }

    [Fact]
    public void A_message_exactly_at_the_limit_passes()
    {
        var buffer = new ReadOnlySequence<byte>([0, 0, 0, 0, 100, .. new byte[100]]);
        Assert.True(Frame.TryRead(ref buffer, 100, Frame.GrpcFlags, out _, out ReadOnlySequence<byte> payload));
        Assert.Equal(100, payload.Length);
        Assert.True(buffer.IsEmpty);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 3, 1, 2 })]
    public async Task A_stream_that_ends_within_a_frame_is_internal(byte[] wire)
    {
        var frames = new FrameReader(PipeReader.Create(new ReadOnlySequence<byte>(wire)), 100);
        var thrown = await Assert.ThrowsAsync<RpcException>(async () => await frames.ReadAsync());
        Assert.Equal(StatusCode.Internal, thrown.StatusCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(70_000)]
    public void A_written_frame_reads_as_what_was_written(int length)
    {
        byte[] message = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        foreach (Action<byte[], SerializationContext> way in Ways)
        {
            using FrameBuffer frame = FrameBuffer.Encode(way, message, 70_000);
            var buffer = new ReadOnlySequence<byte>(frame.Written);
            Assert.True(Frame.TryRead(ref buffer, 70_000, 0, out byte flags, out ReadOnlySequence<byte> payload));
            Assert.Equal(0, flags);
            Assert.Equal(message, payload.ToArray());
            Assert.Equal(message, frame.Payload.ToArray());
            Assert.Equal(message, FramePayload.Read(payload, Bytes));
            Assert.True(buffer.IsEmpty);
        }
    }

    [Fact]
    public void A_payload_is_read_within_another_and_never_after()
    {
        var outer = new ReadOnlySequence<byte>([1, 2]);
        var inner = new ReadOnlySequence<byte>([3]);
        DeserializationContext? kept = null;
        var nesting = new Marshaller<byte[]>((message, output) => output.Complete(message), context =>
        {
            kept = context;
            return [.. FramePayload.Read(inner, Bytes), .. context.PayloadAsNewBuffer()];
        });
        Assert.Equal([3, 1, 2], FramePayload.Read(outer, nesting));
        Assert.Throws<InvalidOperationException>(() => kept!.PayloadLength);
        Assert.Throws<InvalidOperationException>(() => kept!.PayloadAsReadOnlySequence());
    }

    [Fact]
    public void A_message_above_the_limit_is_not_written()
    {
        foreach (Action<byte[], SerializationContext> way in Ways)
        {
            var thrown = Assert.Throws<RpcException>(() => FrameBuffer.Encode(way, new byte[101], 100));
            Assert.Equal(StatusCode.ResourceExhausted, thrown.StatusCode);
            Assert.Contains("101", thrown.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Fact, Wire("1.4.05", "C1.4.03")]
    public void Inflating_stops_at_the_limit()
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('a', 1000));
        Assert.Equal(text, Gzip.Inflate(Deflate(text), 1000).ToArray());
        Assert.Equal(StatusCode.ResourceExhausted,
            Assert.Throws<RpcException>(() => Gzip.Inflate(Deflate(text), 999)).StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted,
            Assert.Throws<RpcException>(() => Gzip.Inflate(Deflate(new byte[50_000_000]), 1000)).StatusCode);
    }

    [Fact]
    public void Each_encoding_inflates_what_it_compressed_and_refuses_what_is_cut_off()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000)));
        foreach (ICompressionProvider provider in (ICompressionProvider[])
            [Gzip.Provider, new DeflateCompressionProvider(CompressionLevel.Optimal)])
        {
            ReadOnlyMemory<byte> packed = provider.Deflate(text);
            Assert.True(packed.Length < text.Length);
            Assert.Equal(text, provider.Inflate(new(packed), text.Length).ToArray());

            // Others do not take no bytes at all for an empty message.
            ReadOnlyMemory<byte> nothing = provider.Deflate(ReadOnlyMemory<byte>.Empty);
            Assert.Equal(packed.Span[0], nothing.Span[0]);
            Assert.True(provider.Inflate(new(nothing), 0).IsEmpty);
        }

        ReadOnlyMemory<byte> gzip = Gzip.Provider.Deflate(text);
        for (int length = 1; length < gzip.Length; length++)
        {
            Assert.Equal(StatusCode.Internal, Assert.Throws<RpcException>(
                () => Gzip.Inflate(new(gzip[..length]), text.Length)).StatusCode);
        }
    }

    [Fact]
    public void What_is_not_gzip_is_internal_and_nothing_is_nothing()
    {
        Assert.Equal(StatusCode.Internal,
            Assert.Throws<RpcException>(() => Gzip.Inflate(new([1, 2, 3, 4]), 1000)).StatusCode);
        Assert.True(Gzip.Inflate(ReadOnlySequence<byte>.Empty, 1000).IsEmpty);
    }

    private static readonly Marshaller<byte[]> Bytes = new(
        (message, output) => output.Complete(message), context => context.PayloadAsNewBuffer());

    private static readonly Action<byte[], SerializationContext>[] Ways =
    [
        (message, context) => context.Complete(message),
        (message, context) =>
        {
            context.SetPayloadLength(message.Length);
            context.GetBufferWriter().Write(message);
            context.Complete();
        },
        (message, context) =>
        {
            foreach (byte b in message)
            {
                context.GetBufferWriter().Write([b]);
            }

            context.Complete();
        },
    ];

    private static ReadOnlySequence<byte> Deflate(byte[] plain)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(plain);
        }

        return new(packed.ToArray());
    }

    private static async Task<List<string>> ReadAllAsync(FrameReader frames)
    {
        List<string> read = [];
        while (await frames.ReadAsync() is { } payload)
        {
            read.Add($"{frames.Flags}:{Convert.ToHexString(payload.ToArray())}");
        }

        return read;
    }
}
