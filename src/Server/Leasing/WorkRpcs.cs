using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Work is of a later version: who may call is told so.</summary>
internal sealed class WorkRpcs : WorkService.WorkServiceBase
{
    public override Task<LeaseWorkResponse> LeaseWork(LeaseWorkRequest request, ServerCallContext context) =>
        throw Fault.NotYet();

    public override Task<RenewLeasesResponse> RenewLeases(RenewLeasesRequest request, ServerCallContext context) =>
        throw Fault.NotYet();

    public override Task<CompleteWorkResponse> CompleteWork(CompleteWorkRequest request, ServerCallContext context) =>
        throw Fault.NotYet();

    public override Task<FailWorkResponse> FailWork(FailWorkRequest request, ServerCallContext context) =>
        throw Fault.NotYet();

    public override Task<ReleaseWorkResponse> ReleaseWork(ReleaseWorkRequest request, ServerCallContext context) =>
        throw Fault.NotYet();

    public override Task SubmitWork(
        IAsyncStreamReader<SubmitWorkRequest> requestStream,
        IServerStreamWriter<SubmitWorkResponse> responseStream,
        ServerCallContext context) => throw Fault.NotYet();
}
