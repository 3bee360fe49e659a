using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// What a handler is told of its request's headers and peer, where it asks.
internal static class CallMetadata
{
    public static Metadata Read(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        try
        {
            foreach ((string name, StringValues values) in headers)
            {
                foreach (string? value in values)
                {
                    HttpFields.Read(metadata, name, value ?? "");
                }
            }
        }
        catch (RpcException exception)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, exception.Status.Detail));
        }

        return metadata;
    }

    /// Both, one after the other.
    public static Metadata? Join(Metadata? first, Metadata? second)
    {
        if (first is not { Count: > 0 } || second is not { Count: > 0 })
        {
            return second is { Count: > 0 } ? second : first;
        }

        var all = new Metadata();
        foreach (Metadata.Entry entry in first.Concat(second))
        {
            all.Add(entry);
        }

        return all;
    }

    public static string Peer(ConnectionInfo connection) => connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6 } v6 =>
            $"ipv6:[{(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6)}]:{connection.RemotePort}",
        IPAddress v4 => $"ipv4:{v4}:{connection.RemotePort}",
    };

    public static AuthContext Auth(HttpRequest request) => new(null, request.IsHttps
        ? new() { ["transport_security_type"] = [AuthProperty.Create("transport_security_type", "ssl"u8.ToArray())] }
        : []);
}
