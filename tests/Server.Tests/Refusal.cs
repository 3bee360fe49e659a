using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>What a refused call is told: asserted by its code, its reason and the field at fault.</summary>
internal sealed record Refusal(StatusCode Code, string Reason, string Field = "")
{
    public static Refusal Of(RpcException refused)
    {
        byte[]? details = refused.Trailers.GetValueBytes("grpc-status-details-bin");
        Google.Rpc.Status status = details is null ? new() : Google.Rpc.Status.Parser.ParseFrom(details);
        string reason = Detail<ErrorInfo>(status)?.Reason ?? "";
        string field = Detail<BadRequest>(status)?.FieldViolations.FirstOrDefault()?.Field ?? "";
        return new Refusal(refused.StatusCode, reason, field);
    }

    /// <summary>Asserts that a call is refused so, and gives the whole refusal.</summary>
    public static async Task<RpcException> AssertAsync(
        StatusCode code, string reason, string field, Func<Task> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(new Refusal(code, reason, field), Of(refused));
        Assert.NotEmpty(refused.Status.Detail);
        return refused;
    }

    public static Task<RpcException> AssertAsync(StatusCode code, string reason, Func<Task> call) =>
        AssertAsync(code, reason, "", call);

    public static ErrorInfo CauseOf(RpcException refused) => Detail<ErrorInfo>(refused)!;

    public static string[] FieldsOf(RpcException refused) =>
        [.. Detail<BadRequest>(refused)!.FieldViolations.Select(violation => violation.Field)];

    public static T? Detail<T>(RpcException refused)
        where T : class, IMessage<T>, new() =>
        Detail<T>(Google.Rpc.Status.Parser.ParseFrom(refused.Trailers.GetValueBytes("grpc-status-details-bin")!));

    private static T? Detail<T>(Google.Rpc.Status status)
        where T : class, IMessage<T>, new() =>
        status.Details.Select(detail => detail.TryUnpack(out T found) ? found : null)
            .FirstOrDefault(found => found is not null);
}
