using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// What a handler sees of its call, and what it sets.
internal abstract class HandlerContext(HttpContext http, RpcMethod method) : ServerCallContext
{
    private Metadata? requestHeaders;
    private Metadata? responseTrailers;
    private Status status = Status.DefaultSuccess;
    private WriteOptions? writeOptions;
    private AuthContext? authContext;

    public HttpContext Http => http;

    protected RpcMethod Called => method;

    /// Whether messages may be compressed from here on, if that is settled with the caller.
    public bool MayCompress => (Flags & WriteFlags.NoCompress) == 0;

    /// What holds for the next message.
    protected WriteFlags Flags => writeOptions?.Flags ?? 0;

    /// The trailers that the handler has touched; null: none.
    protected Metadata? TrailersSet => responseTrailers;

    protected override string MethodCore => method.Definition.FullName;

    protected override string HostCore => http.Request.Host.Value ?? "";

    protected override string PeerCore => CallMetadata.Peer(http.Connection);

    protected override Metadata RequestHeadersCore => requestHeaders ??= CallMetadata.Read(http.Request.Headers);

    protected override Metadata ResponseTrailersCore => responseTrailers ??= [];

    protected override AuthContext AuthContextCore => authContext ??= CallMetadata.Auth(http);

    protected override IDictionary<object, object> UserStateCore
    {
        get
        {
            http.Items[ServerCallContextExtensions.HttpContextKey] = http;
            return http.Items!;
        }
    }

    protected override Status StatusCore
    {
        get => status;
        set => status = value;
    }

    protected override WriteOptions? WriteOptionsCore
    {
        get => writeOptions;
        set => writeOptions = value;
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
    {
        options ??= ContextPropagationOptions.Default;
        return new CallContextPropagation(
            options.IsPropagateDeadline ? DeadlineCore : null,
            options.IsPropagateCancellation ? CancellationTokenCore : default);
    }
}
