using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A call without a wire: its caller, its end, and whether its headers went out.</summary>
internal sealed class DirectCall(CancellationToken cancelled) : ServerCallContext
{
    private readonly TaskCompletionSource _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task HeadersSent => _headers.Task;

    /// <summary>What is done before the headers are sent, in place of nothing.</summary>
    public Func<Task> BeforeHeaders { get; init; } = () => Task.CompletedTask;

    protected override string MethodCore => "/squall.v1.NotificationService/Subscribe";
    protected override string HostCore => "localhost";
    protected override string PeerCore => "direct";
    protected override DateTime DeadlineCore => DateTime.MaxValue;
    protected override Metadata RequestHeadersCore { get; } = [];
    protected override CancellationToken CancellationTokenCore => cancelled;
    protected override Metadata ResponseTrailersCore { get; } = [];
    protected override Status StatusCore { get; set; }
    protected override WriteOptions? WriteOptionsCore { get; set; }
    protected override AuthContext AuthContextCore { get; } = new(null, []);

    public static DirectCall Of(
        string accountId, string proofId, CancellationToken cancelled, Func<Task>? beforeHeaders = null,
        KeyReach? key = null)
    {
        var call = new DirectCall(cancelled)
        {
            BeforeHeaders = beforeHeaders ?? (() => Task.CompletedTask),
            UserState = { ["__HttpContext"] = new DefaultHttpContext() },
        };
        new Caller(accountId, proofId, new Need(Proof.SessionOrKey, Role.Unspecified), key).Attach(call);
        return call;
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        await BeforeHeaders();
        _headers.TrySetResult();
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException();
}

/// <summary>A subscriber of the service, read message by message; it can stop reading.</summary>
internal sealed class SubscribeCall : IServerStreamWriter<SubscribeResponse>, IAsyncDisposable
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    private readonly Channel<SubscribeResponse> _sent;
    private readonly CancellationTokenSource _hangUp = new();
    private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource? _stalled;

    public SubscribeCall(
        NotificationRpcs rpcs, string accountId, string proofId, SubscribeRequest request,
        Func<Task>? beforeHeaders = null, bool inStep = false, KeyReach? key = null)
    {
        _sent = inStep
            ? Channel.CreateBounded<SubscribeResponse>(1)
            : Channel.CreateUnbounded<SubscribeResponse>();
        Context = DirectCall.Of(accountId, proofId, _hangUp.Token, beforeHeaders, key);
        Ended = Task.Run(() => rpcs.Subscribe(request, this, Context));
        _ = Ended.ContinueWith(_ => _sent.Writer.TryComplete(), TaskScheduler.Default);
    }

    public DirectCall Context { get; }

    /// <summary>Done when a write waits for the reader.</summary>
    public Task WriteWaits => _waits.Task;

    /// <summary>The handler's own end.</summary>
    public Task Ended { get; }

    public WriteOptions? WriteOptions { get; set; }

    /// <summary>The writes that wait from here on are not taken until <see cref="ReadOn"/>.</summary>
    public void StopReading() => _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReadOn()
    {
        TaskCompletionSource? stalled = _stalled;
        _stalled = null;
        stalled?.TrySetResult();
    }

    public Task WriteAsync(SubscribeResponse message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(SubscribeResponse message, CancellationToken cancellationToken)
    {
        if (_stalled is { } stalled)
        {
            _waits.TrySetResult();
            await stalled.Task.WaitAsync(cancellationToken);
        }

        await _sent.Writer.WriteAsync(message, cancellationToken);
    }

    public async Task<SubscribeResponse> NextAsync() => await _sent.Reader.ReadAsync().AsTask().WaitAsync(Net);

    /// <summary>All messages up to and with the first of a kind.</summary>
    public async Task<List<SubscribeResponse>> ThroughAsync(SubscribeResponse.MessageOneofCase kind)
    {
        var read = new List<SubscribeResponse>();
        do
        {
            read.Add(await NextAsync());
        }
        while (read[^1].MessageCase != kind);

        return read;
    }

    /// <summary>The notifications and <c>left</c>s up to the first that <paramref name="last"/> holds of.</summary>
    public async Task<List<SubscribeResponse>> ThroughAsync(Func<SubscribeResponse, bool> last)
    {
        var read = new List<SubscribeResponse>();
        do
        {
            read.Add(await NextAsync());
        }
        while (!last(read[^1]));

        return read;
    }

    public bool TryNext(out SubscribeResponse? message) => _sent.Reader.TryRead(out message);

    /// <summary>How the server ended the call.</summary>
    public async Task<RpcException> FailureAsync() =>
        await Assert.ThrowsAsync<RpcException>(() => Ended.WaitAsync(Net));

    public async Task HangUpAsync()
    {
        await _hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Ended.WaitAsync(Net));
    }

    public async ValueTask DisposeAsync()
    {
        await _hangUp.CancelAsync();
        await Ended.WaitAsync(Net).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
