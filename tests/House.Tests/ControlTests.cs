namespace Squall.House.Tests;

/// <summary>Each rule is fed a small tree that breaks it and must report it: what cannot fail proves nothing.</summary>
public sealed class ControlTests
{
    /// <summary>Rule, path and text of the file at fault, and what the report must say.</summary>
    public static TheoryData<string, string, string, string> Faults => new()
    {
        { "files are short", "src/A/A.cs", Repeat("// line\n", 401), "src/A/A.cs: 401 lines" },
        { "files are short", "README.md", Repeat("line\n", 121), "README.md: 121 lines" },
        { "lines are narrow", "src/A/A.cs", "\n// " + Repeat("é", 118), "src/A/A.cs:2: 121 columns" },
        { "methods are short", "src/A/A.cs", Method("void M()", 68), "src/A/A.cs:3: M has 71 lines" },
        { "methods are short", "src/A/A.cs", Method("C()", 68), "C has 71 lines" },
        { "methods are short", "src/A/A.cs", Method("void M() { void Inner()", 67) + "}", "M has 71 lines" },
        { "methods are short", "src/A/A.cs", Method("int P { get", 68) + "}", "get has 71 lines" },
        { "methods are short", "src/A/Program.cs", Repeat("F();\n", 71), "The top level has 71 lines" },
        { "folders are shallow", "src/A/B/C/D/E.cs", "", "3 folders" },
        { "folders are shallow", "src/Rpc/A/B/C/D/E.cs", "", "3 folders" },
        { "types are named", "src/A/A.cs", "class TaskHelper;", "A.cs:1: the type TaskHelper" },
        { "types are named", "src/A/A.cs", "class A { enum TaskInfo; }", "'Info'" },
        { "types are named", "src/A/A.cs", "interface IServiceBase;", "'Base'" },
        { "files are named", "src/A/DateUtils.cs", "", "'Utils'" },
        { "folders are named", "src/A/Shared/A.cs", "", "'Shared'" },
        { "nothing sleeps or blocks", "tests/A.Tests/A.cs", Call("Thread.Sleep(1)"), "A.cs:1: sleeps" },
        { "nothing sleeps or blocks", "tests/A.Tests/A.cs", Call("_ = DateTime.UtcNow"), "clock" },
        { "nothing sleeps or blocks", "tests/A.Tests/A.cs", Call("_ = System.DateTimeOffset.Now"), "clock" },
        { "nothing sleeps or blocks", "tests/A.Tests/A.cs", Call("await Task.Delay(5, time)"), "a test sleeps" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("await Task.Delay(5, stop)"), "TimeProvider" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("_ = ReadAsync().Result"), "blocking" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("_ = readTask.Result"), "blocking" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("ReadAsync().Wait(5)"), "blocking" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("x.GetAwaiter().GetResult()"), "blocking" },
        { "nothing sleeps or blocks", "src/A/A.cs", Call("try { } catch (E) { }"), "empty catch" },
        {
            "no regions, no notes for later", "src/A/A.cs",
            "class A\n{\n#region A\n#endregion\n}", "A.cs:3: a region"
        },
        { "no regions, no notes for later", "src/A/A.cs", "// TO" + "DO: later", "A.cs:1: a note" },
        {
            "projects use what they may", "src/Server/S.csproj",
            Uses("../ClientSdk/C.csproj"), "may not use src/ClientSdk"
        },
        { "projects use what they may", "src/Cli/C.csproj", Uses("../Server/S.csproj"), "may not use src/Server" },
        { "projects use what they may", "src/Cli/C.csproj", Uses("../Contracts/C.csproj"), "src/Contracts" },
        { "projects use what they may", "src/Rpc/Core/R.csproj", Uses("../../Contracts/C.csproj"), "src/Contracts" },
        { "projects use what they may", "src/Other/O.csproj", Uses("../Server/S.csproj"), "not in the table" },
        {
            "projects reach what they may", "src/ClientSdk/C.csproj",
            Package("Microsoft.EntityFrameworkCore.Sqlite"), "Entity"
        },
        {
            "projects reach what they may", "src/Rpc/Core/C.csproj",
            Framework("Microsoft.AspNetCore.App"), "AspNetCore"
        },
        {
            "projects reach what they may", "src/Cli/C.csproj",
            Framework("Microsoft.AspNetCore.App"), "AspNetCore"
        },
        {
            "projects reach what they may", "src/Contracts/C.csproj",
            "<Project Sdk='Microsoft.NET.Sdk.Web' />", "Sdk.Web"
        },
        { "applications use gRPC's own API", "src/ClientSdk/A.cs", "using Squall.Rpc;", "A.cs:1: names Squall.Rpc" },
        { "applications use gRPC's own API", "src/Server/A.cs", Call("_ = Rpc.Frame.HeaderBytes"), "names Squall.Rpc" },
        {
            "what the runtime refuses has a reason", "src/Rpc/Server/A.cs",
            Call("throw new RpcException(status)"), "A.cs:1: an error without a reason"
        },
        {
            "what the runtime refuses has a reason", "src/Rpc/Server/A.cs",
            "class A { RpcException Late() => new(status); }", "A.cs:1: an error without a reason"
        },
        {
            "applications can do without the runtime", "samples/A/A.csproj",
            Uses("../../src/Rpc/Client/C.csproj"), "with the official packages"
        },
        { "features are in the table", "src/Server/Other/A.cs", "", "src/Server/Other: not in the table" },
        { "every project in the solution", "src/A/A.csproj", "<Project />", "src/A/A.csproj: not in Grpc.sln" },
        {
            "one version", "Directory.Build.props",
            Property("<VersionPrefix>1.0.0</VersionPrefix><Version>1.0.1</Version>"), "One"
        },
        { "versions in one place", "src/A/A.csproj", Package("X' Version='1.0.0"), "X has a version" },
        { "versions in one place", "src/A/A.csproj", Package("X' VersionOverride='1.0.0"), "X has a version" },
        {
            "versions in one place", "Directory.Packages.props",
            Item("PackageVersion", "X' Version='1.*"), "not pinned"
        },
        { "versions in one place", "src/A/A.props", Item("PackageVersion", "X' Version='1.0.0"), "beside" },
        { "a lock file for each project", "src/A/A.csproj", "<Project />", "without its packages.lock.json" },
        { "what is installed is named", "test.sh", "need a || packages+=(a-tool other)", "installs other" },
        {
            "globalization is on", "src/A/A.csproj",
            Property("<InvariantGlobalization>true</InvariantGlobalization>"), "Invariant"
        },
        {
            "no download addresses", "a/package-lock.json",
            "{ \"resolved\": \"https://host/x.tgz\" }", "download addresses"
        },
        { "no paths of a machine", "a.md", "first\nsee /wo" + "rk/notes", "a.md:2" },
        { "no hosts of registries", "a.config", "https://api.nuget" + ".org/v3", "a.config:1" },
        { "passwords are remembered", "tests/A.Tests/A.cs", "\nconst string Password = \"a phrase\";", "A.cs:2" },
        { "passwords are remembered", "tests/A.Tests/A.cs", "new() { NewPassword = $\"a {1}\" }", "A.cs:1" },
        { "passwords are remembered", "bench/A.cs", "client.LoginAsync(\"ada\", \"a phrase\")", "A.cs:1" },
        { "passwords are remembered", "tests/A/a.js", "login({ username, password: 'a phrase' })", "a.js:1" },
        { "passwords are remembered", "tests/A/a.py", "PASSWORD = \"a phrase\"", "a.py:1" },
    };

    [Theory, MemberData(nameof(Faults))]
    public void A_tree_that_breaks_a_rule_is_reported(string rule, string path, string text, string report)
    {
        var found = HouseTests.Rules[rule](Tree.Of((path, text)));
        Assert.Contains(found, line => line.Contains(report, StringComparison.Ordinal));
    }

    [Fact]
    public void A_root_of_21_entries_is_reported_and_names_with_a_dot_are_not_counted()
    {
        var files = Enumerable.Range(0, 20).Select(i => ($"file{i}", "")).Append((".hidden", "")).ToArray();
        Assert.Empty(Sizes.Root(Tree.Of(files)));
        Assert.Single(Sizes.Root(Tree.Of([.. files, ("one-more/file", "")])));
    }

    [Fact]
    public void A_dependency_is_seen_through_another_project()
    {
        var tree = Tree.Of(
            ("src/ClientSdk/C.csproj", Uses("../Rpc/Client/R.csproj")),
            ("src/Rpc/Client/R.csproj", Framework("Microsoft.AspNetCore.App")));
        Assert.Contains(
            ProjectArrows.Dependencies(tree),
            line => line.StartsWith("src/ClientSdk/C.csproj:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_project_below_another_is_reported()
    {
        var tree = Tree.Of(("src/A/A.csproj", "<Project />"), ("src/A/B/B.csproj", "<Project />"));
        Assert.Equal(["src/A/B/B.csproj: lies in or below the folder of src/A/A.csproj"], Packaging.Nesting(tree));
    }

    [Fact]
    public void A_feature_that_uses_one_that_it_may_not_is_reported()
    {
        var tree = Tree.Of(
            ("src/Server/Tasks/TaskRpcs.cs", "class TaskRpcs\n{\n    Subscription s;\n    Account a; Journal j;\n}"),
            ("src/Server/Accounts/Account.cs", "class Account;"),
            ("src/Server/Storage/Journal.cs", "class Journal;"),
            ("src/Server/Notifications/Subscription.cs", "class Subscription { TaskRpcs of; string Account; }"));
        Assert.Equal(
            ["src/Server/Tasks/TaskRpcs.cs:3: Tasks may not use Subscription of Notifications"],
            FeatureArrows.Uses(tree));
    }

    [Fact]
    public void What_is_allowed_is_not_reported()
    {
        var tree = Tree.Of(
            ("src/A/A.cs", Call("await Task.Delay(5, time, stop); var r = work.Result;\n")),
            ("src/A/B.cs", Call("try { } catch (E) { // why\n }")),
            ("src/A/ClientBase.cs", "class ClientBase; class Database; class ErrorInfo;"),
            ("tests/A.Tests/A.cs", Call("await Task.Delay(Timeout.Infinite, stop)")));
        Assert.Empty(Banned.Apis(tree).Concat(Names.Types(tree)).Concat(Names.Files(tree)));
    }

    [Fact]
    public void Every_rule_has_a_control()
    {
        string[] here = ["the root is small", "features use what they may", "no project above another"];
        Assert.Empty(HouseTests.Rules.Keys.Except(Faults.Select(row => (string)row[0])).Except(here));
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private static string Method(string head, int lines) =>
        $"class C\n{{\n    {head}\n    {{\n{Repeat("        F();\n", lines)}    }}\n}}";

    private static string Call(string statement) => $"class A {{ async void M() {{ {statement}; }} }}";

    private static string Uses(string project) => Item("ProjectReference", project);

    private static string Package(string name) => Item("PackageReference", name);

    private static string Framework(string name) => Item("FrameworkReference", name);

    private static string Item(string kind, string include) =>
        $"<Project><ItemGroup><{kind} Include='{include}' /></ItemGroup></Project>";

    private static string Property(string xml) => $"<Project><PropertyGroup>{xml}</PropertyGroup></Project>";
}
