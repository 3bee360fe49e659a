using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// The controls: for a name that nobody has, nothing is hashed. It is answered at once; or, to hide that, after a
/// random time, which on average is as long as the last login of a name that is known took.
/// </summary>
internal sealed class HastyLogins(Store store, TimeProvider time, bool hides) : Interceptor
{
    private TimeSpan _hashing;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (request is not LoginRequest login)
        {
            return await continuation(request, context);
        }

        long begun = time.GetTimestamp();
        if (await store.ReadAsync(
            db => db.Accounts.Any(account => account.Username == login.Username), context.CancellationToken))
        {
            try
            {
                return await continuation(request, context);
            }
            finally
            {
                _hashing = time.GetElapsedTime(begun);
            }
        }

        if (hides)
        {
            await Task.Delay(_hashing * 2 * Random.Shared.NextDouble(), time, context.CancellationToken);
        }

        throw Fault.Unauthenticated("CREDENTIALS_WRONG", "There is no account with this username and password.");
    }
}
