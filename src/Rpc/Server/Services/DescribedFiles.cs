using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Squall.Rpc;

/// The .proto files with their comments, as the build embeds them beside the code that is generated from them, which
/// has none.
internal static class DescribedFiles
{
    private const string Suffix = ".protoset";

    /// By name, from these assemblies.
    public static IReadOnlyDictionary<string, ByteString> Of(IEnumerable<Assembly> assemblies)
    {
        var files = new Dictionary<string, ByteString>(StringComparer.Ordinal);
        foreach (Assembly assembly in assemblies.Distinct())
        {
            foreach (string name in assembly.GetManifestResourceNames())
            {
                if (name.EndsWith(Suffix, StringComparison.Ordinal))
                {
                    using Stream resource = assembly.GetManifestResourceStream(name)!;
                    foreach (FileDescriptorProto file in FileDescriptorSet.Parser.ParseFrom(resource).File)
                    {
                        files[file.Name] = file.ToByteString();
                    }
                }
            }
        }

        return files;
    }
}
