using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using static Squall.Conformance.ConformancePayload.Types;

namespace Squall.Conformance;

/// Does what its requests tell it to, and tells what it saw of them.
internal sealed class ConformanceRpcs : ConformanceService.ConformanceServiceBase
{
    public override async Task<UnaryResponse> Unary(UnaryRequest request, ServerCallContext context) =>
        new() { Payload = await AnswerAsync(request.ResponseDefinition, [Any.Pack(request)], context) };

    public override async Task<IdempotentUnaryResponse> IdempotentUnary(
        IdempotentUnaryRequest request, ServerCallContext context) =>
        new() { Payload = await AnswerAsync(request.ResponseDefinition, [Any.Pack(request)], context) };

    public override async Task<ClientStreamResponse> ClientStream(
        IAsyncStreamReader<ClientStreamRequest> requestStream, ServerCallContext context)
    {
        UnaryResponseDefinition? definition = null;
        List<Any> requests = [];
        await foreach (ClientStreamRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            definition ??= requests.Count == 0 ? request.ResponseDefinition : null;
            requests.Add(Any.Pack(request));
        }

        return new() { Payload = await AnswerAsync(definition, requests, context) };
    }

    public override async Task ServerStream(
        ServerStreamRequest request,
        IServerStreamWriter<ServerStreamResponse> responseStream,
        ServerCallContext context)
    {
        StreamResponseDefinition definition = request.ResponseDefinition ?? new();
        RequestInfo? seen = Seen(context, [Any.Pack(request)]);
        await BeginAsync(context, definition.ResponseHeaders, definition.ResponseTrailers);
        foreach (ByteString data in definition.ResponseData)
        {
            await WaitAsync(definition.ResponseDelayMs, context);
            await responseStream.WriteAsync(new() { Payload = new() { Data = data, RequestInfo = seen } });
            seen = null;
        }

        ThrowIfAsked(definition.Error, seen);
    }

    public override async Task BidiStream(
        IAsyncStreamReader<BidiStreamRequest> requestStream,
        IServerStreamWriter<BidiStreamResponse> responseStream,
        ServerCallContext context)
    {
        StreamResponseDefinition? definition = null;
        bool fullDuplex = false;
        int sent = 0;
        List<Any> requests = [];
        async Task SendAsync()
        {
            RequestInfo? seen = sent == 0 ? Seen(context, requests) : requests.Count > 0 ? new() : null;
            if (sent > 0)
            {
                seen?.Requests.AddRange(requests);
            }

            await WaitAsync(definition!.ResponseDelayMs, context);
            await responseStream.WriteAsync(
                new() { Payload = new() { Data = definition.ResponseData[sent++], RequestInfo = seen } });
            requests.Clear();
        }

        while (await requestStream.MoveNext(context.CancellationToken))
        {
            requests.Add(Any.Pack(requestStream.Current));
            if (definition is null)
            {
                definition = requestStream.Current.ResponseDefinition ?? new();
                fullDuplex = requestStream.Current.FullDuplex;
                if (fullDuplex)
                {
                    await BeginAsync(context, definition.ResponseHeaders, definition.ResponseTrailers);
                }
            }

            if (fullDuplex && sent >= definition.ResponseData.Count)
            {
                break;
            }

            if (fullDuplex)
            {
                await SendAsync();
            }
        }

        definition ??= new();
        if (!fullDuplex)
        {
            await BeginAsync(context, definition.ResponseHeaders, definition.ResponseTrailers);
        }

        while (sent < definition.ResponseData.Count)
        {
            await SendAsync();
        }

        ThrowIfAsked(definition.Error, sent == 0 ? Seen(context, requests) : null);
    }

    private static async Task<ConformancePayload> AnswerAsync(
        UnaryResponseDefinition? definition, IEnumerable<Any> requests, ServerCallContext context)
    {
        definition ??= new();
        RequestInfo seen = Seen(context, requests);
        await BeginAsync(context, definition.ResponseHeaders, definition.ResponseTrailers);
        await WaitAsync(definition.ResponseDelayMs, context);
        ThrowIfAsked(definition.Error, seen);
        return new() { Data = definition.ResponseData, RequestInfo = seen };
    }

    private static Task BeginAsync(
        ServerCallContext context, IEnumerable<Header> headers, IEnumerable<Header> trailers)
    {
        context.ResponseTrailers.Add(trailers);
        var metadata = new Metadata();
        metadata.Add(headers);
        return metadata.Count > 0 ? context.WriteResponseHeadersAsync(metadata) : Task.CompletedTask;
    }

    private static Task WaitAsync(uint milliseconds, ServerCallContext context) => milliseconds == 0
        ? Task.CompletedTask
        : Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, context.CancellationToken);

    private static RequestInfo Seen(ServerCallContext context, IEnumerable<Any> requests)
    {
        var seen = new RequestInfo { RequestHeaders = { context.RequestHeaders.ToHeaders() } };
        if (context.Deadline != DateTime.MaxValue)
        {
            seen.TimeoutMs = (long)(context.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime).TotalMilliseconds;
        }

        seen.Requests.AddRange(requests);
        if (context.GetHttpContext().Request is { Method: "GET" } get)
        {
            seen.ConnectGetInfo = new();
            seen.ConnectGetInfo.QueryParams.AddRange(get.Query.Select(
                parameter => new Header { Name = parameter.Key, Value = { parameter.Value.ToArray() } }));
        }

        return seen;
    }

    /// An error before any answer tells in its details what the call was.
    private static void ThrowIfAsked(Error? error, RequestInfo? seen)
    {
        if (error is null)
        {
            return;
        }

        var status = new Google.Rpc.Status { Code = (int)error.Code, Message = error.Message };
        status.Details.AddRange(error.Details);
        if (seen is not null)
        {
            status.Details.Add(Any.Pack(seen));
        }

        throw status.ToRpcException();
    }
}
