namespace Squall.Samples.Tests;

internal enum Moment
{
    /// <summary>The change was not sent.</summary>
    BeforeItIsSent,

    /// <summary>The change is on its way to the server, and arrives when the next run has looked around.</summary>
    OnItsWay,

    /// <summary>The server has made the change; its answer was not read.</summary>
    BeforeItIsAnswered,
}

/// <summary>Ends a client at one of the changes that it sends, on the wire, as a kill of its process would.</summary>
/// <param name="at">Which change: the first is 1.</param>
internal sealed class Kill(int at, Moment moment) : IDisposable
{
    private static readonly string[] Reads = ["Get", "List", "SayHello"];

    private readonly CancellationTokenSource killed = new();
    private int sent;
    private HttpRequestMessage? late;

    public CancellationToken Killed => killed.Token;

    /// <summary>The wire of the client that is killed; all its connections die together.</summary>
    public HttpMessageHandler Dying() => new Wire(SendAsync);

    /// <summary>The wire of the client of the next run: before its first change, what was on its way arrives.</summary>
    public HttpMessageHandler Living() => new Wire(SendAfterLateAsync);

    public void Dispose()
    {
        late?.Dispose();
        killed.Dispose();
    }

    private static bool Changes(HttpRequestMessage request) =>
        !Reads.Any(read => request.RequestUri!.Segments[^1].StartsWith(read, StringComparison.Ordinal));

    private async Task<HttpResponseMessage> SendAsync(Wire wire, HttpRequestMessage request)
    {
        Killed.ThrowIfCancellationRequested();
        if (!Changes(request) || ++sent != at)
        {
            return await wire.PassAsync(request);
        }

        if (moment == Moment.OnItsWay)
        {
            late = await CopyAsync(request);
        }
        else if (moment == Moment.BeforeItIsAnswered)
        {
            await ArriveAsync(wire, request);
        }

        await killed.CancelAsync();
        throw new OperationCanceledException(Killed);
    }

    private async Task<HttpResponseMessage> SendAfterLateAsync(Wire wire, HttpRequestMessage request)
    {
        if (Changes(request) && Interlocked.Exchange(ref late, null) is { } first)
        {
            await ArriveAsync(wire, first);
        }

        return await wire.PassAsync(request);
    }

    /// <summary>The server makes the change, and nobody reads the answer.</summary>
    private static async Task ArriveAsync(Wire wire, HttpRequestMessage request)
    {
        using var response = await wire.PassAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    private static async Task<HttpRequestMessage> CopyAsync(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = new ByteArrayContent(await request.Content!.ReadAsByteArrayAsync()),
        };
        copy.Content.Headers.ContentType = request.Content.Headers.ContentType;
        foreach (var (name, values) in request.Headers)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        return copy;
    }

    private sealed class Wire(Func<Wire, HttpRequestMessage, Task<HttpResponseMessage>> send)
        : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        public Task<HttpResponseMessage> PassAsync(HttpRequestMessage request) =>
            base.SendAsync(request, CancellationToken.None);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) => send(this, request);
    }
}
