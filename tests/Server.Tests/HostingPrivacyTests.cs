using System.Net;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Secrets over clear text, and what browsers are told.</summary>
public sealed class HostingPrivacyTests
{
    [Theory]
    [InlineData("http", "127.0.0.1", null, null, true)]
    [InlineData("http", "::1", null, null, true)]
    [InlineData("http", "::ffff:127.0.0.1", null, null, true)]
    [InlineData("https", "192.0.2.1", null, null, true)]
    [InlineData("http", "192.0.2.1", null, null, false)]
    [InlineData("http", "fe80::1", null, null, false)]
    // Whoever is not trusted cannot say that it was private.
    [InlineData("http", "192.0.2.1", "127.0.0.1", "https", false)]
    [InlineData("http", "127.0.0.1", "198.51.100.1", null, true)]
    // A trusted proxy says how it was called itself.
    [InlineData("http", "10.0.0.1", "198.51.100.1", "https", true)]
    [InlineData("http", "10.0.0.1", "198.51.100.1", "http", false)]
    [InlineData("http", "10.0.0.1", "198.51.100.1", "http, https", false)]
    [InlineData("http", "10.0.0.1", "198.51.100.1", null, false)]
    [InlineData("http", "10.0.0.1", "198.51.100.1", "", false)]
    [InlineData("http", "10.0.0.1", null, "https", false)]
    public void What_is_private_came_over_TLS_or_from_this_machine(
        string scheme, string peer, string? forwarded, string? proto, bool isPrivate)
    {
        var http = new DefaultHttpContext();
        http.Request.Scheme = scheme;
        http.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (forwarded is not null)
        {
            http.Request.Headers.Append("X-Forwarded-For", forwarded);
        }

        if (proto is not null)
        {
            http.Request.Headers.Append("X-Forwarded-Proto", proto);
        }

        var options = new ServerOptions { TrustedProxies = [IPNetwork.Parse("10.0.0.0/8")] };
        Assert.Equal(isPrivate, new Origins(options, NullLogger<Origins>.Instance).IsPrivate(http));
    }

    [Fact]
    public async Task Each_RPC_with_a_secret_is_refused_over_clear_text_unless_an_option_allows_it()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")]);
        using Client ada = await Client.SignInAsync(server, "ada");
        Metadata headers = ada.Headers;
        headers.Add("x-forwarded-for", "192.0.2.1");
        int refused = 0;
        foreach (MethodDescriptor method in Contract.Methods.Where(method => method.Name != "SayHello"))
        {
            await Refusal.AssertAsync(StatusCode.PermissionDenied, "CLEAR_TEXT", () =>
                server.Channel.CallAsync(method, Array.Empty<byte>(), headers));
            refused++;
        }

        Assert.Equal(Contract.Methods.Count - 1, refused);
        var greeter = new GreeterService.GreeterServiceClient(server.Channel);
        await greeter.SayHelloAsync(new(), headers);
        await ada.Accounts.GetAccountAsync(new(), ada.Headers);
        headers.Add("x-forwarded-proto", "https");
        await ada.Accounts.GetAccountAsync(new(), headers);
        headers.RemoveAt(headers.Count - 1);
        server.Get<ServerOptions>().ClearTextTokens = true;
        await ada.Accounts.GetAccountAsync(new(), headers);
    }

    [Fact]
    public async Task Browsers_are_told_to_make_nothing_of_answers_and_other_origins_are_told_nothing()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        using var hello = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        var path = new Uri("/squall.v1.GreeterService/SayHello", UriKind.Relative);
        HttpResponseMessage[] answers =
        [
            await http.GetAsync(new Uri("/", UriKind.Relative)), await http.PostAsync(path, hello),
            await http.GetAsync(new Uri("/nothing", UriKind.Relative)),
        ];
        foreach (HttpResponseMessage answer in answers)
        {
            Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
            Assert.Equal(
                ["default-src 'none'; frame-ancestors 'none'"], answer.Headers.GetValues("Content-Security-Policy"));
            Assert.Equal(["no-referrer"], answer.Headers.GetValues("Referrer-Policy"));
            Assert.Equal(["no-store"], answer.Headers.GetValues("Cache-Control"));
            Assert.DoesNotContain(answer.Headers, header =>
                header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)
                || header.Key is "Server" or "Strict-Transport-Security");
            answer.Dispose();
        }

        var greeter = new GreeterService.GreeterServiceClient(server.Channel);
        Metadata told = await greeter.SayHelloAsync(new()).ResponseHeadersAsync;
        Assert.DoesNotContain(told, entry => entry.Key is "x-content-type-options" or "cache-control");
    }
}
