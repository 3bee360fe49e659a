using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using Grpc.Core.Interceptors;
using Grpc.Net.Compression;
using Microsoft.Extensions.DependencyInjection;
using Squall.Rpc;

namespace Grpc.AspNetCore.Server;

/// <summary>What holds for the calls of all services, or of one.</summary>
public class GrpcServiceOptions
{
    internal const int ReceiveBytesDefault = 4 * 1024 * 1024;
    private int? maxReceiveMessageSize = ReceiveBytesDefault;
    private int? maxSendMessageSize;

    /// <summary>The largest request message in bytes, after inflating; null: no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize
    {
        get => maxReceiveMessageSize;
        set => (maxReceiveMessageSize, MaxReceiveMessageSizeSpecified) = (value, true);
    }

    /// <summary>The largest response message in bytes; null, as it is unless set: no limit.</summary>
    public int? MaxSendMessageSize
    {
        get => maxSendMessageSize;
        set => (maxSendMessageSize, MaxSendMessageSizeSpecified) = (value, true);
    }

    /// <summary>Whether callers are told the messages of unexpected exceptions; not for production.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>
    /// What answers are compressed with for callers that take it, as <c>gzip</c>; null, as it is unless set: not at
    /// all. Not for answers that hold secrets beside text that others choose: their length tells of the secret.
    /// </summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>How hard to compress; null: as the provider likes.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>The encodings that requests and answers may have; gzip unless set.</summary>
    public IList<ICompressionProvider> CompressionProviders { get; set; } = [Gzip.Provider];

    /// <summary>What stands around each call, the first outermost.</summary>
    public InterceptorCollection Interceptors { get; } = [];

    /// <summary>Whether <see cref="MaxReceiveMessageSize"/> was set, if only to null.</summary>
    public bool MaxReceiveMessageSizeSpecified { get; set; }

    /// <summary>Whether <see cref="MaxSendMessageSize"/> was set, if only to null.</summary>
    public bool MaxSendMessageSizeSpecified { get; set; }

    /// <summary>
    /// Whether calls of what is not there, a method of the service or, for all, a service, are left to whatever else
    /// the application serves, instead of being told UNIMPLEMENTED.
    /// </summary>
    public bool? IgnoreUnknownServices { get; set; }

    /// <summary>
    /// Whether methods are called without an instance, for those that a provider has added and that need none.
    /// </summary>
    public bool SuppressCreatingService { get; set; }
}

/// <summary>What holds for the calls of one service, over what holds for all.</summary>
public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class
{
}

/// <summary>Configures the services that are mapped.</summary>
public interface IGrpcServerBuilder
{
    /// <summary>The services it configures.</summary>
    IServiceCollection Services { get; }
}

/// <summary>Interceptors in the order in which calls pass them.</summary>
public class InterceptorCollection : Collection<InterceptorRegistration>
{
    private const DynamicallyAccessedMemberTypes Constructors = DynamicallyAccessedMemberTypes.PublicConstructors;

    /// <summary>Adds an interceptor: the registered one, or else one made for each call with these arguments.</summary>
    public void Add<[DynamicallyAccessedMembers(Constructors)] TInterceptor>(params object[] args)
        where TInterceptor : Interceptor =>
        Add(new InterceptorRegistration(typeof(TInterceptor), args));

    /// <summary>Adds an interceptor by its type.</summary>
    public void Add([DynamicallyAccessedMembers(Constructors)] Type interceptorType, params object[] args)
    {
        ArgumentNullException.ThrowIfNull(interceptorType);
        if (!interceptorType.IsSubclassOf(typeof(Interceptor)))
        {
            throw new ArgumentException($"{interceptorType} is not an Interceptor.", nameof(interceptorType));
        }

        Add(new InterceptorRegistration(interceptorType, args));
    }
}

/// <summary>An interceptor's type, and the arguments of its constructor that are not services.</summary>
public class InterceptorRegistration
{
    internal InterceptorRegistration(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type, object[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        Type = type;
        Arguments = args;
    }

    /// <summary>The type.</summary>
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)]
    public Type Type { get; }

    /// <summary>The arguments.</summary>
    public IReadOnlyList<object> Arguments { get; }
}
