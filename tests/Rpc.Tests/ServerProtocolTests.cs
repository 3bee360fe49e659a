using Google.Protobuf;
using Grpc.Core;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// What holds in every protocol, over both versions of HTTP, in both codecs, compressed or not.
public sealed class ServerProtocolTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(10);

    public static TheoryData<World> Streams => World.Streams;

    public static TheoryData<World> Unaries => World.Unaries;

    [Theory, MemberData(nameof(Unaries)), Wire("1.1.01", "1.2.01", "1.6.01", "1.7.01")]
    public async Task A_unary_call_is_answered(World world)
    {
        await using ServerHost host = await StartAsync();
        WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest { Text = "naïve ☺ 😈" }]);
        Assert.Equal(StatusCode.OK, answer.Code);
        Assert.Equal(200, (int)answer.Raw.Http);
        Assert.Equal("naïve ☺ 😈", Assert.Single(answer.Messages).Text);
        Assert.Equal(world.Type, answer.Raw.Header("content-type"));
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.1.01", "1.6.01", "1.7.20")]
    public async Task A_server_stream_is_answered_in_order(World world)
    {
        await using ServerHost host = await StartAsync();
        foreach (bool encoded in (bool[])[false, true])
        {
            WorldAnswer answer = await world.CallAsync(
                host, Repeat, [new EchoRequest { Text = "x", Count = 5, Encoded = encoded }]);
            Assert.Equal(StatusCode.OK, answer.Code);
            Assert.Equal([0, 1, 2, 3, 4], answer.Messages.Select(message => message.Index));
        }
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.6.09", "1.7.20")]
    public async Task A_client_stream_is_answered_once(World world)
    {
        await using ServerHost host = await StartAsync();
        WorldAnswer answer = await world.CallAsync(host, Collect, [new() { Text = "a" }, new(), new() { Text = "b" }]);
        Assert.Equal(StatusCode.OK, answer.Code);
        EchoResponse message = Assert.Single(answer.Messages);
        Assert.Equal(("ab", 3), (message.Text, message.Index));
        answer = await world.CallAsync(host, Collect, []);
        Assert.Equal(0, Assert.Single(answer.Messages).Index);
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.6.09")]
    public async Task A_stream_both_ways_is_answered_or_needs_http2(World world)
    {
        await using ServerHost host = await StartAsync();
        if (world.Http == 1)
        {
            RawAnswer refusal = await host.Http1.SendAsync(
                Chat, new ByteArrayContent([]), world.Protocol == "connect"
                    ? "application/connect+proto" : "application/grpc-web+proto");
            Assert.Equal(505, (int)refusal.Http);
            return;
        }

        WorldAnswer answer = await world.CallAsync(host, Chat, [new() { Text = "a" }, new() { Text = "b" }]);
        Assert.Equal(["a", "b"], answer.Messages.Select(message => message.Text));
        Assert.Equal(StatusCode.OK, answer.Code);
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.2.07", "1.7.09", "1.7.25")]
    public async Task An_error_is_told_with_its_details_and_metadata(World world)
    {
        await using ServerHost host = await StartAsync();
        const string text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈 and 100%\t\n";
        WorldAnswer answer = await world.CallAsync(
            host,
            Unary,
            [new EchoRequest { FailCode = 5, FailMessage = text, Reason = "LOST" }],
            ("echo-a", "one"), ("echo-raw-bin", "q6ur"));
        Assert.Equal(StatusCode.NotFound, answer.Code);
        Assert.Equal(text, answer.Message);
        Assert.Equal(["google.rpc.ErrorInfo"], answer.DetailTypes);
        Assert.Equal("one", answer.Raw.Header("echo-a"));
        Assert.Equal("q6ur", answer.Raw.Header("echo-raw-bin"));
        Assert.Equal("one", answer.Trailers["trail-a"]);
        Assert.Equal("q6ur", answer.Trailers["trail-raw-bin"]);
        Assert.Empty(answer.Messages);
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.1.05", "1.7.06")]
    public async Task A_deadline_ends_the_call_and_its_handler(World world)
    {
        await using ServerHost host = await StartAsync();
        WorldAnswer answer;
        int milliseconds = 200;
        do
        {
            answer = await world.CallAsync(
                host, Repeat, [new EchoRequest { Count = 1, Hang = true }], world.Timeout(milliseconds));
            Assert.Equal(StatusCode.DeadlineExceeded, answer.Code);
            milliseconds *= 5;
        }
        while (answer.Messages.Count == 0 && milliseconds < Net.TotalMilliseconds); // A busy machine needs more.

        Assert.Single(answer.Messages);
        await host.Probe.Cancelled.Task.WaitAsync(Net);
        answer = await world.CallAsync(host, Repeat, [new EchoRequest { Count = 1 }], world.Timeout(0));
        Assert.Equal(StatusCode.DeadlineExceeded, answer.Code);
        Assert.Empty(answer.Messages);
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.1.08", "1.7.23")]
    public async Task Any_number_of_requests_but_one_is_unimplemented(World world)
    {
        await using ServerHost host = await StartAsync();
        foreach (EchoRequest[] requests in (EchoRequest[][])[[], [new(), new()]])
        {
            WorldAnswer answer = await world.CallAsync(host, Repeat, requests);
            Assert.Equal(StatusCode.Unimplemented, answer.Code);
            Assert.Empty(answer.Messages);
        }

        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.5.03", "1.4.05")]
    public async Task A_request_exactly_at_the_limit_passes_and_one_past_it_does_not(World world)
    {
        await using ServerHost host = await StartAsync(bytesMax: 20_000);
        EchoRequest request = SizedIn(world.Codec, 20_000);
        WorldAnswer answer = await world.CallAsync(host, Unary, [request]);
        Assert.Equal(StatusCode.OK, answer.Code);
        Assert.Equal(request.Text, answer.Messages.Single().Text);
        answer = await world.CallAsync(host, Unary, [SizedIn(world.Codec, 20_001)]);
        Assert.Equal(StatusCode.ResourceExhausted, answer.Code);
        Assert.Contains("20000", answer.Message, StringComparison.Ordinal);
        Assert.Equal(1, host.Probe.Calls);
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.4.04", "1.4.06", "1.2.02")]
    public async Task An_answer_is_compressed_if_its_caller_takes_it_and_it_is_worth_it(World world)
    {
        await using ServerHost host = await StartAsync();
        foreach ((string text, bool plain, bool compressed) in ((string, bool, bool)[])
            [(new string('a', 5000), false, true), (new string('a', 5000), true, false), ("a", false, false)])
        {
            WorldAnswer answer = await world.CallAsync(
                host, Unary, [new EchoRequest { Text = text, Plain = plain }]);
            Assert.Equal(text, answer.Messages.Single().Text);
            Assert.Equal(compressed && world.Gzip, answer.Compressed[0]);
            // A frame says for itself; a body is what the header says.
            bool told = world.Gzip && (compressed || world.Protocol != "unary");
            Assert.Equal(told ? "gzip" : null, answer.Raw.Header(
                world.Protocol == "unary" ? "content-encoding" : "grpc-encoding"));
        }
    }

    [Theory, MemberData(nameof(Streams)), Wire("1.4.04", "1.4.06", "1.2.02")]
    public async Task A_streams_messages_are_each_compressed_or_not(World world)
    {
        await using ServerHost host = await StartAsync();
        foreach (bool encoded in (bool[])[false, true])
        {
            var request = new EchoRequest { Text = new string('a', 5000), Count = 2, Encoded = encoded };
            WorldAnswer answer = await world.CallAsync(host, Repeat, [request]);
            Assert.All(answer.Messages, message => Assert.Equal(request.Text, message.Text));
            Assert.Equal([world.Gzip, world.Gzip, false], [.. answer.Compressed, .. Padding(answer)]);
            Assert.Equal(world.Gzip ? "gzip" : null, answer.Raw.Header(
                world.Protocol == "connect" ? "connect-content-encoding" : "grpc-encoding"));
            request.Plain = true;
            answer = await world.CallAsync(host, Repeat, [request]);
            Assert.All(answer.Compressed, Assert.False);
        }
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.4.04")]
    public async Task Nothing_is_compressed_unless_the_option_is_on(World world)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest { Text = new string('a', 5000) }]);
        Assert.Equal(StatusCode.OK, answer.Code);
        Assert.All(answer.Compressed, Assert.False);
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.1.11")]
    public async Task Metadata_that_is_not_base64_fails_its_call_alone(World world)
    {
        await using ServerHost host = await StartAsync();
        WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest()], ("x-bin", "%"));
        Assert.Equal(StatusCode.InvalidArgument, answer.Code);
        Assert.Contains("x-bin", answer.Message, StringComparison.Ordinal);
        answer = await world.CallAsync(host, Unary, [new EchoRequest()], ("echo-raw-bin", "q6ur,qw==,,_w"));
        Assert.Equal(StatusCode.InvalidArgument, answer.Code);
        answer = await world.CallAsync(host, Unary, [new EchoRequest()], ("echo-raw-bin", "q6ur,qw==,,qw"));
        Assert.Equal(StatusCode.OK, answer.Code);
        Assert.Equal("q6ur,qw,,qw", answer.Trailers["trail-raw-bin"].Replace(", ", ",", StringComparison.Ordinal));
    }

    private static Task<ServerHost> StartAsync(int? bytesMax = null) => ServerHost.StartAsync(grpc =>
    {
        grpc.ResponseCompressionAlgorithm = "gzip";
        grpc.MaxReceiveMessageSize = bytesMax ?? grpc.MaxReceiveMessageSize;
    });

    /// gRPC tells its end in trailers, which are no frame.
    private static IEnumerable<bool> Padding(WorldAnswer answer) =>
        Enumerable.Repeat(false, 3 - answer.Compressed.Count);

    private static EchoRequest SizedIn(string codec, int bytes)
    {
        var request = new EchoRequest { Text = new string('a', bytes) };
        request.Text = request.Text[..^(ServerConnectStream.BytesIn(codec, request).Length - bytes)];
        Assert.Equal(bytes, ServerConnectStream.BytesIn(codec, request).Length);
        return request;
    }
}
