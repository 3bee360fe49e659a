using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Squall.Server;
using SQLitePCL;

namespace Squall.Faults;

/// <summary>
/// The control: a change is acknowledged as soon as it has run, and its commit comes 50 ms later. Without a kill all
/// of it is stored all the same. It hears from SQLite what the writer does: the statement that remembers a change's
/// answer, and a commit that is about to be.
/// </summary>
internal sealed partial class EarlyAnswers : Interceptor
{
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(50);
    private static readonly ConcurrentDictionary<string, TaskCompletionSource<byte[]>> Waiting = new();
    private static readonly ManualResetEventSlim Never = new();

    /// <summary>Begins to listen to the writer of this process's server.</summary>
    public static Task ListenAsync(Journal journal) => journal.RunAsync(
        scope =>
        {
            sqlite3 writer = ((SqliteConnection)scope.Db.Database.GetDbConnection()).Handle!;
            raw.sqlite3_commit_hook(writer, _ => Never.Wait(Lead) ? 1 : 0, null);
            raw.sqlite3_trace(writer, (_, statement) => Answer(statement), null);
            return true;
        },
        null, 0, CancellationToken.None);

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        string requestId = RequestId((IMessage)request);
        if (requestId.Length == 0)
        {
            return await continuation(request, context);
        }

        var early = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        Waiting[requestId] = early;
        Task<TResponse> durable = continuation(request, context);
        if (await Task.WhenAny(early.Task, durable) == durable)
        {
            return await durable;
        }

        var answer = Activator.CreateInstance<TResponse>();
        ((IMessage)answer).MergeFrom(await early.Task);
        return answer;
    }

    private static void Answer(string statement)
    {
        if (Remembered().Match(statement) is { Success: true } found
            && Waiting.TryRemove(found.Groups["id"].Value, out TaskCompletionSource<byte[]>? early))
        {
            early.SetResult(Convert.FromHexString(found.Groups["answer"].Value));
        }
    }

    private static string RequestId(IMessage request) =>
        request.Descriptor.FindFieldByName("request_id") is { FieldType: FieldType.String } field
            ? (string)field.Accessor.GetValue(request)
            : "";

    [GeneratedRegex(@"^INSERT INTO requests [\s\S]*'(?<id>[0-9a-f-]{36})', *x'[0-9a-f]*', *x'(?<answer>[0-9a-f]*)'",
        RegexOptions.IgnoreCase)]
    private static partial Regex Remembered();
}
