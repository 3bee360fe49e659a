using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Google.Rpc;

public sealed partial class Status
{
    /// The first detail of type `T`; null if there is none.
    public T? GetDetail<T>() where T : class, IMessage<T>, new()
    {
        var expected = new T();
        Any? any = Details.FirstOrDefault(any => any.Is(expected.Descriptor));
        return any?.Unpack<T>();
    }
}
