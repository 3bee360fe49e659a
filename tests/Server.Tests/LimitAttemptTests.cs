using System.Net;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server.Tests;

/// <summary>How often passwords may be guessed and accounts be made, by default.</summary>
public sealed class LimitAttemptTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly FakeTime _time = new();
    private readonly Attempts _attempts;

    public LimitAttemptTests() =>
        _attempts = new(new(new ServerOptions(), NullLogger<Origins>.Instance), new Limits(), _time);

    [Fact]
    public void Ten_to_an_account_from_an_address_in_15_minutes()
    {
        for (int at = 0; at < 10; at++)
        {
            Assert.Null(Fail("ada", "192.0.2.1"));
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(TimeSpan.FromMinutes(5), Fail("ada", "192.0.2.1"));
        Assert.Equal(TimeSpan.FromMinutes(5), Fail("ada", "192.0.2.1", isFamiliar: true));
        Assert.Null(Fail("ada", "192.0.2.2"));
        Assert.Null(Fail("eve", "192.0.2.1"));

        // The wait that was told is the true one, and it lets one through.
        _time.Advance(TimeSpan.FromMinutes(5) - Tick);
        Assert.Equal(Tick, Fail("ada", "192.0.2.1"));
        _time.Advance(Tick);
        Assert.Null(Fail("ada", "192.0.2.1"));
        Assert.Equal(TimeSpan.FromMinutes(1), Fail("ada", "192.0.2.1"));
    }

    [Fact]
    public void A_hundred_to_an_account_in_an_hour_but_not_where_it_is_used()
    {
        for (int at = 0; at < 100; at++)
        {
            Assert.Null(Fail("ada", $"192.0.2.{at / 10}"));
        }

        Assert.Equal(TimeSpan.FromHours(1), Fail("ada", "198.51.100.1"));
        Assert.Null(Fail("ada", "198.51.100.1", isFamiliar: true));
        Assert.Null(Fail("eve", "198.51.100.1"));

        // What fails where it is used is not counted against others.
        for (int at = 0; at < 100; at++)
        {
            Assert.Null(Fail("bob", $"192.0.2.{100 + (at / 10)}", isFamiliar: true));
        }

        Assert.Null(Fail("bob", "203.0.113.1"));
    }

    [Theory]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")]
    [InlineData("2001:db8:1:2::{0:x}", "2001:db8:1:2:ffff::{0:x}", "2001:db8:1:3::1")]
    public void A_hundred_from_an_address_or_64_of_IPv6_in_15_minutes(string from, string same, string other)
    {
        for (int at = 0; at < 50; at++)
        {
            Assert.Null(Fail($"name{at}", string.Format(null, from, at)));
            Assert.Null(Fail($"other{at}", string.Format(null, same, at)));
        }

        Assert.Equal(TimeSpan.FromMinutes(15), Fail("ada", string.Format(null, from, 100)));
        Assert.Equal(TimeSpan.FromMinutes(15), Fail("ada", string.Format(null, same, 100), isFamiliar: true));
        Assert.Null(Fail("ada", other));
    }

    [Fact]
    public void Of_many_that_are_tried_at_once_no_more_get_through()
    {
        var trying = new List<Attempts.Attempt>();
        int refused = 0;
        for (int at = 0; at < 50; at++)
        {
            try
            {
                trying.Add(Begin("ada", "192.0.2.1"));
            }
            catch (RpcException)
            {
                refused++;
            }
        }

        Assert.Equal((10, 40), (trying.Count, refused));

        // Those that were right, or were not tried after all, do not count: the room is there again.
        trying.ForEach(attempt => attempt.Dispose());
        for (int at = 0; at < 10; at++)
        {
            Assert.Null(Fail("ada", "192.0.2.1"));
        }

        Assert.NotNull(Fail("ada", "192.0.2.1"));
    }

    [Fact]
    public void What_was_right_does_not_count_and_what_was_refused_prolongs_nothing()
    {
        for (int at = 0; at < 200; at++)
        {
            Begin("ada", "192.0.2.1").Dispose();
        }

        for (int at = 0; at < 10; at++)
        {
            Assert.Null(Fail("ada", "192.0.2.1"));
        }

        for (int at = 0; at < 14; at++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(TimeSpan.FromMinutes(14 - at), Fail("ada", "192.0.2.1"));
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(Fail("ada", "192.0.2.1"));
    }

    [Fact]
    public void Loopback_is_exempt()
    {
        for (int at = 0; at < 200; at++)
        {
            Assert.Null(Fail("ada", "127.0.0.1"));
            _attempts.CountRegistration(Origin.Of(IPAddress.IPv6Loopback));
        }
    }

    [Fact]
    public void Twenty_registrations_from_an_address_in_an_hour()
    {
        Origin origin = Origin.Of(IPAddress.Parse("2001:db8::1"));
        for (int at = 0; at < 20; at++)
        {
            _attempts.CountRegistration(origin);
        }

        var refused = Assert.Throws<RpcException>(() => _attempts.CountRegistration(origin));
        Assert.Equal(new Refusal(StatusCode.ResourceExhausted, "TOO_MANY_REGISTRATIONS"), Refusal.Of(refused));
        Assert.Equal(TimeSpan.FromHours(1), WaitOf(refused));
        _attempts.CountRegistration(Origin.Of(IPAddress.Parse("2001:db8:0:1::1")));
        _time.Advance(TimeSpan.FromHours(1));
        _attempts.CountRegistration(origin);
    }

    [Fact]
    public void Whoever_tries_many_names_fills_no_memory()
    {
        var count = new RecentCount<int>(max: 3, TimeSpan.FromMinutes(1), remembered: 1_000);
        for (int at = 0; at < 5_000; at++)
        {
            count.Hold(at);
            count.Count(at, TimeSpan.Zero);
            Assert.InRange(count.Keys, 0, 1_000);
        }

        Assert.Equal(1_000, count.Keys);
        count.WaitOf(0, TimeSpan.FromMinutes(1));
        Assert.Equal(0, count.Keys);
    }

    /// <summary>Null: it was tried. Else how long it is to wait.</summary>
    private TimeSpan? Fail(string username, string address, bool isFamiliar = false)
    {
        try
        {
            using Attempts.Attempt attempt = Begin(username, address, isFamiliar);
            attempt.Fail();
            return null;
        }
        catch (RpcException refused)
        {
            Assert.Equal(new Refusal(StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS"), Refusal.Of(refused));
            return WaitOf(refused);
        }
    }

    private Attempts.Attempt Begin(string username, string address, bool isFamiliar = false) =>
        _attempts.BeginLogin(username, Origin.Of(IPAddress.Parse(address)), isFamiliar);

    private static TimeSpan WaitOf(RpcException refused) =>
        Refusal.Detail<RetryInfo>(refused)!.RetryDelay.ToTimeSpan();
}
