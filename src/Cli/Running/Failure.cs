using System.Text;
using Grpc.Core;
using Squall.Client;

namespace Squall.Cli;

/// <summary>How a run failed: an exit code, words for programs, and one line that a person can act on.</summary>
internal sealed record Failure(int ExitCode, string Code, string Reason, string Message)
{
    public const int Done = 0;
    public const int Refused = 1;
    public const int WrongUsage = 2;

    /// <summary>As a shell counts an end by SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>The one place that says what an exception means to whoever called squall.</summary>
    public static Failure Of(Exception e, Uri? server = null) => e switch
    {
        UsageException => new(WrongUsage, "USAGE", "", e.Message),
        RefusedException refused => new(Refused, refused.Code, "", e.Message),
        SquallUnauthenticatedException { Reason: "CREDENTIALS_WRONG" } wrong => Of(wrong, wrong.Message),
        SquallUnauthenticatedException lost => Of(lost, NotLoggedIn(server)),
        SquallUnavailableException away => Of(away, Unreachable(away, server)),
        SquallTimeoutException late => Of(
            late, $"{Shown(server)} did not answer in time; whether it did as it was told is not known."),
        SquallException other => Of(other, other.Message),
        InvalidDataException when server is not null => new(
            Refused, "SESSION_UNREADABLE", "",
            $"The session in {new SessionFile(server).Path} cannot be read: run 'squall login' again."),
        IOException or UnauthorizedAccessException => new(Refused, "IO", "", e.Message),
        _ => new(Refused, "INTERNAL", "", $"This is a defect of squall: {e.GetType().Name}: {e.Message}"),
    };

    /// <summary>Says it on standard error, and returns the exit code.</summary>
    public int Report(bool isJson)
    {
        if (isJson)
        {
            Output.Tell(JsonText.Object(json =>
            {
                json.WriteStartObject("error");
                json.WriteString("code", Code);
                json.WriteString("reason", Reason);
                json.WriteString("message", Message);
                json.WriteEndObject();
            }));
        }
        else
        {
            Output.Tell($"squall: {Printable.Line(Message)}");
        }

        return ExitCode;
    }

    private static Failure Of(SquallException e, string message) =>
        new(Refused, Name(e.Code), e.Reason, message);

    private static string Shown(Uri? server) => server is null ? "The server" : AccountVerbs.Shown(server);

    private static string NotLoggedIn(Uri? server) =>
        string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(SquallClientOptions.TokenVariable))
            ? $"You are not logged in to {Shown(server)}: run 'squall login'."
            : $"{Shown(server)} refuses the token in {SquallClientOptions.TokenVariable}: it has ended.";

    private static string Unreachable(SquallException e, Uri? server)
    {
        var cause = (e.InnerException as RpcException)?.Status.DebugException as HttpRequestException;
        return cause?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => $"There is no host named {server?.Host}.",
            HttpRequestError.SecureConnectionError => Insecure(cause, server),
            HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError or HttpRequestError.ResponseEnded =>
                $"What answers at {Shown(server)} speaks another protocol: are the scheme and the port right?",
            HttpRequestError.ConnectionError =>
                $"No server answers at {Shown(server)}: start one, or name another with {CommandLine.Server.Name} or"
                + $" {SquallClientOptions.EndpointVariable}.",
            _ => $"{Shown(server)} is not available now: {e.Message}",
        };
    }

    private static string Insecure(HttpRequestException e, Uri? server)
    {
        var cause = e.InnerException?.Message ?? e.Message;
        var hint = cause.Contains("certificate", StringComparison.Ordinal)
            ? " SSL_CERT_FILE can name a file with the certificate to trust."
            : " Is it http?";
        return $"There is no safe connection to {Shown(server)}: {cause}{hint}";
    }

    /// <summary>The code as the contract writes it, such as NOT_FOUND.</summary>
    private static string Name(StatusCode code)
    {
        var name = new StringBuilder();
        foreach (var letter in code.ToString())
        {
            if (char.IsUpper(letter) && name.Length > 0)
            {
                name.Append('_');
            }

            name.Append(char.ToUpperInvariant(letter));
        }

        return name.ToString();
    }
}
