using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Squall.Conformance;
using static Squall.Conformance.ConformancePayload.Types;

namespace Squall.Rpc.Tests;

/// The two programs that the Connect project's suite tests, the one calling the other: what its runner asks for in
/// thousands of cases is asked for here once in each way to call.
public sealed class ConformanceTests
{
    private static readonly ByteString Bytes = ByteString.CopyFromUtf8("some bytes");
    private static readonly UnaryResponseDefinition Answer = new()
    {
        ResponseHeaders = { new Header { Name = "x-begin", Value = { "a", "b" } } },
        ResponseData = Bytes,
        ResponseTrailers = { new Header { Name = "x-end-bin", Value = { "AQ" } } },
    };

    public static TheoryData<Protocol, HTTPVersion, Codec, Compression> Ways
    {
        get
        {
            var ways = new TheoryData<Protocol, HTTPVersion, Codec, Compression>();
            foreach (Codec codec in new[] { Codec.Proto, Codec.Json })
            {
                foreach (Compression compression in new[] { Compression.Identity, Compression.Gzip })
                {
                    ways.Add(Protocol.Grpc, HTTPVersion._2, codec, compression);
                    ways.Add(Protocol.GrpcWeb, HTTPVersion._1, codec, compression);
                    ways.Add(Protocol.GrpcWeb, HTTPVersion._2, codec, compression);
                    ways.Add(Protocol.Connect, HTTPVersion._1, codec, compression);
                    ways.Add(Protocol.Connect, HTTPVersion._2, codec, compression);
                }
            }

            return ways;
        }
    }

    [Theory, MemberData(nameof(Ways))]
    public async Task Calls_of_all_kinds_are_answered_as_asked(
        Protocol protocol, HTTPVersion version, Codec codec, Compression compression)
    {
        IMessage request = new UnaryRequest { ResponseDefinition = Answer, RequestData = Bytes };
        var stream = new StreamResponseDefinition { ResponseData = { Bytes, Bytes, Bytes } };
        List<ClientResponseResult> results = await AskAsync(protocol, version, codec, compression,
            Ask("Unary", request),
            Ask("IdempotentUnary", new IdempotentUnaryRequest { ResponseDefinition = Answer }),
            Ask("ServerStream", new ServerStreamRequest { ResponseDefinition = stream }),
            Ask("ClientStream", new ClientStreamRequest { ResponseDefinition = Answer }, new ClientStreamRequest()),
            Ask("Unimplemented", new UnimplementedRequest()));

        Assert.All(results[..4], result => Assert.Null(result.Error));
        Assert.All([results[0], results[1], results[3]], result =>
        {
            Assert.Equal(Bytes, Assert.Single(result.Payloads).Data);
            Assert.Equal(["a", "b"], ValuesOf(result.ResponseHeaders, "x-begin"));
            Assert.Equal(["AQ"], ValuesOf(result.ResponseTrailers, "x-end-bin"));
        });
        RequestInfo seen = results[0].Payloads[0].RequestInfo;
        Assert.Equal(Any.Pack(request), Assert.Single(seen.Requests));
        Assert.Equal(["c"], ValuesOf(seen.RequestHeaders, "x-asked"));
        Assert.Equal(protocol == Protocol.Connect, results[1].Payloads[0].RequestInfo.ConnectGetInfo is not null);
        Assert.Equal([Bytes, Bytes, Bytes], results[2].Payloads.Select(payload => payload.Data));
        Assert.Equal(2, results[3].Payloads[0].RequestInfo.Requests.Count);
        Assert.Equal(Code.Unimplemented, results[4].Error.Code);
    }

    [Theory, MemberData(nameof(Ways))]
    public async Task Calls_that_fail_are_late_or_are_given_up_tell_so(
        Protocol protocol, HTTPVersion version, Codec codec, Compression compression)
    {
        var error = new Error { Code = Code.DataLoss, Message = "gone: ☺", Details = { Any.Pack(new Header()) } };
        IMessage never = new UnaryRequest { ResponseDefinition = new() { ResponseDelayMs = 60_000 } };
        ClientCompatRequest late = Ask("Unary", never);
        late.TimeoutMs = 50;
        ClientCompatRequest givenUp = Ask("Unary", never);
        givenUp.Cancel = new() { AfterCloseSendMs = 0 };
        List<ClientResponseResult> results = await AskAsync(protocol, version, codec, compression,
            Ask("Unary", new UnaryRequest { ResponseDefinition = new() { Error = error } }),
            Ask("ServerStream", new ServerStreamRequest
            {
                ResponseDefinition = new() { ResponseData = { Bytes }, Error = error },
            }),
            late,
            givenUp);

        Assert.All(results[..2], result =>
        {
            Assert.Equal((error.Code, error.Message), (result.Error.Code, result.Error.Message));
            Assert.Equal(error.Details[0], result.Error.Details[0]);
        });
        Assert.Single(results[1].Payloads);
        Assert.Equal([Code.DeadlineExceeded, Code.Canceled], results[2..].Select(result => result.Error.Code));
    }

    [Theory]
    [InlineData(Protocol.Grpc)]
    [InlineData(Protocol.GrpcWeb)]
    [InlineData(Protocol.Connect)]
    public async Task A_full_duplex_call_is_answered_request_by_request_until_it_is_given_up(Protocol protocol)
    {
        var stream = new StreamResponseDefinition { ResponseData = { Bytes, Bytes } };
        var first = new BidiStreamRequest { ResponseDefinition = stream, FullDuplex = true };
        ClientCompatRequest whole = Ask("BidiStream", first, new BidiStreamRequest());
        ClientCompatRequest part = Ask("BidiStream", first, new BidiStreamRequest());
        part.Cancel = new() { AfterNumResponses = 1 };
        List<ClientResponseResult> results = await AskAsync(
            protocol, HTTPVersion._2, Codec.Proto, Compression.Identity, whole, part);
        Assert.Null(results[0].Error);
        Assert.Equal([Bytes, Bytes], results[0].Payloads.Select(payload => payload.Data));
        Assert.All(results[0].Payloads, payload => Assert.Single(payload.RequestInfo.Requests));
        Assert.Equal(Code.Canceled, results[1].Error.Code);
        Assert.Single(results[1].Payloads);
        Assert.Equal(1, results[1].NumUnsentRequests);
    }

    private static ClientCompatRequest Ask(string method, params IMessage[] requests) => new()
    {
        Method = method,
        StreamType = StreamType.FullDuplexBidiStream,
        UseGetHttpMethod = method == "IdempotentUnary",
        RequestHeaders = { new Header { Name = "x-asked", Value = { "c" } } },
        RequestMessages = { requests.Select(Any.Pack) },
    };

    private static async Task<List<ClientResponseResult>> AskAsync(
        Protocol protocol,
        HTTPVersion version,
        Codec codec,
        Compression compression,
        params ClientCompatRequest[] calls)
    {
        await using WebApplication server = ServerProgram.Build(new() { Protocol = protocol, HttpVersion = version });
        await server.StartAsync();
        var input = new MemoryStream();
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i].TestName = $"{i}";
            (calls[i].Protocol, calls[i].HttpVersion) = (protocol, version);
            (calls[i].Codec, calls[i].Compression) = (codec, compression);
            calls[i].Host = "127.0.0.1";
            calls[i].Port = (uint)server.Services.ListeningAddresses()[0].Port;
            await input.WriteAsync(calls[i]);
        }

        input.Position = 0;
        var output = new MemoryStream();
        await ClientProgram.RunAsync(input, output).WaitAsync(ScriptedServer.Net);
        output.Position = 0;
        List<ClientCompatResponse> answers = [];
        while (await output.ReadAsync(ClientCompatResponse.Parser) is { } answer)
        {
            Assert.Null(answer.Error);
            answers.Add(answer);
        }

        return [.. answers.OrderBy(answer => answer.TestName).Select(answer => answer.Response)];
    }

    private static IEnumerable<string> ValuesOf(IEnumerable<Header> headers, string name) =>
        headers.Single(header => header.Name == name).Value;
}
