using System.Net;
using System.Net.Sockets;

namespace Squall.Server;

/// <summary>Looks whether the addresses are free, before anything is made.</summary>
internal static class Ports
{
    /// <exception cref="StartRefusedException">One is in use, or is not this machine's.</exception>
    public static void Check(ServerOptions options)
    {
        var held = new List<Socket>();
        try
        {
            foreach (IPEndPoint point in options.Http.EndPoints().Concat(options.Https?.EndPoints() ?? []))
            {
                held.Add(Hold(point));
            }
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    private static Socket Hold(IPEndPoint point)
    {
        var socket = new Socket(point.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (point.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(point);
            socket.Listen(1);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new StartRefusedException($"the address {point} {Cause(failure)}", failure);
        }
    }

    private static string Cause(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "is in use by another program",
        SocketError.AccessDenied => "may not be used: ports below 1024 are reserved",
        _ => $"cannot be used: {failure.Message}",
    };
}
