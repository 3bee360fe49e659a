using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Squall.Server;

/// <summary>Fills a page's answer up to what it may hold.</summary>
internal static class PageFill
{
    // A field's tag and length before each message of the page.
    private const int FramingBytesMax = 6;

    /// <summary>
    /// Takes rows until the page has <paramref name="size"/> or would pass <paramref name="bytesMax"/>, but always
    /// one. Gives the token of the next page; empty: there are no more rows.
    /// </summary>
    public static string Take<TRow, TMessage>(
        IEnumerable<TRow> rows, int size, int bytesMax, Func<TRow, TMessage> toProto,
        RepeatedField<TMessage> page, Func<TRow, string> tokenAfter)
        where TMessage : IMessage
    {
        long bytes = 0;
        TRow? last = default;
        foreach (TRow row in rows)
        {
            TMessage message = toProto(row);
            bytes += message.CalculateSize() + FramingBytesMax;
            if (page.Count == size || (page.Count > 0 && bytes > bytesMax))
            {
                return tokenAfter(last!);
            }

            page.Add(message);
            last = row;
        }

        return "";
    }
}
