using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// What a channel's calls speak over HTTP: how a request is put and how its response is to be read.
internal abstract class CallProtocol
{
    /// As telemetry names it.
    public abstract string Name { get; }

    /// The version of HTTP for a method, where the channel's options name none.
    public virtual Version DefaultVersion(Uri address, IMethod method) => System.Net.HttpVersion.Version20;

    /// What may be used in its place.
    public virtual HttpVersionPolicy DefaultPolicy(Uri address) => HttpVersionPolicy.RequestVersionExact;

    /// Messages below this size are not worth compressing.
    public virtual int CompressBytesMin(IMethod method) => 1024;

    public abstract HttpRequestMessage CreateRequest(CallRequest call, int previousAttempts);

    /// The response; its headers are read by BeginAsync.
    public abstract CallResponse CreateResponse(CallRequest call, HttpResponseMessage http, Stream body);

    /// Adds the caller's metadata, and who we are.
    protected static void AddMetadata(HttpRequestMessage request, CallRequest call)
    {
        string userAgent = ChannelTransport.UserAgent;
        foreach (Metadata.Entry entry in call.Metadata)
        {
            if (entry.Key == "user-agent")
            {
                userAgent = $"{entry.Value} {userAgent}";
            }
            else if (HttpFields.IsMetadata(entry.Key))
            {
                Add(request, entry.Key, HttpFields.Write(entry));
            }
        }

        Add(request, "user-agent", userAgent);
    }

    // Some names belong to the body in .NET's eyes, and are refused elsewhere.
    protected static void Add(HttpRequestMessage request, string name, string value)
    {
        if (!request.Headers.TryAddWithoutValidation(name, value))
        {
            request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
    }
}
