using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// What a handler is told of its request's headers and peer, where it asks.
internal static class CallMetadata
{
    private const string CommonName = "x509_common_name";
    private const string AlternativeName = "x509_subject_alternative_name";

    public static Metadata Read(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        try
        {
            foreach ((string name, StringValues values) in headers)
            {
                foreach (string? value in values)
                {
                    HttpFields.Read(metadata, name, value ?? "");
                }
            }
        }
        catch (RpcException exception)
        {
            throw Refusal.Of(
                new Status(StatusCode.InvalidArgument, exception.Status.Detail), ErrorReasons.InvalidMetadata);
        }

        return metadata;
    }

    /// Both, one after the other.
    public static Metadata? Join(Metadata? first, Metadata? second)
    {
        if (first is not { Count: > 0 } || second is not { Count: > 0 })
        {
            return second is { Count: > 0 } ? second : first;
        }

        var all = new Metadata();
        foreach (Metadata.Entry entry in first.Concat(second))
        {
            all.Add(entry);
        }

        return all;
    }

    /// The status's details alone, which, being bytes, can always be carried.
    public static Metadata? DetailsOf(Metadata? trailers) =>
        trailers?.Get(StatusTrailers.Details) is { } entry ? [entry] : null;

    public static string Peer(ConnectionInfo connection) => connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6 } v6 =>
            $"ipv6:[{(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6)}]:{connection.RemotePort}",
        IPAddress v4 => $"ipv4:{v4}:{connection.RemotePort}",
    };

    /// What TLS knows of the caller, as gRPC names it: the certificate's DNS names, or else its common name.
    public static AuthContext Auth(HttpContext http)
    {
        var properties = new Dictionary<string, List<AuthProperty>>();
        if (http.Request.IsHttps)
        {
            Add("transport_security_type", ["ssl"]);
        }

        if (http.Connection.ClientCertificate is { } certificate)
        {
            Add(CommonName, [certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)]);
            Add(AlternativeName, certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(extension => extension.EnumerateDnsNames()));
        }

        return new AuthContext(
            properties.ContainsKey(AlternativeName) ? AlternativeName
            : properties.ContainsKey(CommonName) ? CommonName : null,
            properties);

        void Add(string name, IEnumerable<string> values)
        {
            List<AuthProperty> found = [.. values.Where(value => value.Length > 0)
                .Select(value => AuthProperty.Create(name, Encoding.UTF8.GetBytes(value)))];
            if (found.Count > 0)
            {
                properties[name] = found;
            }
        }
    }
}
