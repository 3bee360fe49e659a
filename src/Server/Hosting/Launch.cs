using System.Globalization;
using System.Runtime.InteropServices;

namespace Squall.Server;

/// <summary>The program around the server: options, signals, what it prints and how it ends.</summary>
internal static partial class Launch
{
    private const int Done = 0;
    private const int FailedRunning = 1;
    private const int Refused = 2;

    /// <summary>How long a start that is told to stop may take to come to its end.</summary>
    private static readonly TimeSpan StartEndMax = TimeSpan.FromMilliseconds(500);

    public static async Task<int> RunAsync(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        if (args.Contains("--help") || args.Contains("--version"))
        {
            await Console.Out.WriteLineAsync(args.Contains("--help") ? OptionList.Help : Product.Version);
            return Done;
        }

        try
        {
            if (OperatorCommand.IsOne(args))
            {
                CheckNormalisation();
                return await OperatorCommand.RunAsync(args);
            }

            using var signals = new Signals();
            CheckNormalisation();
            ServerOptions options =
                OptionReader.Read(args, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
            // Apart from here: what it waits for may never come, a disk or a lock for one.
            Task<SquallServer> starting = Task.Run(() => SquallServer.StartAsync(options));
            if (await Task.WhenAny(starting, signals.First) != starting && !await EndsAsync(starting))
            {
                return Done; // As at any stop, whatever was under way: the next start takes up what is left of it.
            }

            await using SquallServer server = await starting;
            await TellAsync(server, options);
            return await ServeAsync(server, signals);
        }
        catch (StartRefusedException refused)
        {
            await Console.Error.WriteLineAsync("squall: " + refused.Message.ReplaceLineEndings(" "));
            return Refused;
        }
    }

    private static async Task<bool> EndsAsync(Task starting) =>
        await Task.WhenAny(starting, Task.Delay(StartEndMax, TimeProvider.System)) == starting;

    private static async Task<int> ServeAsync(SquallServer server, Signals signals)
    {
        using CancellationTokenRegistration failed = server.Failed.Register(signals.Wake);
        await signals.First;
        bool byItself = server.Failed.IsCancellationRequested;
        return await server.StopAsync(signals.Second) && !byItself ? Done : FailedRunning;
    }

    /// <summary>Names and texts are compared after normalisation, which without ICU does nothing, or throws.</summary>
    private static void CheckNormalisation()
    {
        try
        {
            if ("\uFB01".Normalize(System.Text.NormalizationForm.FormKC) == "fi")
            {
                return;
            }
        }
        catch (PlatformNotSupportedException)
        {
            // It is told of below, as where it does nothing.
        }

        throw new StartRefusedException(
            "Unicode normalisation does not work here: install ICU (libicu), and do not set "
            + "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT");
    }

    private static async Task TellAsync(SquallServer server, ServerOptions options)
    {
        foreach (Uri address in server.Addresses)
        {
            await Console.Out.WriteLineAsync($"Listening on {Text(address)}");
        }

        await Console.Out.WriteLineAsync($"Data directory: {server.DirectoryPath}");
        await Console.Out.WriteLineAsync(
            $"Try: curl -H 'Content-Type: application/json' -d '{{\"name\":\"you\"}}' "
            + $"{Reachable(Text(server.Addresses[0]))}/squall.v1.GreeterService/SayHello");
        ILogger log = server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Squall");
        if (options is { Registration: null, RegistrationOpen: false })
        {
            RegistrationClosed(log);
        }

        foreach (string variable in OptionReader.UnknownVariables(Environment.GetEnvironmentVariables()))
        {
            UnknownVariable(log, variable);
        }
    }

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);

    /// <summary>An address for all of the machine's is no address to call.</summary>
    private static string Reachable(string address) => address
        .Replace("//0.0.0.0:", "//127.0.0.1:", StringComparison.Ordinal)
        .Replace("//[::]:", "//[::1]:", StringComparison.Ordinal);

    [LoggerMessage(1, LogLevel.Warning, "Others than this machine can reach the server, so that nobody may register "
        + "an account; --registration open allows it.")]
    private static partial void RegistrationClosed(ILogger log);

    [LoggerMessage(2, LogLevel.Warning, "The environment's {Variable} is no option, and not read.")]
    private static partial void UnknownVariable(ILogger log, string variable);

    /// <summary>SIGTERM and SIGINT: the first asks for a clean stop, the second cuts what still runs.</summary>
    private sealed class Signals : IDisposable
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _second = new();
        private readonly PosixSignalRegistration _terminate;
        private readonly PosixSignalRegistration _interrupt;

        public Signals()
        {
            _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take);
            _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Take);
        }

        public Task First => _first.Task;

        public CancellationToken Second => _second.Token;

        public void Wake() => _first.TrySetResult();

        public void Dispose()
        {
            _terminate.Dispose();
            _interrupt.Dispose();
            _second.Dispose();
        }

        private void Take(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (!_first.TrySetResult())
            {
                _second.Cancel();
            }
        }
    }
}
