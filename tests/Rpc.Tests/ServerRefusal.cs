using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// One way in which the runtime itself refuses a call: how a caller brings it about, and what is told then.
public sealed record ServerRefusal(
    string Reason, StatusCode Code, string How, Func<World, bool> In, Func<World, ServerHost, Task<WorldAnswer>> Bring)
{
    private const string Look = "/squall.rpc.test.v1.EchoService/Look";
    private const string Check = "/grpc.health.v1.Health/Check";
    private const string Watch = "/grpc.health.v1.Health/Watch";
    private const string Words = "/test.Words/Say";
    private const string MoreWords = "/test.Words/Repeat";
    private const string TooMany = "/test.Writes/TooMany";
    private const string Unread = "/test.Writes/Unread";
    private const int BytesMax = 5_000; // Less than a line of HTTP may hold.
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);
    private static readonly EchoResponse Much = new() { Text = new string('x', BytesMax / 2) };
    private static readonly EchoRequest Large = new() { Text = new string('x', 2 * BytesMax) };

    /// Besides RetryInfo where the server stops, ErrorInfo is all there is.
    public bool HasRetry => Reason == ErrorReasons.ServerStopping;

    private static World[] Worlds { get; } =
    [
        new("grpc", 2), new("web", 1), new("web", 2), new("webtext", 1), new("webtext", 2),
        new("unary", 1), new("unary", 2), new("connect", 1), new("connect", 2),
    ];

    public static TheoryData<ServerRefusal, World> InWorlds
    {
        get
        {
            var data = new TheoryData<ServerRefusal, World>();
            foreach (ServerRefusal refusal in All)
            {
                foreach (World world in Worlds.Where(refusal.In))
                {
                    data.Add(refusal, world);
                }
            }

            return data;
        }
    }

    public static IReadOnlyList<ServerRefusal> All { get; } =
    [
        new(ErrorReasons.InvalidRequest, StatusCode.InvalidArgument, "no protobuf", Any,
            (world, host) => world.SendAsync(host, One(world), Framed(world, [0xFF]))),
        new(ErrorReasons.InvalidRequest, StatusCode.InvalidArgument, "no base64", world => world.Protocol == "webtext",
            (world, host) => world.SendAsync(host, Unary, "AAA!"u8.ToArray())),
        new(ErrorReasons.InvalidTimeout, StatusCode.InvalidArgument, "", Any,
            (world, host) => CallAsync(world, host, world.IsConnect ? "connect-timeout-ms" : "grpc-timeout", "5x")),
        new(ErrorReasons.InvalidMetadata, StatusCode.InvalidArgument, "", Any,
            (world, host) => CallAsync(world, host, "echo-x-bin", "!")),
        new(ErrorReasons.InvalidQuery, StatusCode.InvalidArgument, "no message", IsUnary,
            (world, host) => GetAsync(world, host, "encoding=proto")),
        new(ErrorReasons.InvalidQuery, StatusCode.InvalidArgument, "no base64", IsUnary,
            (world, host) => GetAsync(world, host, "encoding=proto&base64=1&message=*")),
        new(ErrorReasons.UnknownVersion, StatusCode.InvalidArgument, "a header", world => world.IsConnect,
            (world, host) => CallAsync(world, host, "connect-protocol-version", "2")),
        new(ErrorReasons.UnknownVersion, StatusCode.InvalidArgument, "a parameter", IsUnary,
            (world, host) => GetAsync(world, host, "connect=v2&encoding=proto&message=")),
        new(ErrorReasons.UnknownMethod, StatusCode.Unimplemented, "", HasUnary,
            (world, host) => world.CallAsync(host, Unary + "Not", [new()])),
        new(ErrorReasons.UnknownEncoding, StatusCode.Unimplemented, "", Any,
            (world, host) => CallAsync(world, host, EncodingHeader(world), "zstd")),
        new(ErrorReasons.WrongRequestCount, StatusCode.Unimplemented, "none", IsFramed,
            (world, host) => world.CallAsync(host, Repeat, [])),
        new(ErrorReasons.WrongRequestCount, StatusCode.Unimplemented, "two", IsFramed,
            (world, host) => world.CallAsync(host, Repeat, [new(), new()])),
        new(ErrorReasons.NoJsonForm, StatusCode.Unimplemented, "", world => world.Protocol != "webtext",
            (world, host) => (world with { Codec = "json" }).SendAsync(
                host, HasUnary(world) ? Words : MoreWords, Framed(world, "{}"u8.ToArray()))),
        new(ErrorReasons.UnknownFlags, StatusCode.Internal, "", IsFramed,
            (world, host) => world.SendAsync(host, Repeat, Framed(world, [], 0x40))),
        new(ErrorReasons.TruncatedRequest, StatusCode.Internal, "", IsFramed,
            (world, host) => world.SendAsync(host, Repeat, InText(world, FrameOf([1, 2, 3])[..^1]))),
        new(ErrorReasons.UnnamedEncoding, StatusCode.Internal, "", IsFramed,
            (world, host) => world.SendAsync(host, Repeat, Framed(world, [1, 2, 3], Frame.Compressed))),
        new(ErrorReasons.BrokenEncoding, StatusCode.Internal, "in a frame", IsFramed,
            (world, host) => world.SendAsync(
                host, Repeat, Framed(world, [1, 2, 3], Frame.Compressed), (EncodingHeader(world), "gzip"))),
        new(ErrorReasons.BrokenEncoding, StatusCode.InvalidArgument, "bare", IsUnary,
            (world, host) => world.SendAsync(host, Unary, [1, 2, 3], (EncodingHeader(world), "gzip"))),
        new(ErrorReasons.RequestTooLarge, StatusCode.ResourceExhausted, "plain", Any,
            (world, host) => world.CallAsync(host, One(world), [Large])),
        new(ErrorReasons.RequestTooLarge, StatusCode.ResourceExhausted, "inflated", Any,
            (world, host) => (world with { Gzip = true }).CallAsync(host, One(world), [Large])),
        new(ErrorReasons.RequestTooLarge, StatusCode.ResourceExhausted, "in a query", IsUnary,
            (world, host) => GetAsync(world, host, $"encoding=proto&message={new string('x', BytesMax + 1)}")),
        new(ErrorReasons.ResponseTooLarge, StatusCode.ResourceExhausted, "", Any,
            (world, host) => world.CallAsync(
                host, One(world), [new() { Count = 1, ResponseBytes = BytesMax }])),
        new(ErrorReasons.ResponseTooLarge, StatusCode.ResourceExhausted, "encoded before", IsFramed,
            (world, host) => world.CallAsync(
                host, Repeat, [new() { Count = 1, ResponseBytes = BytesMax, Encoded = true }])),
        new(ErrorReasons.TooManyWrites, StatusCode.ResourceExhausted, "", IsFramed,
            async (world, host) =>
            {
                using var call = new ServerDuplex(host.Http(world.Http), TooMany, world.Type);
                call.Send(Framed(world, []));
                call.Done();
                await host.Probe.Release.Task.WaitAsync(Net);
                return await ReadAsync(world, call);
            }),
        // Over HTTP/2 a reset follows what such a caller is told, and may overtake it; so does that of a late request.
        new(ErrorReasons.ResponseNotRead, StatusCode.ResourceExhausted, "", world => IsFramed(world) && world.Http == 1,
            async (world, host) =>
            {
                using var call = new ServerDuplex(host.Http(world.Http), Unread, world.Type);
                call.Send(Framed(world, []));
                call.Done();
                await host.Service<Patience>().EndAsync(Patience.ForReader);
                return await ReadAsync(world, call);
            }),
        new(ErrorReasons.DeadlinePassed, StatusCode.DeadlineExceeded, "before it began", Any,
            (world, host) => world.CallAsync(host, One(world), [new()], world.Timeout(0))),
        new(ErrorReasons.DeadlinePassed, StatusCode.DeadlineExceeded, "while it runs", Any,
            (world, host) => world.CallAsync(host, One(world), [new() { Hang = true }], world.Timeout(50))),
        new(ErrorReasons.RequestLate, StatusCode.DeadlineExceeded, "", world => world.Http == 1,
            async (world, host) =>
            {
                using var tcp = new TcpClient();
                await tcp.ConnectAsync(host.EndPoint);
                await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                    $"POST {One(world)} HTTP/1.0\r\ncontent-type: {world.Type}\r\ncontent-length: 9\r\n\r\nAAAA"));
                await host.Service<Patience>().EndAsync(Patience.ForRequest);
                return world.Read(await ReadAsync(tcp));
            }),
        new(ErrorReasons.ServerStopping, StatusCode.Unavailable, "", IsFramed,
            async (world, host) =>
            {
                Task<WorldAnswer> call = world.CallAsync(host, Repeat, [new() { Hang = true }]);
                await host.Probe.Started.Task.WaitAsync(Net);
                Task stopping = host.StopAsync();
                WorldAnswer answer = await call;
                await stopping.WaitAsync(Net);
                return answer;
            }),
        new(ErrorReasons.ServerStopping, StatusCode.Unavailable, "watched", IsFramed,
            async (world, host) =>
            {
                using var call = new ServerDuplex(host.Http(world.Http), Watch, world.Type);
                call.Send(Framed(world, []));
                call.Done();
                await call.Answer;
                Task stopping = host.StopAsync();
                WorldAnswer answer = await ReadAsync(world, call);
                await stopping.WaitAsync(Net);
                return answer;
            }),
        new(ErrorReasons.UnknownService, StatusCode.NotFound, "", HasUnary,
            (world, host) => world.CallAsync(host, Check, [new() { Text = "nobody.Knows" }])),
        new(ErrorReasons.NoResponse, StatusCode.Cancelled, "", HasUnary,
            (world, host) =>
            {
                host.Probe.AnswersNothing = true;
                return world.CallAsync(host, Unary, [new()]);
            }),
        new(ErrorReasons.InvalidResponseMetadata, StatusCode.Internal, "a header", Any,
            (world, host) => CallAsync(
                world, host, context => context.WriteResponseHeadersAsync(new Metadata { { "bad", "s\r\nt" } }))),
        new(ErrorReasons.InvalidResponseMetadata, StatusCode.Internal, "a trailer", Any,
            (world, host) => CallAsync(world, host, context =>
            {
                context.ResponseTrailers.Add("bad", "s\r\nt");
                return Task.CompletedTask;
            })),
        new(ErrorReasons.UnexpectedFailure, StatusCode.Unknown, "", Any,
            (world, host) => CallAsync(
                world, host, _ => Task.FromException(new InvalidOperationException("It meant no harm.")))),
    ];

    /// A server of which each of these can be brought about.
    public static Task<ServerHost> StartAsync(string? domain, Action<GrpcServiceOptions>? configure = null) =>
        ServerHost.StartAsync(
            grpc =>
            {
                (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (BytesMax, BytesMax);
                configure?.Invoke(grpc);
            },
            services =>
            {
                services.AddSingleton<Patience>();
                services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<Patience>());
                services.Configure<RpcServerOptions>(rpc =>
                {
                    rpc.ErrorDomain = domain;
                    rpc.WaitingWritesMax = 1;
                    rpc.RequestReadTimeMax = Patience.ForRequest;
                    rpc.StalledWriteMax = Patience.ForReader;
                });
            },
            app =>
            {
                app.MapGrpcHealthChecksService();
                app.MapGrpcService(Methods(app.Services.GetRequiredService<EchoProbe>()));
            });

    public override string ToString() => How.Length == 0 ? Reason : $"{Reason} ({How})";

    private static bool Any(World world) => true;

    private static bool IsFramed(World world) => world.Protocol != "unary";

    private static bool IsUnary(World world) => world.Protocol == "unary";

    /// Connect has a protocol of its own for streams.
    private static bool HasUnary(World world) => world.Protocol != "connect";

    /// A method that takes one request.
    private static string One(World world) => HasUnary(world) ? Unary : Repeat;

    private static byte[] InText(World world, byte[] bytes) =>
        world.Protocol == "webtext" ? Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)) : bytes;

    private static byte[] Framed(World world, byte[] message, byte flags = 0) =>
        IsUnary(world) ? message : InText(world, FrameOf(message, flags));

    private static string EncodingHeader(World world) => world.Protocol switch
    {
        "unary" => "content-encoding",
        "connect" => "connect-content-encoding",
        _ => "grpc-encoding",
    };

    private static Task<WorldAnswer> CallAsync(World world, ServerHost host, string header, string value) =>
        world.CallAsync(host, One(world), [new()], (header, value));

    private static Task<WorldAnswer> CallAsync(World world, ServerHost host, Func<ServerCallContext, Task> handler)
    {
        host.Probe.Before = handler;
        return world.CallAsync(host, One(world), [new() { Count = 1 }]);
    }

    private static async Task<WorldAnswer> GetAsync(World world, ServerHost host, string query) => world.Read(
        await host.Http(world.Http).SendAsync(
            $"{Look}?{query}", new ByteArrayContent([]), "", method: HttpMethod.Get));

    private static async Task<WorldAnswer> ReadAsync(World world, ServerDuplex call)
    {
        using HttpResponseMessage answer = await call.Answer;
        byte[] body = await answer.Content.ReadAsByteArrayAsync().WaitAsync(Net);
        return world.Read(new RawAnswer(answer, body));
    }

    /// HttpClient would first send all of the request.
    private static async Task<RawAnswer> ReadAsync(TcpClient tcp)
    {
        using var reader = new StreamReader(tcp.GetStream(), Encoding.Latin1);
        string first = (await reader.ReadLineAsync().WaitAsync(Net))!;
        // Once it is answered the rest may come: the server would wait for it before it closes the connection.
        await tcp.GetStream().WriteAsync("AAAAA"u8.ToArray());
        string[] parts = (await reader.ReadToEndAsync().WaitAsync(Net)).Split("\r\n\r\n", 2);
        using var answer = new HttpResponseMessage((HttpStatusCode)int.Parse(first.Split(' ')[1]));
        foreach (string[] field in parts[0].Split("\r\n").Select(line => line.Split(": ", 2)))
        {
            answer.Headers.TryAddWithoutValidation(field[0], field[1]);
        }

        return new RawAnswer(answer, Encoding.Latin1.GetBytes(parts[1]));
    }

    /// Methods without a form in JSON, and handlers that write more than is read.
    private static ServerServiceDefinition Methods(EchoProbe probe) => ServerServiceDefinition.CreateBuilder()
        .AddMethod(
            new Method<string, string>(
                MethodType.Unary, "test.Words", "Say", Marshallers.StringMarshaller, Marshallers.StringMarshaller),
            (request, _) => Task.FromResult(request))
        .AddMethod(
            new Method<string, string>(
                MethodType.ServerStreaming, "test.Words", "Repeat",
                Marshallers.StringMarshaller, Marshallers.StringMarshaller),
            (string _, IServerStreamWriter<string> _, ServerCallContext _) => Task.CompletedTask)
        .AddMethod(
            WriterOf("TooMany"),
            (EchoRequest _, IServerStreamWriter<EchoResponse> responses, ServerCallContext _) =>
                WriteTooManyAsync(responses, probe))
        .AddMethod(WriterOf("Unread"), WriteForeverAsync)
        .Build();

    private static Method<EchoRequest, EchoResponse> WriterOf(string name) => new(
        MethodType.ServerStreaming, "test.Writes", name,
        Marshallers.Create(request => request.ToByteArray(), EchoRequest.Parser.ParseFrom),
        Marshallers.Create(response => response.ToByteArray(), EchoResponse.Parser.ParseFrom));

    private static async Task WriteTooManyAsync(IServerStreamWriter<EchoResponse> responses, EchoProbe probe)
    {
        // Nobody reads before one too many waits; when that is, is up to how much fits in between.
        Task writing;
        do
        {
            writing = responses.WriteAsync(Much);
        }
        while (!writing.IsFaulted);

        probe.Release.SetResult();
        await writing;
    }

    private static async Task WriteForeverAsync(
        EchoRequest request, IServerStreamWriter<EchoResponse> responses, ServerCallContext context)
    {
        while (!context.CancellationToken.IsCancellationRequested)
        {
            await responses.WriteAsync(Much);
        }
    }

    /// A clock by which nobody is ever late for the server, before a test says so.
    public sealed class Patience : TimeProvider
    {
        public static readonly TimeSpan ForRequest = TimeSpan.FromMinutes(7);
        public static readonly TimeSpan ForReader = TimeSpan.FromMinutes(8);
        private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

        private readonly Dictionary<TimeSpan, TaskCompletionSource<Action>> waits = new()
        {
            [ForRequest] = new(TaskCreationOptions.RunContinuationsAsynchronously),
            [ForReader] = new(TaskCreationOptions.RunContinuationsAsynchronously),
        };

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (waits.TryGetValue(dueTime, out TaskCompletionSource<Action>? wait))
            {
                wait.TrySetResult(() => callback(state));
            }

            // What is told has all the time that it needs to arrive.
            return base.CreateTimer(callback, state, dueTime < Shortest ? dueTime : Timeout.InfiniteTimeSpan, period);
        }

        /// Ends the first wait of this kind, as soon as there is one.
        public async Task EndAsync(TimeSpan kind) => (await waits[kind].Task.WaitAsync(Net))();
    }
}
