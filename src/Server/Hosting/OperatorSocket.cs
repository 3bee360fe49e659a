using System.Net.Sockets;
using System.Text.Json;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Takes an operator's orders while the server runs, since it is the database's only writer: at a Unix socket in the
/// data directory that only its owner may open. A connection is one order and its answer, each a line of JSON.
/// </summary>
internal sealed partial class OperatorSocket(
    StateDirectory directory, OperatorCommands commands, TimeProvider time, ILogger<OperatorSocket> log)
    : BackgroundService
{
    /// <summary>An order, or an answer, in bytes.</summary>
    private const int LineBytesMax = 1 << 20;
    private const int WaitingMax = 128;

    /// <summary>What lacks a part is no order.</summary>
    private static readonly JsonSerializerOptions Whole = new()
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static readonly TimeSpan OrderTimeMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static string PathIn(string directory) => Path.Combine(directory, "squall.sock");

    /// <summary>Has the running server do it.</summary>
    /// <returns>Null: no server takes orders there.</returns>
    public static async Task<OperatorAnswer?> AskAsync(
        string path, OperatorOrder order, CancellationToken cancelled)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await ConnectAsync(socket, path, cancelled);
            await using var stream = new NetworkStream(socket);
            await WriteAsync(stream, order, cancelled);
            return await ReadAsync<OperatorAnswer>(stream, cancelled);
        }
        catch (Exception gone) when (gone is SocketException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string path = PathIn(directory.FullPath);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The lock is ours: one that lies here is a killed server's.
            File.Delete(path);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, StateDirectory.OwnerOnly);
            }

            listener.Listen(WaitingMax);
        }
        catch (Exception failure) when (failure is SocketException or ArgumentOutOfRangeException
            or IOException or UnauthorizedAccessException)
        {
            // A path may be too long for a socket. The server is of use without it.
            NotTaken(path, failure.Message);
            return;
        }

        try
        {
            while (true)
            {
                await AcceptAsync(listener, stoppingToken);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task ConnectAsync(Socket socket, string path, CancellationToken cancelled)
    {
        while (true)
        {
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancelled);
                return;
            }
            catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
            {
                // There is a server, and as many wait for it as may.
                await Task.Delay(AgainAfter, TimeProvider.System, cancelled);
            }
        }
    }

    private async Task AcceptAsync(Socket listener, CancellationToken stopping)
    {
        try
        {
            using Socket connection = await listener.AcceptAsync(stopping);
            await ServeAsync(connection, stopping);
        }
        catch (SocketException)
        {
            // There may be no more sockets just now; whoever asks waits meanwhile.
            await Task.Delay(Pause, time, stopping);
        }
    }

    private async Task ServeAsync(Socket connection, CancellationToken stopping)
    {
        using var late = new CancellationTokenSource(OrderTimeMax, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            await using var stream = new NetworkStream(connection);
            OperatorOrder order = await ReadAsync<OperatorOrder>(stream, both.Token);
            OperatorAnswer answer = await AnswerAsync(order, both.Token);
            Log(order, answer);
            await WriteAsync(stream, answer, both.Token);
        }
        catch (Exception gone) when (gone is IOException or JsonException or OperationCanceledException)
        {
            // Whoever asked has gone, or asked for nothing: the next one is waited for.
            stopping.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Once, however many pages a list has.</summary>
    private void Log(OperatorOrder order, OperatorAnswer answer)
    {
        if (order.Audit is null)
        {
            Ordered(order.Verb, order.Username, answer.Refusal ?? "done");
        }
        else if (order.Audit.After.Length == 0)
        {
            AuditListed(answer.Refusal ?? "done");
        }
    }

    private async Task<OperatorAnswer> AnswerAsync(OperatorOrder order, CancellationToken cancelled)
    {
        try
        {
            return await commands.RunAsync(order, cancelled);
        }
        catch (RpcException refused)
        {
            return OperatorAnswer.Refused(refused.Status.Detail);
        }
        catch (ArgumentException unknown)
        {
            return OperatorAnswer.Refused(unknown.Message);
        }
    }

    private static Task WriteAsync<T>(Stream stream, T message, CancellationToken cancelled) =>
        stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(message), (byte)'\n'], cancelled).AsTask();

    private static async Task<T> ReadAsync<T>(Stream stream, CancellationToken cancelled)
    {
        byte[] line = new byte[LineBytesMax];
        int length = 0;
        while (length == 0 || line[length - 1] != '\n')
        {
            int read = await stream.ReadAsync(line.AsMemory(length), cancelled);
            length += read > 0 ? read : throw new IOException("It ended amid a line, or the line is too long.");
        }

        return JsonSerializer.Deserialize<T>(line.AsSpan(0, length), Whole) ?? throw new JsonException("It is null.");
    }

    [LoggerMessage(4, LogLevel.Information, "An operator's order: account {Verb} {Username}: {Outcome}")]
    private partial void Ordered(string verb, string username, string outcome);

    [LoggerMessage(8, LogLevel.Information, "An operator's order: audit list: {Outcome}")]
    private partial void AuditListed(string outcome);

    [LoggerMessage(5, LogLevel.Warning, "Operators' commands work only while the server does not run: {Path} cannot be "
        + "listened at: {Cause}")]
    private partial void NotTaken(string path, string cause);
}
