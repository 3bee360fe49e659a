using Grpc.Core;

namespace Squall.Rpc;

/// The codes as Connect spells them, and the HTTP status that a unary answer carries with each.
public static class ConnectCode
{
    private static readonly (StatusCode Code, string Name, int Http)[] Table =
    [
        (StatusCode.Cancelled, "canceled", 499),
        (StatusCode.Unknown, "unknown", 500),
        (StatusCode.InvalidArgument, "invalid_argument", 400),
        (StatusCode.DeadlineExceeded, "deadline_exceeded", 504),
        (StatusCode.NotFound, "not_found", 404),
        (StatusCode.AlreadyExists, "already_exists", 409),
        (StatusCode.PermissionDenied, "permission_denied", 403),
        (StatusCode.ResourceExhausted, "resource_exhausted", 429),
        (StatusCode.FailedPrecondition, "failed_precondition", 400),
        (StatusCode.Aborted, "aborted", 409),
        (StatusCode.OutOfRange, "out_of_range", 400),
        (StatusCode.Unimplemented, "unimplemented", 501),
        (StatusCode.Internal, "internal", 500),
        (StatusCode.Unavailable, "unavailable", 503),
        (StatusCode.DataLoss, "data_loss", 500),
        (StatusCode.Unauthenticated, "unauthenticated", 401),
    ];

    /// OK has no name: a success is told by HTTP alone. It and unknown numbers are written as unknown.
    public static string Name(StatusCode code) => Row(code).Name;

    public static int HttpStatus(StatusCode code) => code == StatusCode.OK ? 200 : Row(code).Http;

    public static bool TryParse(string? name, out StatusCode code)
    {
        (StatusCode Code, string Name, int) row = Array.Find(Table, row => row.Name == name);
        code = row.Name is null ? StatusCode.Unknown : row.Code;
        return row.Name is not null;
    }

    private static (StatusCode Code, string Name, int Http) Row(StatusCode code) =>
        (int)code is >= 1 and <= 16 ? Table[(int)code - 1] : Table[(int)StatusCode.Unknown - 1];
}
