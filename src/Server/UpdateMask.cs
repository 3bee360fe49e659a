using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Squall.Server;

/// <summary>Which fields an update changes.</summary>
internal static class UpdateMask
{
    private const string Field = "update_mask";

    /// <summary>The paths of a mask, each of which is one of <paramref name="known"/>.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: it is empty, or names a path twice or an unknown one.
    /// </exception>
    public static IReadOnlyCollection<string> Require(FieldMask? mask, params ReadOnlySpan<string> known)
    {
        if (mask is null || mask.Paths.Count == 0)
        {
            throw Fault.Required(Field);
        }

        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (string path in mask.Paths)
        {
            if (!known.Contains(path))
            {
                throw Fault.Field(Field, "PATH_UNKNOWN", $"\"{Fault.Shown(path)}\" is no field that can be changed");
            }

            if (!paths.Add(path))
            {
                throw Fault.Field(Field, "PATH_DOUBLED", $"\"{Fault.Shown(path)}\" is named twice");
            }
        }

        return paths;
    }

    /// <summary>A version that an update expects, 0 for any.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: negative.</exception>
    public static void CheckVersion(long expected)
    {
        if (expected < 0)
        {
            throw Fault.Field("expected_version", "VERSION_NEGATIVE", "must not be negative");
        }
    }

    /// <exception cref="RpcException">ABORTED, with the current version.</exception>
    public static void RequireVersion(long expected, long current)
    {
        if (expected != 0 && expected != current)
        {
            throw Fault.VersionMismatch(current);
        }
    }
}
