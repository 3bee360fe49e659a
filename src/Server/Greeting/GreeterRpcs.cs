using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Says hello: needs no login and touches no storage.</summary>
internal sealed class GreeterRpcs(Limits limits, TimeProvider time) : GreeterService.GreeterServiceBase
{
    public override Task<SayHelloResponse> SayHello(SayHelloRequest request, ServerCallContext context)
    {
        string name = Text.Allow("name", request.Name, limits.GreetingNameCharactersMax);
        return Task.FromResult(new SayHelloResponse
        {
            Message = Greeting.To(name),
            ServerVersion = Product.Version,
            ServerTime = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
        });
    }
}
