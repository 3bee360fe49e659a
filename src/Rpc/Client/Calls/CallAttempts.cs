using Grpc.Core;

namespace Grpc.Net.Client;

/// The attempts of a call, until one has begun to answer or there is to be no further one.
internal sealed class CallAttempts(CallRequest call, bool waitForReady)
{
    // As many as .NET tries by itself, where it sees that a connection closed under a request.
    private const int UnsentMax = 3;

    private readonly GrpcChannel channel = call.Channel;
    private readonly CallLifetime lifetime = call.Lifetime;
    private RequestContent? content;
    private int unsent;

    /// Sends the request until a response holds: its headers, or a status that is not to be tried again.
    public async Task<CallResponse> OpenAsync()
    {
        var retry = new CallRetry(
            channel,
            channel.RetryPolicyOf(call.Method),
            lifetime.Activity,
            waitForReady);
        try
        {
            while (true)
            {
                await call.ProveAsync().ConfigureAwait(false);
                try
                {
                    CallResponse opened = await SendAsync(retry.Previous).ConfigureAwait(false);
                    channel.Reached(true);
                    if (opened.Outcome is not { Status.StatusCode: not StatusCode.OK } outcome
                        || !await retry.WaitAsync(outcome, call.Flow, lifetime.Token).ConfigureAwait(false))
                    {
                        return opened;
                    }

                    opened.Dispose();
                }
                catch (Exception e) when (lifetime.Outcome is null)
                {
                    channel.Reached(!TransportFailure.IsDialFailure(e));
                    channel.Transport.Note(e, lifetime.Transport);
                    if (NeverLeft(e) && unsent++ < UnsentMax)
                    {
                        continue;
                    }

                    var failure = new CallOutcome(TransportFailure.ToStatus(e, channel.Address), []);
                    if (!await retry.WaitAsync(failure, call.Flow, lifetime.Token).ConfigureAwait(false))
                    {
                        throw;
                    }
                }
            }
        }
        finally
        {
            call.Flow.Settle();
        }
    }

    /// Whether an attempt was given to a connection that was closing, before anything of it was sent. .NET tries again
    /// where it is told so in time, and not where the connection has just ended: a server that goes away would lose
    /// calls that it has never seen.
    private bool NeverLeft(Exception failure) =>
        content is { WasAskedFor: false } && TransportFailure.IsOfConnection(failure);

    private async Task<CallResponse> SendAsync(int previousAttempts)
    {
        lifetime.Transport = channel.Transport.Generation;
        HttpRequestMessage request = channel.Options.Protocol.CreateRequest(call, previousAttempts);
        content = request.Content as RequestContent;
        lifetime.Activity?.Inject(request);
        Task<HttpResponseMessage> sending = channel.Transport.SendAsync(request, call.Method, lifetime.Token);
        HttpResponseMessage http;
        try
        {
            http = await sending.WaitAsync(lifetime.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A handler that does not heed the token may still answer; nobody waits for that answer.
            _ = sending.ContinueWith(late => late.Result.Dispose(), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }

        Stream body = await http.Content.ReadAsStreamAsync(lifetime.Token).ConfigureAwait(false);
        CallResponse response = channel.Options.Protocol.CreateResponse(call, http, body);
        try
        {
            await response.BeginAsync(lifetime.Token).WaitAsync(lifetime.Token).ConfigureAwait(false);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }
}
