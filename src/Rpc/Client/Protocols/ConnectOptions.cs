using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Rpc;

/// <summary>How a channel speaks Connect.</summary>
public sealed class ConnectOptions
{
    private readonly HashSet<string> safe = new(StringComparer.Ordinal);

    /// <summary>An address longer than this, with the message in it, is not asked for by GET but by POST.</summary>
    public int GetAddressMax { get; set; } = 8 * 1024;

    /// <summary>Calls the service's methods that have no side effects by GET, so that answers may be cached.</summary>
    public ConnectOptions UseGet(ServiceDescriptor service)
    {
        ArgumentNullException.ThrowIfNull(service);
        safe.UnionWith(service.Methods
            .Where(method => method.GetOptions()?.IdempotencyLevel
                == MethodOptions.Types.IdempotencyLevel.NoSideEffects)
            .Select(method => $"/{service.FullName}/{method.Name}"));
        return this;
    }

    internal bool IsSafe(IMethod method) => safe.Contains(method.FullName);
}

/// <summary>What a channel speaks, and in what it writes messages, where that is not gRPC and protobuf.</summary>
public static class RpcChannelOptionsExtensions
{
    /// <summary>Connect in place of gRPC. In clear text over HTTP/1.1, unless the options name a version.</summary>
    public static GrpcChannelOptions UseConnect(
        this GrpcChannelOptions options, Action<ConnectOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var connect = new ConnectOptions();
        configure?.Invoke(connect);
        options.Protocol = new ConnectProtocol(connect);
        return options;
    }

    /// <summary>Messages as JSON in place of protobuf's binary form, in any protocol.</summary>
    public static GrpcChannelOptions UseJson(this GrpcChannelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Codec = ClientCodec.Json;
        return options;
    }
}
