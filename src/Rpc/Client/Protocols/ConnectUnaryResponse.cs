using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Connect's answer to a unary call: the bare message or, under another HTTP status, an error in JSON. Its trailers
/// are headers with a prefix.
internal sealed class ConnectUnaryResponse(CallRequest call, HttpResponseMessage http, Stream body)
    : CallResponse(call, http, body)
{
    private const string TrailerPrefix = "trailer-";

    private readonly Metadata trailers = [];
    private ICompressionProvider? encoding;
    private bool isRead;

    public static string Type(CallRequest call) => "application/" + call.Channel.Options.Codec.Name;

    public override async Task BeginAsync(CancellationToken cancellationToken)
    {
        SplitHeaders();
        string? name = Field("content-encoding");
        encoding = Encodings.Find(name);
        if (encoding is null && name is not (null or "" or MessageEncodings.Identity))
        {
            EndWith(new Status(StatusCode.Internal, $"The response's encoding '{name}' was not asked for."));
        }
        else if (HttpStatus != 200)
        {
            EndWith(MediaType == "application/json"
                ? ConnectStatus.ReadError(
                    await ReadBodyAsync(cancellationToken).ConfigureAwait(false), HttpStatus, trailers)
                : new Status(
                    ConnectStatus.FromHttp(HttpStatus), $"The server answered with HTTP status {HttpStatus}."));
        }
        else if (MediaType != Type(Call))
        {
            EndWith(MediaType is "application/json" or "application/proto"
                ? new(StatusCode.Internal, $"The response's format '{ContentType}' is not the request's.")
                : new(StatusCode.Unknown, $"The response is not Connect's: its content type is '{ContentType}'."));
        }
    }

    public override async ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (isRead)
        {
            return null;
        }

        isRead = true;
        return await ReadBodyAsync(cancellationToken).ConfigureAwait(false);
    }

    public override CallOutcome End() => new(new Status(StatusCode.OK, ""), trailers);

    private void EndWith(Status status) => Outcome = new CallOutcome(status, trailers);

    private async Task<ReadOnlySequence<byte>> ReadBodyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await Pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.Length > BytesMax)
            {
                throw new RpcException(Frame.TooLarge("received", read.Buffer.Length, BytesMax));
            }

            if (read.IsCompleted)
            {
                return encoding is null ? read.Buffer : encoding.Inflate(read.Buffer, BytesMax);
            }

            Pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private void SplitHeaders()
    {
        foreach (Metadata.Entry entry in ReadMetadata(Http.Headers, Http.Content.Headers))
        {
            if (!entry.Key.StartsWith(TrailerPrefix, StringComparison.Ordinal))
            {
                Headers.Add(entry);
                continue;
            }

            string name = entry.Key[TrailerPrefix.Length..];
            if (HttpFields.IsMetadata(name))
            {
                trailers.Add(entry.IsBinary ? new(name, entry.ValueBytes) : new Metadata.Entry(name, entry.Value));
            }
        }
    }
}
