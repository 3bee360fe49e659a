using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>What an operator asks of the audit trail.</summary>
/// <param name="Account">A username or an id; whose doing it was, or to whom it was done. Empty: everyone.</param>
/// <param name="Events">Numbers of <see cref="AuditEvent"/>; empty: all.</param>
/// <param name="UntilMicros">Those at this time are not meant.</param>
/// <param name="RowsMax">So many are still wanted.</param>
/// <param name="After">The row after which it goes on, as <see cref="OperatorAnswer.Next"/> told it; or empty.</param>
internal sealed record AuditQuery(
    string Account, int[] Events, long SinceMicros, long UntilMicros, int RowsMax, bool OldestFirst, bool Json,
    string After);

/// <summary>Lists the audit trail, a page at a time: in the order of time, the newest first unless told otherwise.
/// </summary>
internal sealed class AuditList(Store store)
{
    public const int PageRows = 500;
    private const char Between = '.';

    private static readonly JsonSerializerOptions Plain = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <exception cref="RpcException">NOT_FOUND: there is no such account.</exception>
    public Task<OperatorAnswer> RunAsync(AuditQuery query, CancellationToken cancelled) => store.ReadAsync(
        db =>
        {
            int size = Math.Clamp(query.RowsMax, 0, PageRows);
            AuditRow[] rows = Page(db, query, size);
            Func<AuditLine, string> text = query.Json ? Json : Text;
            return new OperatorAnswer(
                [.. Lines(db, rows).Select(text)],
                rows.Length < size || query.RowsMax <= size
                    ? null
                    : string.Create(CultureInfo.InvariantCulture, $"{rows[^1].TimeMicros}{Between}{rows[^1].Num}"),
                Refusal: null);
        },
        cancelled);

    private static AuditRow[] Page(SquallDb db, AuditQuery query, int size)
    {
        IQueryable<AuditRow> rows = Rest(db.Audit, query);
        if (query.Account.Length == 0)
        {
            return [.. Ordered(rows, query).Take(size)];
        }

        // Each part by its index: one search for either would go through all of the trail.
        string id = AccountId(db, query.Account);
        IQueryable<AuditRow> did = rows.Where(row => row.AccountId == id);
        IQueryable<AuditRow> bore = rows.Where(row => row.SubjectId == id);
        IEnumerable<AuditRow> both = Ordered(did, query).Take(size).AsEnumerable()
            .Concat(Ordered(bore, query).Take(size)).DistinctBy(row => row.Num);
        return [.. Ordered(both.AsQueryable(), query).Take(size)];
    }

    private static IQueryable<AuditRow> Rest(IQueryable<AuditRow> rows, AuditQuery query)
    {
        (long since, long until, int[] events) = (query.SinceMicros, query.UntilMicros, query.Events);
        rows = rows.Where(row => row.TimeMicros >= since && row.TimeMicros < until);
        if (events.Length > 0)
        {
            rows = rows.Where(row => events.Contains(row.Event));
        }

        if (query.After.Length == 0)
        {
            return rows;
        }

        long[] after = [.. query.After.Split(Between).Select(part => PageToken.Number(part))];
        (long micros, long num) = (after[0], after[^1]);
        return query.OldestFirst
            ? rows.Where(row => row.TimeMicros >= micros && (row.TimeMicros > micros || row.Num > num))
            : rows.Where(row => row.TimeMicros <= micros && (row.TimeMicros < micros || row.Num < num));
    }

    private static IQueryable<AuditRow> Ordered(IQueryable<AuditRow> rows, AuditQuery query) => query.OldestFirst
        ? rows.OrderBy(row => row.TimeMicros).ThenBy(row => row.Num)
        : rows.OrderByDescending(row => row.TimeMicros).ThenByDescending(row => row.Num);

    /// <summary>An account that is gone is still found by its id.</summary>
    private static string AccountId(SquallDb db, string account)
    {
        if (Guid.TryParseExact(account, "D", out Guid id))
        {
            return id.ToString();
        }

        string username = Username.Parse("account", account);
        return db.Accounts.Where(row => row.Username == username).Select(row => row.Id).SingleOrDefault()
            ?? throw Fault.NotFound("account", username);
    }

    /// <summary>Rows with the names that their accounts have now.</summary>
    private static IEnumerable<AuditLine> Lines(SquallDb db, AuditRow[] rows)
    {
        string[] ids =
        [
            .. rows.Select(row => row.AccountId).Concat(rows.Select(row => row.SubjectId)).OfType<string>().Distinct(),
        ];
        Dictionary<string, string> names =
            db.Accounts.Where(row => ids.Contains(row.Id)).ToDictionary(row => row.Id, row => row.Username);
        return rows.Select(row => new AuditLine(
            Num: row.Num,
            Time: Micros.ToTimestamp(row.TimeMicros).ToDateTime(),
            Event: ((AuditEvent)row.Event).Name(),
            Number: row.Event,
            AccountId: row.AccountId,
            Username: names.GetValueOrDefault(row.AccountId ?? ""),
            ProofId: row.ProofId,
            SubjectId: row.SubjectId,
            SubjectUsername: names.GetValueOrDefault(row.SubjectId ?? ""),
            Address: row.Address,
            TaskListId: row.ListId,
            Role: row.Role == 0 ? null : ((Role)row.Role).ToString().ToLowerInvariant(),
            Cause: row.Cause,
            Rpc: row.Rpc,
            Count: row.Count));
    }

    private static string Json(AuditLine line) => JsonSerializer.Serialize(line, Plain);

    /// <summary>Time, event, whose, from where, and what else there is; between them tabs.</summary>
    private static string Text(AuditLine line)
    {
        (string Name, object? Value)[] rest =
        [
            ("of", line.SubjectUsername ?? line.SubjectId), ("list", line.TaskListId), ("role", line.Role),
            ("cause", line.Cause), ("rpc", line.Rpc), ("count", line.Count == 1 ? null : line.Count),
            ("by", line.ProofId),
        ];
        string[] fields =
        [
            line.Time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture), line.Event,
            line.Username ?? line.AccountId ?? "-", line.Address ?? "-",
            string.Join(' ', rest.Where(field => field.Value is not null).Select(field => string.Create(
                CultureInfo.InvariantCulture, $"{field.Name}={field.Value}"))),
        ];
        return string.Join('\t', fields);
    }

    /// <summary>As <c>--json</c> prints it.</summary>
    private sealed record AuditLine(
        long Num, DateTime Time, string Event, int Number, string? AccountId, string? Username, string? ProofId,
        string? SubjectId, string? SubjectUsername, string? Address, string? TaskListId, string? Role, string? Cause,
        string? Rpc, long Count);
}
