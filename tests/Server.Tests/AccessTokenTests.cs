using System.Net;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Who gets in: each RPC without a token, with one that is none, and with one that is over.</summary>
public sealed class AccessTokenTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private ServerFixture _server = null!;
    private Client _ada = null!;
    private Place _place = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(StaticIssuer.Name, _time, StaticIssuer.Register);
        _ada = await Client.SignInAsync(_server, "ada");
        _place = await Place.MakeAsync(_server, _ada);
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_needs_nothing_is_let_in_without_a_token_and_with_any()
    {
        Metadata[] all = [[], new() { { "authorization", "nonsense" } }, Client.Bearer("sqa_nonsense")];
        foreach (Metadata headers in all)
        {
            foreach (MethodDescriptor method in Contract.Methods.Where(method => !NeedsLogin(method)))
            {
                IMessage request = await _place.RequestAsync(Contract.NameOf(method));
                Task<IMessage?> call = _server.Channel.CallAsync(method, request, headers);
                if (Contract.IsLater(method))
                {
                    await Refusal.AssertAsync(StatusCode.Unimplemented, "NOT_YET_SUPPORTED", () => call);
                }
                else
                {
                    Assert.NotNull(await call);
                }
            }

            Assert.Equal(
                HealthCheckResponse.Types.ServingStatus.Serving,
                (await new Health.HealthClient(_server.Channel).CheckAsync(new(), headers)).Status);
        }
    }

    [Fact]
    public async Task What_needs_a_login_is_refused_without_a_token_and_says_how_to_get_one()
    {
        foreach (MethodDescriptor method in Contract.Methods.Where(NeedsLogin))
        {
            await AssertShutOutAsync(method, [], "TOKEN_MISSING");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Basic c3F1YWxsOnNxdWFsbA==")]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer sqa_")]
    [InlineData("Bearer sqa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Bearer sqk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Bearer sqa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!")]
    [InlineData("Bearer sqa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A")]
    public async Task A_garbled_token_is_refused_by_each_RPC(string header)
    {
        foreach (MethodDescriptor method in Contract.Methods.Where(NeedsLogin))
        {
            await AssertShutOutAsync(method, new() { { "authorization", header } }, "TOKEN_INVALID");
        }
    }

    [Fact]
    public async Task A_token_that_is_almost_right_is_refused_by_each_RPC()
    {
        string token = _ada.Tokens.AccessToken;
        string[] almost =
        [
            token[..^1] + (token[^1] == 'A' ? 'B' : 'A'), token[..^1], token + "A", token.ToUpperInvariant(),
            "SQA_" + token[4..], token[4..], _ada.Tokens.RefreshToken, "sqa_" + _ada.Tokens.RefreshToken[4..],
        ];
        foreach (string wrong in almost)
        {
            foreach (MethodDescriptor method in Contract.Methods.Where(NeedsLogin))
            {
                await AssertShutOutAsync(method, Client.Bearer(wrong), "TOKEN_INVALID");
            }
        }

        // Nor two tokens, of which one is right.
        Metadata two = _ada.Headers;
        two.Add("authorization", $"Bearer {almost[0]}");
        await AssertShutOutAsync(Contract.Method("AccountService/GetAccount"), two, "TOKEN_INVALID");
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    public async Task The_scheme_may_be_written_in_any_case(string scheme)
    {
        var headers = new Metadata { { "authorization", $"{scheme} {_ada.Tokens.AccessToken}" } };
        Assert.Equal(_ada.Account, (await _ada.Accounts.GetAccountAsync(new(), headers)).Account);
    }

    [Fact]
    public async Task An_expired_token_and_one_of_an_ended_session_are_refused_by_each_RPC()
    {
        using Client bob = await Client.SignInAsync(_server, "bob");
        await bob.Auth.LogoutAsync(new(), bob.Headers);
        foreach (MethodDescriptor method in Contract.Methods.Where(NeedsLogin))
        {
            await AssertShutOutAsync(method, bob.Headers, "TOKEN_INVALID");
        }

        _time.Advance(TimeSpan.FromMinutes(16));
        foreach (MethodDescriptor method in Contract.Methods.Where(NeedsLogin))
        {
            await AssertShutOutAsync(method, _ada.Headers, "TOKEN_EXPIRED");
        }
    }

    [Fact]
    public async Task Over_Connect_it_is_401_with_the_same_words()
    {
        using var http = new HttpClient { BaseAddress = _server.Address };
        foreach (MethodDescriptor method in Contract.Methods.Where(
            method => NeedsLogin(method) && method is { IsServerStreaming: false, IsClientStreaming: false }))
        {
            (HttpStatusCode code, string body) = await PostAsync(http, Contract.PathOf(method));
            Assert.Equal((method.Name, HttpStatusCode.Unauthorized), (method.Name, code));
            Assert.Contains("\"code\":\"unauthenticated\"", body, StringComparison.Ordinal);
            Assert.Contains("AuthService/Login", body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/squall.v1.taskservice/listtasks")]
    [InlineData("/squall.v1.TaskService/ListTasks/")]
    [InlineData("//squall.v1.TaskService/ListTasks")]
    [InlineData("/squall.v1.GreeterService/../squall.v1.TaskService/ListTasks")]
    [InlineData("/squall.v1.TaskService/List%54asks")]
    [InlineData("/squall.v1.TaskService%2FListTasks")]
    public async Task Another_spelling_of_a_path_gets_nobody_in(string path)
    {
        using var http = new HttpClient { BaseAddress = _server.Address };
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(http, path)).Code);
    }

    [Fact]
    public async Task What_is_of_a_later_version_says_so_to_whoever_may_call_and_is_what_the_README_lists()
    {
        foreach (MethodDescriptor method in Contract.Methods.Where(Contract.IsLater))
        {
            RpcException refused = await Refusal.AssertAsync(
                StatusCode.Unimplemented, "NOT_YET_SUPPORTED",
                () => _server.Channel.CallAsync(method, Array.Empty<byte>(), _ada.Headers));
            Assert.Equal("Not yet in this version.", refused.Status.Detail);
        }

        Assert.Equal(
            Contract.Methods.Where(Contract.IsLater).Select(Contract.NameOf).Order(),
            ListedByReadme().Order());
    }

    [Fact]
    public async Task What_is_not_of_a_later_version_is_there()
    {
        foreach (MethodDescriptor method in Contract.Methods.Where(method => !Contract.IsLater(method)))
        {
            using Client eve = await Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
            Place place = await Place.MakeAsync(_server, eve);
            IMessage request = await place.RequestAsync(Contract.NameOf(method));
            Assert.NotNull(await _server.Channel.CallAsync(method, request, eve.Headers));
        }
    }

    private static bool NeedsLogin(MethodDescriptor method) => Contract.NeedOf(method).Proof != Proof.Nothing;

    /// <summary>Rows such as <c>| `WorkService` | all |</c>.</summary>
    private static IEnumerable<string> ListedByReadme() =>
        from line in Repository.Lines("README.md")
        where line.StartsWith("| `", StringComparison.Ordinal)
        let cells = line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        let service = cells[0].Trim('`')
        from rpc in cells[1] == "all"
            ? Contract.Methods.Where(method => method.Service.Name == service).Select(method => method.Name)
            : cells[1].Split(", ")
        select $"{service}/{rpc}";

    private async Task AssertShutOutAsync(MethodDescriptor method, Metadata headers, string reason)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => _server.Channel.CallAsync(method, Array.Empty<byte>(), headers));
        Assert.Equal(
            (method.Name, new Refusal(StatusCode.Unauthenticated, reason)), (method.Name, Refusal.Of(refused)));
        Assert.Contains("squall.v1.AuthService/Login", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("authorization: Bearer", refused.Status.Detail, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Code, string Body)> PostAsync(HttpClient http, string path)
    {
        var uri = new Uri(
            $"{http.BaseAddress!.GetLeftPart(UriPartial.Authority)}{path}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.PostAsync(uri, content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
