using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Squall.Rpc.Tests;

public sealed class ServerReflectionTests
{
    [Theory, Wire("1.8.01")]
    [InlineData("squall.rpc.test.v1.EchoService")]
    [InlineData("squall.rpc.test.v1.EchoService.Unary")]
    [InlineData("squall.rpc.test.v1.EchoRequest")]
    [InlineData("squall.rpc.test.v1.EchoRequest.text")]
    [InlineData("squall.rpc.test.v1.echo_note")]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus")]
    [InlineData("grpc.health.v1.HealthCheckResponse.SERVING")]
    [InlineData("grpc.reflection.v1.ServerReflectionRequest.message_request")]
    [InlineData("google.rpc.ErrorInfo")]
    [InlineData("google.protobuf.Any")]
    public async Task Each_kind_of_symbol_leads_to_its_file_and_all_it_needs(string symbol)
    {
        await using ServerHost host = await StartAsync();
        var request = new ServerReflectionRequest { FileContainingSymbol = symbol, Host = "h" };
        ServerReflectionResponse answer = (await AskAsync(host, request))[0];
        Assert.Equal(("h", symbol), (answer.ValidHost, answer.OriginalRequest.FileContainingSymbol));
        FileDescriptorProto[] files = [.. answer.FileDescriptorResponse.FileDescriptorProto
            .Select(FileDescriptorProto.Parser.ParseFrom)];
        Assert.StartsWith(files[0].Package, symbol, StringComparison.Ordinal);
        Assert.Empty(files.SelectMany(file => file.Dependency).Except(files.Select(file => file.Name)));
    }

    [Fact, Wire("1.8.02")]
    public async Task What_is_unknown_is_an_error_on_a_stream_that_goes_on()
    {
        await using ServerHost host = await StartAsync();
        List<ServerReflectionResponse> answers = await AskAsync(
            host,
            new() { FileContainingSymbol = "no.Symbol" },
            new() { FileByFilename = "no.proto" },
            new() { AllExtensionNumbersOfType = "no.Message" },
            new() { FileContainingExtension = new() { ContainingType = "no.Message", ExtensionNumber = 1 } },
            new(),
            new() { ListServices = "" });
        Assert.Equal([5, 5, 5, 5, 3], answers[..5].Select(answer => answer.ErrorResponse.ErrorCode));
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                "squall.rpc.test.v1.EchoService"],
            answers[5].ListServicesResponse.Service.Select(service => service.Name));
    }

    [Fact, Wire("1.8.03")]
    public async Task Extensions_are_found_and_none_is_an_empty_list()
    {
        await using ServerHost host = await StartAsync();
        List<ServerReflectionResponse> answers = await AskAsync(
            host,
            new() { AllExtensionNumbersOfType = "squall.rpc.test.v1.EchoRequest" },
            new() { AllExtensionNumbersOfType = "google.protobuf.MethodOptions" },
            new() { FileContainingExtension = new()
            {
                ContainingType = "google.protobuf.MethodOptions",
                ExtensionNumber = 50100,
            } });
        Assert.Empty(answers[0].AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal("squall.rpc.test.v1.EchoRequest", answers[0].AllExtensionNumbersResponse.BaseTypeName);
        Assert.Equal([50100], answers[1].AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal("echo.proto", FileDescriptorProto.Parser.ParseFrom(
            answers[2].FileDescriptorResponse.FileDescriptorProto[0]).Name);
    }

    [Fact, Wire("1.8.04")]
    public async Task A_file_that_others_need_is_sent_once_a_stream()
    {
        await using ServerHost host = await StartAsync();
        List<ServerReflectionResponse> answers = await AskAsync(
            host,
            new() { FileByFilename = "google/rpc/status.proto" },
            new() { FileByFilename = "google/rpc/status.proto" });
        Assert.Equal(2, answers[0].FileDescriptorResponse.FileDescriptorProto.Count);
        Assert.Single(answers[1].FileDescriptorResponse.FileDescriptorProto);
    }

    [Theory, Wire("1.8.05")]
    [InlineData("google.rpc.ErrorInfo", "google/rpc/error_details.proto")]
    [InlineData("grpc.health.v1.Health", "grpc/health/v1/health.proto")]
    public async Task Files_are_served_with_their_comments(string symbol, string name)
    {
        await using ServerHost host = await StartAsync();
        ServerReflectionResponse answer = (await AskAsync(
            host, new ServerReflectionRequest { FileContainingSymbol = symbol }))[0];
        FileDescriptorProto file = FileDescriptorProto.Parser.ParseFrom(
            answer.FileDescriptorResponse.FileDescriptorProto[0]);
        Assert.Equal(name, file.Name);
        Assert.Contains(file.SourceCodeInfo.Location, location => location.LeadingComments.Length > 10);
        // With the comments away it is the file that the code was generated from.
        FileDescriptorProto generated = (name[0..8] == "grpc/hea"
            ? Grpc.Health.V1.HealthReflection.Descriptor
            : Google.Rpc.ErrorDetailsReflection.Descriptor).ToProto();
        Assert.Equal(
            generated.MessageType.Select(message => message.Name), file.MessageType.Select(message => message.Name));
    }

    [Fact, Wire("1.8.06")]
    public async Task V1alpha_answers_the_same()
    {
        await using ServerHost host = await StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        using AsyncDuplexStreamingCall<Alpha.ServerReflectionRequest, Alpha.ServerReflectionResponse> call =
            new Alpha.ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new() { FileContainingSymbol = "google.rpc.ErrorInfo" });
        Assert.True(await call.ResponseStream.MoveNext());
        var request = new ServerReflectionRequest { FileContainingSymbol = "google.rpc.ErrorInfo" };
        ServerReflectionResponse v1 = (await AskAsync(host, request))[0];
        Assert.Equal(v1.ToByteString(), call.ResponseStream.Current.ToByteString());
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory, Wire("1.8.10")]
    [InlineData("application/grpc")]
    [InlineData("application/grpc-web")]
    [InlineData("application/connect+proto")]
    public async Task Each_protocol_asks_over_http2_in_clear_text(string type)
    {
        await using ServerHost host = await StartAsync();
        foreach (string version in (string[])["v1", "v1alpha"])
        {
            using var call = new ServerDuplex(
                host.Http2, $"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", type);
            foreach (string symbol in (string[])["no.Symbol", "google.rpc.ErrorInfo"])
            {
                call.Send(ServerWire.FrameOf(new ServerReflectionRequest { FileContainingSymbol = symbol }));
                var answer = ServerReflectionResponse.Parser.ParseFrom(await call.ReadFrameAsync());
                Assert.Equal(symbol, answer.OriginalRequest.FileContainingSymbol);
                Assert.Equal(symbol == "no.Symbol", answer.ErrorResponse is { ErrorCode: 5 });
            }
        }
    }

    private static Task<ServerHost> StartAsync() => ServerHost.StartAsync(
        services: services => services.AddGrpcReflection(),
        map: app =>
        {
            app.MapGrpcReflectionService();
            app.MapGrpcHealthChecksService();
        });

    private static async Task<List<ServerReflectionResponse>> AskAsync(
        ServerHost host, params ServerReflectionRequest[] requests)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call =
            new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        List<ServerReflectionResponse> answers = [];
        foreach (ServerReflectionRequest request in requests)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext());
            answers.Add(call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        return answers;
    }
}
