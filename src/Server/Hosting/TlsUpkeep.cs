namespace Squall.Server;

/// <summary>
/// Looks once a minute whether the certificate is to be another, so that nobody has to restart for it.
/// </summary>
internal sealed partial class TlsUpkeep(TlsCertificate certificate, TimeProvider time, ILogger<TlsUpkeep> log)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private string _told = "";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    /// <summary>Files may be amid being replaced: what is wrong with them is told once, and looked at again.</summary>
    private void Look()
    {
        try
        {
            if (certificate.Refresh())
            {
                Taken(certificate.Context.TargetCertificate.NotAfter);
            }

            _told = "";
        }
        catch (Exception failure) when (failure is StartRefusedException or IOException or UnauthorizedAccessException)
        {
            if (_told != failure.Message)
            {
                _told = failure.Message;
                NotTaken(failure.Message);
            }
        }
    }

    [LoggerMessage(6, LogLevel.Information, "Another certificate is used from now on; it expires {Expiry:O}.")]
    private partial void Taken(DateTime expiry);

    [LoggerMessage(7, LogLevel.Warning, "The certificate from before is used on: {Cause}")]
    private partial void NotTaken(string cause);
}
