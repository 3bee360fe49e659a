namespace Squall.Fuzz;

/// <summary>
/// A connection on which requests are sent one after the other. Where HTTP itself is in order, an answer has to come.
/// Where it is not, one is waited for a little; then no more is sent, and the server has to end the connection.
/// </summary>
internal abstract class Connection(WireSocket socket, TimeSpan hangMax, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(40);

    public string Name => socket.Name;

    /// <summary>Whether it can take another request.</summary>
    public bool IsOpen { get; private set; } = true;

    protected WireSocket Socket => socket;

    public async Task<Answer> SendAsync(Call call)
    {
        var answer = new Answer();
        await socket.SendAsync(Begin(call), hangMax);
        bool done = await ReadAsync(call, answer, call.IsHttpBroken ? Patience : hangMax);
        if (!done && !call.IsHttpBroken)
        {
            answer.End = End.Hung;
        }

        if (call.IsHttpBroken)
        {
            socket.Finish();
            done = done || await ReadAsync(call, answer, hangMax);
            if (!done || !await DrainAsync())
            {
                answer.End = End.Hung;
            }
        }

        IsOpen = !call.IsHttpBroken && answer.End != End.Hung && !socket.HasEnded && MayGoOn(answer);
        return answer;
    }

    /// <summary>Ends it in order, and waits for the server to do so.</summary>
    /// <returns>Whether it did.</returns>
    public async Task<bool> EndAsync()
    {
        socket.Finish();
        return await DrainAsync();
    }

    public void Dispose() => socket.Dispose();

    /// <summary>What is sent for a call.</summary>
    protected abstract byte[] Begin(Call call);

    /// <summary>Takes what was received, as far as it belongs to the answer; true if that is whole, or cut.</summary>
    protected abstract bool Take(Call call, Answer answer);

    protected abstract bool MayGoOn(Answer answer);

    /// <summary>What is to be sent because of what was received.</summary>
    protected virtual byte[] Due() => [];

    private async Task<bool> ReadAsync(Call call, Answer answer, TimeSpan max)
    {
        long begun = time.GetTimestamp();
        while (!Take(call, answer))
        {
            if (socket.HasEnded)
            {
                return true;
            }

            byte[] due = Due();
            if (due.Length > 0)
            {
                await socket.SendAsync(due, hangMax);
            }

            if (!await socket.ReceiveAsync(max - time.GetElapsedTime(begun)) && !socket.HasEnded)
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> DrainAsync()
    {
        long begun = time.GetTimestamp();
        while (await socket.ReceiveAsync(hangMax - time.GetElapsedTime(begun)))
        {
            socket.Consume(socket.Received.Length);
        }

        return socket.HasEnded;
    }
}
