using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Squall.Server;

/// <summary>
/// Where to listen: <c>localhost</c>, an IPv4 address or an IPv6 address in brackets, and a port; port 0 takes a free
/// one.
/// </summary>
internal sealed record HostPort(string Host, int Port)
{
    /// <summary>What is wrong with a text that is none.</summary>
    public const string Rule = "is no HOST:PORT, such as localhost:7080, 0.0.0.0:7080 or [::1]:7080";

    private const string LocalhostName = "localhost";

    public bool IsLoopback => Host == LocalhostName || IPAddress.IsLoopback(IPAddress.Parse(Host));

    public static HostPort Localhost(int port) => new(LocalhostName, port);

    /// <summary>Null: the text is no address to listen on.</summary>
    public static HostPort? Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > IPEndPoint.MaxPort)
        {
            return null;
        }

        string host = text[..colon];
        return string.Equals(host, LocalhostName, StringComparison.OrdinalIgnoreCase)
            ? Localhost(port)
            : Address(host) is { } address ? new HostPort(address.ToString(), port) : null;
    }

    /// <summary>
    /// The sockets to listen on. <c>localhost</c> is 127.0.0.1 and, if this machine has it, [::1]; with port 0 it is
    /// 127.0.0.1 alone, since the two would get different ports.
    /// </summary>
    public IReadOnlyList<IPEndPoint> EndPoints()
    {
        if (Host != LocalhostName)
        {
            return [new IPEndPoint(IPAddress.Parse(Host), Port)];
        }

        var four = new IPEndPoint(IPAddress.Loopback, Port);
        return Port != 0 && HasLoopback6() ? [four, new IPEndPoint(IPAddress.IPv6Loopback, Port)] : [four];
    }

    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static IPAddress? Address(string host)
    {
        bool bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (!IPAddress.TryParse(bracketed ? host[1..^1] : host, out IPAddress? address))
        {
            return null;
        }

        // The framework also takes "1" and "0x7f.1" for IPv4 addresses; nobody means that.
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? bracketed ? address : null
            : !bracketed && address.ToString() == host ? address : null;
    }

    private static bool HasLoopback6()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
