using Google.Protobuf.Reflection;
using Squall.V1;

namespace Squall.Server.Tests;

public sealed class ContractDescribedTests
{
    [Fact]
    public void Rpcs_and_fields_are_served_with_their_comments()
    {
        using Stream resource = typeof(GreeterService).Assembly
            .GetManifestResourceStream("Squall.Contracts.protoset")!;
        FileDescriptorProto file = FileDescriptorSet.Parser.ParseFrom(resource).File
            .Single(file => file.Name == GreeterReflection.Descriptor.Name);
        foreach (int[] path in (int[][])[[6, 0], [6, 0, 2, 0], [4, 0, 2, 0]])
        {
            Assert.Contains(
                file.SourceCodeInfo.Location,
                location => location.Path.SequenceEqual(path) && location.LeadingComments.Length > 0);
        }
    }
}
