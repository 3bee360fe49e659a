using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Squall.Client.Tests;

/// <summary>
/// Behind the server's own interceptors: counts the calls that were let in, and lets a test do something before or
/// after one.
/// </summary>
internal sealed class CallLog : Interceptor
{
    private readonly ConcurrentQueue<Call> calls = [];
    private readonly ConcurrentDictionary<string, Func<int, Task>> before = [];
    private readonly ConcurrentDictionary<string, Func<int, Task>> after = [];
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> counts = [];
    private Action<int, object>? alter;
    private TaskCompletionSource counted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Count(string method)
    {
        lock (gate)
        {
            return counts.GetValueOrDefault(method);
        }
    }

    /// <summary>Waits until a method was called that often.</summary>
    public async Task CountedAsync(string method, int count)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (counts.GetValueOrDefault(method) >= count)
                {
                    return;
                }

                next = counted.Task;
            }

            await next.WaitAsync(Net.TimeMax);
        }
    }

    /// <summary>A method's calls, in order.</summary>
    public IReadOnlyList<Call> CallsOf(string method) => [.. calls.Where(call => call.Method == method)];

    /// <summary>Does something before a method's calls, which it is given the number of, from 1.</summary>
    public void Before(string method, Func<int, Task> run) => before[method] = run;

    /// <summary>Does something between what a method's calls did, and their answers.</summary>
    public void After(string method, Func<int, Task> run) => after[method] = run;

    /// <summary>Makes a method's first calls fail.</summary>
    public void Fail(string method, int times, Func<RpcException> failure) =>
        Before(method, count => count <= times ? Task.FromException(failure()) : Task.CompletedTask);

    /// <summary>Changes a method's answers, which it is given with the number of the call.</summary>
    public void Alter<TAnswer>(Action<int, TAnswer> change)
        where TAnswer : class => alter = (count, answer) =>
        {
            if (answer is TAnswer own)
            {
                change(count, own);
            }
        };

    /// <summary>Told when a call is over, however it ended, with its method.</summary>
    public event Action<string>? Ended;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var (method, count) = Note(context);
        try
        {
            await RunAsync(before, method, count, context);
            var answer = await continuation(request, context);
            await RunAsync(after, method, count, context);
            alter?.Invoke(count, answer);
            return answer;
        }
        finally
        {
            Ended?.Invoke(method);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var (method, count) = Note(context);
        try
        {
            await RunAsync(before, method, count, context);
            await continuation(request, responseStream, context);
        }
        finally
        {
            Ended?.Invoke(method);
        }
    }

    /// <summary>No longer than the call: a server that stops need not wait for it.</summary>
    private static Task RunAsync(
        ConcurrentDictionary<string, Func<int, Task>> hooks, string method, int count, ServerCallContext context) =>
        hooks.TryGetValue(method, out var run)
            ? run(count).WaitAsync(context.CancellationToken)
            : Task.CompletedTask;

    private (string Method, int Count) Note(ServerCallContext context)
    {
        var method = context.Method[(context.Method.LastIndexOf('/') + 1)..];
        calls.Enqueue(new Call(method, context.Peer, context.RequestHeaders, context.Deadline));
        lock (gate)
        {
            counts[method] = counts.GetValueOrDefault(method) + 1;
            counted.TrySetResult();
            counted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (method, counts[method]);
        }
    }

    /// <param name="Peer">The connection that it came on: behind a proxy, each has an address of its own.</param>
    internal sealed record Call(string Method, string Peer, Metadata Headers, DateTime Deadline);
}
