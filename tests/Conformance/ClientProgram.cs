using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Squall.Rpc;

namespace Squall.Conformance;

/// The client under test: (1) is told what to call, again and again, (2) calls, several at a time, each over the
/// channel that its connection asks for, (3) tells what came of each call.
internal sealed class ClientProgram(Stream output)
{
    private const int CallsMax = 16;

    private readonly SemaphoreSlim turns = new(CallsMax);
    private readonly SemaphoreSlim writing = new(1);
    private readonly Dictionary<ClientCompatRequest, GrpcChannel> channels = [];

    public static async Task<int> RunAsync()
    {
        await using Stream input = Console.OpenStandardInput();
        await using Stream output = Console.OpenStandardOutput();
        await RunAsync(input, output);
        return 0;
    }

    /// Answers what is asked until there is no more.
    public static async Task RunAsync(Stream input, Stream output)
    {
        var program = new ClientProgram(output);
        List<Task> answers = [];
        while (await input.ReadAsync(ClientCompatRequest.Parser) is { } asked)
        {
            await program.turns.WaitAsync();
            answers.Add(program.AnswerAsync(asked, program.ChannelFor(asked)));
        }

        await Task.WhenAll(answers);
        foreach (GrpcChannel channel in program.channels.Values)
        {
            channel.Dispose();
        }
    }

    private async Task AnswerAsync(ClientCompatRequest asked, GrpcChannel channel)
    {
        var answer = new ClientCompatResponse { TestName = asked.TestName };
        try
        {
            using var call = new ClientCall(new ConformanceService.ConformanceServiceClient(channel), asked);
            answer.Response = await call.RunAsync();
        }
        catch (Exception e)
        {
            answer.Error = new() { Message = e.ToString() };
        }

        turns.Release();
        await writing.WaitAsync();
        await output.WriteAsync(answer);
        writing.Release();
    }

    private GrpcChannel ChannelFor(ClientCompatRequest asked)
    {
        var connection = new ClientCompatRequest
        {
            HttpVersion = asked.HttpVersion,
            Protocol = asked.Protocol,
            Codec = asked.Codec,
            Host = asked.Host,
            Port = asked.Port,
            ServerTlsCert = asked.ServerTlsCert,
            ClientTlsCreds = asked.ClientTlsCreds,
            MessageReceiveLimit = asked.MessageReceiveLimit,
            UseGetHttpMethod = asked.UseGetHttpMethod,
        };
        if (!channels.TryGetValue(connection, out GrpcChannel? channel))
        {
            channels.Add(connection, channel = Connect(connection));
        }

        return channel;
    }

    private static GrpcChannel Connect(ClientCompatRequest connection)
    {
        bool isTls = !connection.ServerTlsCert.IsEmpty;
        SocketsHttpHandler? tls = isTls ? new() { SslOptions = Tls(connection) } : null;
        var options = new GrpcChannelOptions
        {
            HttpVersion = connection.HttpVersion == HTTPVersion._1 ? HttpVersion.Version11 : HttpVersion.Version20,
            HttpHandler = connection.Protocol == Protocol.GrpcWeb
                ? new GrpcWebHandler(tls ?? new SocketsHttpHandler()) : tls,
            DisposeHttpClient = true,
        };
        if (connection.MessageReceiveLimit > 0)
        {
            options.MaxReceiveMessageSize = (int)connection.MessageReceiveLimit;
        }

        if (connection.Protocol == Protocol.Connect)
        {
            options.UseConnect(connect =>
            {
                if (connection.UseGetHttpMethod)
                {
                    connect.UseGet(ConformanceService.Descriptor);
                }
            });
        }

        if (connection.Codec == Codec.Json)
        {
            options.UseJson();
        }

        string scheme = isTls ? "https" : "http";
        return GrpcChannel.ForAddress($"{scheme}://{connection.Host}:{connection.Port}", options);
    }

    private static SslClientAuthenticationOptions Tls(ClientCompatRequest connection)
    {
        var options = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                CustomTrustStore =
                {
                    X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(connection.ServerTlsCert.Span)),
                },
            },
        };
        if (connection.ClientTlsCreds is { } own)
        {
            options.ClientCertificates =
            [
                X509Certificate2.CreateFromPem(
                    Encoding.ASCII.GetString(own.Cert.Span), Encoding.ASCII.GetString(own.Key.Span)),
            ];
        }

        return options;
    }
}
