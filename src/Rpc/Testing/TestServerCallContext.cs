using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc.Testing;

/// <summary>A call without a server, for a unit test that calls a service's method itself.</summary>
/// <param name="method">The method's full name.</param>
/// <param name="requestHeaders">The caller's metadata; none unless given.</param>
/// <param name="deadline">In UTC; none unless given.</param>
/// <param name="cancellationToken">Tells that the caller has gone away.</param>
/// <param name="peer">Who calls, as <c>ipv4:127.0.0.1:1234</c>.</param>
/// <param name="host">The host that is called.</param>
/// <param name="authContext">Who the connection says that calls; nobody unless given.</param>
/// <param name="httpContext">What <c>GetHttpContext</c> gives; without it, that throws.</param>
public sealed class TestServerCallContext(
    string method = "/test.Service/Method",
    Metadata? requestHeaders = null,
    DateTime? deadline = null,
    CancellationToken cancellationToken = default,
    string peer = "unknown",
    string host = "localhost",
    AuthContext? authContext = null,
    HttpContext? httpContext = null) : ServerCallContext
{
    private readonly Metadata headers = requestHeaders ?? [];
    private readonly Metadata trailers = [];
    private readonly AuthContext auth = authContext ?? new(null, []);
    private readonly Dictionary<object, object> userState =
        httpContext is null ? [] : new() { [ServerCallContextExtensions.HttpContextKey] = httpContext };

    /// <summary>The headers that the method has sent; null: none so far.</summary>
    public Metadata? ResponseHeaders { get; private set; }

    /// <inheritdoc/>
    protected override string MethodCore => method;

    /// <inheritdoc/>
    protected override string HostCore => host;

    /// <inheritdoc/>
    protected override string PeerCore => peer;

    /// <inheritdoc/>
    protected override DateTime DeadlineCore => deadline ?? DateTime.MaxValue;

    /// <inheritdoc/>
    protected override Metadata RequestHeadersCore => headers;

    /// <inheritdoc/>
    protected override CancellationToken CancellationTokenCore => cancellationToken;

    /// <inheritdoc/>
    protected override Metadata ResponseTrailersCore => trailers;

    /// <inheritdoc/>
    protected override Status StatusCore { get; set; } = Status.DefaultSuccess;

    /// <inheritdoc/>
    protected override WriteOptions? WriteOptionsCore { get; set; }

    /// <inheritdoc/>
    protected override AuthContext AuthContextCore => auth;

    /// <inheritdoc/>
    protected override IDictionary<object, object> UserStateCore => userState;

    /// <inheritdoc/>
    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        ResponseHeaders = ResponseHeaders is null ? responseHeaders : throw new InvalidOperationException(
            "Response headers can only be sent once per call.");
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("A call without a server has nothing to propagate.");
}
