namespace Squall.Peers.Tests;

/// <summary>The packages as a release makes them, in a folder, and console projects that use nothing else.</summary>
public sealed class Packages : IAsyncLifetime
{
    private static readonly string[] Projects = ["Contracts", "Rpc/Core", "Rpc/Client", "ClientSdk"];

    // Two at once would write the same files beside the projects.
    private static readonly SemaphoreSlim Turn = new(1);

    private readonly string root = Directory.CreateTempSubdirectory("squall-packages-").FullName;

    /// <summary>Where they lie.</summary>
    public string Feed => Path.Combine(root, "feed");

    public async Task InitializeAsync()
    {
        await Turn.WaitAsync();
        try
        {
            foreach (var project in Projects)
            {
                await Command.OutputAsync(
                    Repository.Root, "dotnet", "pack", $"src/{project}", "--no-build",
                    "--configuration", Repository.Configuration, "--output", Feed);
            }
        }
        finally
        {
            Turn.Release();
        }
    }

    public Task DisposeAsync()
    {
        Directory.Delete(root, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>
    /// A console project outside the repository. Its packages are put in a folder of its own, since those of this
    /// version may differ from run to run; what others made is taken from where it is.
    /// </summary>
    public async Task<string> MakeConsoleAsync(string name, string program)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program);
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="squall" value="{Feed}" />
              </packageSources>
              <fallbackPackageFolders>
                <add key="others" value="{packages}" />
              </fallbackPackageFolders>
            </configuration>
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                <RestorePackagesPath>{Path.Combine(root, "restored")}</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Squall.Client" Version="*" />
              </ItemGroup>
            </Project>
            """);
        return folder;
    }
}
