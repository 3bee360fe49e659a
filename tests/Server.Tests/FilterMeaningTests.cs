using FsCheck;
using FsCheck.Fluent;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// A filter means one thing: as SQL, which ListTasks asks, as a predicate, which a subscription asks, and as the
/// contract words it, which <see cref="FilterAsked"/> reads for itself.
/// </summary>
public sealed class FilterMeaningTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public FilterMeaningTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task SQL_the_predicate_and_the_contract_mean_the_same()
    {
        using Client ada = await Client.SignInAsync(_server, "means.it");
        TaskList one = await ada.CreateListAsync();
        TaskList other = await ada.CreateListAsync();
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(300), one.Id, other.Id);
        int hits = 0;
        Property same = Prop.ForAll(FilterAsked.Any, async asked =>
        {
            var filter = Filter.Parse(asked.Written, new Limits());
            string[] meant = IdsOf(tasks.Where(asked.Holds));
            hits += meant.Length is > 0 and < 300 ? 1 : 0;
            Assert.Equal(meant, IdsOf(tasks.Where(filter.Matches)));
            Assert.Equal(meant, IdsOf(await ada.ListAsync(asked.Written, pageSize: 1_000)));
        });
        const int Filters = 300;
        await Task.Run(() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(Filters), same));
        Assert.True(hits > Filters / 4, $"Only {hits} of the filters told some tasks from others.");
    }

    [Fact]
    public async Task A_filter_of_one_list_and_the_rest_of_it_mean_the_same_together()
    {
        using Client ada = await Client.SignInAsync(_server, "means.one");
        TaskList one = await ada.CreateListAsync();
        TaskList other = await ada.CreateListAsync();
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(100), one.Id, other.Id);
        Property same = Prop.ForAll(FilterAsked.Any, async asked =>
        {
            string filter = $"task_list_id = {one.Id} AND ({asked.Written})";
            Assert.Equal(
                IdsOf(tasks.Where(task => task.TaskListId == one.Id && asked.Holds(task))),
                IdsOf(await ada.ListAsync(filter, pageSize: 1_000)));
        });
        await Task.Run(() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), same));
    }

    private static string[] IdsOf(IEnumerable<TaskItem> tasks) =>
        [.. tasks.Select(task => task.Id).Order(StringComparer.Ordinal)];
}
