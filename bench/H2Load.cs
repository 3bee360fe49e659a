using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;

namespace Squall.Bench;

/// <summary>
/// The load: nghttp2's h2load, which costs far less than a .NET client and treats all servers alike. It sees an
/// answer's HTTP status, which gRPC's errors share, so that what was answered is told by its size.
/// </summary>
internal sealed partial class H2Load(TimeProvider time, string folder)
{
    private static readonly TimeSpan DurationMax = TimeSpan.FromSeconds(30);

    /// <exception cref="NotHereException">h2load is not on this machine.</exception>
    public static Task FindAsync() => RunAsync(["--version"]);

    /// <summary>Calls over so many connections, with so many in flight on each.</summary>
    /// <param name="answer">What is answered, or as large; times differ in their digits.</param>
    /// <param name="messages">How many of these a call is answered with: they are counted, in place of calls.</param>
    /// <param name="asked">A header of the requests, as <c>name: value</c>.</param>
    public async Task<Measurement> MeasureAsync(
        ServerProcess server, string method, IMessage request, IMessage answer, int connections, int callsEach,
        TimeSpan duration, string? asked = null, int messages = 1)
    {
        string body = Path.Combine(folder, $"{method.Replace('/', '-')}.bin");
        await File.WriteAllBytesAsync(body, Frame(request));
        List<string> arguments =
        [
            "-t1", "-w30", "-W30", $"-c{connections}", $"-m{callsEach}", "-d", body,
            "-H", "content-type: application/grpc", "-H", "te: trailers",
        ];
        if (asked is not null)
        {
            arguments.AddRange(["-H", asked]);
        }

        while (true)
        {
            TimeSpan cpu = server.Cpu;
            long begun = time.GetTimestamp();
            string said = await RunAsync(
                [.. arguments, $"-D{duration.TotalMilliseconds:0}ms", new Uri(server.Address, method).ToString()]);
            var measured = new Measurement(
                Calls(method, said, answer, messages) * messages, time.GetElapsedTime(begun), server.Cpu - cpu);
            if (measured.Calls > 0 || duration > DurationMax)
            {
                return measured;
            }

            // A machine that others keep busy may not end one long call in that time.
            duration *= 4;
        }
    }

    /// <summary>Opens that many streams, and keeps them until the server ends them.</summary>
    public async Task<Process> HoldAsync(ServerProcess server, string method, IMessage request, int streams)
    {
        Process load = Hold(server, method, request, streams);
        _ = load.StandardOutput.ReadToEndAsync();
        while ((await server.AskAsync("streams"))[0] < streams)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        return load;
    }

    /// <summary>Opens that many streams, a hundred on a connection; at their end it tells what it has read.</summary>
    public Process Hold(ServerProcess server, string method, IMessage request, int streams, string? asked = null)
    {
        const int StreamsEach = 100;
        string body = Path.Combine(folder, $"{Guid.NewGuid()}.bin");
        File.WriteAllBytes(body, Frame(request));
        string[] more = asked is null ? [] : ["-H", asked];
        return Process.Start(new ProcessStartInfo(
            "h2load",
            [
                "-t1", "-w30", "-W30", $"-c{streams / StreamsEach}", $"-m{StreamsEach}", $"-n{streams}", "-d", body,
                "-H", "content-type: application/grpc", "-H", "te: trailers", .. more,
                new Uri(server.Address, method).ToString(),
            ])
        {
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>The bytes of answers in what h2load has said at its end.</summary>
    public static long DataOf(string said) =>
        long.Parse(Data().Match(said).Groups["bytes"].Value, CultureInfo.InvariantCulture);

    private static long Calls(string method, string said, IMessage answer, int messages)
    {
        Match found = Summary().Match(said);
        long calls = found.Success ? long.Parse(found.Groups["ok"].Value, CultureInfo.InvariantCulture) : 0;
        long bytes = found.Success ? long.Parse(found.Groups["bytes"].Value, CultureInfo.InvariantCulture) : 0;
        const int DigitsOfTimes = 8;
        if (bytes < calls * messages * (Frame(answer).Length - DigitsOfTimes))
        {
            throw new InvalidOperationException($"{method} did not answer as it should:\n{said}");
        }

        return calls;
    }

    private static byte[] Frame(IMessage request)
    {
        byte[] message = request.ToByteArray();
        byte[] frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    private static async Task<string> RunAsync(IEnumerable<string> arguments)
    {
        try
        {
            var start = new ProcessStartInfo("h2load", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process load = Process.Start(start)!;
            Task<string> errors = load.StandardError.ReadToEndAsync();
            string said = await load.StandardOutput.ReadToEndAsync();
            await load.WaitForExitAsync();
            return said + await errors;
        }
        catch (Win32Exception)
        {
            throw new NotHereException("missing: h2load (Debian's package nghttp2-client)");
        }
    }

    [GeneratedRegex(@"requests: .* (?<ok>\d+) succeeded, 0 failed, 0 errored, 0 timeout[\s\S]*\((?<bytes>\d+)\) data")]
    private static partial Regex Summary();

    [GeneratedRegex(@"\((?<bytes>\d+)\) data")]
    private static partial Regex Data();
}

/// <summary>The bench needs something that is not on this machine.</summary>
internal sealed class NotHereException(string message) : Exception(message);
