using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What is remembered under a request_id is remembered after a restart.</summary>
public sealed class TaskRequestIdRestartTests
{
    [Fact]
    public async Task After_a_restart_every_call_made_again_has_no_effect_and_the_first_answer()
    {
        var server = new ServerFixture();
        await server.InitializeAsync();
        using Client ada = await Client.SignInAsync(server, "ada");
        using Client bob = await Client.SignInAsync(server, "bob");
        var made = new List<(TaskMutation Mutation, IMessage Request, IMessage Answer)>();
        foreach (TaskMutation mutation in TaskMutation.All)
        {
            IMessage request = TaskMutation.Under(
                $"{Guid.NewGuid()}", await mutation.Prepare(ada, bob, await ada.CreateListAsync()));
            made.Add((mutation, request, await mutation.Call(ada, request)));
        }

        long changes = server.Get<Journal>().End.Seq;
        for (int restart = 0; restart < 2; restart++)
        {
            await server.RestartAsync();
            using Client again = ada.On(server.Address);
            foreach ((TaskMutation mutation, IMessage request, IMessage answer) in made)
            {
                Assert.Equal(answer.ToByteString(), (await mutation.Call(again, request)).ToByteString());
                await Refusal.AssertAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", "request_id", () =>
                    mutation.Call(again, mutation.Other(ada, request)));
            }

            Assert.Equal(changes, server.Get<Journal>().End.Seq);
        }

        await server.DisposeAsync();
    }
}
