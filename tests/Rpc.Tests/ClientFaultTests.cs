using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Squall.Rpc.Tests;

/// What servers do wrong, and what their callers are told.
public sealed class ClientFaultTests
{
    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(415, StatusCode.Unknown)]
    [InlineData(418, StatusCode.Unknown)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(431, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(599, StatusCode.Unknown)]
    [Wire("C1.3.01")]
    public async Task Http_statuses_are_mapped(int http, StatusCode expected)
    {
        Status status = await CallAsync(context =>
        {
            context.Response.StatusCode = http;
            return Task.CompletedTask;
        });
        Assert.Equal(expected, status.StatusCode);
        Assert.Contains(http.ToString(), status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    [Wire("C1.3.02")]
    public async Task A_grpc_status_beside_an_http_status_wins() => await ExpectAsync(StatusCode.NotFound, http =>
    {
        http.Response.StatusCode = 503;
        http.Response.Headers["grpc-status"] = "5";
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData("text/html", StatusCode.Unknown)]
    [InlineData("application/grpcfoo", StatusCode.Unknown)]
    [InlineData(null, StatusCode.Unknown)]
    [InlineData("application/grpc+json", StatusCode.Internal)]
    [InlineData("application/grpc; charset=utf-8", StatusCode.OK)]
    [InlineData("application/grpc+proto", StatusCode.OK)]
    [Wire("C1.3.10")]
    public async Task A_content_type_is_checked(string? contentType, StatusCode expected) =>
        await ExpectAsync(expected, async http =>
        {
            http.Response.ContentType = contentType;
            await http.Response.StartAsync();
            await http.Response.Body.WriteAsync(Script.Frame("x"));
            http.Response.AppendTrailer("grpc-status", "0");
        });

    [Fact]
    [Wire("C1.3.03")]
    public async Task A_missing_status_is_unknown() =>
        await ExpectAsync(StatusCode.Unknown, http => http.WriteAsync(Script.Frame("x")));

    [Theory]
    [InlineData("17")]
    [InlineData("abc")]
    [Wire("C1.3.04")]
    public async Task A_status_that_is_no_code_is_unknown(string code) =>
        await ExpectAsync(StatusCode.Unknown, async http =>
        {
            await http.WriteAsync(Script.Frame("x"));
            http.Response.AppendTrailer("grpc-status", code);
        });

    [Fact]
    [Wire("C1.3.05")]
    public async Task Trailers_only_tells_status_message_and_metadata()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "7";
            http.Response.Headers["grpc-message"] = "no%20%E2%98%BA";
            http.Response.Headers["x-more"] = "1";
            return Task.CompletedTask;
        });
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(new Status(StatusCode.PermissionDenied, "no ☺"), thrown.Status);
        Assert.Equal("1", thrown.Trailers.GetValue("x-more"));
        Assert.Empty(await call.ResponseHeadersAsync);
        Assert.Equal(StatusCode.PermissionDenied, call.GetStatus().StatusCode);
        Assert.Equal("1", call.GetTrailers().GetValue("x-more"));
    }

    [Fact]
    [Wire("C1.3.05")]
    public async Task A_status_in_the_headers_is_ignored_if_a_body_follows() =>
        await ExpectAsync(StatusCode.OK, async http =>
        {
            http.Response.Headers["grpc-status"] = "9";
            await http.WriteAsync(Script.Frame("x"));
            http.End();
        });

    [Fact]
    [Wire("C1.3.05")]
    public async Task A_status_in_the_headers_is_ignored_if_trailers_follow() =>
        await ExpectAsync(StatusCode.Aborted, async http =>
        {
            http.Response.Headers["grpc-status"] = "9";
            http.Response.ContentType = "application/grpc";
            await http.Response.StartAsync();
            http.End(StatusCode.Aborted);
        });

    [Fact]
    [Wire("C1.3.08")]
    public async Task No_message_is_unimplemented() => await ExpectAsync(StatusCode.Unimplemented, async http =>
    {
        await http.WriteAsync();
        http.End();
    });

    [Fact]
    [Wire("C1.3.08")]
    public async Task Two_messages_are_unimplemented() => await ExpectAsync(StatusCode.Unimplemented, async http =>
    {
        await http.WriteAsync(Script.Frame("x"), Script.Frame("y"));
        http.End();
    });

    [Fact]
    public async Task An_error_after_a_message_is_the_error() => await ExpectAsync(StatusCode.DataLoss, async http =>
    {
        await http.WriteAsync(Script.Frame("x"));
        http.End(StatusCode.DataLoss, "lost");
    });

    [Fact]
    public async Task A_message_that_is_cut_off_is_internal() => await ExpectAsync(StatusCode.Internal, async http =>
    {
        await http.WriteAsync(Script.Frame("a long text")[..9]);
        http.End();
    });

    [Fact]
    public async Task A_message_that_is_cut_off_by_an_error_is_the_error() =>
        await ExpectAsync(StatusCode.Aborted, async http =>
        {
            await http.WriteAsync(Script.Frame("a long text")[..9]);
            http.End(StatusCode.Aborted);
        });

    [Theory]
    [InlineData(1, StatusCode.Internal)]
    [InlineData(2, StatusCode.Internal)]
    [InlineData(0x80, StatusCode.Internal)]
    [Wire("C1.3.09")]
    public async Task Flags_without_a_meaning_are_internal(byte flags, StatusCode expected) =>
        await ExpectAsync(expected, async http =>
        {
            await http.WriteAsync(Script.Frame("x", flags));
            http.End();
        });

    [Fact]
    [Wire("C1.3.09")]
    public async Task A_flag_beside_identity_is_internal() => await ExpectAsync(StatusCode.Internal, async http =>
    {
        http.Response.Headers["grpc-encoding"] = "identity";
        await http.WriteAsync(Script.Frame("x", 1));
        http.End();
    });

    [Fact]
    [Wire("C1.3.09")]
    public async Task An_unknown_encoding_is_internal() => await ExpectAsync(StatusCode.Internal, async http =>
    {
        http.Response.Headers["grpc-encoding"] = "br";
        await http.WriteAsync(Script.Frame("x"));
        http.End();
    });

    [Fact]
    public async Task A_message_that_is_not_protobuf_is_internal() =>
        await ExpectAsync(StatusCode.Internal, async http =>
        {
            await http.WriteAsync(Script.Frame([0xFF, 0xFF, 0xFF]));
            http.End();
        });

    [Fact]
    public async Task A_bin_header_that_is_not_base64_is_internal() =>
        await ExpectAsync(StatusCode.Internal, async http =>
        {
            http.Response.Headers["x-bin"] = "!";
            await http.WriteAsync(Script.Frame("x"));
            http.End();
        });

    [Theory]
    [InlineData(0, StatusCode.Internal)]
    [InlineData(1, StatusCode.Internal)]
    [InlineData(2, StatusCode.Internal)]
    [InlineData(3, StatusCode.Internal)]
    [InlineData(4, StatusCode.Internal)]
    [InlineData(6, StatusCode.Internal)]
    [InlineData(7, StatusCode.Unavailable)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(9, StatusCode.Internal)]
    [InlineData(10, StatusCode.Internal)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    [InlineData(12, StatusCode.PermissionDenied)]
    [Wire("C1.3.06")]
    public async Task Resets_are_mapped_before_and_after_the_headers(int code, StatusCode expected)
    {
        await ExpectAsync(expected, http =>
        {
            http.Reset(code);
            return Task.CompletedTask;
        });
        await ExpectAsync(expected, async http =>
        {
            await http.WriteAsync(Script.Frame("a long text")[..9]);
            http.Reset(code);
        });
    }

    [Fact]
    [Wire("C1.3.07")]
    public async Task A_lost_connection_is_unavailable()
    {
        Status status = await CallAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("a long text")[..9]);
            http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        });
        Assert.Equal(StatusCode.Unavailable, status.StatusCode);
    }

    [Fact]
    [Wire("C1.3.07")]
    public async Task A_refused_connection_is_unavailable_and_names_the_address()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new EchoService.EchoServiceClient(channel);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new()));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        Assert.Equal($"Cannot connect to 127.0.0.1:{port}: Connection refused", thrown.Status.Detail);
        Assert.Equal(ConnectivityState.TransientFailure, channel.State);
        thrown = await Assert.ThrowsAsync<RpcException>(() => channel.ConnectAsync());
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);

        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat = client.Chat();
        thrown = await Assert.ThrowsAsync<RpcException>(() => chat.RequestStream.WriteAsync(new()));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
    }

    [Theory]
    [InlineData(0, 0, StatusCode.Unavailable)]
    [InlineData(1, 0, StatusCode.Unavailable)]
    [InlineData(1, 11, StatusCode.ResourceExhausted)]
    [InlineData(1, 2, StatusCode.Internal)]
    [Wire("C1.3.07")]
    public async Task A_connection_that_goes_away_is_told(byte lastStream, byte error, StatusCode expected)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = GoAwayAsync(listener, lastStream, error);
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        var client = new EchoService.EchoServiceClient(channel);
        using AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(new());
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseAsync.WaitAsync(ScriptedServer.Net));
        listener.Stop();
        Assert.Equal(expected, thrown.StatusCode);
        await serving;
    }

    [Fact]
    [Wire("C1.3.07")]
    public async Task A_name_that_does_not_resolve_is_unavailable()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress("http://nowhere.invalid:1");
        var client = new EchoService.EchoServiceClient(channel);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new()));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        Assert.StartsWith("Cannot connect to nowhere.invalid:1: ", thrown.Status.Detail, StringComparison.Ordinal);
    }

    /// Takes connections, waits for a request on each, says GOAWAY and closes.
    private static async Task GoAwayAsync(TcpListener listener, byte lastStream, byte error)
    {
        byte[] settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        byte[] goAway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, error];
        try
        {
            while (true)
            {
                using Socket socket = await listener.AcceptSocketAsync();
                await socket.SendAsync(settings);
                byte[] buffer = new byte[4096];
                // The preface and SETTINGS may come apart from the request, whose path is among its last bytes.
                for (int seen = 0; seen < 150;)
                {
                    int read = await socket.ReceiveAsync(buffer);
                    seen += read > 0 ? read : throw new SocketException();
                }

                await socket.SendAsync(goAway);
                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(buffer) > 0)
                {
                }
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The client, or the test, which stops listening, is done.
        }
    }

    private static async Task ExpectAsync(StatusCode expected, RequestDelegate script) =>
        Assert.Equal(expected, (await CallAsync(script)).StatusCode);

    private static async Task<Status> CallAsync(RequestDelegate script)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(script);
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new() { Text = "x" });
        try
        {
            await call.ResponseAsync.WaitAsync(ScriptedServer.Net);
        }
        catch (RpcException e)
        {
            Assert.Equal(e.Status, call.GetStatus());
        }

        return call.GetStatus();
    }
}
