using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Squall.Server;

/// <summary>
/// Where a call comes from, as far as limits tell places apart: an IPv4 address, or a /64 of IPv6, of which whoever has
/// one has 2^64 addresses.
/// </summary>
/// <param name="Network">The address, an IPv4 one as IPv6 writes it; of IPv6 the first 64 bits, and zeros.</param>
/// <param name="IsLocal">It is this machine itself that calls: nobody's proxy stands between.</param>
internal readonly record struct Origin(UInt128 Network, bool IsLocal)
{
    private const int HostBits = 64;

    public static Origin Of(IPAddress address, bool isDirect = true)
    {
        IPAddress plain = Plain(address);
        Span<byte> bytes = stackalloc byte[16];
        plain.MapToIPv6().TryWriteBytes(bytes, out _);
        UInt128 bits = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        bool isWhole = plain.AddressFamily == AddressFamily.InterNetwork || IPAddress.IsLoopback(plain);
        return new Origin(isWhole ? bits : bits >> HostBits << HostBits, isDirect && IPAddress.IsLoopback(plain));
    }

    /// <summary>An IPv4 address that IPv6 wraps is an IPv4 address.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>As a person writes it: 192.0.2.7, 2001:db8:1:2::/64.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Network);
        IPAddress address = Plain(new IPAddress(bytes));
        return address.AddressFamily == AddressFamily.InterNetwork || IPAddress.IsLoopback(address)
            ? address.ToString()
            : $"{address}/{HostBits}";
    }
}
