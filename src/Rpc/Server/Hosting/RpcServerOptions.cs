namespace Squall.Rpc;

/// <summary>What this runtime bounds and offers beyond what grpc-dotnet's own options know.</summary>
public sealed class RpcServerOptions
{
    /// <summary>
    /// How long a unary call may take whose caller sets no deadline, from when its handler first waits or looks at its
    /// deadline; null: as long as it likes.
    /// </summary>
    public TimeSpan? UnaryDeadlineDefault { get; set; }

    /// <summary>When a client may come back that was sent away because the server stops.</summary>
    public TimeSpan DrainRetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a request may take to arrive that is one message, and any message of a stream once it has begun; null:
    /// as long as it likes. 30 s unless set.
    /// </summary>
    public TimeSpan? RequestReadTimeMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a caller may not read what is written to it before its call is cut; null: as long as it likes. 30 s
    /// unless set.
    /// </summary>
    public TimeSpan? StalledWriteMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many writes of one call may wait for those before them, which its caller does not read; the next is refused
    /// with RESOURCE_EXHAUSTED. 1,000 unless set.
    /// </summary>
    public int WaitingWritesMax { get; set; } = 1_000;

    /// <summary>How long a clear-text connection may take to tell which HTTP it speaks. 10 s unless set.</summary>
    public TimeSpan ConnectionStartTimeMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After which age, give or take a tenth, a connection is told to end once its calls have; null, as it is unless
    /// set: it is not.
    /// </summary>
    public TimeSpan? ConnectionAgeMax { get; set; }

    /// <summary>How long its calls may take after that before it is cut; null: as long as they like.</summary>
    public TimeSpan? ConnectionAgeGrace { get; set; }

    /// <summary>
    /// The domain of the google.rpc.ErrorInfo, with one of <see cref="ErrorReasons"/>, by which the runtime tells why
    /// it ends a call with a status other than OK; null, as it is unless set: there is none. What a service throws is
    /// told as it is.
    /// </summary>
    public string? ErrorDomain { get; set; }

    /// <summary>
    /// Whether calls go straight to their methods, past the application's middleware, which costs each of them a
    /// little. Methods with metadata for authorisation or CORS do not. A request then tells of its call, by
    /// <see cref="Grpc.AspNetCore.Server.IServerCallContextFeature"/>, once the handler has asked for its HttpContext,
    /// or from the start if an IHttpContextAccessor is registered. False unless set.
    /// </summary>
    public bool SkipsMiddleware { get; set; }

    /// <summary>From how many bytes on a message is compressed, if that is on: a small one only grows.</summary>
    public int CompressionBytesMin { get; set; } = 1024;

    /// <summary>
    /// The origins, as <c>https://app.example</c>, whose pages may call from a browser; <c>*</c> is any. None unless
    /// set.
    /// </summary>
    public IList<string> CorsOrigins { get; } = [];
}
