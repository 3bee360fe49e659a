using System.Text;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Passwords and tokens are told to nobody but their owner: no log and no file has them.</summary>
public sealed class AuthSecretsTests : HostingPlace
{
    private static readonly string Password = Secrets.Password();
    private static readonly string WrongPassword = Secrets.Password();

    [Fact]
    public async Task No_log_and_no_file_holds_a_password_or_a_token_whatever_is_logged()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--log-level", "trace"]);
        List<string> secrets = [Password, WrongPassword];
        using (var client = new Client(server.Addresses[0]))
        {
            secrets.AddRange(await LiveAsync(client));
        }

        using (var http = new HttpClient { BaseAddress = server.Addresses[0] })
        {
            secrets.AddRange(await LiveAsync(http));
        }

        // While it runs, and after it closed the file.
        AssertNowhere(secrets, FilesOf(Stored));
        Assert.Equal(0, await server.StopAsync());
        AssertNowhere(secrets, FilesOf(Stored));
        AssertNowhere(secrets, [("standard output", Bytes(server.Output)), ("the log", Bytes(server.Errors))]);

        // The log was as full as it can be, and the file has what it is to have.
        string[] told =
        [
            " trce: ", " dbug: ", "/squall.v1.AccountService/RegisterAccount", "/squall.v1.AuthService/Login",
            "/squall.v1.AuthService/RefreshSession", "/squall.v1.AuthService/Logout",
        ];
        Assert.All(told, text => Assert.Contains(
            server.Errors, line => line.Contains(text, StringComparison.Ordinal)));
        Assert.Contains(FilesOf(Stored), file => Holds(file.Content, "pbkdf2-sha512$210000$"));
    }

    /// <summary>Every way in which a secret comes and goes, over gRPC.</summary>
    private static async Task<string[]> LiveAsync(Client client)
    {
        await client.Accounts.RegisterAccountAsync(new() { Username = "ada", Password = Password });
        await Assert.ThrowsAsync<RpcException>(async () =>
            await client.Auth.LoginAsync(new() { Username = "ada", Password = WrongPassword }));
        Tokens first = (await client.Auth.LoginAsync(new() { Username = "ada", Password = Password })).Tokens;
        Tokens second =
            (await client.Auth.RefreshSessionAsync(new() { RefreshToken = first.RefreshToken })).Tokens;
        Metadata headers = Client.Bearer(second.AccessToken);
        await client.Accounts.GetAccountAsync(new(), headers);
        await client.Lists.CreateTaskListAsync(new() { TaskList = new() { Title = "a list" } }, headers);
        string key = (await client.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Viewer } }, headers)).Secret;
        await client.Accounts.GetAccountAsync(new(), Client.Bearer(key));
        await client.Auth.LogoutAsync(new(), headers);
        await Assert.ThrowsAsync<RpcException>(async () => await client.Accounts.GetAccountAsync(new(), headers));
        return [first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken, key];
    }

    /// <summary>The same over Connect; what is no JSON is refused, and may not be told either.</summary>
    private static async Task<string[]> LiveAsync(HttpClient http)
    {
        string login = $$"""{"username":"ada","password":"{{Password}}"}""";
        string answer = await PostAsync(http, "AuthService/Login", login);
        LoginResponse opened = LoginResponse.Parser.WithDiscardUnknownFields(true).ParseJson(answer);
        string refresh = $$"""{"refreshToken":"{{opened.Tokens.RefreshToken}}"}""";
        RefreshSessionResponse renewed =
            RefreshSessionResponse.Parser.ParseJson(await PostAsync(http, "AuthService/RefreshSession", refresh));
        string broken = await PostAsync(http, "AuthService/Login", $$"""{"password":"{{Password}}""");
        string unfit = await PostAsync(http, "AuthService/Login", $$"""{"password":["{{Password}}"]}""");
        Assert.DoesNotContain(Password, broken + unfit, StringComparison.Ordinal);
        return
        [
            opened.Tokens.AccessToken, opened.Tokens.RefreshToken,
            renewed.Tokens.AccessToken, renewed.Tokens.RefreshToken,
        ];
    }

    private static async Task<string> PostAsync(HttpClient http, string method, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer =
            await http.PostAsync(new Uri($"/squall.v1.{method}", UriKind.Relative), content);
        return await answer.Content.ReadAsStringAsync();
    }

    private static List<(string Name, byte[] Content)> FilesOf(string directory) =>
        [.. Directory.GetFiles(directory, "squall.db*").Select(file => (Path.GetFileName(file), Read(file)))];

    private static byte[] Read(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] Bytes(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines));

    private static void AssertNowhere(List<string> secrets, List<(string Name, byte[] Content)> places)
    {
        foreach ((string name, byte[] content) in places)
        {
            // A token's random part alone, too: that it has no prefix would make it no less of a secret.
            Assert.All(secrets, secret => Assert.False(Holds(content, secret[4..]), $"A secret stands in {name}."));
        }
    }

    private static bool Holds(byte[] content, string text) =>
        content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
}
