using System.IO.Compression;
using Grpc.Net.Compression;

namespace Squall.Rpc.Tests;

public sealed class ServerEncodedTests
{
    [Fact]
    public void Each_form_of_a_message_is_made_once()
    {
        var message = new EncodedMessage<EchoResponse>(new EchoResponse { Text = new string('a', 5000) });
        var encodings = new Encodings([Gzip.Provider], "gzip", CompressionLevel.Fastest, 1024);
        var json = new MessageCodec(new JsonCodec(Google.Protobuf.Reflection.TypeRegistry.Empty));
        foreach (MessageCodec codec in (MessageCodec[])[MessageCodec.Proto, json])
        {
            foreach (ICompressionProvider? provider in (ICompressionProvider?[])[null, Gzip.Provider])
            {
                ReadOnlyMemory<byte> frame = ((IEncodedMessage)message).FrameFor(codec, provider, encodings);
                Assert.True(frame.Span == ((IEncodedMessage)message).FrameFor(codec, provider, encodings).Span);
                Assert.Equal(provider is null ? 0 : 1, frame.Span[0]);
            }
        }
    }

    [Fact]
    public void A_message_that_was_encoded_before_is_the_same()
    {
        var plain = new EchoResponse { Text = "☺", Index = 7 };
        byte[] payload = Google.Protobuf.MessageExtensions.ToByteArray(plain);
        var message = new EncodedMessage<EchoResponse>(payload, EchoResponse.Parser);
        Assert.Equal(new EncodedMessage<EchoResponse>(plain).Frame.ToArray(), message.Frame.ToArray());
        Assert.Equal(plain, message.Message);
    }
}
