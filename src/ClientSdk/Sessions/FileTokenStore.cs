using System.Text.Json;

namespace Squall.Client;

/// <summary>
/// Keeps a session in a file that only its user can read, in a folder that is made if it is not there. Processes may
/// share it; beside it lies an empty file with the ending .lock.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="time">The clock by which others are waited for; null: the machine's.</param>
public sealed class FileTokenStore(string path, TimeProvider? time = null) : ITokenStore
{
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    // A renewal takes less. Whoever holds it longer was stopped, and nobody knows for how long.
    private static readonly TimeSpan LockTimeMax = TimeSpan.FromSeconds(10);

    private readonly TimeProvider time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public async ValueTask<SessionTokens?> LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(
                await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false));
            var root = document.RootElement;
            return new SessionTokens(
                root.GetProperty("access_token").GetString() ?? throw new FormatException(),
                root.GetProperty("access_expire_time").GetDateTimeOffset(),
                root.GetProperty("refresh_token").GetString() ?? throw new FormatException(),
                root.GetProperty("refresh_expire_time").GetDateTimeOffset());
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            // Without the cause, which may quote what is in the file.
            throw new InvalidDataException($"{path} holds no session: delete it, and log in.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask SaveAsync(SessionTokens? tokens, CancellationToken cancellationToken)
    {
        MakeFolder();
        if (tokens is null)
        {
            File.Delete(path);
            return;
        }

        var next = path + ".next";
        // What a crash has left may be readable by others; a file that is made anew is not.
        File.Delete(next);
        await using (var file = new FileStream(next, Private(FileMode.CreateNew)))
        {
            await using var json = new Utf8JsonWriter(file);
            json.WriteStartObject();
            json.WriteString("access_token", tokens.AccessToken);
            json.WriteString("access_expire_time", tokens.AccessExpireTime);
            json.WriteString("refresh_token", tokens.RefreshToken);
            json.WriteString("refresh_expire_time", tokens.RefreshExpireTime);
            json.WriteEndObject();
            await json.FlushAsync(cancellationToken).ConfigureAwait(false);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }

    /// <inheritdoc/>
    public async ValueTask<IAsyncDisposable?> LockAsync(CancellationToken cancellationToken)
    {
        MakeFolder();
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path + ".lock", Private(FileMode.OpenOrCreate));
            }
            catch (IOException) when (time.GetElapsedTime(started) < LockTimeMax)
            {
                await Task.Delay(LockPause, time, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    private static FileStreamOptions Private(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    private void MakeFolder()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
