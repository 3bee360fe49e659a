using System.Text;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Reads a filter by the grammar of google.aip.dev/160: an expression is factors, all of which must hold, with or
/// without AND between them; a factor is terms joined by OR, which therefore binds closer; a term may be negated; a
/// simple is a comparison or an expression in parentheses. In parentheses after a comparator stand values alone.
/// </summary>
internal sealed class FilterParser(string text, Limits limits)
{
    private const string Delimiters = " \t\n\r()\"'=!<>,";

    private static readonly (string Sign, Comparator By)[] Comparators =
    [
        ("<=", Comparator.LessOrEqual), ("<", Comparator.Less), (">=", Comparator.GreaterOrEqual),
        (">", Comparator.Greater), ("!=", Comparator.NotEqual), ("=", Comparator.Equal),
    ];

    private int _at;
    private int _terms;
    private int _depth;

    private bool AtEnd => _at == text.Length;

    /// <summary>Null: the text says nothing.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, with the place of the fault.</exception>
    public FilterNode? Parse()
    {
        if (IndexOfRefused() is >= 0 and var refused)
        {
            throw Invalid(refused, "a character that is not allowed");
        }

        SkipSpace();
        if (AtEnd)
        {
            return null;
        }

        FilterNode root = Expression(null);
        return AtEnd ? root : throw Invalid(_at, $"unexpected {Here()}");
    }

    private FilterNode Expression(Target? target)
    {
        var factors = new List<FilterNode> { Factor(target) };
        for (SkipSpace(); !AtEnd && text[_at] != ')'; SkipSpace())
        {
            TakeWord("AND");
            factors.Add(Factor(target));
        }

        return factors.Count == 1 ? factors[0] : new AllOf(Flat(factors));
    }

    private FilterNode Factor(Target? target)
    {
        var terms = new List<FilterNode> { Term(target) };
        for (SkipSpace(); TakeWord("OR"); SkipSpace())
        {
            terms.Add(Term(target));
        }

        return terms.Count == 1 ? terms[0] : new AnyOf(terms);
    }

    private FilterNode Term(Target? target)
    {
        SkipSpace();
        return TakeWord("NOT") || Take('-') ? new Not(Simple(target)) : Simple(target);
    }

    private FilterNode Simple(Target? target)
    {
        SkipSpace();
        int start = _at;
        if (!Take('('))
        {
            return target is { } known ? Test(known, Value()) : Comparison();
        }

        if (++_depth > limits.FilterNestingMax)
        {
            throw Invalid(start, $"parentheses are nested more than {limits.FilterNestingMax} deep");
        }

        FilterNode inner = Expression(target);
        if (!Take(')'))
        {
            throw Invalid(start, "this parenthesis is not closed");
        }

        _depth--;
        return inner;
    }

    private FilterNode Comparison()
    {
        int start = _at;
        bool quoted = !AtEnd && text[_at] is '"' or '\'';
        string name = quoted ? Quoted() : Bare(Delimiters + ":");
        if (name.Length == 0 && !quoted)
        {
            throw Invalid(start, AtEnd ? "a comparison is missing at the end" : $"unexpected {Here()}");
        }

        RefuseKeyword(start, name, quoted);
        SkipSpace();
        int operatorAt = _at;
        if (Operator() is not { } by)
        {
            return Phrase(start, name, quoted);
        }

        if (quoted || !FilterField.ByName.TryGetValue(name, out FilterField? field))
        {
            throw Invalid(start, "there is no such field; to search for a text, quote it");
        }

        if (field.Kind == FieldKind.Labels && !by.Has)
        {
            throw Invalid(operatorAt, "labels are a set; ask labels:\"x\"");
        }

        var target = new Target(field, by.Comparator, by.Has);
        SkipSpace();
        return !AtEnd && text[_at] == '(' ? Simple(target) : Test(target, Value());
    }

    /// <summary>A text to search for, bare or quoted: its words, one right after the other.</summary>
    private PhraseTest Phrase(int start, string words, bool quoted)
    {
        if (!quoted && !AtEnd && text[_at] == '(' && _at == start + words.Length)
        {
            throw Invalid(_at, "there are no functions; a space is missing, or an OR");
        }

        CountTerm(start);
        if (!quoted && words.StartsWith('-'))
        {
            throw Invalid(start, "one NOT or - stands before a term");
        }

        if (!quoted && words.IndexOf('*') is >= 0 and var star)
        {
            throw Invalid(start + star, "words are searched for whole: * stands for nothing in them");
        }

        string phrase = Words.Spell(words);
        return phrase.Length > 0
            ? new PhraseTest(phrase)
            : throw Invalid(start, "there is no letter and no digit in it to search for");
    }

    private FilterNode Test(Target target, (string Text, bool Quoted, int Start) value)
    {
        CountTerm(value.Start);
        FilterField field = target.Field;
        if (value is { Text: "*", Quoted: false })
        {
            return target.Has
                ? SetTestOf(field)
                : throw Invalid(value.Start, "* stands after : alone; quote it to compare with it");
        }

        if (field.Kind == FieldKind.Labels)
        {
            return new LabelTest(value.Text);
        }

        return field.Kind == FieldKind.Text
            ? new TextTest(field, target.By, value.Text)
            : new NumberTest(
                field, target.By,
                field.NumberOf(value.Text) ?? throw Invalid(value.Start, $"{field.Name} takes {field.Expects}"));
    }

    private void CountTerm(int start)
    {
        if (++_terms > limits.FilterTermsMax)
        {
            throw Invalid(start, $"more than {limits.FilterTermsMax} terms");
        }
    }

    private static FilterNode SetTestOf(FilterField field) => field.Kind switch
    {
        FieldKind.Labels => new LabelTest(null),
        FieldKind.Priority => new NumberTest(field, Comparator.NotEqual, 0),
        _ => new SetTest(field),
    };

    private (string Text, bool Quoted, int Start) Value()
    {
        SkipSpace();
        int start = _at;
        if (!AtEnd && text[_at] is '"' or '\'')
        {
            return (Quoted(), true, start);
        }

        string value = Bare(Delimiters);
        if (value.Length == 0)
        {
            throw Invalid(start, "a value is missing");
        }

        RefuseKeyword(start, value, quoted: false);
        return (value, false, start);
    }

    private string Quoted()
    {
        int start = _at;
        char quote = text[_at++];
        var value = new StringBuilder();
        for (; !AtEnd && text[_at] != quote; _at++)
        {
            value.Append(text[_at] == '\\' ? Escaped() : text[_at]);
        }

        if (!Take(quote))
        {
            throw Invalid(start, "this quotation is not closed");
        }

        return AtEnd || Delimiters.Contains(text[_at]) || text[_at] == ':'
            ? value.ToString()
            : throw Invalid(_at, "a space is missing after the quotation");
    }

    private char Escaped()
    {
        int start = _at++;
        return AtEnd ? throw Invalid(start, "nothing follows \\") : text[_at] switch
        {
            '"' or '\'' or '\\' => text[_at],
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => throw Invalid(start, "\\ stands before \", ', \\, n, r and t alone"),
        };
    }

    private (Comparator Comparator, bool Has)? Operator()
    {
        foreach ((string sign, Comparator by) in Comparators)
        {
            if (text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal))
            {
                _at += sign.Length;
                return (by, false);
            }
        }

        return Take(':') ? (Comparator.Equal, true) : null;
    }

    private string Bare(string delimiters)
    {
        int length = text.AsSpan(_at).IndexOfAny(delimiters);
        string word = length < 0 ? text[_at..] : text.Substring(_at, length);
        _at += word.Length;
        return word;
    }

    private bool TakeWord(string keyword)
    {
        int end = _at + keyword.Length;
        if (!text.AsSpan(_at).StartsWith(keyword, StringComparison.Ordinal)
            || (end < text.Length && !Delimiters.Contains(text[end])))
        {
            return false;
        }

        _at = end;
        return true;
    }

    private bool Take(char unit)
    {
        if (AtEnd || text[_at] != unit)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void SkipSpace()
    {
        while (!AtEnd && text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private void RefuseKeyword(int start, string word, bool quoted)
    {
        if (!quoted && word is "AND" or "OR" or "NOT")
        {
            throw Invalid(start, $"{word} stands between or before comparisons alone");
        }
    }

    /// <summary>Control characters that are no space, and halves of surrogate pairs, which JSON can spell.</summary>
    private int IndexOfRefused()
    {
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool control = Rune.IsControl(rune) && rune.Value is not ('\t' or '\n' or '\r');
            if (control || (rune == Rune.ReplacementChar && text[at] != '\uFFFD'))
            {
                return at;
            }

            at += rune.Utf16SequenceLength;
        }

        return -1;
    }

    private static List<FilterNode> Flat(List<FilterNode> factors) =>
        [.. factors.SelectMany(factor => factor is AllOf all ? all.Nodes : [factor])];

    private string Here() => $"\"{Rune.GetRuneAt(text, _at)}\"";

    private RpcException Invalid(int index, string message) => Fault.Filter("FILTER_INVALID", PlaceOf(index), message);

    /// <summary>Counted in characters, from 1.</summary>
    private int PlaceOf(int index) => text.Take(index).Count(unit => !char.IsLowSurrogate(unit)) + 1;

    private readonly record struct Target(FilterField Field, Comparator By, bool Has);
}
