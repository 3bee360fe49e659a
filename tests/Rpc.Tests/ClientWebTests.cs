using System.Net;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Rpc.Tests;

/// What GrpcWebHandler sends and takes, against servers that do right and wrong.
public sealed class ClientWebTests
{
    private static readonly byte[] Ok = Script.Frame("grpc-status: 0\r\n"u8.ToArray(), 0x80);

    [Theory]
    [InlineData(GrpcWebMode.GrpcWeb, "application/grpc-web")]
    [InlineData(GrpcWebMode.GrpcWebText, "application/grpc-web-text")]
    [Wire("C1.6.01")]
    public async Task A_call_is_a_post_over_http1(GrpcWebMode mode, string type)
    {
        var seen = new Dictionary<string, string>();
        byte[] body = [];
        await using ScriptedServer server = await StartAsync(async http =>
        {
            seen["line"] = $"{http.Request.Protocol} {http.Request.Method} {http.Request.Path}";
            foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
            {
                seen[name.ToLowerInvariant()] = values.ToString();
            }

            var read = new MemoryStream();
            await http.Request.Body.CopyToAsync(read);
            body = read.ToArray();
            await AnswerAsync(http, mode, Script.Frame("x"), Ok);
        }, mode);
        Assert.Equal("x", (await server.Client.UnaryAsync(new() { Text = "hi" })).Text);
        Assert.Equal("HTTP/1.1 POST /squall.rpc.test.v1.EchoService/Unary", seen["line"]);
        Assert.Equal(type, seen["content-type"]);
        Assert.Equal(type, seen["accept"]);
        Assert.Equal("1", seen["x-grpc-web"]);
        Assert.DoesNotContain("te", seen.Keys);
        byte[] frame = Script.Frame(new EchoRequest { Text = "hi" }.ToByteArray());
        Assert.Equal(frame, mode == GrpcWebMode.GrpcWeb
            ? body : Convert.FromBase64String(Encoding.ASCII.GetString(body)));
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, "1.1", "HTTP/1.1")]
    [InlineData(HttpProtocols.Http2, "2.0", "HTTP/2")]
    [Wire("C1.6.01", "C1.6.06")]
    public async Task The_version_that_the_channel_names_is_spoken(
        HttpProtocols served, string named, string expected)
    {
        string? seen = null;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async http =>
            {
                seen = http.Request.Protocol;
                await AnswerAsync(http, GrpcWebMode.GrpcWeb, Script.Frame("x"), Ok);
            },
            new GrpcChannelOptions
            {
                HttpHandler = new GrpcWebHandler(new SocketsHttpHandler()),
                DisposeHttpClient = true,
                HttpVersion = Version.Parse(named),
            },
            protocols: served);
        Assert.Equal("x", (await server.Client.UnaryAsync(new())).Text);
        Assert.Equal(expected, seen);
    }

    [Theory]
    [InlineData("grpc-status: 9\r\ngrpc-message: no%20way\r\nx-end: a\r\nx-end: b\r\nx-end-bin: AQ\r\n")]
    [InlineData("Grpc-Status:9\r\nGRPC-Message:  no%20way\r\nX-End:a\r\nX-END: b\r\nx-end-bin:AQ==")]
    [InlineData("grpc-status: 9\ngrpc-message: no way\nx-end: a\nx-end: b\nx-end-bin: AQ\n")]
    [Wire("C1.6.02")]
    public async Task Trailers_are_read_however_they_are_spelled(string trailers)
    {
        foreach (bool gzip in new[] { false, true })
        {
            await using ScriptedServer server = await StartAsync(http =>
            {
                byte[] lines = Encoding.ASCII.GetBytes(trailers);
                http.Response.Headers["grpc-encoding"] = gzip ? "gzip" : null;
                return AnswerAsync(http, GrpcWebMode.GrpcWeb, gzip
                    ? Script.Frame(Gzip.Provider.Deflate(lines).ToArray(), 0x81) : Script.Frame(lines, 0x80));
            });
            using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
            RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            Assert.Equal(new Status(StatusCode.FailedPrecondition, "no way"), thrown.Status);
            Assert.Equal(["a", "b"], thrown.Trailers.GetAll("x-end").Select(entry => entry.Value));
            Assert.Equal([1], thrown.Trailers.GetValueBytes("x-end-bin")!);
        }
    }

    [Fact]
    [Wire("C1.6.03")]
    public async Task A_status_in_the_headers_counts_only_if_no_body_follows()
    {
        Assert.Equal(StatusCode.FailedPrecondition, await UnaryAsync(http =>
        {
            http.Response.Headers["grpc-status"] = "9";
            return AnswerAsync(http, GrpcWebMode.GrpcWeb);
        }));
        Assert.Equal(StatusCode.NotFound, await UnaryAsync(http =>
        {
            http.Response.Headers["grpc-status"] = "9";
            return AnswerAsync(http, GrpcWebMode.GrpcWeb, Script.Frame("grpc-status: 5\r\n"u8.ToArray(), 0x80));
        }));
    }

    [Fact]
    [Wire("C1.6.04")]
    public async Task A_body_without_its_trailers_or_with_more_after_them_is_internal()
    {
        byte[] message = Script.Frame("x");
        foreach (GrpcWebMode mode in new[] { GrpcWebMode.GrpcWeb, GrpcWebMode.GrpcWebText })
        {
            foreach (byte[][] frames in new byte[][][]
            {
                [message], [message, Ok, message], [message, Ok, [0]], [message[..6]], [message, Ok[..9]],
                [message, Ok[..3]], [message, Script.Frame("no colon"u8.ToArray(), 0x80)],
                [message, Script.Frame(new byte[100_000], 0x80)], [message, Script.Frame([1, 2], 0x81)],
            })
            {
                Assert.Equal(StatusCode.Internal, await UnaryAsync(http => AnswerAsync(http, mode, frames), mode));
            }

            Assert.Equal(StatusCode.OK, await UnaryAsync(http => AnswerAsync(http, mode, message, Ok), mode));
            Assert.Equal(StatusCode.Unimplemented, await UnaryAsync(http => AnswerAsync(http, mode, Ok), mode));
            Assert.Equal(StatusCode.Unknown, await UnaryAsync(http => AnswerAsync(http, mode), mode));
        }
    }

    [Theory]
    [InlineData("image/jpeg", StatusCode.Unknown)]
    [InlineData("application/grpc-webby", StatusCode.Unknown)]
    [InlineData("application/grpc-web+json", StatusCode.Internal)]
    [InlineData("application/grpc-web+proto", StatusCode.OK)]
    [Wire("C1.3.10")]
    public async Task A_content_type_is_checked(string type, StatusCode expected) =>
        Assert.Equal(expected, await UnaryAsync(async http =>
        {
            http.Response.ContentType = type;
            await http.WriteAsync(Script.Frame("x"), Ok);
        }));

    [Fact]
    [Wire("C1.6.05")]
    public async Task Text_may_be_padded_and_cut_anywhere()
    {
        byte[] all = [.. Script.Frame("hello"), .. Script.Frame("you"), .. Ok];
        var texts = new[]
        {
            Convert.ToBase64String(all),
            string.Concat(all.Chunk(1).Select(Convert.ToBase64String)),
            string.Concat(all.Chunk(7).Select(Convert.ToBase64String)),
        };
        foreach (string text in texts)
        {
            foreach (int cut in new[] { 1, 3, 10_000 })
            {
                await using ScriptedServer server = await StartAsync(async http =>
                {
                    http.Response.ContentType = "application/grpc-web-text+proto";
                    foreach (char[] part in text.Chunk(cut))
                    {
                        await http.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(part));
                        await http.Response.Body.FlushAsync();
                    }
                }, GrpcWebMode.GrpcWebText);
                using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
                Assert.Equal(["hello", "you"],
                    await call.ResponseStream.ReadAllAsync().Select(response => response.Text).ToListAsync());
            }
        }

        Assert.Equal(StatusCode.Internal, await UnaryAsync(async http =>
        {
            http.Response.ContentType = "application/grpc-web-text";
            await http.Response.WriteAsync("AAA!");
        }, GrpcWebMode.GrpcWebText));
    }

    [Fact]
    [Wire("C1.6.05")]
    public async Task Each_message_of_a_stream_arrives_as_soon_as_it_is_sent()
    {
        foreach (GrpcWebMode mode in new[] { GrpcWebMode.GrpcWeb, GrpcWebMode.GrpcWebText })
        {
            var read = new TaskCompletionSource();
            await using ScriptedServer server = await StartAsync(async http =>
            {
                await AnswerAsync(http, mode, Script.Frame("first"));
                await read.Task.WaitAsync(ScriptedServer.Net);
                await AnswerAsync(http, mode, Ok);
            }, mode);
            using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
            Assert.Equal("first", call.ResponseStream.Current.Text);
            read.SetResult();
            Assert.False(await call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
        }
    }

    [Fact]
    public async Task What_is_not_grpc_passes_the_handler_untouched()
    {
        await using ScriptedServer server = await StartAsync(http => http.Response.WriteAsync(http.Request.Method));
        using var http = new HttpClient(new GrpcWebHandler(new SocketsHttpHandler()));
        Assert.Equal("GET", await http.GetStringAsync(server.Address));
    }

    private static Task<ScriptedServer> StartAsync(RequestDelegate script, GrpcWebMode mode = GrpcWebMode.GrpcWeb) =>
        ScriptedServer.StartAsync(script, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(mode, new SocketsHttpHandler()),
            DisposeHttpClient = true,
        }, protocols: HttpProtocols.Http1);

    private static async Task AnswerAsync(HttpContext http, GrpcWebMode mode, params byte[][] frames)
    {
        byte[] all = [.. frames.SelectMany(frame => frame)];
        if (mode == GrpcWebMode.GrpcWebText)
        {
            http.Response.ContentType ??= "application/grpc-web-text";
            all = Encoding.ASCII.GetBytes(Convert.ToBase64String(all));
        }

        http.Response.ContentType ??= "application/grpc-web";
        await http.Response.Body.WriteAsync(all);
        await http.Response.Body.FlushAsync();
    }

    private static async Task<StatusCode> UnaryAsync(RequestDelegate script, GrpcWebMode mode = GrpcWebMode.GrpcWeb)
    {
        await using ScriptedServer server = await StartAsync(script, mode);
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        await call.ResponseAsync.WaitAsync(ScriptedServer.Net).ContinueWith(_ => { }, TaskScheduler.Default);
        return call.GetStatus().StatusCode;
    }
}
