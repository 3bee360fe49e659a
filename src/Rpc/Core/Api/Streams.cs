using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>Reads the messages of the other side, one after the other.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that was read last; null before the first and after the last.</summary>
    T Current { get; }

    /// <summary>Reads the next message; false when there are no more.</summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Writes messages to the other side.</summary>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>Flags for the messages that follow.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Writes a message; done when the transport has taken it.</summary>
    Task WriteAsync(T message);

    /// <summary>Writes a message unless cancelled before.</summary>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            throw new NotSupportedException("This writer cannot cancel a write.");
        }

        return WriteAsync(message);
    }
}

/// <summary>Writes a call's responses.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}

/// <summary>Writes a call's requests.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Says that there are no more requests.</summary>
    Task CompleteAsync();
}

/// <summary>Reads streams as the language's own loops do.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>Reads the next message; false when there are no more.</summary>
    public static Task<bool> MoveNext<T>(this IAsyncStreamReader<T> streamReader)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return streamReader.MoveNext(CancellationToken.None);
    }

    /// <summary>The messages that are still to come, for <c>await foreach</c>.</summary>
    public static IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return ReadAllCore(streamReader, cancellationToken);
    }

    private static async IAsyncEnumerable<T> ReadAllCore<T>(
        IAsyncStreamReader<T> streamReader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await streamReader.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            yield return streamReader.Current;
        }
    }
}
