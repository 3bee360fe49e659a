using System.Security.Cryptography.X509Certificates;

namespace Squall.Server.Tests;

public sealed class HostingCertificateTests : HostingPlace
{
    private readonly DateTimeOffset _now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_is_kept_until_it_is_about_to_expire_and_then_made_anew_with_the_same_key()
    {
        using StateDirectory directory = StateDirectory.Open(Stored);
        using X509Certificate2 first = Certificate.LoadOrMake(directory, _now);
        using X509Certificate2 later = Certificate.LoadOrMake(directory, _now.AddDays(300));
        using X509Certificate2 renewed = Certificate.LoadOrMake(directory, _now.AddDays(340));

        Assert.Equal(first.Thumbprint, later.Thumbprint);
        Assert.NotEqual(first.Thumbprint, renewed.Thumbprint);
        Assert.Equal(first.PublicKey.EncodedKeyValue.RawData, renewed.PublicKey.EncodedKeyValue.RawData);
        Assert.InRange(
            renewed.NotAfter.ToUniversalTime(), _now.AddDays(700).UtcDateTime, _now.AddDays(710).UtcDateTime);
        Assert.True(renewed.HasPrivateKey);
        Assert.Equal(
            ["certificate.key", "certificate.pem", "squall.db", "squall.lock"],
            Directory.GetFiles(Stored).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_directory_has_one_holder_also_within_a_process()
    {
        using StateDirectory directory = StateDirectory.Open(Stored);
        Assert.Contains(
            "in use", Assert.Throws<StartRefusedException>(() => StateDirectory.Open(Stored)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_refused_start_made_is_taken_back_and_what_was_there_stays()
    {
        Directory.CreateDirectory(Stored);
        File.WriteAllText(Path.Combine(Stored, "notes"), "mine");
        using (StateDirectory directory = StateDirectory.Open(Stored))
        {
            Certificate.LoadOrMake(directory, _now).Dispose();
            directory.Forget();
        }

        Assert.Equal([Path.Combine(Stored, "notes")], Directory.GetFileSystemEntries(Stored));
    }
}
