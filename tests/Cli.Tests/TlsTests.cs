namespace Squall.Cli.Tests;

/// <summary>A server over TLS, whose certificate nobody trusts at first, and addresses with the wrong scheme.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly ServerProcess _server = new() { WithTls = true };

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_certificate_is_trusted_only_if_someone_says_so()
    {
        using var ada = new Person(_server);
        ada.Environment["SQUALL_ENDPOINT"] = _server.TlsAddress.ToString();
        (await ada.RunAsync("whoami")).Refused(1, "SSL_CERT_FILE");
        ada.Environment["SSL_CERT_FILE"] = _server.CertificatePath;
        await ada.LogInAsync("--register");
        Assert.StartsWith(
            $"{ada.Name} on https://", (await ada.RunAsync("whoami")).Well().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_scheme_is_guessed()
    {
        using var ada = new Person(_server);
        (await ada.RunAsync("whoami", "--server", $"https://{_server.Address.Authority}")).Refused(1, "Is it http?");
        (await ada.RunAsync("whoami", "--server", $"http://{_server.TlsAddress.Authority}")).Refused(1, "scheme");
    }
}
