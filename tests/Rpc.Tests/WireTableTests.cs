using Grpc.Core;

namespace Squall.Rpc.Tests;

public sealed class WireTableTests
{
    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(431, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(200, StatusCode.Unknown)]
    [InlineData(418, StatusCode.Unknown)]
    [InlineData(599, StatusCode.Unknown)]
    public void Http_statuses_mean(int http, StatusCode expected) =>
        Assert.Equal(expected, StatusTables.FromHttp(http));

    [Theory]
    [InlineData(0, StatusCode.Internal)]
    [InlineData(1, StatusCode.Internal)]
    [InlineData(2, StatusCode.Internal)]
    [InlineData(7, StatusCode.Unavailable)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    [InlineData(12, StatusCode.PermissionDenied)]
    [InlineData(0xFFFF_FFFF, StatusCode.Internal)]
    public void Http2_errors_mean(long error, StatusCode expected) =>
        Assert.Equal(expected, StatusTables.FromHttp2Error(error));

    [Fact]
    public void Each_code_but_ok_has_a_connect_name_of_its_own()
    {
        StatusCode[] codes = [.. Enum.GetValues<StatusCode>().Where(code => code != StatusCode.OK)];
        Assert.Equal(codes.Length, codes.Select(ConnectCode.Name).Distinct().Count());
        foreach (StatusCode code in codes)
        {
            Assert.True(ConnectCode.TryParse(ConnectCode.Name(code), out StatusCode read));
            Assert.Equal(code, read);
        }

        Assert.Equal("canceled", ConnectCode.Name(StatusCode.Cancelled));
        Assert.Equal("unknown", ConnectCode.Name((StatusCode)99));
        Assert.False(ConnectCode.TryParse("cancelled", out _));
        Assert.False(ConnectCode.TryParse(null, out _));
    }

    [Theory]
    [InlineData(StatusCode.OK, 200)]
    [InlineData(StatusCode.Cancelled, 499)]
    [InlineData(StatusCode.NotFound, 404)]
    [InlineData(StatusCode.FailedPrecondition, 400)]
    [InlineData(StatusCode.Unauthenticated, 401)]
    [InlineData(StatusCode.DataLoss, 500)]
    public void Connect_answers_with(StatusCode code, int http) => Assert.Equal(http, ConnectCode.HttpStatus(code));

    [Fact]
    [Wire("C1.3.19")]
    public void Backoff_grows_to_its_bound_and_is_random_below_it()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), random: new Fixed(0.5));
        int[] delays = [.. Enumerable.Range(0, 6).Select(_ => (int)backoff.Next().TotalMilliseconds)];
        Assert.Equal([50, 100, 200, 400, 500, 500], delays);
        backoff.Reset();
        Assert.Equal(50, backoff.Next().TotalMilliseconds);
        Assert.Equal(TimeSpan.Zero,
            new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), random: new Fixed(0)).Next());
    }

    private sealed class Fixed(double value) : Random
    {
        public override double NextDouble() => value;
    }
}
