using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Someone who logged in before: asks for a task and makes another 20 times a second, is told of them by a
/// subscription, and finds out in the end whether it was logged out.
/// </summary>
internal sealed class LoginCaller : IDisposable
{
    private const string Last = "last";
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private readonly GrpcChannel _channel;
    private readonly Metadata _headers;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _begun = [];
    private readonly TaskCompletionSource _last = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Told _told;
    private volatile Durations? _durations;
    private Task _reading = Task.CompletedTask;
    private string _listId = "";
    private string _taskId = "";
    private int _made;

    public LoginCaller(Uri address, string accessToken, TimeProvider time)
    {
        _channel = GrpcChannel.ForAddress(address);
        _headers = new Metadata { { "authorization", $"Bearer {accessToken}" } };
        _time = time;
        _told = new Told(_channel, _headers, []) { Tells = Tell };
    }

    /// <summary>Where it notes how long things take; null: nowhere.</summary>
    public Durations? Durations
    {
        set => _durations = value;
    }

    /// <summary>What ended its calls before they were to end, if anything did.</summary>
    public RpcException? Failure { get; private set; }

    private TaskService.TaskServiceClient Tasks => new(_channel);

    private CallOptions Options => LoginLoadRun.WithHeaders(_headers, _time);

    public async Task BeginAsync()
    {
        CreateTaskListResponse list = await new TaskListService.TaskListServiceClient(_channel).CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "its own" } }, Options);
        _listId = list.TaskList.Id;
        await _told.StartAsync();
        _reading = _told.ReadAsync(int.MaxValue);
        _taskId = await MakeAsync("first");
    }

    public async Task CallAsync(CancellationToken end)
    {
        using var timer = new PeriodicTimer(Pace, _time);
        try
        {
            while (!end.IsCancellationRequested)
            {
                await timer.WaitForNextTickAsync(CancellationToken.None);
                long begun = _time.GetTimestamp();
                await Tasks.GetTaskAsync(new GetTaskRequest { TaskId = _taskId }, Options);
                _durations?.Add(Timed.Read, _time.GetElapsedTime(begun));
                begun = _time.GetTimestamp();
                string title = _made.ToString(CultureInfo.InvariantCulture);
                lock (_gate)
                {
                    _begun[title] = begun;
                }

                await MakeAsync(title);
                _durations?.Add(Timed.Write, _time.GetElapsedTime(begun));
            }
        }
        catch (RpcException failed)
        {
            Failure = failed;
        }
    }

    /// <summary>Whether its session is alive, and its stream open, which has told it of each of its tasks.</summary>
    public async Task<(bool Session, bool Stream)> EndAsync(TimeSpan max)
    {
        try
        {
            await MakeAsync(Last);
        }
        catch (RpcException ended) when (ended.StatusCode == StatusCode.Unauthenticated)
        {
            return (false, false);
        }

        await Task.WhenAny(_last.Task, _reading).WaitAsync(max, _time);
        return (true, _last.Task.IsCompleted && !_reading.IsCompleted && _told.Titles.Count == _made);
    }

    public void Dispose()
    {
        _told.Dispose();
        _channel.Dispose();
    }

    private async Task<string> MakeAsync(string title)
    {
        CreateTaskResponse made = await Tasks.CreateTaskAsync(
            new CreateTaskRequest { Task = new TaskItem { TaskListId = _listId, Title = title } }, Options);
        _made++;
        return made.Task.Id;
    }

    private void Tell(string title)
    {
        lock (_gate)
        {
            if (_begun.Remove(title, out long begun))
            {
                _durations?.Add(Timed.Telling, _time.GetElapsedTime(begun));
            }
        }

        if (title == Last)
        {
            _last.SetResult();
        }
    }
}
