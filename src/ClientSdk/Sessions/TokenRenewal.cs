using Grpc.Core;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// Trades a refresh token for the next pair. A refresh token may be used again for 10 s, in case the answer got lost:
/// an answer that does not come soon is asked for anew, on a fresh connection, and all is over before those are.
/// </summary>
internal sealed class TokenRenewal(
    SquallClientOptions options, Connections connections, AuthService.AuthServiceClient auth)
{
    private const int AttemptsMax = 3;
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(2.5);

    public async Task<SessionTokens> OfAsync(SessionTokens old)
    {
        var request = new RefreshSessionRequest { RefreshToken = old.RefreshToken };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await auth.RefreshSessionAsync(
                    request, deadline: CallSettings.Deadline(options.TimeProvider, AnswerTimeMax))
                    .ConfigureAwait(false);
                return SessionTokens.From(answer.Tokens);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.DeadlineExceeded && attempt < AttemptsMax)
            {
                connections.Retire(connections.Newest);
            }
        }
    }
}
