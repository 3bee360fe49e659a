using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Squall.V1;
using Xunit.Abstractions;

namespace Squall.Server.Tests;

/// <summary>
/// A filter means one thing: as SQL, which ListTasks asks, as a predicate, which a subscription asks, and as the
/// contract words it, which <see cref="FilterAsked"/> reads for itself. SQUALL_FILTERS says how many are asked, and
/// SQUALL_FILTERS_SEED which.
/// </summary>
public sealed class FilterMeaningTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int FiltersDefault = 5_000;
    private const int SeedDefault = 4;

    /// <summary>A control is to be caught within so many filters.</summary>
    private const int FiltersOfControl = 1_000;
    private Ground _ground = null!;

    public async Task InitializeAsync() => _ground = await Ground.StartAsync();

    public async Task DisposeAsync() => await _ground.DisposeAsync();

    [Fact]
    public async Task SQL_the_predicate_and_the_contract_mean_the_same()
    {
        int filters = Setting("SQUALL_FILTERS", FiltersDefault);
        var agreement = new FilterAgreement(_ground, Setting("SQUALL_FILTERS_SEED", SeedDefault));
        Assert.Null(await agreement.RunAsync(filters));
        output.WriteLine(
            $"{agreement.Asked} filters, {agreement.Hits} told some tasks from others; "
            + $"of the {agreement.Searches} that search for words, {agreement.SearchHits}.");
        Assert.InRange(agreement.Asked, filters, int.MaxValue);
        Assert.InRange(agreement.Hits, agreement.Asked / 4, agreement.Asked);
        Assert.InRange(agreement.SearchHits, agreement.Asked / 10, agreement.Asked);
    }

    /// <summary>Controls: each of the three is broken, and found to differ from the others.</summary>
    [Fact]
    public async Task A_predicate_that_takes_what_is_not_set_for_the_least_is_told() => await DiffersAsync(
        new FilterAgreement(_ground, SeedDefault)
        {
            Matches = (filter, task) =>
            {
                TaskItem other = task.Clone();
                other.DueTime ??= Micros.ToTimestamp(0);
                return filter.Matches(other);
            },
        });

    [Fact]
    public async Task An_index_that_lost_the_words_of_some_tasks_is_told() => await DiffersAsync(
        new FilterAgreement(_ground, SeedDefault)
        {
            AfterStore = db => db.Execute(
                "DELETE FROM task_words WHERE rowid IN (SELECT \"Num\" FROM tasks WHERE \"Num\" % 3 = 0)"),
        });

    [Fact]
    public async Task A_label_that_is_not_listed_is_told() => await DiffersAsync(
        new FilterAgreement(_ground, SeedDefault)
        {
            AfterStore = db => db.Execute("DELETE FROM task_labels WHERE \"TaskNum\" % 7 = 0"),
        });

    [Fact]
    public async Task A_reckoning_that_tells_capitals_apart_is_told() => await DiffersAsync(
        new FilterAgreement(_ground, SeedDefault)
        {
            Holds = (asked, task) =>
            {
                TaskItem other = task.Clone();
                other.Title = other.Title.Replace("OLD", "NEW", StringComparison.Ordinal);
                return asked.Holds(other);
            },
        });

    /// <summary>The whole way, over the wire.</summary>
    [Fact]
    public async Task A_caller_is_given_what_a_filter_means()
    {
        await using var server = new Disposed(await ServerFixture.StartAsync());
        using Client ada = await Client.SignInAsync(server.Fixture, "means.it");
        TaskList one = await ada.CreateListAsync();
        TaskList other = await ada.CreateListAsync();
        TaskItem[] tasks = await server.Fixture.StoreAsync(TaskGen.Task.Sample(100), one.Id, other.Id);
        Property same = Prop.ForAll(FilterAsked.Any, async asked =>
        {
            Assert.Equal(IdsOf(tasks.Where(asked.Holds)), IdsOf(await ada.ListAsync(asked.Written, pageSize: 1_000)));
            Assert.Equal(
                IdsOf(tasks.Where(task => task.TaskListId == one.Id && asked.Holds(task))),
                IdsOf(await ada.ListAsync($"task_list_id = {one.Id} AND ({asked.Written})", pageSize: 1_000)));
        });
        await Task.Run(() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(50), same));
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int set)
            ? set
            : otherwise;

    private async Task DiffersAsync(FilterAgreement agreement)
    {
        string? found = await agreement.RunAsync(FiltersOfControl);
        Assert.NotNull(found);
        output.WriteLine($"after {agreement.Asked}: {found}");
    }

    private static string[] IdsOf(IEnumerable<TaskItem> tasks) =>
        [.. tasks.Select(task => task.Id).Order(StringComparer.Ordinal)];

    private sealed record Disposed(ServerFixture Fixture) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Fixture.DisposeAsync();
    }
}
