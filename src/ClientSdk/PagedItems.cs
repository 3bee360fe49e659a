using System.Runtime.CompilerServices;

namespace Squall.Client;

/// <summary>Some of a sequence, and where the next page begins.</summary>
/// <param name="Items">The items, in order; there may be none though a page follows.</param>
/// <param name="NextPageToken">Opaque; empty after the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string NextPageToken);

/// <summary>A sequence that is asked for a page at a time, as it is enumerated.</summary>
public sealed class PagedItems<T>(Func<string, CancellationToken, Task<Page<T>>> read) : IAsyncEnumerable<T>
{
    /// <summary>The pages as the server gives them, from the first or from a page token on.</summary>
    public async IAsyncEnumerable<Page<T>> AsPages(
        string pageToken = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        do
        {
            var page = await read(pageToken, cancellationToken).ConfigureAwait(false);
            yield return page;
            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
    }

    /// <summary>The items of all pages.</summary>
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var page in AsPages("", cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in page.Items)
            {
                yield return item;
            }
        }
    }
}

/// <summary>Makes sequences of pages, for fakes.</summary>
public static class PagedItems
{
    /// <summary>Pages of items that are there already.</summary>
    public static PagedItems<T> Of<T>(IEnumerable<T> items, int pageSize = 50) => new((token, _) =>
    {
        var start = token.Length == 0 ? 0 : int.Parse(token);
        var page = items.Skip(start).Take(pageSize + 1).ToList();
        var next = page.Count > pageSize ? (start + pageSize).ToString() : "";
        return Task.FromResult(new Page<T>([.. page.Take(pageSize)], next));
    });
}
