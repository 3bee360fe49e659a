using System.Globalization;
using System.Text;

namespace Squall.Server.Tests;

/// <summary>How a text is cut into words, and how a word is spelled.</summary>
public sealed class WordsTests
{
    private const int NoCharacter = 0xFFFE;

    [Theory]
    [InlineData("", "")]
    [InlineData(" …😀!", "")]
    [InlineData("Fix the printer", " fix the printer ")]
    [InlineData("  a,b\t(c)\n", " a b c ")]
    [InlineData("don't", " don t ")]
    [InlineData("foo_bar-2", " foo bar 2 ")]
    [InlineData("Café", " cafe ")]
    [InlineData("Cafe\u0301", " cafe ")]
    [InlineData("\u0301a", " a ")]
    [InlineData("a\u0301\u20DDb", " ab ")]
    [InlineData("STRASSE straße STRAẞE", " strasse strasse strasse ")]
    [InlineData("ﬁt ① x² Ⅳ", " fit 1 x2 iv ")]
    [InlineData("İstanbul", " istanbul ")]
    [InlineData("K", " k ")]
    [InlineData("ΣΊΣΥΦΟΣ σίσυφος", " _03c3_03b9_03c3_03c5_03c6_03bf_03c3 _03c3_03b9_03c3_03c5_03c6_03bf_03c3 ")]
    [InlineData("\U00010400\U00010428", " _d801_dc28_d801_dc28 ")]
    [InlineData("日本", " _65e5_672c ")]
    [InlineData("a\uFFFEé\uFFFF", " a e ")]
    [InlineData("٣", " _0663 ")]
    public void A_text_is_cut_into_words_in_folded_case_without_marks(string text, string spelled) =>
        Assert.Equal(spelled, Words.Spell(text));

    [Fact]
    public void A_word_too_long_for_an_index_is_told_from_any_other_all_the_same()
    {
        string[] texts =
        [
            new('a', 256), new('a', 257), new('a', 258), "b" + new string('a', 256), new('a', 65_536), new('я', 51),
            new('я', 52), new string('я', 52) + "a", new('日', 20_000),
        ];
        string[] spelled = [.. texts.Select(Words.Spell)];
        Assert.Equal(texts.Length, spelled.Distinct().Count());
        Assert.All(spelled, word => Assert.InRange(word.Trim().Length, 1, 256));
        Assert.Equal(
            spelled.Select(word => $" x{word}y "),
            texts.Select(word => Words.Spell($"X {word.ToUpperInvariant()} y")));
    }

    /// <summary>Of all that Unicode has: what is one letter to a reader is one letter here.</summary>
    [Fact]
    public void Every_character_means_the_same_in_any_case_and_form()
    {
        int letters = 0;
        for (int value = 1; value <= 0x10FFFF; value++)
        {
            if (!Rune.IsValid(value) || value == NoCharacter)
            {
                continue;
            }

            string one = $"{new Rune(value)}";
            string spelled = Words.Spell(one);
            Assert.DoesNotContain(spelled, unit =>
                unit is not (' ' or '_') && !char.IsAsciiLetterLower(unit) && !char.IsAsciiDigit(unit));
            Assert.Equal(spelled, Words.Spell(one.Normalize(NormalizationForm.FormD)));
            Assert.Equal(spelled, Words.Spell(one.Normalize(NormalizationForm.FormKC)));
            if (spelled.Length > 0)
            {
                Assert.Equal(spelled, Words.Spell(one.ToLower(CultureInfo.InvariantCulture)));
                Assert.Equal(spelled, Words.Spell(one.ToUpper(CultureInfo.InvariantCulture)));
            }

            letters += spelled.Length > 0 ? 1 : 0;
        }

        Assert.True(letters > 100_000, $"Only {letters} letters and digits.");
    }
}
