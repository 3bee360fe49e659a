using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc.Tests;

/// What a client compresses, and what it inflates.
public sealed class ClientCompressionTests
{
    private static readonly string Long = new('z', 5000);

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [Wire("C1.4.01")]
    public async Task A_request_is_compressed_if_its_caller_asks_for_it(string encoding)
    {
        var seen = new Dictionary<string, string>();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            seen["encoding"] = http.Request.Headers["grpc-encoding"].ToString();
            seen["internal"] = http.Request.Headers["grpc-internal-encoding-request"].ToString();
            await AnswerAsync(http, encoding, seen);
        });
        EchoResponse response = await server.Client.UnaryAsync(new() { Text = Long }, Asking(encoding));
        Assert.Equal(Long, response.Text);
        Assert.Equal(encoding, seen["encoding"]);
        Assert.Equal("", seen["internal"]);
        Assert.Equal("1", seen["flags"]);
    }

    [Fact]
    [Wire("C1.4.01")]
    public async Task A_message_that_is_small_or_marked_is_sent_as_it_is()
    {
        var seen = new Dictionary<string, string>();
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => AnswerAsync(http, "gzip", seen));
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat(Asking("gzip"));
        await call.RequestStream.WriteAsync(new() { Text = "small" });
        await call.RequestStream.WriteAsync(new() { Text = Long });
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(new() { Text = Long });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(["small", Long, Long],
            await call.ResponseStream.ReadAllAsync().Select(response => response.Text).ToListAsync());
        Assert.Equal("010", seen["flags"]);

        var options = new CallOptions(Asking("gzip"), writeOptions: new WriteOptions(WriteFlags.NoCompress));
        seen.Clear();
        await server.Client.UnaryAsync(new() { Text = Long }, options);
        Assert.Equal("0", seen["flags"]);
    }

    [Fact]
    [Wire("C1.4.01")]
    public async Task An_encoding_without_a_provider_fails_the_call()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.UnaryAsync(new(), Asking("snappy")));
        Assert.Equal(StatusCode.Internal, thrown.StatusCode);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = server.Client.Chat(Asking("snappy"));
        thrown = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new()));
        Assert.Equal(StatusCode.Internal, thrown.StatusCode);
    }

    [Fact]
    [Wire("C1.4.02")]
    public async Task Providers_of_ones_own_are_offered_and_used()
    {
        string? offered = null;
        var seen = new Dictionary<string, string>();
        var options = new GrpcChannelOptions { CompressionProviders = [new Upside()] };
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            offered = http.Request.Headers["grpc-accept-encoding"];
            http.Response.Headers["grpc-encoding"] = "upside";
            await http.WriteAsync(Script.Frame(Flip(new EchoResponse { Text = "x" }.ToByteArray()), Frame.Compressed));
            http.End();
        }, options);
        Assert.Equal("x", (await server.Client.UnaryAsync(new() { Text = Long }, Asking("upside"))).Text);
        Assert.Equal("identity,upside", offered);
    }

    [Fact]
    [Wire("C1.4.03")]
    public async Task What_inflates_beyond_the_limit_is_resource_exhausted()
    {
        byte[] bomb = Pack("gzip", new byte[100_000_000]);
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Answer(http, bomb));
        long before = GC.GetTotalAllocatedBytes();
        Assert.Equal(StatusCode.ResourceExhausted, await CodeAsync(server));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);

        byte[] message = new EchoResponse { Text = Long }.ToByteArray();
        byte[] packed = Pack("gzip", message);
        foreach ((int limit, StatusCode expected) in new[]
        {
            (message.Length, StatusCode.OK), (message.Length - 1, StatusCode.ResourceExhausted),
        })
        {
            var options = new GrpcChannelOptions { MaxReceiveMessageSize = limit };
            await using ScriptedServer strict = await ScriptedServer.StartAsync(http => Answer(http, packed), options);
            Assert.Equal(expected, await CodeAsync(strict));
        }
    }

    [Fact]
    [Wire("C1.4.04")]
    public async Task What_is_not_in_its_encoding_is_internal_and_nothing_is_nothing()
    {
        byte[] packed = Pack("gzip", new EchoResponse { Text = Long }.ToByteArray());
        foreach ((byte[] body, StatusCode expected) in new[]
        {
            (new byte[] { 1, 2, 3, 4 }, StatusCode.Internal), (packed[..^9], StatusCode.Internal),
            ([], StatusCode.OK),
        })
        {
            await using ScriptedServer server = await ScriptedServer.StartAsync(http => Answer(http, body));
            Assert.Equal(expected, await CodeAsync(server));
        }
    }

    private static Metadata Asking(string encoding) => new() { { "grpc-internal-encoding-request", encoding } };

    /// Answers each request with its own text in the same encoding, and notes the flags of the requests.
    private static async Task AnswerAsync(HttpContext http, string encoding, Dictionary<string, string> seen)
    {
        http.Response.Headers["grpc-encoding"] = encoding;
        await http.WriteAsync();
        ICompressionProvider provider = MessageEncodings.Default.Find(encoding)!;
        var frames = new FrameReader(http.Request.BodyReader, int.MaxValue);
        seen["flags"] = "";
        while (await frames.ReadAsync() is { } payload)
        {
            seen["flags"] += frames.Flags;
            payload = frames.IsCompressed ? provider.Inflate(payload, 1_000_000) : payload;
            string text = EchoRequest.Parser.ParseFrom(payload).Text;
            await http.WriteAsync(Script.Frame(
                Pack(encoding, new EchoResponse { Text = text }.ToByteArray()), Frame.Compressed));
        }

        http.End();
    }

    private static async Task Answer(HttpContext http, byte[] packed)
    {
        http.Response.Headers["grpc-encoding"] = "gzip";
        await http.WriteAsync(Script.Frame(packed, Frame.Compressed));
        http.End();
    }

    private static byte[] Pack(string encoding, byte[] message) =>
        MessageEncodings.Default.Find(encoding)!.Deflate(message).ToArray();

    private static byte[] Flip(byte[] bytes) => [.. bytes.Select(b => (byte)~b)];

    private static async Task<StatusCode> CodeAsync(ScriptedServer server)
    {
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        await call.ResponseAsync.WaitAsync(ScriptedServer.Net).ContinueWith(_ => { }, TaskScheduler.Default);
        return call.GetStatus().StatusCode;
    }

    /// An encoding that turns each bit over.
    private sealed class Upside : ICompressionProvider
    {
        public string EncodingName => "upside";

        public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => new Turning(stream);

        public Stream CreateDecompressionStream(Stream stream)
        {
            var all = new MemoryStream();
            stream.CopyTo(all);
            return new MemoryStream(Flip(all.ToArray()));
        }
    }

    private sealed class Turning(Stream inner) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(Flip(buffer.ToArray()));
    }
}
