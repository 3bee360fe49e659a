using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Server.Tests;

/// <summary>
/// Stands behind the gate and counts the unary calls whose handlers have done all they can without waiting: a change
/// stands in the journal's queue by then.
/// </summary>
/// <param name="counts">Of which methods; null: of all.</param>
internal sealed class Arrivals(Func<string, bool>? counts = null) : Interceptor
{
    private readonly SemaphoreSlim _arrived = new(0);

    public void Register(IServiceCollection services)
    {
        services.AddSingleton(this);
        services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Arrivals>());
    }

    /// <summary>Waits for so many more of them.</summary>
    public async Task WaitAsync(int calls)
    {
        for (int call = 0; call < calls; call++)
        {
            Assert.True(await _arrived.WaitAsync(TimeSpan.FromSeconds(30)));
        }
    }

    /// <summary>Counts from here on.</summary>
    public void Forget()
    {
        while (_arrived.Wait(0))
        {
        }
    }

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Task<TResponse> answer;
        try
        {
            answer = continuation(request, context);
        }
        finally
        {
            // One that is refused at once has done all that it can, too.
            if (counts?.Invoke(context.Method) != false)
            {
                _arrived.Release();
            }
        }

        return await answer;
    }
}
