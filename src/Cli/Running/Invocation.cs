using System.CommandLine;
using System.Net;
using Squall.Client;

namespace Squall.Cli;

/// <summary>One run of a command: what it was given, its server, and where its output goes.</summary>
internal sealed class Invocation : IAsyncDisposable
{
    public const string DefaultServer = "http://localhost:7080";

    /// <summary>As long as the server itself takes at most: whoever has less has Ctrl-C.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ParseResult given;

    private Invocation(ParseResult given, Output output, CancellationToken cancellationToken)
    {
        this.given = given;
        Output = output;
        Cancel = cancellationToken;
        Server = ServerOf(given.GetValue(CommandLine.Server));
        HasToken = !string.IsNullOrWhiteSpace(
            Environment.GetEnvironmentVariable(SquallClientOptions.TokenVariable));
        Session = new SessionFile(Server);
        var allowClearText = given.GetValue(CommandLine.AllowClearText);
        if (Server.Scheme == Uri.UriSchemeHttp && !IsThisHost(Server) && !allowClearText)
        {
            throw new UsageException(
                $"Passwords and tokens are not sent to {Server.Host} in clear text: use https://, or say"
                + $" {CommandLine.AllowClearText.Name}.");
        }

        Client = new SquallClient(new SquallClientOptions
        {
            Endpoint = Server,
            Token = HasToken ? Environment.GetEnvironmentVariable(SquallClientOptions.TokenVariable)!.Trim() : null,
            TokenStore = HasToken ? null : Session.Store,
            AllowClearText = allowClearText,
            Timeout = Patience,
        });
    }

    public Uri Server { get; }

    /// <summary>Whether SQUALL_TOKEN proves the calls, instead of a session.</summary>
    public bool HasToken { get; }

    public SessionFile Session { get; }

    public SquallClient Client { get; }

    public Output Output { get; }

    public TimeProvider Time { get; } = TimeProvider.System;

    public CancellationToken Cancel { get; }

    public T? Given<T>(Option<T> option) => given.GetValue(option);

    public T Given<T>(Argument<T> argument) => given.GetRequiredValue(argument);

    public T? GivenOrNull<T>(Argument<T?> argument)
        where T : class => given.GetValue(argument);

    public bool IsGiven(Option option) => given.GetResult(option) is { Implicit: false };

    /// <summary>Runs a command's body, and turns what it throws into a line for a person and an exit code.</summary>
    public static async Task<int> RunAsync(
        ParseResult given, Func<Invocation, Task<int>> body, CancellationToken cancellationToken)
    {
        var isJson = given.GetValue(CommandLine.Json);
        Uri? server = null;
        await using var output = Output.Open(isJson);
        try
        {
            await using var run = new Invocation(given, output, cancellationToken);
            server = run.Server;
            var exitCode = await body(run);
            output.Flush();
            return exitCode;
        }
        catch (OutputClosedException)
        {
            // Whoever reads has enough, as in `squall list | head`.
            return Failure.Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Failure.Interrupted;
        }
        catch (Exception e)
        {
            return Failure.Of(e, server).Report(isJson);
        }
    }

    public ValueTask DisposeAsync() => Client.DisposeAsync();

    private static Uri ServerOf(string? option)
    {
        var text = option ?? Environment.GetEnvironmentVariable(SquallClientOptions.EndpointVariable);
        if (string.IsNullOrWhiteSpace(text))
        {
            text = DefaultServer;
        }

        return Uri.TryCreate(text.Trim(), UriKind.Absolute, out var server)
            && server.Scheme is "http" or "https" && server.Host.Length > 0 && server.UserInfo.Length == 0
                ? new Uri(server.GetLeftPart(UriPartial.Authority))
                : throw new UsageException(
                    $"{(option is null ? SquallClientOptions.EndpointVariable : CommandLine.Server.Name)} must be an"
                    + $" address such as {DefaultServer}.");
    }

    private static bool IsThisHost(Uri server) => server.IsLoopback
        || (IPAddress.TryParse(server.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
}
