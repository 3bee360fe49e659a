using System.Collections;

namespace Squall.Server.Tests;

public sealed class HostingOptionTests : HostingPlace
{
    private readonly Hashtable _environment = [];

    private string Program => Directory.CreateDirectory(Path.Combine(Place, "program")).FullName;

    [Fact]
    public void Without_options_everything_is_at_its_default()
    {
        ServerOptions options = Read();
        Assert.Equal("localhost:7080", options.Http.ToString());
        Assert.Equal("localhost:7443", options.Https!.ToString());
        Assert.Equal("squall-data", options.DirectoryPath);
        Assert.True(options.RegistrationOpen);
        var untouched = new Limits();
        Assert.All(typeof(Limits).GetProperties(), limit =>
            Assert.Equal(limit.GetValue(untouched), limit.GetValue(options.Limits)));
    }

    [Fact]
    public void Each_limit_is_an_option_whose_default_it_takes_back()
    {
        Assert.Equal(
            typeof(Limits).GetProperties().Select(limit => "Squall:" + limit.Name).Order(StringComparer.Ordinal),
            LimitList.All.Select(option => option.Key).Order(StringComparer.Ordinal));
        Assert.All(LimitList.All, option =>
        {
            var options = new ServerOptions();
            Assert.Null(option.Set(options, option.Get(new ServerOptions())));
            Assert.Equal(option.Get(new ServerOptions()), option.Get(options));
            Assert.NotNull(option.Set(options, "one"));
        });
    }

    [Fact]
    public async Task Help_tells_of_each_option_and_the_version_of_itself()
    {
        using HostingProcess help = await HostingProcess.EndAsync(Place, ["--help"]);
        Assert.Equal(0, help.ExitCode);
        Assert.Empty(help.Errors);
        Assert.All(OptionList.All, option => Assert.Contains(
            help.Output, line => line.StartsWith($"  --{option.Name} {option.Form} ", StringComparison.Ordinal)));
        Assert.All(help.Output, line => Assert.InRange(line.Length, 0, 140));

        using HostingProcess version = await HostingProcess.EndAsync(Place, ["--version"]);
        Assert.Equal(0, version.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+$", Assert.Single(version.Output));
        Assert.Empty(Directory.GetFileSystemEntries(Place));
    }

    [Fact]
    public void The_command_line_goes_before_the_environment_and_that_before_the_files()
    {
        WriteFile(
            Program, """{"Squall": {"LabelsMax": 1, "TaskStepsMax": 1, "PageSizeMax": "501", "BatchTasksMax": 1}}""");
        Directory.CreateDirectory(Stored);
        WriteFile(Stored, """{"squall": {"labelsMax": "2", "TaskStepsMax": 2, "BatchTasksMax": 2}} // a comment""");
        _environment["SQUALL_LABELS_MAX"] = "3";
        _environment["SQUALL_TASK_STEPS_MAX"] = "3";

        Limits limits = Read("--data", Stored, "--labels-max=4").Limits;

        Assert.Equal(4, limits.LabelsMax);
        Assert.Equal(3, limits.TaskStepsMax);
        Assert.Equal(2, limits.BatchTasksMax);
        Assert.Equal(501, limits.PageSizeMax);
    }

    [Fact]
    public void The_directory_itself_comes_from_the_command_line_the_environment_or_the_programs_file()
    {
        WriteFile(Program, """{"Squall": {"Data": "from-file"}}""");
        Assert.Equal("from-file", Read().DirectoryPath);
        _environment["SQUALL_DATA"] = "from-environment";
        Assert.Equal("from-environment", Read().DirectoryPath);
        Assert.Equal("from-arguments", Read("--data", "from-arguments").DirectoryPath);
    }

    [Theory]
    [InlineData("--access-lifetime", "90s", "00:01:30")]
    [InlineData("--refresh-lifetime", "7d", "7.00:00:00")]
    [InlineData("--commit-time-max", "500ms", "00:00:00.5000000")]
    [InlineData("--message-bytes-max", "8MiB", "8388608")]
    [InlineData("--tail-bytes-max", "4GiB", "4294967296")]
    [InlineData("--note-bytes-max", "100B", "100")]
    [InlineData("--list-tasks-max", "5", "5")]
    public void Units_are_written(string name, string text, string value)
    {
        Option option = OptionList.All.Single(known => "--" + known.Name == name);
        Limits limits = Read(name, text).Limits;
        Assert.Equal(value, typeof(Limits).GetProperty(option.Key["Squall:".Length..])!.GetValue(limits)!.ToString());
    }

    [Theory]
    [InlineData("a task could be 4075648 bytes", "--labels-max=1000 --label-characters-max=1000 "
        + "--answer-bytes-max=1MiB --message-bytes-max=3MiB")]
    [InlineData("a list's members could be 5282048 bytes", "--list-members-max=10000")]
    [InlineData("a page could be 4206480 bytes", "--answer-bytes-max=4MiB")]
    [InlineData("a comment could be 1050624 bytes", "--comment-bytes-max=1MiB --answer-bytes-max=512KiB "
        + "--message-bytes-max=1MiB")]
    [InlineData("or lower --note-bytes-max or --labels-max or", "--message-bytes-max=64KiB --answer-bytes-max=32KiB")]
    public void Limits_that_let_an_answer_outgrow_a_message_are_refused(string cause, string args)
    {
        var refused = Assert.Throws<StartRefusedException>(() => Read(args.Split(' ')));
        Assert.Contains(cause, refused.Message, StringComparison.Ordinal);
        Assert.Contains("--message-bytes-max: raise that, or lower --", refused.Message, StringComparison.Ordinal);
        string[] raised = [.. args.Split(' ').Where(arg => !arg.StartsWith("--message", StringComparison.Ordinal))];
        Assert.Equal(64 << 20, Read([.. raised, "--message-bytes-max=64MiB"]).Limits.MessageBytesMax);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("1")]
    [InlineData("1 s")]
    [InlineData("+1s")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1S")]
    [InlineData("\u0661s")]
    [InlineData("9999999999999999999s")]
    [InlineData("99999999999999d")]
    public void What_is_no_time_is_refused(string text) =>
        Assert.Throws<StartRefusedException>(() => Read("--access-lifetime=" + text));

    [Theory]
    [InlineData("localhost:7080", true)]
    [InlineData("LOCALHOST:0", true)]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("[::1]:7080", true)]
    [InlineData("0.0.0.0:7080", false)]
    [InlineData("[::]:7080", false)]
    [InlineData("192.0.2.7:7080", false)]
    public void Registration_is_open_by_default_while_only_loopback_is_bound(string address, bool open)
    {
        Assert.Equal(open, Read("--http", address).RegistrationOpen);
        Assert.Equal(open, Read("--http", "localhost:0", "--https", address).RegistrationOpen);
        Assert.True(Read("--http", address, "--registration", "open").RegistrationOpen);
        Assert.False(Read("--http", address, "--registration", "closed").RegistrationOpen);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":80")]
    [InlineData("localhost")]
    [InlineData("localhost:")]
    [InlineData("localhost:-1")]
    [InlineData("localhost:65536")]
    [InlineData("localhost: 80")]
    [InlineData("1:80")]
    [InlineData("0x7f.1:80")]
    [InlineData("127.0.0.1.:80")]
    [InlineData("[127.0.0.1]:80")]
    [InlineData("::1:80")]
    [InlineData("[::1:80")]
    [InlineData("http://localhost:80")]
    public void What_is_no_address_is_refused(string text) => Assert.Null(HostPort.Parse(text));

    [Fact]
    public void Variables_that_are_no_options_are_found()
    {
        _environment["SQUALL_PORT"] = "tcp://127.0.0.1:80";
        _environment["SQUALL_HTTP"] = "localhost:1";
        _environment["OTHER"] = "1";
        Assert.Equal(["SQUALL_PORT"], OptionReader.UnknownVariables(_environment));
    }

    private static void WriteFile(string directory, string text) =>
        File.WriteAllText(Path.Combine(directory, "appsettings.json"), text);

    private ServerOptions Read(params string[] args) => OptionReader.Read(args, _environment, Program);
}
