using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Squall.Rpc;

/// gRPC over HTTP/2: framed messages, and the status in trailers, or in the headers of an answer that has no more.
internal sealed class GrpcProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
    : FramedProtocol(http, method, codec)
{
    public override PipeWriter? Plain => IsPlain ? Http.Response.BodyWriter : null;

    public override TimeSpan? Open()
    {
        IHeaderDictionary request = Http.Request.Headers;
        IHeaderDictionary response = Http.Response.Headers;
        response.ContentType = request.ContentType;
        response.GrpcAcceptEncoding = Method.Policy.Encodings.Accepted;
        if (SettleEncodings(request.GrpcEncoding, request.GrpcAcceptEncoding) is { } deflater)
        {
            response.GrpcEncoding = deflater.EncodingName;
        }

        return GrpcHeaders.ReadTimeout(request);
    }

    public override bool TryTakeOnly(out ReadOnlySequence<byte> payload)
    {
        payload = default;
        PipeReader body = Http.Request.BodyReader;
        try
        {
            if (!body.TryRead(out ReadResult read))
            {
                return false;
            }

            if (read.IsCompleted && Frame.IsOnly(read.Buffer, Method.Policy.ReceiveBytesMax))
            {
                payload = read.Buffer.Slice(Frame.HeaderBytes);
                return true;
            }

            body.AdvanceTo(read.Buffer.Start);
            return false;
        }
        catch (IOException)
        {
            return false; // Who reads on is told.
        }
    }

    public override void GiveBack(SequencePosition end) => Http.Request.BodyReader.AdvanceTo(end);

    public override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        // Without a message or headers before it, the status is the whole answer and goes into its only headers.
        IHeaderDictionary fields = Begun || Http.Response.HasStarted
            ? ((IHttpResponseTrailersFeature)Http.Features[typeof(IHttpResponseTrailersFeature)]!).Trailers
            : Http.Response.Headers;
        if (status.StatusCode == StatusCode.OK && trailers is not { Count: > 0 } && status.Detail.Length == 0)
        {
            fields.GrpcStatus = "0";
            return ValueTask.CompletedTask;
        }

        foreach ((string name, string value) in StatusTrailers.Write(status, trailers))
        {
            fields.Append(name, value);
        }

        return ValueTask.CompletedTask;
    }
}
