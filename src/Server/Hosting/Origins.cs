using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Squall.Server;

/// <summary>
/// Tells where calls come from. What a proxy says of that is believed if it is one of the options' trusted ones: from
/// the last address of X-Forwarded-For, which the nearest proxy has written, back to the first that is no trusted
/// proxy's.
/// </summary>
internal sealed partial class Origins(ServerOptions options, ILogger<Origins> log)
{
    private const string ForwardedFor = "X-Forwarded-For";
    private const string ForwardedProto = "X-Forwarded-Proto";

    /// <summary>What calls within this process come from: it has no address.</summary>
    private static readonly Origin Itself = Origin.Of(IPAddress.IPv6Loopback);
    private int _warnings;

    /// <summary>Where a call comes from.</summary>
    public Origin Of(ServerCallContext context) => Of(context.GetHttpContext());

    /// <summary>Whether limits by address, and of requests, hold for whoever calls from there.</summary>
    public bool IsLimited(Origin origin) => !origin.IsLocal || options.LimitLoopback;

    public Origin Of(HttpContext http)
    {
        if (PeerOf(http) is not { } peer)
        {
            return Itself;
        }

        StringValues forwarded = http.Request.Headers[ForwardedFor];
        return forwarded.Count == 0 ? Origin.Of(peer)
            : IsTrusted(peer) ? Forwarded(peer, forwarded.ToString())
            : Unforwarded(peer);
    }

    /// <exception cref="RpcException">PERMISSION_DENIED: whoever listens on the way has the secret by now.</exception>
    public void RequirePrivate(ServerCallContext context)
    {
        if (!options.ClearTextTokens && !IsPrivate(context.GetHttpContext()))
        {
            throw Fault.Denied(
                "CLEAR_TEXT",
                "Passwords and tokens are taken over TLS alone from others than this machine: use https. What was sent "
                + "may have been read by others.");
        }
    }

    /// <summary>
    /// Whether nobody on the way can read what a call carries: it came over TLS, or from this machine; by a trusted
    /// proxy, if that says the same of its caller.
    /// </summary>
    public bool IsPrivate(HttpContext http)
    {
        if (http.Request.IsHttps || PeerOf(http) is not { } peer)
        {
            return true;
        }

        IHeaderDictionary headers = http.Request.Headers;
        return headers.ContainsKey(ForwardedFor) && IsTrusted(peer)
            ? Of(http).IsLocal || headers[ForwardedProto].ToString().Split(',', StringSplitOptions.TrimEntries)
                .All(scheme => string.Equals(scheme, "https", StringComparison.OrdinalIgnoreCase))
            : IPAddress.IsLoopback(peer);
    }

    /// <summary>Asked so, a connection costs each of its requests no object.</summary>
    private static IPAddress? PeerOf(HttpContext http) => http.Features.Get<IHttpConnectionFeature>()?.RemoteIpAddress;

    private Origin Forwarded(IPAddress proxy, string list)
    {
        string[] hops = list.Split(',', StringSplitOptions.TrimEntries);
        IPAddress nearest = proxy;
        for (int at = hops.Length - 1; at >= 0 && IsTrusted(nearest); at--)
        {
            if (!IPEndPoint.TryParse(hops[at], out IPEndPoint? hop))
            {
                return Origin.Of(nearest, isDirect: false);
            }

            nearest = hop.Address;
        }

        return Origin.Of(nearest);
    }

    /// <summary>
    /// A proxy that the options do not name is not believed; but if it is on this machine, that is not who calls.
    /// </summary>
    private Origin Unforwarded(IPAddress proxy)
    {
        if (IPAddress.IsLoopback(proxy) && Interlocked.Exchange(ref _warnings, 1) == 0)
        {
            ProxyUnknown(proxy);
        }

        return Origin.Of(proxy, isDirect: false);
    }

    private bool IsTrusted(IPAddress address)
    {
        IPAddress plain = Origin.Plain(address);
        return options.TrustedProxies.Any(network => network.Contains(plain));
    }

    [LoggerMessage(3, LogLevel.Warning, "A call that came by a proxy, {Proxy}, counts as the proxy's own, with "
        + "everyone else's: name the proxy in --trusted-proxies, so that its X-Forwarded-For is believed.")]
    private partial void ProxyUnknown(IPAddress proxy);
}
