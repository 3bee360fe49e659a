using Squall.Client;

namespace Squall.Cli;

/// <summary>Where a server's session is kept: a file for each server, in the user's own configuration.</summary>
internal sealed class SessionFile(Uri server)
{
    /// <summary>Below XDG_CONFIG_HOME or ~/.config; on Windows below %APPDATA%.</summary>
    public string Path { get; } = System.IO.Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "squall", "sessions", $"{Name(server)}.json");

    /// <summary>The tokens in it. The SDK makes it, and its folder, for their owner alone.</summary>
    public ITokenStore Store => new FileTokenStore(Path);

    public bool Exists => File.Exists(Path);

    /// <summary>Such as http_localhost_7080; a colon, as of an IPv6 address, is no part of a file's name.</summary>
    private static string Name(Uri server) =>
        $"{server.Scheme}_{server.DnsSafeHost.Replace(':', '-').Replace('%', '-')}_{server.Port}";
}
