using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// How a call ends whose handler throws, or gives nothing, in every protocol.
public sealed class ServerEndTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    public static TheoryData<World> Unaries => World.Unaries;

    [Theory, MemberData(nameof(Unaries)), Wire("1.2.06", "1.2.09")]
    public async Task A_cancellation_of_the_handlers_own_is_a_failure_like_any_other(World world)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        host.Probe.Before = _ => throw new OperationCanceledException("the secret");
        WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest()]);
        Assert.Equal(StatusCode.Unknown, answer.Code);
        Assert.DoesNotContain("secret", answer.Message, StringComparison.Ordinal);
        Assert.Contains("the secret", Assert.Single(host.Logs.At(LogLevel.Error)), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.2.06")]
    public async Task A_cancellation_after_the_deadline_is_the_deadlines(World world)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        var thrown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Probe.Before = async context =>
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            context.CancellationToken.Register(() => cancelled.TrySetResult());
            await cancelled.Task;
            context.GetHttpContext().Response.OnCompleted(() =>
            {
                thrown.TrySetResult();
                return Task.CompletedTask;
            });
            throw new OperationCanceledException("of the handler's own");
        };
        // A busy machine needs more until the handler is under way.
        for (int milliseconds = 100; host.Probe.Calls == 0; milliseconds *= 5)
        {
            WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest()], world.Timeout(milliseconds));
            Assert.Equal(StatusCode.DeadlineExceeded, answer.Code);
        }

        await thrown.Task.WaitAsync(Net);
        Assert.Contains(host.Logs.At(LogLevel.Debug), line => line.EndsWith("ended early with DeadlineExceeded."));
        Assert.Empty(host.Logs.At(LogLevel.Error));
    }

    [Theory]
    [InlineData("application/grpc", 2)]
    [InlineData("application/grpc-web", 1)]
    [InlineData("application/connect+proto", 1)]
    [InlineData("application/connect+proto", 2)]
    [Wire("1.2.06")]
    public async Task A_cancellation_after_the_caller_has_gone_is_the_callers(string type, int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Probe.Before = context =>
        {
            context.GetHttpContext().Response.OnCompleted(() =>
            {
                over.SetResult();
                return Task.CompletedTask;
            });
            return Task.CompletedTask;
        };
        using (var caller = new ServerDuplex(host.Http(http), Repeat, type))
        {
            caller.Send(FrameOf(new EchoRequest { Count = 1, Hang = true }));
            caller.Done();
            Assert.NotNull(await caller.ReadFrameAsync());
            await host.Probe.Started.Task.WaitAsync(Net);
            (await caller.Answer).Dispose();
        }

        await over.Task.WaitAsync(Net);
        Assert.Contains(host.Logs.At(LogLevel.Debug), line => line.EndsWith("ended early with Cancelled."));
        Assert.Empty(host.Logs.At(LogLevel.Error));
    }

    [Theory, MemberData(nameof(Unaries)), Wire("1.2.10", "1.2.11")]
    public async Task A_status_that_is_not_ok_goes_without_the_message_and_none_is_cancelled(World world)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        host.Probe.Before = context =>
        {
            context.Status = new Status(StatusCode.DataLoss, "lost");
            return Task.CompletedTask;
        };
        WorldAnswer answer = await world.CallAsync(host, Unary, [new EchoRequest { Text = "unseen" }]);
        Assert.Equal((StatusCode.DataLoss, "lost"), (answer.Code, answer.Message));
        Assert.Empty(answer.Messages);
        host.Probe.Before = _ => Task.CompletedTask;
        host.Probe.AnswersNothing = true;
        answer = await world.CallAsync(host, Unary, [new EchoRequest()]);
        Assert.Equal((StatusCode.Cancelled, "No message returned from method."), (answer.Code, answer.Message));
    }

    [Fact, Wire("1.1.05")]
    public async Task A_deadline_beyond_what_a_timer_can_wait_for_is_waited_for_in_steps()
    {
        var time = new SteppedTime();
        await using ServerHost host = await ServerHost.StartAsync(
            services: services => services.AddSingleton<TimeProvider>(time));
        var days = TimeSpan.FromDays(100);
        Task<RawAnswer> answer = host.Http2.GrpcAsync(
            Unary, FrameOf(new EchoRequest { Hang = true }), ("grpc-timeout", "2400H"));
        await host.Probe.Started.Task.WaitAsync(Net);
        var waited = TimeSpan.Zero;
        while (!host.Probe.Cancelled.Task.IsCompleted && waited < days)
        {
            TimeSpan step = time.Ring();
            Assert.InRange(step, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(uint.MaxValue - 1));
            waited += step;
            Assert.True(waited >= days || !host.Probe.Cancelled.Task.IsCompleted);
        }

        Assert.Equal(StatusCode.DeadlineExceeded, (StatusCode)(await answer.WaitAsync(Net)).Status);
        Assert.InRange(waited, days, days + TimeSpan.FromSeconds(1));
    }

    /// A clock that stands until its longest timer is made to ring. The others never do.
    private sealed class SteppedTime : TimeProvider
    {
        private readonly Lock gate = new();
        private readonly List<Alarm> alarms = [];
        private DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var alarm = new Alarm(() => callback(state)) { Due = dueTime };
            lock (gate)
            {
                alarms.Add(alarm);
            }

            return alarm;
        }

        /// How long was waited.
        public TimeSpan Ring()
        {
            Alarm longest;
            lock (gate)
            {
                longest = alarms.MaxBy(alarm => alarm.Due)!;
            }

            TimeSpan due = longest.Due;
            now += due;
            longest.Ring();
            return due;
        }

        private sealed class Alarm(Action ring) : ITimer
        {
            public TimeSpan Due { get; set; }

            public Action Ring => ring;

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                Due = dueTime;
                return true;
            }

            public void Dispose() => Due = TimeSpan.Zero;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
