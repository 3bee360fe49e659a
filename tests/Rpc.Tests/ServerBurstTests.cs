using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc.Tests;

/// What a handler writes without giving its thread away is sent together, and nobody waits for it.
public sealed class ServerBurstTests
{
    private const int Burst = 500;
    private static readonly Method<EchoRequest, EchoResponse> Method = new(
        MethodType.ServerStreaming, "test.Bursts", "Write",
        Marshallers.Create(message => message.ToByteArray(), EchoRequest.Parser.ParseFrom),
        Marshallers.Create(message => message.ToByteArray(), EchoResponse.Parser.ParseFrom));

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    public async Task It_is_sent_when_the_handler_gives_its_thread_away(ClientWorld world)
    {
        TaskCompletionSource read = NewSource();
        await using ServerHost server = await StartAsync(
            async (stream, _) =>
            {
                for (int at = 0; at < Burst; at++)
                {
                    await stream.WriteAsync(new EchoResponse { Index = at });
                }

                await read.Task;
                await stream.WriteAsync(new EchoResponse { Index = Burst });
            },
            new NoTimers());
        using var call = Call.To(server, world);
        await call.ReadAsync(from: 0, count: Burst);
        read.SetResult();
        await call.ReadAsync(Burst, 1);
        Assert.False(await call.MoveNextAsync());
    }

    [Fact]
    public async Task A_burst_costs_a_few_flushes()
    {
        TaskCompletionSource read = NewSource();
        var flushes = new CountedFlushes();
        await using ServerHost server = await StartAsync(
            async (stream, _) =>
            {
                for (int at = 0; at < Burst; at++)
                {
                    await stream.WriteAsync(new EchoResponse { Index = at });
                }

                // Sent by the thread that it gives away; what it wrote before that would go with the others.
                await read.Task;
                await stream.WriteAsync(new EchoResponse { Index = Burst });
            },
            new NoTimers(), flushes);
        using var call = Call.To(server, new ClientWorld("grpc", 2));
        await call.ReadAsync(0, Burst);
        read.SetResult();
        await call.ReadAsync(Burst, 1);
        Assert.False(await call.MoveNextAsync());
        // The first at once, the others, and the one after; and one more where the client was waited for.
        Assert.InRange(flushes.Count, 3, 6);
    }

    [Fact]
    public async Task A_large_burst_is_sent_in_parts_as_large_as_may_wait()
    {
        const int Bytes = 10_000;
        var flushes = new CountedFlushes();
        await using ServerHost server = await StartAsync(
            async (stream, _) =>
            {
                for (int at = 0; at < Burst; at++)
                {
                    await stream.WriteAsync(
                        new EchoResponse { Index = at, Payload = ByteString.CopyFrom(new byte[Bytes]) });
                }
            },
            new NoTimers(), flushes);
        using var call = Call.To(server, new ClientWorld("grpc", 2));
        await call.ReadAsync(0, Burst);
        Assert.InRange(flushes.Count, Burst / 5, Burst);
    }

    [Theory]
    [MemberData(nameof(ClientWorld.All), MemberType = typeof(ClientWorld))]
    public async Task A_handler_that_keeps_its_thread_is_heard_all_the_same(ClientWorld world)
    {
        using var read = new ManualResetEventSlim();
        await using ServerHost server = await StartAsync(
            async (stream, context) =>
            {
                for (int at = 0; at < 3; at++)
                {
                    await stream.WriteAsync(new EchoResponse { Index = at });
                }

                // The one thread that it has is not given away until the client has all of them.
                Assert.True(read.Wait(ScriptedServer.Net, context.CancellationToken));
            },
            TimeProvider.System);
        using var call = Call.To(server, world);
        await call.ReadAsync(0, 3);
        read.Set();
        Assert.False(await call.MoveNextAsync());
    }

    [Fact]
    public async Task What_others_write_is_sent_at_once()
    {
        TaskCompletionSource<IServerStreamWriter<EchoResponse>> opened = new();
        TaskCompletionSource end = NewSource();
        await using ServerHost server = await StartAsync(
            async (stream, context) =>
            {
                await context.WriteResponseHeadersAsync([]);
                opened.SetResult(stream);
                await end.Task;
            },
            new NoTimers());
        using var call = Call.To(server, new ClientWorld("grpc", 2));
        IServerStreamWriter<EchoResponse> stream = await opened.Task.WaitAsync(ScriptedServer.Net);
        for (int at = 0; at < 2 * Burst; at += 2)
        {
            await stream.WriteAsync(new EchoResponse { Index = at });
            await stream.WriteAsync(new EncodedMessage<EchoResponse>(new EchoResponse { Index = at + 1 }));
            await call.ReadAsync(at, 2);
        }

        end.SetResult();
    }

    [Fact]
    public async Task What_the_handler_lets_others_write_is_sent_when_they_are_done()
    {
        TaskCompletionSource end = NewSource();
        await using ServerHost server = await StartAsync(
            async (stream, _) =>
            {
                await stream.WriteAsync(new EchoResponse());
                for (int at = 1; at < Burst; at += 2)
                {
                    int index = at;
                    await Task.Run(() =>
                    {
                        Task first = stream.WriteAsync(new EchoResponse { Index = index });
                        Task second = stream.WriteAsync(new EchoResponse { Index = index + 1 });
                        return Task.WhenAll(first, second);
                    });
                }

                await end.Task;
            },
            new NoTimers());
        using var call = Call.To(server, new ClientWorld("grpc", 2));
        await call.ReadAsync(0, Burst);
        end.SetResult();
    }

    /// What a handler has started may hold on to its flow for ever, and must not hold on to its call.
    [Fact]
    public async Task A_handler_may_leave_something_behind()
    {
        TaskCompletionSource end = NewSource();
        Task? left = null;
        await using ServerHost server = await StartAsync(
            async (stream, _) =>
            {
                left = LeaveAsync(stream);
                await stream.WriteAsync(new EchoResponse());
                await stream.WriteAsync(new EchoResponse { Index = 1 });
            },
            new NoTimers());
        using (var call = Call.To(server, new ClientWorld("grpc", 2)))
        {
            await call.ReadAsync(0, 2);
            Assert.False(await call.MoveNextAsync());
        }

        end.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(() => left!.WaitAsync(ScriptedServer.Net));

        async Task LeaveAsync(IServerStreamWriter<EchoResponse> stream)
        {
            await end.Task;
            await stream.WriteAsync(new EchoResponse { Index = 2 });
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Task<ServerHost> StartAsync(
        Func<IServerStreamWriter<EchoResponse>, ServerCallContext, Task> write,
        TimeProvider time,
        CountedFlushes? flushes = null) =>
        ServerHost.StartAsync(
            services: services => services.AddSingleton(time),
            map: app =>
            {
                app.Use((http, next) =>
                {
                    flushes?.Watch(http);
                    return next(http);
                });
                app.MapGrpcService(ServerServiceDefinition.CreateBuilder()
                    .AddMethod(Method, new ServerStreamingServerMethod<EchoRequest, EchoResponse>(
                        (_, stream, context) => write(stream, context)))
                    .Build());
            });

    /// Timers that do not fire: what is sent all the same was not waiting for one.
    private sealed class NoTimers : TimeProvider
    {
        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    /// Counts the flushes of responses, on their way to Kestrel.
    private sealed class CountedFlushes
    {
        private int count;

        public int Count => Volatile.Read(ref count);

        public void Watch(HttpContext http) => http.Features.Set<IHttpResponseBodyFeature>(
            new Body(http.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), this));

        private sealed class Body(IHttpResponseBodyFeature body, CountedFlushes flushes) : IHttpResponseBodyFeature
        {
            public Stream Stream => body.Stream;

            public PipeWriter Writer { get; } = new Output(body.Writer, flushes);

            public Task CompleteAsync() => body.CompleteAsync();

            public void DisableBuffering() => body.DisableBuffering();

            public Task StartAsync(CancellationToken cancellationToken) => body.StartAsync(cancellationToken);

            public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
                body.SendFileAsync(path, offset, count, cancellationToken);
        }

        private sealed class Output(PipeWriter writer, CountedFlushes flushes) : PipeWriter
        {
            public override bool CanGetUnflushedBytes => writer.CanGetUnflushedBytes;

            public override long UnflushedBytes => writer.UnflushedBytes;

            public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
            {
                Interlocked.Increment(ref flushes.count);
                return writer.FlushAsync(cancellationToken);
            }

            public override void Advance(int bytes) => writer.Advance(bytes);

            public override Memory<byte> GetMemory(int sizeHint = 0) => writer.GetMemory(sizeHint);

            public override Span<byte> GetSpan(int sizeHint = 0) => writer.GetSpan(sizeHint);

            public override void CancelPendingFlush() => writer.CancelPendingFlush();

            public override void Complete(Exception? exception = null) => writer.Complete(exception);
        }
    }

    /// A call, and what it reads, of which each has its place.
    private sealed class Call(GrpcChannel channel, AsyncServerStreamingCall<EchoResponse> call) : IDisposable
    {
        public static Call To(ServerHost server, ClientWorld world)
        {
            GrpcChannel channel = GrpcChannel.ForAddress(server.Address, world.Options());
            return new(channel, channel.CreateCallInvoker().AsyncServerStreamingCall(
                Method, null, new CallOptions(world.Headers()), new EchoRequest()));
        }

        public Task<bool> MoveNextAsync() => call.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net);

        public async Task ReadAsync(int from, int count)
        {
            for (int at = from; at < from + count; at++)
            {
                Assert.True(await MoveNextAsync());
                Assert.Equal(at, call.ResponseStream.Current.Index);
            }
        }

        public void Dispose()
        {
            call.Dispose();
            channel.Dispose();
        }
    }
}
