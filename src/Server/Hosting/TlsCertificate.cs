using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Squall.Server;

/// <summary>
/// What the server proves itself with over TLS: its own certificate, made anew before it expires, or the options', read
/// again when its files change. Each handshake takes the newest.
/// </summary>
internal sealed class TlsCertificate
{
    private readonly ServerOptions _options;
    private readonly StateDirectory _directory;
    private readonly TimeProvider _time;
    private byte[] _read = [];

    /// <exception cref="StartRefusedException">There is none that is to be used.</exception>
    public TlsCertificate(ServerOptions options, StateDirectory directory, TimeProvider time)
    {
        (_options, _directory, _time) = (options, directory, time);
        if (options.CertificatePath is null != options.CertificateKeyPath is null)
        {
            throw new StartRefusedException("--certificate and --certificate-key are given together or not at all");
        }

        Context = Load() ?? throw new InvalidOperationException("The first is always another.");
    }

    public SslStreamCertificateContext Context { get; private set; }

    /// <summary>Looks whether there is another one.</summary>
    /// <exception cref="StartRefusedException">What lies there is not to be used; the one before goes on.</exception>
    public bool Refresh()
    {
        SslStreamCertificateContext? next = Load();
        Context = next ?? Context;
        return next is not null;
    }

    /// <summary>Null: it is as it was.</summary>
    private SslStreamCertificateContext? Load()
    {
        if (_options is not { CertificatePath: { } path, CertificateKeyPath: { } keyPath })
        {
            X509Certificate2 own = Certificate.LoadOrMake(_directory, _time.GetUtcNow());
            return IsNew(own.RawData) ? SslStreamCertificateContext.Create(own, null, offline: true) : null;
        }

        try
        {
            (string text, string keyText) = (File.ReadAllText(path), File.ReadAllText(keyPath));
            using X509Certificate2 pair = X509Certificate2.CreateFromPem(text, keyText);
            if (!IsNew(SHA256.HashData(Encoding.UTF8.GetBytes(text + keyText))))
            {
                return null;
            }

            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(text);
            return SslStreamCertificateContext.Create(
                X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null), chain, offline: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException
            or CryptographicException or ArgumentException)
        {
            throw new StartRefusedException(
                $"the certificate {path} with the key {keyPath} is not to be used: {failure.Message}", failure);
        }
    }

    private bool IsNew(byte[] read)
    {
        bool isNew = !_read.AsSpan().SequenceEqual(read);
        _read = read;
        return isNew;
    }
}
