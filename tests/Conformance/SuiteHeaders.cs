using Grpc.Core;

namespace Squall.Conformance;

/// Metadata as the suite has it: values under one name together, those of -bin names in base64.
internal static class SuiteHeaders
{
    public static IEnumerable<Header> ToHeaders(this Metadata metadata) =>
        metadata.GroupBy(entry => entry.Key).Select(name => new Header
        {
            Name = name.Key,
            Value =
            {
                name.Select(entry =>
                    entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value),
            },
        });

    public static void Add(this Metadata metadata, IEnumerable<Header> headers)
    {
        foreach (Header header in headers)
        {
            foreach (string value in header.Value)
            {
                metadata.Add(header.Name.EndsWith("-bin", StringComparison.OrdinalIgnoreCase)
                    ? new Metadata.Entry(header.Name, Convert.FromBase64String(
                        value.PadRight((value.Length + 3) / 4 * 4, '=')))
                    : new Metadata.Entry(header.Name, value));
            }
        }
    }
}
