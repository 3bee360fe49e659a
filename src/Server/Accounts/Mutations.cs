using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>What every call that changes something has in common.</summary>
internal sealed class Mutations(Journal journal)
{
    private const int UuidCharacters = 36;

    /// <summary>
    /// Runs a call's change for its caller: (1) the session must still be there, (2) an earlier call with the same
    /// request_id is answered again, (3) the change runs, (4) its answer is remembered under the request_id, all in
    /// one transaction. An empty <paramref name="requestId"/> is no protection.
    /// </summary>
    /// <param name="endsAccess">It ends what someone may see: it goes first, however much else waits.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED, INVALID_ARGUMENT (no UUID; used with another request), and
    /// what the change throws.</exception>
    public Task<TAnswer> RunAsync<TAnswer>(
        ServerCallContext context, IMessage request, string requestId, Func<ChangeScope, TAnswer> change,
        bool endsAccess = false)
        where TAnswer : IMessage<TAnswer>, new()
    {
        Caller caller = Caller.Of(context);
        string method = context.Method;
        string id = requestId.Length == 0 ? "" : Canonical(requestId);
        byte[] hash = id.Length == 0 ? [] : HashOf(request, id);
        return journal.RunAsync(
            scope =>
            {
                Sessions.Confirm(scope, caller);
                if (id.Length == 0)
                {
                    return change(scope);
                }

                if (Earlier(scope.Db, caller.AccountId, method, id) is { } earlier)
                {
                    return Again<TAnswer>(earlier, hash);
                }

                TAnswer answer = change(scope);
                scope.Db.Execute(
                    """
                    INSERT INTO requests ("AccountId", "Rpc", "RequestId", "RequestHash", "Answer", "TimeMicros")
                    VALUES (@account, @rpc, @id, @hash, @answer, @time)
                    """,
                    ("@account", caller.AccountId), ("@rpc", method), ("@id", id), ("@hash", hash),
                    ("@answer", answer.ToByteArray()), ("@time", scope.NowMicros));
                return answer;
            },
            endsAccess ? null : caller.AccountId, request.CalculateSize(), context.CancellationToken);
    }

    /// <summary>Most requests come once.</summary>
    private static RequestRow? Earlier(SquallDb db, string accountId, string rpc, string id) => db.Execute(
        """
        SELECT "Num" FROM requests WHERE "AccountId" = @account AND "Rpc" = @rpc AND "RequestId" = @id
        """,
        ("@account", accountId), ("@rpc", rpc), ("@id", id)) is long num
        ? db.Requests.AsNoTracking().Single(row => row.Num == num)
        : null;

    /// <summary>Its length is looked at, too, since .NET overlooks white space around a UUID.</summary>
    private static string Canonical(string requestId) =>
        requestId.Length == UuidCharacters && Guid.TryParseExact(requestId, "D", out Guid id)
            ? id.ToString()
            : throw Fault.Field("request_id", "REQUEST_ID_FORMAT", "must be a UUID, or empty");

    /// <summary>The request's, whose id counts as it is kept: in upper case it is the same one.</summary>
    private static byte[] HashOf(IMessage request, string id)
    {
        request.Descriptor.FindFieldByName("request_id").Accessor.SetValue(request, id);
        return SHA256.HashData(request.ToByteArray());
    }

    private static TAnswer Again<TAnswer>(RequestRow earlier, byte[] hash)
        where TAnswer : IMessage<TAnswer>, new()
    {
        if (!hash.AsSpan().SequenceEqual(earlier.RequestHash))
        {
            throw Fault.RequestIdReused();
        }

        var answer = new TAnswer();
        answer.MergeFrom(earlier.Answer);
        return answer;
    }
}
