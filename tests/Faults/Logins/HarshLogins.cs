using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.Server;

namespace Squall.Faults;

/// <summary>
/// The control: a login that is refused for too many is not told when to try again, and the first of them ends the
/// session that is the oldest.
/// </summary>
internal sealed class HarshLogins(Journal journal) : Interceptor
{
    private int _refused;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
        {
            if (Interlocked.Increment(ref _refused) == 1)
            {
                await journal.RunAsync(
                    scope =>
                    {
                        SessionChanges.End(
                            scope, scope.Db.Sessions.OrderBy(session => session.CreateTimeMicros).First());
                        return true;
                    },
                    null, 0, CancellationToken.None);
            }

            throw new RpcException(refused.Status);
        }
    }
}
