namespace Squall.Server;

/// <summary>What all tasks of a filter have, and can be looked up by: values of a field, words, or a label.</summary>
/// <param name="Nodes">The parts of the filter that this stands for.</param>
/// <param name="Table">Where to look, as <c>s</c>.</param>
/// <param name="Num">The number of the task that is found there.</param>
internal abstract record TaskSearch(IReadOnlyList<FilterNode> Nodes, string Table, string Num)
{
    /// <summary>All that a filter's tasks can be looked up by.</summary>
    public static IEnumerable<TaskSearch> Of(Filter filter)
    {
        FilterNode[] words = [.. filter.Conditions.Where(WordSearch.IsOnlyWords)];
        return
        [
            .. FieldSearch.AllOf(filter),
            .. filter.Conditions.OfType<LabelTest>().Where(test => test.Label is not null)
                .Select(test => new LabelSearch(test)),
            .. words.Length > 0 ? [new WordSearch(words)] : Array.Empty<TaskSearch>(),
        ];
    }

    /// <summary>Writes what is asked of the place, with AND before it.</summary>
    /// <param name="listId">The list to look in; null: that of the member <c>m</c>.</param>
    public abstract void WriteWhere(string? listId, SqlText sql);

    protected static void WriteList(string? listId, SqlText sql)
    {
        sql.Write(" AND s.\"ListId\" = ");
        _ = listId is null ? sql.Write("m.\"ListId\"") : sql.Value(listId);
    }
}

/// <summary>Looks up a label.</summary>
internal sealed record LabelSearch(LabelTest Test) : TaskSearch([Test], "task_labels AS s", "s.\"TaskNum\"")
{
    public override void WriteWhere(string? listId, SqlText sql)
    {
        WriteList(listId, sql);
        sql.Write(" AND s.\"Label\" = ").Value(Test.Label!);
    }
}

/// <summary>Looks up phrases, joined by AND and OR, in the full-text index.</summary>
internal sealed record WordSearch(IReadOnlyList<FilterNode> Nodes) : TaskSearch(Nodes, "task_words AS s", "s.rowid")
{
    private const string ListOfMember = "replace(m.\"ListId\", '-', '')";

    public static bool IsOnlyWords(FilterNode node) => node switch
    {
        PhraseTest => true,
        AllOf { Nodes: { Count: > 0 } nodes } => nodes.All(IsOnlyWords),
        AnyOf any => any.Nodes.All(IsOnlyWords),
        _ => false,
    };

    public override void WriteWhere(string? listId, SqlText sql)
    {
        sql.Write(" AND s.task_words MATCH ");
        if (listId is not null)
        {
            sql.Value(Query(new AllOf(Nodes), listId));
            return;
        }

        // No word has an upper case, so that a letter of it can stand for the list.
        sql.Write("replace(").Value(Query(new AllOf(Nodes), "L")).Write($", 'L', {ListOfMember})");
    }

    private static string Query(FilterNode node, string listId) => node switch
    {
        PhraseTest test => $"\"{Words.Indexed(listId, test.Phrase).Trim()}\"",
        AllOf all => $"({string.Join(") AND (", all.Nodes.Select(one => Query(one, listId)))})",
        _ => $"({string.Join(") OR (", ((AnyOf)node).Nodes.Select(one => Query(one, listId)))})",
    };
}

/// <summary>Looks up a field by its index, which begins with the list if it is no id.</summary>
internal sealed record FieldSearch(FilterField Field, string Index, IReadOnlyList<FilterNode> Nodes)
    : TaskSearch(Nodes, $"tasks AS s INDEXED BY \"{Index}\"", "s.\"Num\"")
{
    private static readonly string[] Ids = ["id", "parent_id", "assignee_id"];

    /// <summary>Of each field that has an index, what is asked of it all at once.</summary>
    public static IEnumerable<FieldSearch> AllOf(Filter filter) =>
        from node in filter.Conditions
        let field = SearchedBy(node)
        where field is not null
        group node by field into tests
        select new FieldSearch(tests.Key, TaskIndexes.ByField[tests.Key.Name], [.. tests]);

    public override void WriteWhere(string? listId, SqlText sql)
    {
        WriteList(listId, sql);
        string column = $"s.\"{Field.Column}\"";
        sql.Write(Field.Kind == FieldKind.Priority ? $" AND {column} > 0" : "");
        foreach (FilterNode node in Nodes)
        {
            (Comparator By, object Value)? test = node switch
            {
                TextTest text => (text.By, text.Value),
                NumberTest number => (number.By, number.Value),
                _ => null,
            };
            _ = test is var (by, value)
                ? sql.Write($" AND {column} {FilterSql.SignOf(by)} ").Value(value)
                : sql.Write($" AND {column} IS NOT NULL");
        }
    }

    /// <summary>The field whose index has all that a part of the filter leaves over, in one range.</summary>
    private static FilterField? SearchedBy(FilterNode node) => node switch
    {
        TextTest { By: Comparator.Equal, Field: var field } when Ids.Contains(field.Name) => field,
        TextTest { By: not Comparator.NotEqual, Field: { Name: "title" or "rank" } field } => field,
        NumberTest { By: not Comparator.NotEqual, Field: { Kind: FieldKind.Time, Column: not null } field } => field,
        SetTest { Field: { MayBeUnset: true } field } => field,
        NumberTest { Field: { Kind: FieldKind.Priority } field, By: var by, Value: var value }
            when (by, value) is (Comparator.Equal or Comparator.GreaterOrEqual, > 0) or (Comparator.Greater, _)
                or (Comparator.NotEqual, 0) => field,
        _ => null,
    };
}

/// <summary>
/// The indexes by which tasks are looked up, and read in order. Each is written at every task, so that there is none
/// for what is seldom asked, or has few values: notes and creators, whether there are labels, and any state but one.
/// They are asked of a list's tasks one by one, until the page is full.
/// </summary>
internal static class TaskIndexes
{
    public static readonly IReadOnlyDictionary<string, string> ByField = new Dictionary<string, string>
    {
        ["id"] = "IX_tasks_Id",
        ["parent_id"] = "IX_tasks_ParentId",
        ["assignee_id"] = "IX_tasks_AssigneeId_ListId",
        ["state"] = "IX_tasks_ListId_State_Rank",
        ["rank"] = "IX_tasks_ListId_Rank",
        ["title"] = "IX_tasks_ListId_Title",
        ["priority"] = "IX_tasks_ListId_Priority",
        ["due_time"] = "IX_tasks_ListId_DueTimeMicros",
        ["create_time"] = "IX_tasks_ListId_CreateTimeMicros",
        ["update_time"] = "IX_tasks_ListId_UpdateTimeMicros",
        ["complete_time"] = "IX_tasks_ListId_CompleteTimeMicros",
    };
}
