using System.Text;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Squall.Rpc.Tests;

public sealed class WireHeaderTests
{
    [Theory]
    [InlineData(0, "1n")]
    [InlineData(-5, "1n")]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(1_000_001, "100001u")]
    [InlineData(TimeSpan.TicksPerSecond, "1000000u")]
    [InlineData(TimeSpan.TicksPerDay, "86400000m")]
    [InlineData(TimeSpan.TicksPerDay * 2, "172800S")]
    [InlineData(long.MaxValue, "99999999H")]
    public void A_timeout_is_written_in_the_finest_unit_that_has_room(long ticks, string expected)
    {
        string text = GrpcTimeout.Format(new TimeSpan(ticks));
        Assert.Equal(expected, text);
        Assert.True(text.Length <= 9, text);
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan read));
        Assert.True(read >= new TimeSpan(Math.Min(Math.Max(ticks, 0), GrpcTimeout.Max.Ticks)), text);
    }

    [Theory, Wire("1.1.04")]
    [InlineData("1n", 1)]
    [InlineData("100n", 1)]
    [InlineData("101n", 2)]
    [InlineData("0S", 0)]
    [InlineData("00000001u", 10)]
    [InlineData("250m", 250 * TimeSpan.TicksPerMillisecond)]
    [InlineData("3S", 3 * TimeSpan.TicksPerSecond)]
    [InlineData("2M", 2 * TimeSpan.TicksPerMinute)]
    [InlineData("1H", TimeSpan.TicksPerHour)]
    [InlineData("99999999H", 36_500 * TimeSpan.TicksPerDay)]
    public void A_timeout_is_read(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(new TimeSpan(ticks), timeout);
    }

    [Theory, Wire("1.1.04")]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("5")]
    [InlineData("123456789S")]
    [InlineData("5s")]
    [InlineData("5h")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData("1.5S")]
    [InlineData(" 1S")]
    [InlineData("1S ")]
    [InlineData("1S,2S")]
    [InlineData("٣S")]
    public void A_timeout_that_cannot_be_read_is_refused(string text) =>
        Assert.False(GrpcTimeout.TryParse(text, out _));

    [Theory, Wire("1.2.07")]
    [InlineData("plain", "plain")]
    [InlineData("100%", "100%25")]
    [InlineData("a\tb\r\n", "a%09b%0D%0A")]
    [InlineData("☺ 😈", "%E2%98%BA %F0%9F%98%88")]
    [InlineData("~\u007f", "~%7F")]
    public void A_message_is_percent_encoded_and_back(string text, string encoded)
    {
        Assert.Equal(encoded, StatusMessage.Encode(text));
        Assert.Equal(text, StatusMessage.Decode(encoded));
    }

    [Theory, Wire("1.2.07")]
    [InlineData("%", "%")]
    [InlineData("a%4", "a%4")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%%41", "%A")]
    [InlineData("%FF", "\uFFFD")]
    [InlineData("%e2%98%ba", "☺")]
    [InlineData("☺", "☺")]
    public void Decoding_never_fails(string encoded, string text) =>
        Assert.Equal(text, StatusMessage.Decode(encoded));

    [Fact, Wire("1.2.07")]
    public void A_lone_surrogate_is_sent_as_the_replacement() =>
        Assert.Equal("a%EF%BF%BDb", StatusMessage.Encode("a\uD83Db"));

    [Fact, Wire("1.2.07")]
    public void A_long_message_is_cut_between_characters()
    {
        string encoded = StatusMessage.Encode(new string('☺', 5000));
        Assert.InRange(encoded.Length, StatusMessage.EncodedBytesMax - 9, StatusMessage.EncodedBytesMax);
        Assert.Equal(new string('☺', encoded.Length / 9), StatusMessage.Decode(encoded));
        Assert.Equal(StatusMessage.EncodedBytesMax, StatusMessage.Encode(new string('x', 9000)).Length);
    }

    [Theory, Wire("1.1.11")]
    [InlineData("", new[] { "" })]
    [InlineData("AQ", new[] { "01" })]
    [InlineData("AQ==", new[] { "01" })]
    [InlineData("AQI", new[] { "0102" })]
    [InlineData("AQI=,AQID , ", new[] { "0102", "010203", "" })]
    [InlineData("+/+/", new[] { "FBFFBF" })]
    public void Binary_values_are_read_padded_or_not_and_split_first(string line, string[] expected)
    {
        Assert.True(BinaryHeader.TryDecode(line, out List<byte[]> values));
        Assert.Equal(expected, values.Select(Convert.ToHexString));
    }

    [Theory, Wire("1.1.11")]
    [InlineData("A")]
    [InlineData("A===")]
    [InlineData("AQ=")]
    [InlineData("AQ===")]
    [InlineData("A!ID")]
    [InlineData("-_-_")]
    [InlineData("AQ==AQ==")]
    [InlineData("AQ ID")]
    public void What_is_not_base64_is_refused(string line) => Assert.False(BinaryHeader.TryDecode(line, out _));

    [Fact, Wire("1.1.11")]
    public void Binary_values_are_written_without_padding()
    {
        Assert.Equal("AQ", BinaryHeader.Encode([1]));
        Assert.Equal("", BinaryHeader.Encode([]));
        Assert.Equal("q6ur", BinaryHeader.Encode([0xAB, 0xAB, 0xAB]));
    }

    [Fact]
    public void Fields_of_http_and_grpc_are_not_metadata()
    {
        var metadata = new Metadata();
        foreach (string name in new[] { ":path", "te", "Content-Type", "grpc-timeout", "grpc-status", "host", "a b" })
        {
            HttpFields.Read(metadata, name, "x");
        }

        HttpFields.Read(metadata, "X-Mixed", "1");
        HttpFields.Read(metadata, "x-mixed", "2");
        HttpFields.Read(metadata, "x-some-bin", "AQ,Ag");
        HttpFields.Read(metadata, "x-latin", "caf\u00e9");
        Assert.Equal(["x-mixed=1", "x-mixed=2", "x-some-bin=01", "x-some-bin=02", "x-latin=caf"],
            metadata.Select(e => $"{e.Key}={(e.IsBinary ? Convert.ToHexString(e.ValueBytes) : e.Value)}"));
        Assert.Equal(StatusCode.Internal,
            Assert.Throws<RpcException>(() => HttpFields.Read(metadata, "y-bin", "!")).StatusCode);
    }

    [Fact]
    public void Metadata_that_a_header_cannot_carry_is_refused()
    {
        var thrown = Assert.Throws<RpcException>(() => HttpFields.Write(new Metadata.Entry("secret", "s\r\nt")));
        Assert.Equal(StatusCode.Internal, thrown.StatusCode);
        Assert.DoesNotContain("s\r\nt", thrown.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rich_status_travels_in_trailers()
    {
        var sent = new Google.Rpc.Status { Code = 5, Message = "no such list ☺" };
        sent.Details.Add(Any.Pack(new ErrorInfo { Reason = "LIST_NOT_FOUND", Domain = "squall" }));
        RpcException thrown = sent.ToRpcException();
        Assert.Equal(StatusCode.NotFound, thrown.StatusCode);

        var received = new Metadata();
        List<KeyValuePair<string, string>> fields = StatusTrailers.Write(thrown.Status, thrown.Trailers);
        fields.ForEach(field => HttpFields.Read(received, field.Key, field.Value));
        Status status = StatusTrailers.Read(fields[0].Value, fields[1].Value)!.Value;
        Assert.Equal(new Status(StatusCode.NotFound, "no such list ☺"), status);
        Google.Rpc.Status got = new RpcException(status, received).GetRpcStatus()!;
        Assert.Equal(sent, got);
        Assert.Equal("LIST_NOT_FOUND", got.GetDetail<ErrorInfo>()!.Reason);
        Assert.Null(got.GetDetail<RetryInfo>());
    }

    [Fact, Wire("1.2.08")]
    public void Details_that_tell_another_code_or_do_not_fit_are_left_out()
    {
        RpcException other = new Google.Rpc.Status { Code = 3 }.ToRpcException(StatusCode.NotFound, "x");
        Assert.Equal(["grpc-status", "grpc-message"],
            StatusTrailers.Write(other.Status, other.Trailers).Select(f => f.Key));

        var large = new Google.Rpc.Status { Code = 5, Message = "m" };
        large.Details.Add(Any.Pack(new DebugInfo { Detail = new string('x', 10_000) }));
        RpcException tooLarge = large.ToRpcException();
        tooLarge.Trailers.Add("small", "kept");
        Assert.Equal(["grpc-status", "grpc-message", "small"],
            StatusTrailers.Write(tooLarge.Status, tooLarge.Trailers).Select(f => f.Key));

        List<KeyValuePair<string, string>> longest =
            StatusTrailers.Write(new Status(StatusCode.Internal, new string('%', 9000)), other.Trailers);
        Assert.True(longest.Sum(f => f.Key.Length + f.Value.Length + 32) <= StatusTrailers.BytesMax);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", StatusCode.OK)]
    [InlineData("16", StatusCode.Unauthenticated)]
    [InlineData("17", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("", StatusCode.Unknown)]
    [InlineData("five", StatusCode.Unknown)]
    public void A_status_is_read(string? code, StatusCode? expected) =>
        Assert.Equal(expected, StatusTrailers.Read(code, null)?.StatusCode);

    [Fact]
    public void A_bad_details_trailer_throws_only_if_asked_to()
    {
        var metadata = new Metadata { { StatusTrailers.Details, Encoding.UTF8.GetBytes("nonsense") } };
        Assert.Null(new RpcException(Status.DefaultCancelled, metadata).GetRpcStatus());
        Assert.ThrowsAny<Exception>(() => metadata.GetRpcStatus());
    }
}
