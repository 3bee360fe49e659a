using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>How keys begin and end: each a part of a change.</summary>
internal static class ApiKeys
{
    /// <summary>A new key's row, but for what only a change can tell.</summary>
    /// <param name="secret">What is told once.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static ApiKeyRow Parse(ApiKey? asked, Limits limits, long nowMicros, out string secret)
    {
        ApiKey key = asked ?? throw Fault.Required("api_key");
        string title = Text.Allow("api_key.title", key.Title, limits.NameCharactersMax);
        Roles.Require("api_key.role", key.Role);
        for (int at = 0; at < key.TaskListIds.Count; at++)
        {
            if (key.TaskListIds[at].Length == 0)
            {
                throw Fault.Required($"api_key.task_list_ids[{at}]");
            }
        }

        if (key.TaskListIds.Count > limits.KeyListsMax)
        {
            throw Fault.Field("api_key.task_list_ids", "TOO_MANY", $"at most {limits.KeyListsMax} task lists");
        }

        secret = Token.New(Token.ApiKey);
        return new ApiKeyRow
        {
            Id = "",
            AccountId = "",
            Hash = Token.Hash(secret),
            Title = title,
            Role = (int)key.Role,
            ListIds = ApiKeyRow.Joined(key.TaskListIds.Distinct()),
            ExpireTimeMicros = ExpireTime(key.ExpireTime, nowMicros),
        };
    }

    /// <exception cref="RpcException">NOT_FOUND: a list that it names, or the caller may not see it.
    /// RESOURCE_EXHAUSTED: the account has as many keys as it may.</exception>
    public static void Add(ChangeScope scope, Caller caller, ApiKeyRow key, Limits limits)
    {
        if (key.Reach().Lists?.FirstOrDefault(list => !caller.Sees(scope.Db, list)) is { } unseen)
        {
            throw Fault.NotFound("task list", unseen);
        }

        if (scope.Db.ApiKeys.Count(row => row.AccountId == caller.AccountId) >= limits.AccountKeysMax)
        {
            throw Fault.LimitReached("KEY_LIMIT", $"An account has at most {limits.AccountKeysMax} API keys.");
        }

        key.Id = Ids.New(scope.NowMicros);
        key.AccountId = caller.AccountId;
        key.CreateTimeMicros = scope.NowMicros;
        scope.Db.ApiKeys.Add(key);
    }

    /// <summary>Ends a key: it is worth nothing from this change on, and its streams learn of it.</summary>
    public static void End(ChangeScope scope, ApiKeyRow key)
    {
        scope.Db.ApiKeys.Remove(key);
        scope.Note(ChangeKind.KeyEnded, key.AccountId, key.Id);
    }

    public static void EndAll(ChangeScope scope, string accountId)
    {
        foreach (ApiKeyRow key in scope.Db.ApiKeys.Where(key => key.AccountId == accountId).ToArray())
        {
            End(scope, key);
        }
    }

    private static long? ExpireTime(Timestamp? time, long nowMicros)
    {
        Times.Check("api_key.expire_time", time);
        long? micros = Micros.OfOptional(time);
        return micros is null || micros > nowMicros
            ? micros
            : throw Fault.Field("api_key.expire_time", "TIME_PAST", "must be later than now, or empty");
    }
}
