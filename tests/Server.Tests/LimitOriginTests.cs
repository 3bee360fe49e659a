using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server.Tests;

/// <summary>Where a call comes from, and who is believed about that.</summary>
public sealed class LimitOriginTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:3::1", "2001:db8:1:3::/64")]
    [InlineData("fe80::1%1", "fe80::/64")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("::2", "::/64")]
    public void An_origin_is_an_IPv4_address_or_a_64_of_IPv6(string address, string origin) =>
        Assert.Equal(origin, Origin.Of(IPAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.8.8", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("192.0.2.7", false)]
    [InlineData("::2", false)]
    [InlineData("fe80::1", false)]
    public void Loopback_is_local(string address, bool local) =>
        Assert.Equal(local, Of(address, null, "none").IsLocal);

    // What is believed is what a trusted proxy has written; what its caller has written before that is not.
    [Theory]
    [InlineData("192.0.2.7", "198.51.100.1", "none", "192.0.2.7")]
    [InlineData("192.0.2.7", "198.51.100.1", "192.0.2.7", "198.51.100.1")]
    [InlineData("::ffff:192.0.2.7", "198.51.100.1", "192.0.2.0/24", "198.51.100.1")]
    [InlineData("192.0.2.7", "203.0.113.9, 198.51.100.1", "192.0.2.7", "198.51.100.1")]
    [InlineData("192.0.2.7", "127.0.0.1, 198.51.100.1", "192.0.2.7,127.0.0.1", "198.51.100.1")]
    [InlineData("192.0.2.7", "198.51.100.1, 10.0.0.3,10.0.0.2", "192.0.2.7,10.0.0.0/8", "198.51.100.1")]
    [InlineData("192.0.2.7", "198.51.100.1:4711", "192.0.2.7", "198.51.100.1")]
    [InlineData("192.0.2.7", "[2001:db8:1:2::3]:4711", "192.0.2.7", "2001:db8:1:2::/64")]
    [InlineData("2001:db8::7", "2001:db8:1:2::3", "2001:db8::/48", "2001:db8:1:2::/64")]
    [InlineData("192.0.2.7", "198.51.100.1, unknown", "192.0.2.7", "192.0.2.7")]
    [InlineData("192.0.2.7", "198.51.100.1,", "192.0.2.7", "192.0.2.7")]
    [InlineData("192.0.2.7", "", "192.0.2.7", "192.0.2.7")]
    [InlineData("198.51.100.8", "10.0.0.1", "192.0.2.7", "198.51.100.8")]
    public void Only_what_trusted_proxies_wrote_is_believed(
        string peer, string forwarded, string trusted, string origin) =>
        Assert.Equal(origin, Of(peer, forwarded, trusted).ToString());

    [Theory]
    [InlineData("127.0.0.1", "198.51.100.1", "none", "127.0.0.1")]
    [InlineData("127.0.0.1", "127.0.0.1", "none", "127.0.0.1")]
    [InlineData("127.0.0.1", "127.0.0.1, unknown", "127.0.0.1", "127.0.0.1")]
    [InlineData("192.0.2.7", "127.0.0.1, 198.51.100.1", "192.0.2.7", "198.51.100.1")]
    public void Whoever_comes_by_a_proxy_is_not_local_for_that(
        string peer, string forwarded, string trusted, string origin) =>
        Assert.Equal((origin, false), Of(peer, forwarded, trusted) is var of ? (of.ToString(), of.IsLocal) : default);

    [Fact]
    public void Of_several_headers_the_last_line_is_the_nearest_proxys()
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        http.Request.Headers.Append("X-Forwarded-For", "203.0.113.9");
        http.Request.Headers.Append("X-Forwarded-For", "198.51.100.1");
        Assert.Equal("198.51.100.1", OriginsOf("192.0.2.7").Of(http).ToString());
    }

    [Fact]
    public void Calls_within_the_process_are_local() =>
        Assert.True(OriginsOf("none").Of(new DefaultHttpContext()).IsLocal);

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("proxy.example")]
    [InlineData("192.0.2.7/8")]
    [InlineData("192.0.2.7/33")]
    [InlineData("1")]
    [InlineData("192.0.2.7,none")]
    public void What_is_no_list_of_proxies_is_refused(string text) =>
        Assert.NotNull(OptionList.All.Single(option => option.Name == "trusted-proxies").Set(new(), text));

    private static Origin Of(string peer, string? forwarded, string trusted)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (forwarded is not null)
        {
            http.Request.Headers.Append("X-Forwarded-For", forwarded);
        }

        return OriginsOf(trusted).Of(http);
    }

    private static Origins OriginsOf(string trusted)
    {
        var options = new ServerOptions();
        Assert.Null(OptionList.All.Single(option => option.Name == "trusted-proxies").Set(options, trusted));
        return new Origins(options, NullLogger<Origins>.Instance);
    }
}
