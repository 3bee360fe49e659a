using Grpc.Core;

namespace Grpc.Net.Client;

/// What a channel's credentials ask of its address, and what its calls prove.
internal sealed class ChannelSecurity : ChannelCredentialsConfiguratorBase
{
    private readonly Uri address;
    private readonly bool mayProve;
    private readonly List<AsyncAuthInterceptor> channelProofs = [];

    public ChannelSecurity(Uri address, GrpcChannelOptions options)
    {
        this.address = address;
        mayProve = IsTls || address.IsLoopback || options.UnsafeUseInsecureChannelCallCredentials;
        options.Credentials?.InternalPopulateConfiguration(this, this);
    }

    private bool IsTls => address.Scheme == Uri.UriSchemeHttps;

    /// Adds to `metadata` what the channel's credentials and the call's own prove. In clear text they are sent only to
    /// this host, or where the options allow it: UNAUTHENTICATED otherwise.
    public async Task ProveAsync(
        CallCredentials? callCredentials, IMethod method, Metadata metadata, CancellationToken cancellationToken)
    {
        if (callCredentials is null && channelProofs.Count == 0)
        {
            return;
        }

        if (!mayProve)
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated,
                $"Credentials are not sent to {address.Host} in clear text: use https, " +
                "or set UnsafeUseInsecureChannelCallCredentials."));
        }

        var proofs = new ProofList([.. channelProofs]);
        callCredentials?.InternalPopulateConfiguration(proofs, proofs);
        string service = $"{address.Scheme}://{address.Authority}/{method.ServiceName}";
        var context = new AuthInterceptorContext(service, method.Name, cancellationToken);
        foreach (AsyncAuthInterceptor proof in proofs.Proofs)
        {
            await proof(context, metadata).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void SetInsecureCredentials(object state)
    {
        if (IsTls)
        {
            throw new InvalidOperationException($"Credentials without TLS do not fit the address {address}.");
        }
    }

    public override void SetSslCredentials(
        object state,
        string? rootCertificates,
        KeyCertificatePair? keyCertificatePair,
        VerifyPeerCallback? verifyPeerCallback)
    {
        if (!IsTls)
        {
            throw new InvalidOperationException($"Credentials of TLS do not fit the address {address}.");
        }

        if (rootCertificates is not null || keyCertificatePair is not null || verifyPeerCallback is not null)
        {
            throw new InvalidOperationException(
                "Certificates are set on GrpcChannelOptions.HttpHandler (SocketsHttpHandler.SslOptions).");
        }
    }

    public override void SetCompositeCredentials(
        object state, ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        channelCredentials.InternalPopulateConfiguration(this, state);
        var proofs = new ProofList(channelProofs);
        callCredentials.InternalPopulateConfiguration(proofs, proofs);
    }

    /// Lays credentials that are made of others out in a row.
    private sealed class ProofList(List<AsyncAuthInterceptor> proofs) : CallCredentialsConfiguratorBase
    {
        public List<AsyncAuthInterceptor> Proofs => proofs;

        public override void SetCompositeCredentials(object state, IReadOnlyList<CallCredentials> credentials)
        {
            foreach (CallCredentials part in credentials)
            {
                part.InternalPopulateConfiguration(this, state);
            }
        }

        public override void SetAsyncAuthInterceptorCredentials(object state, AsyncAuthInterceptor interceptor) =>
            proofs.Add(interceptor);
    }
}
