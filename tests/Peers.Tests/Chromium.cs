using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Squall.Peers.Tests;

/// <summary>A browser that is shown the page of checks, which tells its own server what came of them.</summary>
public sealed class Chromium(RunningServer closed) : Peer
{
    private static readonly TimeSpan Net = TimeSpan.FromMinutes(2);

    // A fresh profile has much to do with servers that are of no interest here.
    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    ];

    protected override async Task<Command> RunAsync()
    {
        await using var page = await PageServer.StartAsync(await BundleAsync());
        var open = new RunningServer("--cors-origins", page.Origin);
        try
        {
            await open.InitializeAsync();
            return await ShowAsync(page, open);
        }
        finally
        {
            await open.DisposeAsync();
        }
    }

    /// <summary>The page's script in one file, with types that are generated here and kept nowhere.</summary>
    private async Task<string> BundleAsync()
    {
        var types = Path.Combine(Scratch, "types");
        await Command.OutputAsync(
            Repository.Root, Repository.Buf, "generate", "--template", "tests/Peers/connect/buf.gen.yaml",
            "--output", types);
        var script = Path.Combine(Scratch, "page.js");
        await Command.OutputAsync(
            Repository.Root, "env", $"NODE_PATH={types}:{Repository.NodeModules}",
            Path.Combine(Repository.NodeModules, ".bin/esbuild"), "tests/Peers/connect/page.mjs", "--bundle",
            "--format=esm", "--log-level=warning", $"--outfile={script}");
        return await File.ReadAllTextAsync(script);
    }

    private async Task<Command> ShowAsync(PageServer page, RunningServer open)
    {
        // Of what nobody vouches for, it is to take this certificate alone.
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(open.Certificate);
        var key = Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var servers = $"open={Bare(open.Address)}&secure={Bare(open.SecureAddress)}&closed={Bare(closed.Address)}";
        using var browser = Command.Start(Repository.Root, "chromium", [
            .. Flags, $"--user-data-dir={Path.Combine(Scratch, "profile")}",
            $"--ignore-certificate-errors-spki-list={key}", $"{page.Origin}/?{servers}"]);
        _ = browser.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        var errors = browser.StandardError.ReadToEndAsync();
        try
        {
            var ended = browser.WaitForExitAsync();
            if (await Task.WhenAny(page.Lines, ended).WaitAsync(Net) == ended)
            {
                return new Command(browser.ExitCode, "", await errors);
            }
        }
        catch (TimeoutException)
        {
            // What it says of the page tells why nothing came.
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
        }

        return new Command(0, page.Lines.IsCompleted ? await page.Lines : "", await errors);
    }
}
