using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client;

/// <summary>What the contract says of a method: whether it may be repeated, and what it must prove.</summary>
/// <param name="Reads">It has no effect.</param>
/// <param name="RequestId">The field that makes a repeated change have one effect.</param>
/// <param name="NeedsToken">It proves who calls.</param>
/// <param name="CarriesSecrets">Its request or its metadata hold a password or a token.</param>
internal sealed record MethodTraits(bool Reads, FieldDescriptor? RequestId, bool NeedsToken, bool CarriesSecrets)
{
    private static readonly MethodTraits Unknown = new(false, null, NeedsToken: true, CarriesSecrets: true);

    private static readonly HashSet<string> Open =
        ["SayHello", "RegisterAccount", "Login", "LoginWithIdToken", "RefreshSession"];

    private static readonly FrozenDictionary<string, MethodTraits> All = new[]
    {
        GreeterService.Descriptor, AuthService.Descriptor, AccountService.Descriptor, TaskListService.Descriptor,
        TaskService.Descriptor, NotificationService.Descriptor, WorkService.Descriptor,
    }
    .SelectMany(service => service.Methods)
    .ToFrozenDictionary(method => $"/{method.Service.FullName}/{method.Name}", From);

    public static MethodTraits Of(IMethod method) => All.GetValueOrDefault(method.FullName, Unknown);

    private static MethodTraits From(MethodDescriptor method) => new(
        Reads: method.GetOptions()?.IdempotencyLevel == MethodOptions.Types.IdempotencyLevel.NoSideEffects
            // A refresh token that was just used may be used again, in case the answer got lost.
            || method.Name == "RefreshSession",
        RequestId: method.InputType.FindFieldByName("request_id"),
        NeedsToken: !Open.Contains(method.Name),
        CarriesSecrets: method.Name != "SayHello");
}
