using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Rpc.Tests;

/// What a channel sends and takes in Connect, against servers that do right and wrong.
public sealed class ClientConnectTests
{
    private const HttpProtocols Http1 = HttpProtocols.Http1;

    [Fact]
    [Wire("C1.7.01", "C1.7.05")]
    public async Task A_unary_call_is_a_plain_post()
    {
        var seen = new Dictionary<string, string>();
        await using ScriptedServer server = await StartAsync(async http =>
        {
            Note(http, seen);
            seen["body"] = Convert.ToHexString(await ReadAsync(http));
            await AnswerAsync(http, new EchoResponse { Text = "x" });
        });
        DateTime deadline = (TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(15)).UtcDateTime;
        Assert.Equal("x", (await server.Client.UnaryAsync(new() { Text = "hi" }, deadline: deadline)).Text);
        Assert.Equal("HTTP/1.1 POST /squall.rpc.test.v1.EchoService/Unary", seen["line"]);
        Assert.Equal("application/proto", seen["content-type"]);
        Assert.Equal("4", seen["content-length"]);
        Assert.Equal(Convert.ToHexString(new EchoRequest { Text = "hi" }.ToByteArray()), seen["body"]);
        Assert.Equal("1", seen["connect-protocol-version"]);
        Assert.Equal("gzip,deflate", seen["accept-encoding"]);
        Assert.InRange(int.Parse(seen["connect-timeout-ms"]), 1, 15_000);
        Assert.DoesNotContain("te", seen.Keys);
        Assert.DoesNotContain("content-encoding", seen.Keys);
        Assert.DoesNotContain(seen.Keys, key => key.StartsWith("grpc-", StringComparison.Ordinal));
    }

    [Fact]
    [Wire("C1.7.01")]
    public async Task An_empty_message_is_compressed_too_if_asked_for()
    {
        var asking = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var seen = new Dictionary<string, string>();
        await using ScriptedServer server = await StartAsync(async http =>
        {
            Note(http, seen);
            var plain = new MemoryStream();
            await using var gzip = new GZipStream(http.Request.Body, CompressionMode.Decompress);
            await gzip.CopyToAsync(plain);
            seen["bytes"] = plain.Length.ToString(CultureInfo.InvariantCulture);
            await AnswerAsync(http, new EchoResponse { Text = "x" });
        });
        await server.Client.UnaryAsync(new(), asking);
        Assert.Equal("gzip", seen["content-encoding"]);
        Assert.NotEqual("0", seen["content-length"]);
        Assert.Equal("0", seen["bytes"]);

        await using ServerHost own = await ServerHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(own.Address, new GrpcChannelOptions().UseConnect());
        Assert.Equal("", (await new EchoService.EchoServiceClient(channel).UnaryAsync(new(), asking)).Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Wire("C1.7.06")]
    public async Task A_method_without_side_effects_is_asked_for_by_get(bool isJson)
    {
        var seen = new Dictionary<string, string>();
        GrpcChannelOptions options = new GrpcChannelOptions()
            .UseConnect(connect => connect.UseGet(EchoService.Descriptor).GetAddressMax = 400);
        options = isJson ? options.UseJson() : options;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            Note(http, seen);
            await AnswerAsync(http, new EchoResponse { Text = "x" }, isJson);
        }, options, protocols: Http1);
        await server.Client.LookAsync(new() { Text = "a b&c" });
        Assert.Equal("HTTP/1.1 GET /squall.rpc.test.v1.EchoService/Look", seen["line"]);
        Assert.Equal(
            isJson
                ? "?connect=v1&encoding=json&message=%7B%20%22text%22%3A%20%22a%20b%26c%22%20%7D"
                : "?connect=v1&base64=1&encoding=proto&message=CgVhIGImYw",
            seen["query"]);
        Assert.DoesNotContain("content-type", seen.Keys);

        await server.Client.LookAsync(new() { Text = new string('z', 1000) }, new Metadata
        {
            { "grpc-internal-encoding-request", "gzip" },
        });
        Assert.StartsWith($"?connect=v1&base64=1&compression=gzip&encoding={(isJson ? "json" : "proto")}&message=",
            seen["query"], StringComparison.Ordinal);

        // Too long for an address, or with side effects.
        await server.Client.LookAsync(new() { Text = new string('z', 1000) });
        Assert.Equal("HTTP/1.1 POST /squall.rpc.test.v1.EchoService/Look", seen["line"]);
        await server.Client.UnaryAsync(new());
        Assert.Equal("HTTP/1.1 POST /squall.rpc.test.v1.EchoService/Unary", seen["line"]);
    }

    [Fact]
    [Wire("C1.7.06")]
    public async Task Our_own_server_answers_get()
    {
        await using ServerHost server = await ServerHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions().UseConnect(
            connect => connect.UseGet(EchoService.Descriptor)));
        string text = "☺ + / = &" + new string('q', 700);
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal(text, (await client.LookAsync(new() { Text = text })).Text);
        using GrpcChannel json = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions().UseJson().UseConnect(
            connect => connect.UseGet(EchoService.Descriptor)));
        client = new EchoService.EchoServiceClient(json);
        Assert.Equal(text, (await client.LookAsync(new() { Text = text })).Text);
        Assert.Equal(text, (await client.LookAsync(
            new() { Text = text }, new Metadata { { "grpc-internal-encoding-request", "gzip" } })).Text);
    }

    [Theory]
    [InlineData(401, "null", StatusCode.Unauthenticated, null)]
    [InlineData(401, """{"code":null,"message":"oops"}""", StatusCode.Unauthenticated, "oops")]
    [InlineData(429, """{"code":"foobar","message":"oops"}""", StatusCode.Unavailable, "oops")]
    [InlineData(401, """{"message":"oops"}""", StatusCode.Unauthenticated, "oops")]
    [InlineData(500, """{"error":null}""", StatusCode.Unknown, null)]
    [InlineData(400, """{"error":{}}""", StatusCode.Internal, null)]
    [InlineData(403, "{}", StatusCode.PermissionDenied, null)]
    [InlineData(502, "", StatusCode.Unavailable, null)]
    [InlineData(504, "", StatusCode.Unavailable, null)]
    [InlineData(400, """{"code":"canceled"}""", StatusCode.Cancelled, "")]
    [InlineData(422, """{"code":"out_of_range","message":"oops","more":1}""", StatusCode.OutOfRange, "oops")]
    [InlineData(503, "<html>", StatusCode.Unavailable, null)]
    [InlineData(404, "[]", StatusCode.Unimplemented, null)]
    [InlineData(431, "", StatusCode.Unknown, null)]
    [Wire("C1.7.03")]
    public async Task A_unary_error_is_told_by_its_body_or_else_by_its_http_status(
        int http, string body, StatusCode expected, string? message)
    {
        Status status = await UnaryAsync(async context =>
        {
            context.Response.StatusCode = http;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(body);
        });
        Assert.Equal(expected, status.StatusCode);
        Assert.Equal(message ?? $"The server answered with HTTP status {http}.", status.Detail);
    }

    [Fact]
    [Wire("C1.7.03")]
    public async Task A_detail_is_read_whatever_is_told_for_people()
    {
        await using ScriptedServer server = await StartAsync(async http =>
        {
            http.Response.StatusCode = 400;
            http.Response.ContentType = "application/json; charset=utf-8";
            http.Response.Headers["trailer-x-end"] = "1";
            http.Response.Headers["x-begin"] = "2";
            await http.Response.WriteAsync("""
                {"code":"invalid_argument","details":[
                  {"type":"google.rpc.RequestInfo","value":"CgFh","debug":"garbage","more":true},
                  {"type":"google.rpc.RequestInfo","value":"!"},
                  7]}
                """);
        });
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Google.Rpc.Status rich = thrown.GetRpcStatus()!;
        Assert.Equal((int)StatusCode.InvalidArgument, rich.Code);
        Assert.Equal("type.googleapis.com/google.rpc.RequestInfo", Assert.Single(rich.Details).TypeUrl);
        Assert.Equal("1", thrown.Trailers.GetValue("x-end"));
        Assert.Equal("2", (await call.ResponseHeadersAsync).GetValue("x-begin"));
    }

    [Theory]
    [InlineData(200, "image/jpeg", null, StatusCode.Unknown)]
    [InlineData(200, null, null, StatusCode.Unknown)]
    [InlineData(200, "application/json", null, StatusCode.Internal)]
    [InlineData(403, "application/proto", null, StatusCode.PermissionDenied)]
    [InlineData(200, "application/proto", "snappy", StatusCode.Internal)]
    [InlineData(200, "application/proto", "identity", StatusCode.OK)]
    [InlineData(200, "application/proto", "gzip", StatusCode.OK)]
    [Wire("C1.7.07")]
    public async Task A_unary_answer_is_checked(int http, string? type, string? encoding, StatusCode expected)
    {
        Status status = await UnaryAsync(context =>
        {
            context.Response.StatusCode = http;
            context.Response.ContentType = type;
            context.Response.Headers.ContentEncoding = encoding;
            return Task.CompletedTask;
        });
        Assert.Equal(expected, status.StatusCode);
    }

    [Fact]
    [Wire("C1.5.02")]
    public async Task A_unary_answer_as_large_as_the_limit_passes_and_one_byte_more_does_not()
    {
        foreach ((int length, StatusCode expected) in new[] { (98, StatusCode.OK), (99, StatusCode.ResourceExhausted) })
        {
            Status status = await UnaryAsync(
                http => AnswerAsync(http, new EchoResponse { Text = new string('x', length) }),
                new GrpcChannelOptions { MaxReceiveMessageSize = 100 });
            Assert.Equal(expected, status.StatusCode);
        }
    }

    [Theory]
    [InlineData("{}", StatusCode.OK)]
    [InlineData("""{"error":null}""", StatusCode.OK)]
    [InlineData("""{"error":{}}""", StatusCode.Unknown)]
    [InlineData("""{"error":{"code":null}}""", StatusCode.Unknown)]
    [InlineData("""{"error":{"code":"foobar"}}""", StatusCode.Unknown)]
    [InlineData("""{"error":{"code":"unauthenticated"}}""", StatusCode.Unauthenticated)]
    [InlineData("""{"code":"out_of_range"}""", StatusCode.OK)]
    [InlineData("no json", StatusCode.Internal)]
    [InlineData("[]", StatusCode.Internal)]
    [InlineData("", StatusCode.Internal)]
    [Wire("C1.7.08")]
    public async Task The_last_frame_tells_how_a_stream_ended(string end, StatusCode expected)
    {
        Assert.Equal(expected, await StreamAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("x"), Script.Frame(Encoding.UTF8.GetBytes(end), 2));
        }));
        if (end.Length > 0)
        {
            Assert.Equal(expected, await StreamAsync(async http =>
            {
                http.Response.Headers["connect-content-encoding"] = "gzip";
                await http.WriteAsync(Script.Frame("x"), Script.Frame(
                    Gzip.Provider.Deflate(Encoding.UTF8.GetBytes(end)).ToArray(), 3));
            }));
        }
    }

    [Fact]
    [Wire("C1.7.08")]
    public async Task A_stream_without_a_last_frame_or_with_more_after_it_is_internal()
    {
        byte[] end = Script.Frame("{}"u8.ToArray(), 2);
        Assert.Equal(StatusCode.Internal, await StreamAsync(http => http.WriteAsync(Script.Frame("x"))));
        Assert.Equal(StatusCode.Internal, await StreamAsync(http => http.WriteAsync(end, Script.Frame("x"))));
        Assert.Equal(StatusCode.Internal, await StreamAsync(http => http.WriteAsync(Script.Frame("xyz")[..7])));
        Assert.Equal(StatusCode.Internal, await StreamAsync(http => http.WriteAsync(Script.Frame("x", 1), end)));
        Assert.Equal(StatusCode.Internal, await StreamAsync(http => http.WriteAsync(Script.Frame("x", 4), end)));
    }

    [Theory]
    [InlineData(200, "application/connect+json", StatusCode.Internal)]
    [InlineData(200, "application/proto", StatusCode.Unknown)]
    [InlineData(503, "application/connect+proto", StatusCode.Unavailable)]
    [Wire("C1.7.07")]
    public async Task A_streams_answer_is_checked(int status, string type, StatusCode expected) =>
        Assert.Equal(expected, await StreamAsync(http =>
        {
            http.Response.StatusCode = status;
            http.Response.ContentType = type;
            return Task.CompletedTask;
        }));

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [Wire("C1.3.08")]
    public async Task A_client_stream_is_answered_by_exactly_one_message(int count)
    {
        await using ScriptedServer server = await StartAsync(async http =>
        {
            await ReadAsync(http);
            http.Response.ContentType = "application/connect+proto";
            await http.WriteAsync([.. Enumerable.Repeat(Script.Frame("x"), count), Script.Frame("{}"u8.ToArray(), 2)]);
        });
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = server.Client.Collect();
        await call.RequestStream.CompleteAsync();
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseAsync.WaitAsync(ScriptedServer.Net))).StatusCode);
    }

    private static Task<ScriptedServer> StartAsync(RequestDelegate script, GrpcChannelOptions? options = null) =>
        ScriptedServer.StartAsync(script, (options ?? new()).UseConnect(), protocols: Http1);

    private static async Task<Status> UnaryAsync(RequestDelegate script, GrpcChannelOptions? options = null)
    {
        await using ScriptedServer server = await StartAsync(script, options);
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        await call.ResponseAsync.WaitAsync(ScriptedServer.Net).ContinueWith(_ => { }, TaskScheduler.Default);
        return call.GetStatus();
    }

    private static async Task<StatusCode> StreamAsync(RequestDelegate script)
    {
        await using ScriptedServer server = await StartAsync(async http =>
        {
            await ReadAsync(http);
            http.Response.ContentType = "application/connect+proto";
            await script(http);
        });
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        await call.ResponseStream.ReadAllAsync().ToListAsync().AsTask().WaitAsync(ScriptedServer.Net)
            .ContinueWith(_ => { }, TaskScheduler.Default);
        return call.GetStatus().StatusCode;
    }

    private static void Note(HttpContext http, Dictionary<string, string> seen)
    {
        seen.Clear();
        seen["line"] = $"{http.Request.Protocol} {http.Request.Method} {http.Request.Path}";
        seen["query"] = http.Request.QueryString.Value ?? "";
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
        {
            seen[name.ToLowerInvariant()] = values.ToString();
        }
    }

    private static async Task<byte[]> ReadAsync(HttpContext http)
    {
        var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private static async Task AnswerAsync(HttpContext http, EchoResponse answer, bool isJson = false)
    {
        http.Response.ContentType = isJson ? "application/json" : "application/proto";
        await http.Response.Body.WriteAsync(isJson
            ? JsonSerializer.SerializeToUtf8Bytes(new { text = answer.Text }) : answer.ToByteArray());
    }
}
