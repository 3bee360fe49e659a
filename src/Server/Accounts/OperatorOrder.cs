namespace Squall.Server;

/// <summary>What an operator orders, as the running server is told it.</summary>
/// <param name="Verb">One of <see cref="AccountCommands.Verbs"/>; of the audit trail, <c>list</c>.</param>
/// <param name="Username">Of the accounts' <c>list</c>: the one after which it goes on.</param>
/// <param name="Audit">What of the audit trail is asked for; null: it is an order about accounts.</param>
internal sealed record OperatorOrder(string Verb, string Username, string Password, AuditQuery? Audit = null)
{
    /// <summary>For what comes after an answer; null: that was all.</summary>
    public OperatorOrder? After(OperatorAnswer answer) =>
        answer.Next is null ? null
        : Audit is null ? this with { Username = answer.Next }
        : this with { Audit = Audit with { After = answer.Next, RowsMax = Audit.RowsMax - answer.Lines.Length } };
}

/// <summary>What came of it.</summary>
/// <param name="Next">A list goes on after it; null: that is all.</param>
/// <param name="Refusal">Why it was not done; null: it was.</param>
internal sealed record OperatorAnswer(string[] Lines, string? Next, string? Refusal)
{
    public static OperatorAnswer Of(string line) => new([line], null, null);

    public static OperatorAnswer Refused(string why) => new([], null, why);
}

/// <summary>Does whatever an operator orders.</summary>
internal sealed class OperatorCommands(AccountCommands accounts, AuditList audit)
{
    /// <exception cref="Grpc.Core.RpcException">It cannot be done; the message says why.</exception>
    public Task<OperatorAnswer> RunAsync(OperatorOrder order, CancellationToken cancelled) =>
        order.Audit is null ? accounts.RunAsync(order, cancelled) : audit.RunAsync(order.Audit, cancelled);
}
