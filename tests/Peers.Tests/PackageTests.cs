using System.IO.Compression;
using System.Text;
using System.Xml.Linq;

namespace Squall.Peers.Tests;

/// <summary>The packages: what is said of them, what is in them, and that an application can use them.</summary>
[Collection(WithServer.Name)]
public sealed class PackageTests(RunningServer server, Packages packages) : IClassFixture<Packages>
{
    public static TheoryData<string> Ids =>
        ["Squall.Client", "Squall.Contracts", "Squall.Rpc.Core", "Squall.Rpc.Client"];

    [Fact]
    public async Task A_console_application_outside_the_repository_uses_them()
    {
        const string Program = """
            using Squall.Client;

            using var client = new SquallClient(args[0]);
            await client.RegisterAsync("packaged", args[1]);
            await client.LoginAsync("packaged", args[1]);
            var list = await client.Lists.CreateAsync("a list");
            await foreach (var told in client.SubscribeAsync())
            {
                if (told is SubscriptionEvent.Synced)
                {
                    await client.Tasks.CreateAsync(list.Id, "from a package");
                }
                else if (told is SubscriptionEvent.Changed { Notification.TaskCreated: { } created })
                {
                    Console.WriteLine($"told of: {created.Task.Title}");
                    break;
                }
            }
            """;
        var folder = await packages.MakeConsoleAsync("packaged", Program);
        var printed = await Command.OutputAsync(
            folder, "dotnet", "run", "--no-launch-profile", "--", server.Address.ToString(),
            Secrets.Password());
        Assert.Equal("told of: from a package\n", printed);
    }

    [Theory, MemberData(nameof(Ids))]
    public void Each_says_what_it_is_and_not_where_it_was_made(string id)
    {
        using var package = ZipFile.OpenRead(Directory.GetFiles(packages.Feed, $"{id}.*.nupkg")
            .Single(path => char.IsAsciiDigit(Path.GetFileName(path)[id.Length + 1])));
        var about = XDocument.Parse(Text($"{id}.nuspec").TrimStart('\uFEFF'));
        Assert.Equal("the Squall authors", Of("authors"));
        Assert.Equal("MIT", Of("license"));
        Assert.Equal("README.md", Of("readme"));
        Assert.InRange(Of("description").Length, 20, 200);
        Assert.DoesNotContain(about.Descendants(), element => element.Attribute("url") is not null);
        Assert.StartsWith($"# {id}\n", Text("README.md"), StringComparison.Ordinal);
        Assert.Contains("<member ", Text($"lib/net10.0/{id}.xml"), StringComparison.Ordinal);
        Assert.All(package.Entries, entry => Assert.DoesNotContain(
            Repository.Root, Encoding.Latin1.GetString(Bytes(package, entry.FullName)), StringComparison.Ordinal));

        string Text(string path) => Encoding.UTF8.GetString(Bytes(package, path));

        string Of(string name) => about.Descendants().Single(element => element.Name.LocalName == name).Value;
    }

    private static byte[] Bytes(ZipArchive package, string path)
    {
        var found = package.GetEntry(path) ?? throw new InvalidOperationException($"{path} is not there.");
        using var entry = found.Open();
        using var bytes = new MemoryStream();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }
}
