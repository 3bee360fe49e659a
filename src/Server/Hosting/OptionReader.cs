using System.Collections;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;

namespace Squall.Server;

/// <summary>
/// Reads the options: the command line goes before the environment, that before appsettings.json in the data
/// directory, and that before the one beside the program. What is not understood is refused.
/// </summary>
internal static class OptionReader
{
    private const string FileName = "appsettings.json";
    private const string Prefix = "SQUALL_";

    /// <exception cref="StartRefusedException">An option is unknown, or its value is not to be used.</exception>
    public static ServerOptions Read(string[] args, IDictionary environment, string programDirectory)
    {
        var options = new ServerOptions();
        List<Setting> told = [.. FromEnvironment(environment), .. FromCommandLine(args)];
        List<Setting> beside = FromFile(programDirectory);
        beside.ForEach(setting => setting.Apply(options));
        told.Where(setting => setting.Option.Name == "data").ToList().ForEach(setting => setting.Apply(options));

        if (FromFile(options.DirectoryPath) is { Count: > 0 } within)
        {
            if (within.Find(setting => setting.Option.Name == "data") is { } circular)
            {
                throw new StartRefusedException($"{circular.Source} cannot stand in the data directory itself");
            }

            within.ForEach(setting => setting.Apply(options));
        }

        told.ForEach(setting => setting.Apply(options));
        return LimitList.Conflict(options.Limits) is { } conflict ? throw new StartRefusedException(conflict) : options;
    }

    /// <summary>Variables that look like options but are none; another program's, or misspelt.</summary>
    public static IEnumerable<string> UnknownVariables(IDictionary environment)
    {
        var known = OptionList.All.Select(option => option.Variable).ToHashSet(StringComparer.Ordinal);
        return environment.Keys.Cast<string>()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && !known.Contains(name))
            .Order(StringComparer.Ordinal);
    }

    private static List<Setting> FromCommandLine(string[] args)
    {
        var settings = new List<Setting>();
        for (int at = 0; at < args.Length; at++)
        {
            string[] parts = args[at].Split('=', 2);
            Option option = OptionList.All.FirstOrDefault(known => "--" + known.Name == parts[0])
                ?? throw new StartRefusedException($"unknown option {parts[0]} (see --help)");
            string value = parts.Length == 2 ? parts[1]
                : at + 1 < args.Length && !args[at + 1].StartsWith("--", StringComparison.Ordinal) ? args[++at]
                : throw new StartRefusedException($"{parts[0]} needs a value: {option.Form}");
            if (settings.Exists(earlier => earlier.Option == option))
            {
                throw new StartRefusedException($"{parts[0]} is given twice");
            }

            settings.Add(new Setting(option, parts[0], value));
        }

        return settings;
    }

    private static IEnumerable<Setting> FromEnvironment(IDictionary environment) =>
        from option in OptionList.All
        let value = environment[option.Variable] as string
        where value is not null
        select new Setting(option, option.Variable, value);

    private static List<Setting> FromFile(string directory)
    {
        string path = Path.GetFullPath(Path.Combine(directory, FileName));
        if (!File.Exists(path))
        {
            return [];
        }

        return
        [
            .. from pair in Flatten(path)
               where pair.Value is not null
               let option = OptionList.All.FirstOrDefault(
                   known => string.Equals(known.Key, pair.Key, StringComparison.OrdinalIgnoreCase))
               select option is null
                   ? throw new StartRefusedException($"{path}: unknown key {pair.Key} (see --help)")
                   : new Setting(option, $"{path}: {option.Key}", pair.Value!),
        ];
    }

    private static IEnumerable<KeyValuePair<string, string?>> Flatten(string path)
    {
        try
        {
            using var files = new PhysicalFileProvider(Path.GetDirectoryName(path)!);
            var source = new JsonConfigurationSource { FileProvider = files, Path = FileName, Optional = false };
            return new ConfigurationBuilder().Add(source).Build().AsEnumerable();
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            string cause = (failure.InnerException ?? failure).InnerException?.Message ?? failure.Message;
            throw new StartRefusedException($"{path} cannot be read: {cause}", failure);
        }
    }

    /// <summary>A value and where it stands.</summary>
    private sealed record Setting(Option Option, string Source, string Value)
    {
        public void Apply(ServerOptions options)
        {
            if (Option.Set(options, Value) is { } fault)
            {
                throw new StartRefusedException($"{Source}: \"{Value}\" {fault}");
            }
        }
    }
}
