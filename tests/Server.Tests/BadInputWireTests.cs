using System.Net;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>Bytes that are no request, or too many of them.</summary>
public sealed class BadInputWireTests : IClassFixture<FrozenServer>
{
    private const int MessageBytesMax = 4 << 20;

    /// <summary>A field that no message has, so that its value is passed over.</summary>
    private const int UnknownField = 15_000;

    private readonly ServerFixture _server;

    public BadInputWireTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string> Rpcs() => BadInputTests.Rpcs();

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task A_message_of_4_MiB_is_read_and_a_larger_one_is_refused(string rpc)
    {
        using Client ada = await SignInAsync();
        IMessage request = await (await Place.MakeAsync(_server, ada)).RequestAsync(rpc);
        byte[] largest = Padded(request, MessageBytesMax);
        byte[] tooLarge = Padded(request, MessageBytesMax + 1);
        Assert.Equal((MessageBytesMax, MessageBytesMax + 1), (largest.Length, tooLarge.Length));

        string before = await _server.DumpAsync();
        await AssertAsync(rpc, tooLarge, ada, StatusCode.ResourceExhausted);
        if (!Contract.Method(rpc).IsServerStreaming)
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, await PostAsync(rpc, tooLarge, ada));
        }

        Assert.Equal(before, await _server.DumpAsync());
        Assert.NotNull(await _server.Channel.CallAsync(Contract.Method(rpc), largest, ada.Headers));
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task What_is_no_message_is_refused_and_changes_nothing(string rpc)
    {
        using Client ada = await SignInAsync();
        IMessage request = await (await Place.MakeAsync(_server, ada)).RequestAsync(rpc);
        byte[] right = Padded(request, 1_000);
        byte[] groups = [.. Enumerable.Repeat((byte)0xFB, 1_000)];
        byte[][] broken =
        [
            right[..^1], [0xFF], [0x00], [0x00, 0x00], [0x07], [0x0A, 0x7F], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x0C], [0x7B],
            [.. groups.SelectMany(_ => (byte[])[0xDB, 0xA8, 0x07])],
            [.. groups.SelectMany(_ => (byte[])[0xDB, 0xA8, 0x07]), .. groups.SelectMany(_ =>
                (byte[])[0xDC, 0xA8, 0x07])],
        ];
        string before = await _server.DumpAsync();
        foreach (byte[] bytes in broken)
        {
            RpcException refused = await Assert.ThrowsAsync<RpcException>(
                () => _server.Channel.CallAsync(Contract.Method(rpc), bytes, ada.Headers));
            Assert.Equal(
                (new Refusal(StatusCode.InvalidArgument, "INVALID_REQUEST"), Convert.ToHexString(bytes)),
                (Refusal.Of(refused), Convert.ToHexString(bytes)));
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task No_bytes_make_it_fail_in_an_unexpected_way(string rpc)
    {
        if (rpc == "AuthService/Logout")
        {
            // Whatever is a message logs out; the request has no fields to be wrong.
            return;
        }

        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        var random = new Random(rpc.Length);
        for (int round = 0; round < 100; round++)
        {
            byte[] bytes = (await place.RequestAsync("TaskService/CreateTask")).ToByteArray();
            if (round % 2 == 0)
            {
                bytes = new byte[random.Next(1, 60)];
                random.NextBytes(bytes);
            }

            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            StatusCode code = await CodeOfAsync(rpc, bytes, ada);
            Assert.False(
                code is StatusCode.Internal or StatusCode.Unknown or StatusCode.Unavailable,
                $"{code} for {Convert.ToHexString(bytes)}");
        }
    }

    /// <summary>The request, with something that is passed over, so that it has exactly so many bytes.</summary>
    private static byte[] Padded(IMessage request, int bytes)
    {
        byte[] message = request.ToByteArray();
        for (int filler = bytes - message.Length; ; filler--)
        {
            int size = CodedOutputStream.ComputeTagSize(UnknownField)
                + CodedOutputStream.ComputeLengthSize(filler) + filler;
            if (message.Length + size > bytes)
            {
                continue;
            }

            byte[] unknown = new byte[size];
            using var output = new CodedOutputStream(unknown);
            output.WriteTag(UnknownField, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(new byte[filler]));
            return [.. message, .. unknown];
        }
    }

    private async Task AssertAsync(string rpc, byte[] bytes, Client caller, StatusCode code) => Assert.Equal(
        (code, Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 20)))),
        (await CodeOfAsync(rpc, bytes, caller), Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 20)))));

    private async Task<StatusCode> CodeOfAsync(string rpc, byte[] bytes, Client caller)
    {
        try
        {
            await _server.Channel.CallAsync(Contract.Method(rpc), bytes, caller.Headers);
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }

    private async Task<HttpStatusCode> PostAsync(string rpc, byte[] message, Client caller)
    {
        MethodDescriptor method = Contract.Method(rpc);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(_server.Address, Contract.PathOf(method)))
        {
            Content = new ByteArrayContent(message) { Headers = { ContentType = new("application/proto") } },
        };
        request.Headers.Authorization = new("Bearer", caller.Tokens.AccessToken);
        using HttpResponseMessage answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
