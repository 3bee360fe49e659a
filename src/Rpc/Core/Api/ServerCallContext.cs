namespace Grpc.Core;

/// <summary>What a handler knows of the call that it serves.</summary>
public abstract class ServerCallContext
{
    private Dictionary<object, object>? userState;

    /// <summary>The method's canonical path, <c>/package.Service/Method</c>.</summary>
    public string Method => MethodCore;

    /// <summary>The name that the caller knows this server by.</summary>
    public string Host => HostCore;

    /// <summary>The caller's address.</summary>
    public string Peer => PeerCore;

    /// <summary>When the call has to be over, in UTC; <see cref="DateTime.MaxValue"/>: never.</summary>
    public DateTime Deadline => DeadlineCore;

    /// <summary>The request's metadata.</summary>
    public Metadata RequestHeaders => RequestHeadersCore;

    /// <summary>Fires when the call is cancelled, or its time is over.</summary>
    public CancellationToken CancellationToken => CancellationTokenCore;

    /// <summary>Metadata that is sent with the status.</summary>
    public Metadata ResponseTrailers => ResponseTrailersCore;

    /// <summary>The status that the call ends with if its handler does not throw.</summary>
    public Status Status
    {
        get => StatusCore;
        set => StatusCore = value;
    }

    /// <summary>Flags for the messages that follow.</summary>
    public WriteOptions? WriteOptions
    {
        get => WriteOptionsCore;
        set => WriteOptionsCore = value;
    }

    /// <summary>What the transport knows of who calls.</summary>
    public AuthContext AuthContext => AuthContextCore;

    /// <summary>What interceptors and handlers tell each other.</summary>
    public IDictionary<object, object> UserState => UserStateCore;

    /// <summary>The method's path, for a context to give.</summary>
    protected abstract string MethodCore { get; }

    /// <summary>The host, for a context to give.</summary>
    protected abstract string HostCore { get; }

    /// <summary>The peer, for a context to give.</summary>
    protected abstract string PeerCore { get; }

    /// <summary>The deadline, for a context to give.</summary>
    protected abstract DateTime DeadlineCore { get; }

    /// <summary>The request's metadata, for a context to give.</summary>
    protected abstract Metadata RequestHeadersCore { get; }

    /// <summary>The token, for a context to give.</summary>
    protected abstract CancellationToken CancellationTokenCore { get; }

    /// <summary>The trailers, for a context to give.</summary>
    protected abstract Metadata ResponseTrailersCore { get; }

    /// <summary>The status, for a context to keep.</summary>
    protected abstract Status StatusCore { get; set; }

    /// <summary>The write options, for a context to keep.</summary>
    protected abstract WriteOptions? WriteOptionsCore { get; set; }

    /// <summary>The authentication, for a context to give.</summary>
    protected abstract AuthContext AuthContextCore { get; }

    /// <summary>The user state; a dictionary that is made when first asked for.</summary>
    protected virtual IDictionary<object, object> UserStateCore => userState ??= [];

    /// <summary>Sends the response's headers now, ahead of any message; at most once.</summary>
    public Task WriteResponseHeadersAsync(Metadata responseHeaders) => WriteResponseHeadersAsyncCore(responseHeaders);

    /// <summary>What calls that this handler makes inherit.</summary>
    public ContextPropagationToken CreatePropagationToken(ContextPropagationOptions? options = null) =>
        CreatePropagationTokenCore(options);

    /// <summary>Sends the headers, for a context to do.</summary>
    protected abstract Task WriteResponseHeadersAsyncCore(Metadata responseHeaders);

    /// <summary>Makes the token, for a context to do.</summary>
    protected abstract ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options);
}

/// <summary>What the transport knows of the other side.</summary>
public class AuthContext(string? peerIdentityPropertyName, Dictionary<string, List<AuthProperty>> properties)
{
    /// <summary>Whether the other side proved who it is.</summary>
    public bool IsPeerAuthenticated => PeerIdentityPropertyName is not null;

    /// <summary>Which property says who it is; null: none does.</summary>
    public string? PeerIdentityPropertyName { get; } = peerIdentityPropertyName;

    /// <summary>Who it is.</summary>
    public IEnumerable<AuthProperty> PeerIdentity =>
        PeerIdentityPropertyName is null ? [] : FindPropertiesByName(PeerIdentityPropertyName);

    /// <summary>All properties.</summary>
    public IEnumerable<AuthProperty> Properties => properties.Values.SelectMany(list => list);

    /// <summary>The properties of a name.</summary>
    public IEnumerable<AuthProperty> FindPropertiesByName(string propertyName) =>
        properties.TryGetValue(propertyName, out var found) ? found : [];
}

/// <summary>One thing that the transport knows of the other side.</summary>
public class AuthProperty
{
    private readonly byte[] value;

    private AuthProperty(string name, byte[] value)
    {
        Name = name;
        this.value = value;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its value as UTF-8 text.</summary>
    public string Value => System.Text.Encoding.UTF8.GetString(value);

    /// <summary>A copy of its value.</summary>
    public byte[] ValueBytes => value.AsSpan().ToArray();

    /// <summary>Makes a property.</summary>
    public static AuthProperty Create(string name, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        return new AuthProperty(name, value.AsSpan().ToArray());
    }
}
