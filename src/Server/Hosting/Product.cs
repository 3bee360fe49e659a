using System.Reflection;

namespace Squall.Server;

/// <summary>What this program is.</summary>
internal static class Product
{
    public const string Name = "Squall";

    /// <summary>As semantic versioning writes it, without what names a build.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
