using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// The way to a server that comes and goes. During an outage callers wait here; a call that breaks is repeated after
/// it, and which were broken is told.
/// </summary>
internal sealed class Connection(TimeProvider time) : IDisposable
{
    private static readonly string Password = Secrets.Password();
    private static readonly TimeSpan CallMax = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan TokenRest = TimeSpan.FromMinutes(8);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _broken = [];
    private TaskCompletionSource<GrpcChannel> _up = Signal<GrpcChannel>();
    private TaskCompletionSource _drained = Signal();
    private TaskCompletionSource _answered = Signal();
    private Tokens _tokens = new();
    private GrpcChannel? _channel;
    private int _calls;
    private int _toAnswer;

    /// <summary>The headers of a call by the harness's account.</summary>
    public Metadata Headers => new() { { "authorization", $"Bearer {_tokens.AccessToken}" } };

    /// <summary>Of the server that is up, or was last.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Opens as an account of its own, which has two lists; their ids.</summary>
    public async Task<string[]> BeginAsync(Uri address)
    {
        using var channel = GrpcChannel.ForAddress(address);
        await new AccountService.AccountServiceClient(channel).RegisterAccountAsync(
            new RegisterAccountRequest { Username = "harness", Password = Password });
        LoginResponse login = await new AuthService.AuthServiceClient(channel).LoginAsync(
            new LoginRequest { Username = "harness", Password = Password });
        await OpenAsync(address, login.Tokens);
        var lists = new TaskListService.TaskListServiceClient(channel);
        var ids = new List<string>();
        foreach (string title in (string[])["This", "That"])
        {
            CreateTaskListResponse made = await lists.CreateTaskListAsync(
                new CreateTaskListRequest { TaskList = new TaskList { Title = title } }, Headers);
            ids.Add(made.TaskList.Id);
        }

        return [.. ids];
    }

    /// <summary>The server takes calls at this address, from the account that these tokens are of, if any.</summary>
    public async Task OpenAsync(Uri address, Tokens? tokens = null)
    {
        _channel?.Dispose();
        _channel = GrpcChannel.ForAddress(address);
        _tokens = tokens ?? _tokens;
        DateTimeOffset expires = _tokens.AccessExpireTime?.ToDateTimeOffset() ?? DateTimeOffset.MaxValue;
        if (expires - time.GetUtcNow() < TokenRest)
        {
            RefreshSessionResponse refreshed = await new AuthService.AuthServiceClient(_channel).RefreshSessionAsync(
                new RefreshSessionRequest { RefreshToken = _tokens.RefreshToken });
            _tokens = refreshed.Tokens;
        }

        Address = address;
        _up.SetResult(_channel);
    }

    /// <summary>From here on callers wait; calls under way go on.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _up = Signal<GrpcChannel>();
            _drained = Signal();
            if (_calls == 0)
            {
                _drained.SetResult();
            }
        }
    }

    /// <summary>
    /// Waits for the end of the calls that were under way at <see cref="Close"/>; the request ids of those that broke.
    /// </summary>
    public async Task<string[]> DrainAsync()
    {
        await _drained.Task.WaitAsync(CallMax * 2, time);
        lock (_gate)
        {
            string[] broken = [.. _broken];
            _broken.Clear();
            return broken;
        }
    }

    /// <summary>Done when so many more calls were answered.</summary>
    public Task AnswersAsync(int more)
    {
        lock (_gate)
        {
            _toAnswer = more;
            _answered = Signal();
            return _answered.Task;
        }
    }

    public Task<GrpcChannel> ChannelAsync() => _up.Task;

    /// <summary>Asks until it is answered, or refused; always under the same request id.</summary>
    public async Task<T> CallAsync<T>(Func<TaskService.TaskServiceClient, string, CallOptions, Task<T>> call)
    {
        string requestId = Guid.NewGuid().ToString();
        while (true)
        {
            GrpcChannel channel = await EnterAsync();
            bool broken = false;
            try
            {
                return await call(
                    new TaskService.TaskServiceClient(channel), requestId,
                    new CallOptions(Headers, time.GetUtcNow().UtcDateTime + CallMax));
            }
            catch (RpcException failure) when (IsBreak(failure))
            {
                broken = true;
            }
            finally
            {
                Leave(broken ? requestId : null);
            }
        }
    }

    /// <summary>What a killed server looks like to its callers.</summary>
    public static bool IsBreak(RpcException failure) => failure.StatusCode == StatusCode.Unavailable;

    public void Dispose() => _channel?.Dispose();

    private async Task<GrpcChannel> EnterAsync()
    {
        while (true)
        {
            Task<GrpcChannel> up = _up.Task;
            GrpcChannel channel = await up;
            lock (_gate)
            {
                if (up == _up.Task)
                {
                    _calls++;
                    return channel;
                }
            }
        }
    }

    private void Leave(string? brokenId)
    {
        lock (_gate)
        {
            if (brokenId is not null)
            {
                _broken.Add(brokenId);
            }
            else if (--_toAnswer == 0)
            {
                _answered.TrySetResult();
            }

            if (--_calls == 0)
            {
                _drained.TrySetResult();
            }
        }
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource<T> Signal<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
