using Squall.V1;

namespace Squall.Bench;

/// <summary>The servers, and what is measured of them that answer one call with one message.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly H2Load _load;
    private readonly CreateBench _create;
    private readonly ServerProcess _constant;
    private readonly ServerProcess _endpoint;
    private readonly ReadFloor _reads;

    private Bench(H2Load load, CreateBench create, ServerProcess constant, ServerProcess endpoint, TimeProvider time)
    {
        (_load, _create, _constant, _endpoint) = (load, create, constant, endpoint);
        _reads = new ReadFloor(create.Database, create.Task, time);
    }

    public static async Task<Bench> StartAsync(string folder, TimeProvider time)
    {
        CreateBench create = await CreateBench.StartAsync(folder, TimeSpan.Zero, time);
        ServerProcess constant = await ServerProcess.StartAsync("Squall.Bench.dll", "constant");
        ServerProcess endpoint = await ServerProcess.StartAsync("Squall.Bench.dll", "endpoint");
        return new Bench(new H2Load(time, folder), create, constant, endpoint, time);
    }

    public async Task SayHelloAsync(Rounds rounds)
    {
        const string Method = "/squall.v1.GreeterService/SayHello";
        var request = new SayHelloRequest { Name = "bench" };
        SayHelloResponse answer = ConstantServer.Answer;
        foreach ((int connections, int each) in ((int, int)[])[(1, 1), (8, 32)])
        {
            await rounds.RunAsync(
                $"SayHello, {connections} × {each}",
                duration => _load.MeasureAsync(_create.Server, Method, request, answer, connections, each, duration),
                ("bare endpoint",
                    duration => _load.MeasureAsync(_endpoint, Method, request, answer, connections, each, duration)),
                ("Kestrel alone",
                    duration => _load.MeasureAsync(_constant, Method, request, answer, connections, each, duration)));
        }
    }

    public Task GetTaskAsync(Rounds rounds) => rounds.RunAsync(
        "GetTask, 8 × 32",
        duration => _load.MeasureAsync(
            _create.Server, "/squall.v1.TaskService/GetTask", new GetTaskRequest { TaskId = _create.Task.Id },
            new GetTaskResponse { Task = _create.Task }, 8, 32, duration,
            $"authorization: Bearer {_create.Token}"),
        ("prepared read", duration => Task.FromResult(_reads.Measure(duration))));

    public Task CreateTaskAsync(Rounds rounds) => _create.RunAsync(rounds, 1, 8, 64, 512);

    public async ValueTask DisposeAsync()
    {
        await _create.DisposeAsync();
        await _constant.DisposeAsync();
        await _endpoint.DisposeAsync();
    }
}
