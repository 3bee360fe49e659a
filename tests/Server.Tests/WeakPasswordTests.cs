namespace Squall.Server.Tests;

/// <summary>Which passwords are refused for being easy to guess, by examples, each written by hand.</summary>
public sealed class WeakPasswordTests
{
    private const string Username = "grace.hopper";
    private const string DisplayName = "Rear Admiral Grace Hopper";

    private static readonly string[] Repeated =
    [
        "aaaaaaaaaaaa", "            ", "111111111111", "!!!!!!!!!!!!", "abababababab", "abcabcabcabc",
        "123123123123", "passwordpassword", "PasswordPassword", "passwordpassword1", "passwordpasswordpa",
        "hello hello hello", "hellohello2024", "secretsecret!!", "test test test test", "1212121212121212",
        "xyzzyxyzzyxyzzy", "lalalalalalala", "hahahahahaha", "nananananananana", "qweqweqweqwe",
        "letmeinletmein", "trustno1trustno1", "monkeymonkey99", "Dragon1Dragon1", "aabbaabbaabb",
        "no no no no no", "abc-abc-abc-abc", "äöäöäöäöäöäö", "😀😀😀😀😀😀😀😀😀😀😀😀", "foofoofoofoo", "0000 0000 0000",
    ];

    private static readonly string[] Walked =
    [
        "123456789012", "012345678901", "abcdefghijkl", "abcdefghijklmnop", "zyxwvutsrqpo", "987654321098",
        "qwertyuiop123", "qwertyuiop[]", "asdfghjkl123", "asdfghjkl;'a", "zxcvbnm12345", "qwertzuiopü1",
        "azertyuiop12", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "zaq1xsw2cde3", "!QAZ2wsx#EDC", "1234qwerasdf",
        "qwer1234asdf", "asdf1234qwer", "123qwe123456", "abcd1234efgh", "abcdefg1234567", "0123456789ab",
        "11112222333344", "aaaabbbbccccdddde", "aaa111bbb222ccc333", "poiuytrewq12", "lkjhgfdsa123",
        "mnbvcxz98765", "147258369147", "147258369abcd", "!@#$%^&*()12", "qwertyQWERTYasdf",
        "1111aaaa2222bbbb3333", "tgbnhzujmikr",
    ];

    private static readonly string[] OneWord =
    [
        "Summer2024!!", "Wintersemester23", "password1234", "Password2023!", "P@ssw0rd2024", "P@$$w0rd1234",
        "Liverpool1892", "liverpool1892!", "administrator", "Administrator1", "administrator123",
        "1234administrator", "Welcome123456", "welcome2024!!!", "welcome!!!!!", "2024!Welcome",
        "sunshine1234", "Sonnenschein1", "Sonnenschein", "iloveyou2024", "ILoveYou1234!", "letmein123456",
        "princess12345", "football2020!", "Fußballclub04", "chocolate1999", "Champion2018!!",
        "butterfly987654321", "Butterfly....", "***butterfly***", "Donaudampf99", "international",
        "Elephant-2024", "Elephant 2024", "elephant_1234", "Superman!2#4", "Konstantin77", "trusting2020",
        "Microsoft365!", "Netherlands22", "qwertz-Sommer24", "Summer2024Summer", "plmoknijbuhv",
        "c0ffee15bad4", "summer 123 summer", "Привет123456", "Пароль2024!!", "Καλημέρα2024", "correcthorse1",
    ];

    private static readonly string[] Named =
    [
        "grace.hopper", "GraceHopper1", "gracehopper2024", "GraceHopper1906!", "hopper.grace.1",
        "gracegracehopper", "grace_hopper_1", "Hopper19061209", "admiral-grace", "AdmiralHopper!",
        "Rear Admiral Grace", "squallsquall12", "squall123456", "Squall-Grace-1", "squall!grace!",
        "squall2024!!!", "Squall password1", "grace's password", "hopper password 1", "passwordgrace12",
    ];

    private static readonly string[] Strong =
    [
        "correct horse battery", "correct horse battery staple", "a long pass phrase for the harness",
        "a long pass phrase for the bench", "quite another pass phrase", "another pass phrase",
        "never to be seen anywhere", "nor what was tried in vain", "long enough it is", "twelve.chars",
        "correcthorsebatterystaple", "Tr0ub4dor&3-and-more", "caf\u00E9 and fine wine",
        "e\u0301 comes in two spellings", "noncharacters \uFFFE\uFFFF \uFDD0", "\0\u0007\u0085 control \r\n",
        "whatever it may be", "a wrong secret password", "the quick brown fox", "jumps over lazy dogs",
        "my cat eats blue paint", "seven green bottles", "Rain in Hamburg?", "the moon is made of cheese",
        "four candles, fork handles", "salt & vinegar crisps", "ask me no questions",
        "eleven purple umbrellas", "who let the dogs out", "Grüße aus Bad Oeynhausen", "Der Hund frisst Käse",
        "viele Köche verderben den Brei", "morgens halb zehn", "Kaffee ohne Zucker bitte",
        "le chat dort sur le lit", "pomme banane citron", "una mattina mi son", "el perro come pan",
        "Москва слезам не верит", "две собаки и кот", "ένα νησί στη θάλασσα", "東京の夏はとても暑いですね", "我喜欢在雨中散步的感觉吗",
        "לילה טוב ירח על הגג", "صباح الخير يا جارنا", "😀🚀🌵🎈🐙🍕🎻🧊🪁🛶🦔🌋", "🐙 eats 🍕 at noon", "xk7#mQ9$vLp2",
        "Vf3!kQz8@nBw", "9rT&yu2Wq#lp", "hG5^tR8*kLs0", "b7Xw-Qm4z-Lp9", "mZq8vTk3nYw6", "kdjfhgqpwozm",
        "xkcvbqwmzprt9", "wqpzmxnbvtrk7", "7f3a9c1e5b2d", "4e9b1d77a0c2f8", "1b4e28ba-2fa1-11d2",
        "550e8400-e29b-41d4-a716", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "QmFzZTY0IGlz/IHRleHQ=",
        "u3Jx0qk9ZpLw8Vt2", "aG9yc2Ugc3RhcGxl", "831605927416", "730295816403", "tel 0171 4820937 x",
        "B-MW 4711 / Fiat", "Room 101, 2nd floor", "3 + 4 is 7, not 8", "E = m * c squared",
        "2 cups of flour", "SELECT * FROM t;", "git push --force", "rm -rf /tmp/x; ls", "x = y ** 2 + z",
        "to be or not to be", "all your base are ours", "never gonna give up", "winter is coming soon",
        "may the force be", "I am your neighbour", "three blind mice run", "humpty dumpty fell",
        "one ring, nine riders", "call me Ishmael now", "liberty and property", "first student defends",
        "power answers poverty", "the best of times 1859", "year 1984 by Orwell", "summer in 2024 was wet",
        "my password is long", "qwerty is a keyboard", "abcd is no password", "1234 sheep jumped over",
        "grace under pressure", "squall off Cape Horn", "hopper of grain, full", "Summer-Winter-2024",
        "red4blue7green1", "apple7pear3plum", "dog.cat.bird.fish", "north_south_east", "alpha/omega/delta",
        "zebra+yak+walrus", "Hello World, again", "tea@four, cake@five", "ocean|river|lake",
        "Paris-Texas-1984", "Budapest Wien Prag",
    ];

    [Fact]
    public void There_are_200_examples_and_none_twice()
    {
        string[] all = [.. Repeated, .. Walked, .. OneWord, .. Named, .. Strong];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.InRange(all.Length - Strong.Length, 100, int.MaxValue);
        Assert.InRange(Strong.Length, 100, int.MaxValue);
        Assert.All(all, password => Assert.True(password.EnumerateRunes().Count() >= 12, password));
    }

    [Fact]
    public void What_is_easy_to_guess_is_refused_and_says_why()
    {
        Assert.Empty(Taken(Repeated.Concat(Walked).Concat(OneWord).Concat(Named)));
        Assert.All(Repeated, password => Assert.Contains("again and again", Reason(password)));
        Assert.All(Walked, password => Assert.Matches("run of characters|again and again", Reason(password)));
        Assert.All(OneWord, password => Assert.Matches("one word|run of characters", Reason(password)));
        Assert.All(Named, password => Assert.Matches("a name that|one word|again", Reason(password)));
    }

    [Fact]
    public void What_is_not_is_taken() => Assert.Empty(
        from password in Strong
        let reason = Reason(password)
        where reason is not null
        select $"{password} {reason}");

    /// <summary>Names are those of the account alone, and of the product.</summary>
    [Fact]
    public void What_is_weak_for_one_is_not_for_another()
    {
        Assert.NotNull(WeakPassword.Reason("hopper of grace", Username));
        Assert.Null(WeakPassword.Reason("hopper of grace", "ada", "Ada Lovelace"));
        Assert.Null(WeakPassword.Reason("of all the things", "of", ""));
    }

    /// <summary>What programs make: none of it is refused for looking like something by chance.</summary>
    [Fact]
    public void Random_secrets_are_taken()
    {
        var random = new Random(20_261_130);
        byte[] bytes = new byte[18];
        for (int at = 0; at < 20_000; at++)
        {
            random.NextBytes(bytes);
            Assert.Null(Reason(Convert.ToBase64String(bytes)));
            Assert.Null(Reason(Convert.ToHexStringLower(bytes)));
            Assert.Null(Reason(new Guid(bytes.AsSpan(0, 16)).ToString()));
        }
    }

    [Fact]
    public void The_longest_password_is_looked_at_in_no_time_worth_mentioning()
    {
        string[] long_ =
        [
            new string('a', 4_095) + "b", string.Concat(Enumerable.Repeat("qwertyuiop", 409)) + "x",
            string.Concat(Enumerable.Range(0, 4_096).Select(at => (char)('a' + (at * at % 26)))),
        ];
        Assert.All(long_, password => Reason(password));
    }

    private static string? Reason(string password) =>
        WeakPassword.Reason(Passwords.Normal(password), Username, DisplayName);

    private static IEnumerable<string> Taken(IEnumerable<string> passwords) =>
        passwords.Where(password => Reason(password) is null);
}
