namespace Grpc.Core;

/// <summary>The version of gRPC's API that this one is compatible with.</summary>
public static class VersionInfo
{
    /// <summary>The API's version.</summary>
    public const string CurrentVersion = "2.76.0";

    /// <summary>The assembly version that goes with it.</summary>
    public const string CurrentAssemblyVersion = "2.0.0.0";

    /// <summary>The file version that goes with it.</summary>
    public const string CurrentAssemblyFileVersion = "2.76.0.0";
}
