using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Squall.Server.Tests;

public sealed class HostingStartTests : HostingPlace
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task A_started_server_says_where_it_listens_and_what_to_try()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--https", "localhost:0"]);

        Assert.Equal(4, server.Output.Count);
        Assert.StartsWith("Listening on http://127.0.0.1:", server.Output[0], StringComparison.Ordinal);
        Assert.StartsWith("Listening on https://127.0.0.1:", server.Output[1], StringComparison.Ordinal);
        Assert.Equal($"Data directory: {Stored}", server.Output[2]);
        Assert.StartsWith("Try: curl ", server.Output[3], StringComparison.Ordinal);
        Assert.Contains(server.Addresses[0].Authority, server.Output[3], StringComparison.Ordinal);
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal(4, server.Output.Count);
    }

    [Theory]
    [InlineData(HostingProcess.Terminate)]
    [InlineData(HostingProcess.Interrupt)]
    public async Task A_signal_ends_it_with_exit_code_0_and_one_database_file(int signal)
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        Assert.Equal(0, await server.StopAsync(signal));
        Assert.Empty(server.Errors);
        Assert.Equal(
            ["squall.db", "squall.lock"], Directory.GetFiles(Stored).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task The_command_to_try_works_as_it_is_printed()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        string command = server.Output[^1]["Try: ".Length..];
        var start = new System.Diagnostics.ProcessStartInfo("sh") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command + " -s");
        using var shell = System.Diagnostics.Process.Start(start)!;
        using JsonDocument answer = JsonDocument.Parse(await shell.StandardOutput.ReadToEndAsync());
        Assert.Equal("Hello, you", answer.RootElement.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("127.0.0.1:0", false)]
    [InlineData("0.0.0.0:0", true)]
    public async Task Where_others_can_reach_it_it_says_that_nobody_may_register(string address, bool closed)
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--http", address]);
        using var client = new Client(new Uri($"http://127.0.0.1:{server.Addresses[0].Port}"));
        Task RegisterAsync() => client.Accounts.RegisterAccountAsync(
            new() { Username = "ada", Password = Client.Password }).ResponseAsync;
        if (closed)
        {
            await Refusal.AssertAsync(
                Grpc.Core.StatusCode.PermissionDenied, "REGISTRATION_CLOSED", () => RegisterAsync());
        }
        else
        {
            await RegisterAsync();
        }

        Assert.Equal(0, await server.StopAsync());
        string[] told = [.. server.Errors.Where(line => !line.Contains("AuditLog[", StringComparison.Ordinal))];
        Assert.Equal(closed ? 1 : 0, told.Length);
        Assert.All(told, line => Assert.Contains("--registration open", line, StringComparison.Ordinal));
        string audited = Assert.Single(server.Errors.Except(told));
        Assert.Contains(closed ? "access_denied" : "registered", audited, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_owner_may_read_what_it_stores()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--https", "localhost:0"]);
        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(Stored));
        string[] files = Directory.GetFiles(Stored);
        Assert.Contains(Path.Combine(Stored, "certificate.key"), files);
        Assert.All(files, file => Assert.Equal(Owner, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task The_directory_is_relative_to_the_callers_own()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(Place, "elsewhere")).FullName;
        using HostingProcess server = await HostingProcess.ServeAsync(elsewhere, ["--data", "../mine"]);
        Assert.Contains($"Data directory: {Path.Combine(Place, "mine")}", server.Output);
        Assert.True(File.Exists(Path.Combine(Place, "mine", "squall.db")));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
    }

    [Fact]
    public async Task A_killed_server_lets_go_of_its_directory()
    {
        using (HostingProcess first = await HostingProcess.ServeAsync(Place))
        {
            await first.KillAsync();
        }

        using HostingProcess second = await HostingProcess.ServeAsync(Place);
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_port_serves_the_greeting_over_every_version_of_HTTP()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--https", "localhost:0"]);
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Stored, "certificate.pem"));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        using var http = new HttpClient(handler);
        foreach (Uri address in server.Addresses)
        {
            foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address)
                {
                    Version = version,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                using HttpResponseMessage answer = await http.SendAsync(request);
                Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
                using JsonDocument page = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
                Assert.Equal("Hello, world", page.RootElement.GetProperty("message").GetString());
                Assert.Equal("Squall", page.RootElement.GetProperty("server").GetString());
                Assert.Equal(
                    ["gRPC", "gRPC-Web", "Connect"],
                    page.RootElement.GetProperty("protocols").EnumerateArray().Select(name => name.GetString()));
            }
        }
    }

    [Theory]
    [InlineData(System.Security.Authentication.SslProtocols.Tls12)]
    [InlineData(System.Security.Authentication.SslProtocols.Tls13)]
    public async Task The_certificate_names_this_machine(System.Security.Authentication.SslProtocols protocol)
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--https", "localhost:0"]);
        X509Certificate2? seen = null;
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Addresses[1].Port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocol,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                (seen = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData())) is not null,
        });
        Assert.True(seen!.MatchesHostname("localhost"));
        Assert.True(seen.MatchesHostname("127.0.0.1"));
        Assert.True(seen.MatchesHostname("::1"));
        Assert.False(seen.MatchesHostname("example.org"));
        Assert.Equal(protocol, tls.SslProtocol);
        seen.Dispose();
    }
}
