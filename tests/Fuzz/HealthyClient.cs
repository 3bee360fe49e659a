using Grpc.Core;
using Grpc.Net.Client;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>A client that does nothing wrong, beside all those that do: its calls have to go on.</summary>
internal sealed class HealthyClient : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan CallMax = TimeSpan.FromSeconds(20);
    private readonly List<double> _milliseconds = [];
    private readonly List<string> _failures = [];
    private readonly CancellationTokenSource _end = new();
    private readonly GrpcChannel _channel;
    private readonly TimeProvider _time;
    private readonly Task _calling;

    public HealthyClient(Uri server, TimeProvider time)
    {
        _time = time;
        _channel = GrpcChannel.ForAddress(server);
        _calling = Task.Run(CallAsync);
    }

    public IReadOnlyList<string> Failures => _failures;

    public int Calls => _milliseconds.Count;

    /// <summary>Waits until it has made so many calls, or has failed.</summary>
    public async Task CallsAsync(int count)
    {
        while (Calls < count && !_calling.IsCompleted)
        {
            await Task.Delay(Pause, _time);
        }
    }

    /// <summary>Ends it, and says how its calls went.</summary>
    public async Task<string> EndAsync()
    {
        await _end.CancelAsync();
        await _calling;
        double[] sorted = [.. _milliseconds.Order()];
        return sorted.Length == 0
            ? "no call"
            : $"{sorted.Length} calls, half within {sorted[sorted.Length / 2]:0.0} ms, "
                + $"99 of 100 within {sorted[sorted.Length * 99 / 100]:0} ms, the slowest {sorted[^1]:0} ms";
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _calling;
        _channel.Dispose();
        _end.Dispose();
    }

    /// <summary>One call after the other, and in turn with them a message on a stream that stays open.</summary>
    private async Task CallAsync()
    {
        try
        {
            var client = new FuzzService.FuzzServiceClient(_channel);
            Metadata headers = new() { { Witness.HealthyHeader, "1" } };
            using AsyncDuplexStreamingCall<Mixed, Mixed> chat = client.Chat(headers);
            for (int number = 0; !_end.IsCancellationRequested; number++)
            {
                var request = new Mixed { Small = number };
                long begun = _time.GetTimestamp();
                using AsyncUnaryCall<Mixed> call =
                    client.EchoAsync(request, headers, (_time.GetUtcNow() + CallMax).UtcDateTime);
                Check(request, await call);
                await chat.RequestStream.WriteAsync(request);
                if (!await chat.ResponseStream.MoveNext(default).WaitAsync(CallMax, _time))
                {
                    throw new InvalidOperationException("The stream has ended.");
                }

                Check(request, chat.ResponseStream.Current);
                _milliseconds.Add(_time.GetElapsedTime(begun).TotalMilliseconds);
                await Task.Delay(Pause, _time);
            }
        }
        catch (Exception failure)
        {
            _failures.Add($"{failure.GetType().Name}: {failure.Message}");
        }
    }

    private static void Check(Mixed sent, Mixed answered)
    {
        if (!sent.Equals(answered))
        {
            throw new InvalidOperationException($"{sent} was answered with {answered}.");
        }
    }
}
