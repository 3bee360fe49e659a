using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Squall.Rpc.Tests;

/// What tests may watch and steer of the service, whose instances live for one call.
public sealed class EchoProbe
{
    public Func<ServerCallContext, Task> Before { get; set; } = _ => Task.CompletedTask;

    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// Makes a handler return nothing, as a careless one does.
    public bool AnswersNothing { get; set; }

    public string? Method { get; set; }

    public int Calls { get; set; }
}

/// The test service as an application would write it. The header of a request whose name starts with `echo-` comes
/// back as a header, and as a trailer with `trail-` for `echo-`.
public sealed class EchoRpcs(EchoProbe probe) : EchoService.EchoServiceBase
{
    public override async Task<EchoResponse> Unary(EchoRequest request, ServerCallContext context)
    {
        await BeginAsync(context);
        await EndAsync(request, context);
        context.WriteOptions = WritesAs(request);
        return probe.AnswersNothing ? null! : Answer(request, 0);
    }

    public override Task<EchoResponse> Look(EchoRequest request, ServerCallContext context) => Unary(request, context);

    public override async Task Repeat(
        EchoRequest request, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        await BeginAsync(context);
        for (int i = 0; i < request.Count; i++)
        {
            responseStream.WriteOptions = WritesAs(request);
            await (request.Encoded
                ? responseStream.WriteAsync(new EncodedMessage<EchoResponse>(Answer(request, i)))
                : responseStream.WriteAsync(Answer(request, i)));
        }

        await EndAsync(request, context);
    }

    public override async Task<EchoResponse> Collect(
        IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        await BeginAsync(context);
        var answer = new EchoResponse();
        await foreach (EchoRequest request in requestStream.ReadAllAsync())
        {
            answer.Text += request.Text;
            answer.Index++;
            await EndAsync(request, context);
        }

        return answer;
    }

    public override async Task Chat(
        IAsyncStreamReader<EchoRequest> requestStream,
        IServerStreamWriter<EchoResponse> responseStream,
        ServerCallContext context)
    {
        await BeginAsync(context);
        int index = 0;
        while (await requestStream.MoveNext())
        {
            await responseStream.WriteAsync(Answer(requestStream.Current, index++));
            await EndAsync(requestStream.Current, context);
        }
    }

    private static EchoResponse Answer(EchoRequest request, int index) => new()
    {
        Text = request.Text,
        Index = index,
        Big = request.Big,
        Kind = request.Kind,
        Payload = request.ResponseBytes > 0
            ? Google.Protobuf.ByteString.CopyFrom(new byte[request.ResponseBytes])
            : request.Payload,
    };

    private static WriteOptions? WritesAs(EchoRequest request) =>
        request.Plain ? new WriteOptions(WriteFlags.NoCompress) : null;

    private async Task BeginAsync(ServerCallContext context)
    {
        probe.Calls++;
        probe.Method = context.Method;
        var headers = new Metadata();
        foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("echo-")))
        {
            headers.Add(entry);
            string trailer = "trail-" + entry.Key["echo-".Length..];
            context.ResponseTrailers.Add(
                entry.IsBinary ? new(trailer, entry.ValueBytes) : new(trailer, entry.Value));
        }

        if (headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync(headers);
        }

        await probe.Before(context);
    }

    private async Task EndAsync(EchoRequest request, ServerCallContext context)
    {
        if (request.Reason.Length > 0)
        {
            throw new Google.Rpc.Status
            {
                Code = request.FailCode,
                Message = request.FailMessage,
                Details = { Any.Pack(new Google.Rpc.ErrorInfo { Reason = request.Reason, Domain = "test" }) },
            }.ToRpcException();
        }

        if (request.FailCode != 0)
        {
            throw new RpcException(new Status((StatusCode)request.FailCode, request.FailMessage));
        }

        if (!request.Hang)
        {
            return;
        }

        probe.Started.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Not by a registration: what waits on the token may be over, and take it back, before it is its turn.
            probe.Cancelled.TrySetResult();
            throw;
        }
    }
}
