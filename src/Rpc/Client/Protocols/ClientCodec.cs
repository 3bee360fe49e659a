using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// What the messages of a channel are written in.
internal abstract class ClientCodec
{
    public static readonly ClientCodec Proto = new ProtoCodec();
    public static readonly ClientCodec Json = new JsonCodec();

    /// As content types name it.
    public abstract string Name { get; }

    public abstract FrameBuffer Encode<T>(T message, Marshaller<T> marshaller, int bytesMax);

    public abstract T Decode<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller);

    private sealed class ProtoCodec : ClientCodec
    {
        public override string Name => "proto";

        public override FrameBuffer Encode<T>(T message, Marshaller<T> marshaller, int bytesMax) =>
            FrameBuffer.Encode(marshaller.ContextualSerializer, message, bytesMax);

        public override T Decode<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller) =>
            FramePayload.Read(payload, marshaller);
    }

    /// Protobuf's JSON. Fields that are not known are passed over, as they are in its binary form.
    private sealed class JsonCodec : ClientCodec
    {
        private const int DepthMax = 100;

        private readonly ConcurrentDictionary<MessageDescriptor, (JsonFormatter, JsonParser)> forms = new();

        public override string Name => "json";

        public override FrameBuffer Encode<T>(T message, Marshaller<T> marshaller, int bytesMax) => FrameBuffer.Encode(
            static (text, output) => output.Complete(Encoding.UTF8.GetBytes(text)),
            message is IMessage proto ? FormsOf(proto.Descriptor).Formatter.Format(proto) : throw NoJson(typeof(T)),
            bytesMax);

        public override T Decode<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller)
        {
            // An empty message of the same type brings its descriptor along, whatever the marshaller is made of.
            if (FramePayload.Read(ReadOnlySequence<byte>.Empty, marshaller) is not IMessage empty)
            {
                throw NoJson(typeof(T));
            }

            return (T)FormsOf(empty.Descriptor).Parser.Parse(Encoding.UTF8.GetString(payload), empty.Descriptor);
        }

        private (JsonFormatter Formatter, JsonParser Parser) FormsOf(MessageDescriptor type) =>
            forms.GetOrAdd(type, static type =>
            {
                // The registry is for google.protobuf.Any: what the messages import, and the details of errors.
                var types = TypeRegistry.FromFiles(
                    type.File, Google.Rpc.ErrorDetailsReflection.Descriptor, Google.Rpc.StatusReflection.Descriptor);
                return (
                    new JsonFormatter(new JsonFormatter.Settings(false, types)),
                    new JsonParser(new JsonParser.Settings(DepthMax, types).WithIgnoreUnknownFields(true)));
            });

        private static RpcException NoJson(Type type) =>
            new(new Status(StatusCode.Internal, $"{type.Name} has no JSON form: it is no protobuf message."));
    }
}
