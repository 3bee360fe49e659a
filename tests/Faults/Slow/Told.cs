using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>A subscriber that reads when it is told to, and the titles of the tasks that it was told of.</summary>
internal sealed class Told(GrpcChannel channel, Metadata headers, Interceptor[] interceptors) : IDisposable
{
    private readonly List<string> _titles = [];
    private AsyncServerStreamingCall<SubscribeResponse>? _call;
    private string _cursor = "";

    public IReadOnlyList<string> Titles => _titles;

    /// <summary>How often its stream broke.</summary>
    public int Breaks { get; private set; }

    /// <summary>Also told each title.</summary>
    public Action<string>? Tells { get; init; }

    /// <summary>Begins now; or goes on after what it has seen.</summary>
    public void Begin()
    {
        _call?.Dispose();
        _call = new NotificationService.NotificationServiceClient(
            channel.CreateCallInvoker().Intercept(interceptors)).Subscribe(
            new SubscribeRequest { After = _cursor }, headers);
    }

    /// <summary>Begins, and is where it misses nothing.</summary>
    public async Task StartAsync()
    {
        Begin();
        await NextAsync();
    }

    /// <summary>Reads until it has so many titles; false: the stream broke before.</summary>
    public async Task<bool> ReadAsync(int titles)
    {
        try
        {
            while (_titles.Count < titles)
            {
                await NextAsync();
            }

            return true;
        }
        catch (RpcException broken) when (broken.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
        {
            // What a reset by HTTP/2 looks like, since no status can reach whom nothing can be sent.
            Breaks++;
            return false;
        }
    }

    /// <summary>Reads until it has seen a title, and after each break goes on after what it has seen.</summary>
    public async Task ReadToAsync(string title)
    {
        while (!_titles.Contains(title))
        {
            if (!await ReadAsync(_titles.Count + 1))
            {
                Begin();
            }
        }
    }

    public void Dispose() => _call?.Dispose();

    private async Task NextAsync()
    {
        if (!await _call!.ResponseStream.MoveNext(CancellationToken.None))
        {
            throw new InvalidOperationException("The subscription ended OK.");
        }

        SubscribeResponse message = _call.ResponseStream.Current;
        _cursor = message.Notification?.Cursor ?? message.Synced?.Cursor ?? message.Heartbeat?.Cursor ?? _cursor;
        if (message.Notification?.TaskCreated is { } created)
        {
            _titles.Add(created.Task.Title);
            Tells?.Invoke(created.Task.Title);
        }
    }
}
