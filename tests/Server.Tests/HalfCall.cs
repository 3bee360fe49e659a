using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>
/// A unary gRPC call whose request is sent in two halves, so that it is as slow as a test likes. It has a connection
/// of its own.
/// </summary>
internal sealed class HalfCall : HttpContent
{
    private const int PrefixBytes = 5;
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly byte[] _frame;
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<HttpResponseMessage>? _answer;

    private HalfCall(Uri address, IMessage request)
    {
        _http = new HttpClient
        {
            BaseAddress = address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        byte[] message = request.ToByteArray();
        _frame = [0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length, .. message];
        Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
    }

    /// <summary>Sends the first half, and waits until the server serves the call.</summary>
    public static async Task<HalfCall> StartAsync(Uri address, string path, IMessage request, string token)
    {
        var call = new HalfCall(address, request);
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = call,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { { "te", "trailers" }, { "authorization", $"Bearer {token}" } },
        };
        call._answer = call._http.SendAsync(message);
        await call._begun.Task.WaitAsync(Net);

        // What is asked on a connection later is served no earlier.
        await call._http.GetStringAsync(new Uri("/", UriKind.Relative));
        return call;
    }

    /// <summary>Sends the other half, and gives how the call ended.</summary>
    public async Task<(StatusCode Code, byte[] Message)> FinishAsync()
    {
        _rest.SetResult();
        using HttpResponseMessage answer = await _answer!.WaitAsync(Net);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        HttpResponseHeaders ends = body.Length > 0 ? answer.TrailingHeaders : answer.Headers;
        int code = int.Parse(ends.GetValues("grpc-status").Single());
        return ((StatusCode)code, body.Length > 0 ? body[PrefixBytes..] : []);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        int half = _frame.Length / 2;
        await stream.WriteAsync(_frame.AsMemory(0, half));
        await stream.FlushAsync();
        _begun.SetResult();
        await _rest.Task;
        await stream.WriteAsync(_frame.AsMemory(half));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        _rest.TrySetResult();
        _http.Dispose();
        base.Dispose(disposing);
    }
}
