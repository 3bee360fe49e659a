using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>
/// The service under fire: answers with what it was sent, headers named echo- included, and throws nothing of its own
/// but NOT_FOUND, when it is asked to. Whatever else a caller is told is the runtime's doing.
/// </summary>
internal sealed class FuzzRpcs(Witness witness) : FuzzService.FuzzServiceBase
{
    private const int AnswersMax = 8;
    private const string Echoed = "echo-";

    public override async Task<Mixed> Echo(Mixed request, ServerCallContext context)
    {
        await BeginAsync(context);
        return Answer(request, context);
    }

    public override Task<Mixed> Look(Mixed request, ServerCallContext context) => Echo(request, context);

    public override async Task Repeat(
        Mixed request, IServerStreamWriter<Mixed> responseStream, ServerCallContext context)
    {
        await BeginAsync(context);
        Mixed answer = Answer(request, context);
        int answersMax = witness.AnswersMax ?? AnswersMax;
        for (int i = 0; i < Math.Min(request.Answers, answersMax); i++)
        {
            await responseStream.WriteAsync(answer);
        }
    }

    public override async Task<Mixed> Collect(IAsyncStreamReader<Mixed> requestStream, ServerCallContext context)
    {
        await BeginAsync(context);
        var answer = new Mixed();
        while (await requestStream.MoveNext())
        {
            answer = Answer(requestStream.Current, context);
        }

        return answer;
    }

    public override async Task Chat(
        IAsyncStreamReader<Mixed> requestStream, IServerStreamWriter<Mixed> responseStream, ServerCallContext context)
    {
        await BeginAsync(context);
        while (await requestStream.MoveNext())
        {
            await responseStream.WriteAsync(Answer(requestStream.Current, context));
        }
    }

    private static async Task BeginAsync(ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (Metadata.Entry entry in context.RequestHeaders)
        {
            if (entry.Key.StartsWith(Echoed, StringComparison.Ordinal))
            {
                headers.Add(entry);
                context.ResponseTrailers.Add(entry);
            }
        }

        if (headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync(headers);
        }
    }

    private Mixed Answer(Mixed request, ServerCallContext context)
    {
        witness.Took(request, context);
        if (request.AnswerBytes > 0 && witness.AnswersMax is not null)
        {
            request.Payload = UnsafeByteOperations.UnsafeWrap(new byte[request.AnswerBytes]);
        }

        return !request.Refuse ? request : throw new Google.Rpc.Status
        {
            Code = (int)StatusCode.NotFound,
            Message = request.Text,
            Details = { Any.Pack(new ErrorInfo { Reason = "REFUSED", Domain = request.Text }) },
        }.ToRpcException();
    }
}
