using Google.Protobuf;
using Grpc.Core;

namespace Squall.Conformance;

/// Makes one call as the runner describes it, and gathers what came of it.
internal sealed class ClientCall(ConformanceService.ConformanceServiceClient client, ClientCompatRequest asked)
    : IDisposable
{
    private readonly CancellationTokenSource givenUp = new();
    private readonly ClientResponseResult result = new();

    public async Task<ClientResponseResult> RunAsync()
    {
        CallOptions options = Options();
        await (asked.Method switch
        {
            "Unary" => UnaryAsync(client.UnaryAsync(Only<UnaryRequest>(), options), answer => answer.Payload),
            "IdempotentUnary" => UnaryAsync(
                client.IdempotentUnaryAsync(Only<IdempotentUnaryRequest>(), options), answer => answer.Payload),
            "Unimplemented" => UnaryAsync(
                client.UnimplementedAsync(Only<UnimplementedRequest>(), options), _ => null),
            "ServerStream" => ServerStreamAsync(client.ServerStream(Only<ServerStreamRequest>(), options)),
            "ClientStream" => ClientStreamAsync(client.ClientStream(options)),
            "BidiStream" => BidiStreamAsync(client.BidiStream(options)),
            _ => throw new NotSupportedException($"There is no method '{asked.Method}'."),
        });
        return result;
    }

    public void Dispose() => givenUp.Dispose();

    private async Task UnaryAsync<T>(AsyncUnaryCall<T> call, Func<T, ConformancePayload?> payloadOf)
    {
        using (call)
        {
            await GiveUpAfterSendingAsync();
            await EndAsync(call.ResponseHeadersAsync, call.GetTrailers, async () => Add(payloadOf(await call)));
        }
    }

    private async Task ClientStreamAsync(AsyncClientStreamingCall<ClientStreamRequest, ClientStreamResponse> call)
    {
        using (call)
        {
            await SendAsync(call.RequestStream, afterEach: null);
            await EndAsync(call.ResponseHeadersAsync, call.GetTrailers, async () =>
            {
                await CloseAsync(call.RequestStream);
                Add((await call).Payload);
            });
        }
    }

    private async Task ServerStreamAsync(AsyncServerStreamingCall<ServerStreamResponse> call)
    {
        using (call)
        {
            await GiveUpAfterSendingAsync();
            await EndAsync(call.ResponseHeadersAsync, call.GetTrailers, async () =>
            {
                while (await call.ResponseStream.MoveNext())
                {
                    Add(call.ResponseStream.Current.Payload);
                }
            });
        }
    }

    private async Task BidiStreamAsync(AsyncDuplexStreamingCall<BidiStreamRequest, BidiStreamResponse> call)
    {
        async Task<bool> ReceiveAsync()
        {
            bool received = await call.ResponseStream.MoveNext();
            if (received)
            {
                Add(call.ResponseStream.Current.Payload);
            }

            return received;
        }

        bool isFullDuplex = asked.StreamType == StreamType.FullDuplexBidiStream;
        using (call)
        {
            await EndAsync(call.ResponseHeadersAsync, call.GetTrailers, async () =>
            {
                await SendAsync(call.RequestStream, isFullDuplex ? ReceiveAsync : null);
                await CloseAsync(call.RequestStream);
                while (await ReceiveAsync())
                {
                }
            });
        }
    }

    /// Sends the requests until the call takes no more of them.
    private async Task SendAsync<T>(IClientStreamWriter<T> requests, Func<Task<bool>>? afterEach)
        where T : IMessage, new()
    {
        for (int sent = 0; sent < asked.RequestMessages.Count; sent++)
        {
            await WaitAsync(asked.RequestDelayMs);
            try
            {
                await requests.WriteAsync(asked.RequestMessages[sent].Unpack<T>());
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException)
            {
                result.NumUnsentRequests = asked.RequestMessages.Count - sent;
                return;
            }

            if (afterEach is not null && !await afterEach())
            {
                return;
            }
        }
    }

    private async Task CloseAsync<T>(IClientStreamWriter<T> requests)
    {
        if (asked.Cancel?.BeforeCloseSend is not null)
        {
            await givenUp.CancelAsync();
        }

        await requests.CompleteAsync();
        await GiveUpAfterSendingAsync();
    }

    private async Task GiveUpAfterSendingAsync()
    {
        if (asked.Cancel is { BeforeCloseSend: null, HasAfterNumResponses: false } cancel)
        {
            await WaitAsync(cancel.AfterCloseSendMs);
            await givenUp.CancelAsync();
        }
    }

    private void Add(ConformancePayload? payload)
    {
        result.Payloads.Add(payload ?? new());
        if (asked.Cancel is { HasAfterNumResponses: true } cancel && result.Payloads.Count == cancel.AfterNumResponses)
        {
            givenUp.Cancel();
        }
    }

    /// Reads the responses, and then how the call began and ended.
    private async Task EndAsync(Task<Metadata> headers, Func<Metadata> trailers, Func<Task> receive)
    {
        try
        {
            await receive();
        }
        catch (RpcException e)
        {
            result.Error = new() { Code = (Code)e.StatusCode, Message = e.Status.Detail };
            result.Error.Details.Add(e.GetRpcStatus()?.Details ?? []);
        }

        try
        {
            result.ResponseHeaders.Add((await headers).ToHeaders());
        }
        catch (RpcException)
        {
            // The call failed before a response began, as the error tells.
        }

        result.ResponseTrailers.Add(trailers().ToHeaders());
    }

    private CallOptions Options()
    {
        var headers = new Metadata();
        headers.Add(asked.RequestHeaders);
        if (asked.Compression != Compression.Identity)
        {
            headers.Add("grpc-internal-encoding-request", asked.Compression.ToString().ToLowerInvariant());
        }

        DateTime? deadline = asked.HasTimeoutMs
            ? TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(asked.TimeoutMs) : null;
        return new CallOptions(headers, deadline, givenUp.Token);
    }

    private T Only<T>() where T : IMessage, new() => asked.RequestMessages.Single().Unpack<T>();

    private static Task WaitAsync(uint milliseconds) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
}
