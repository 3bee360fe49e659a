using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;

namespace Squall.Rpc.Tests;

/// A request whose body is sent part by part, each at once, while the answer is read.
public sealed class ServerDuplex : IDisposable
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    private readonly Parts parts = new();
    private readonly HttpRequestMessage request;

    public ServerDuplex(
        HttpClient http, string path, string type, params (string Name, string Value)[] headers)
    {
        parts.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = parts,
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        Answer = http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Net);
    }

    /// The answer, as soon as its headers are there.
    public Task<HttpResponseMessage> Answer { get; }

    public void Send(byte[] part) => Assert.True(parts.Queue.Writer.TryWrite(part));

    public void Done() => parts.Queue.Writer.TryComplete();

    /// What comes next on the answer's body: `count` bytes, or fewer at its end.
    public async Task<byte[]> ReadAsync(int count)
    {
        Stream body = await (await Answer).Content.ReadAsStreamAsync();
        byte[] bytes = new byte[count];
        int read = await body.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false).AsTask().WaitAsync(Net);
        return bytes[..read];
    }

    /// The next frame's payload; null at the body's end.
    public async Task<byte[]?> ReadFrameAsync()
    {
        byte[] header = await ReadAsync(Frame.HeaderBytes);
        return header.Length == 0
            ? null
            : await ReadAsync(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)));
    }

    public void Dispose()
    {
        Done();
        request.Dispose();
    }

    private sealed class Parts : HttpContent
    {
        public Channel<byte[]> Queue { get; } = Channel.CreateUnbounded<byte[]>();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await foreach (byte[] part in Queue.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(part);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length) => (length = 0) > 0;
    }
}
