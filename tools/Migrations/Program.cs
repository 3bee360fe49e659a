// Writes what changed in the database's model since the last migration, as a migration:
//
//   dotnet run --project tools/Migrations -- add AddTaskReminders
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;

if (args is not ["add", var name])
{
    Console.Error.WriteLine("usage: add <Name>");
    return 2;
}

// One context to ask, another to write: the last snapshot of a context that was asked is taken for an empty one.
var options = new DbContextOptionsBuilder<SqliteSquallDb>()
    .UseSqlite(sqlite => sqlite.MigrationsHistoryTable("migrations")).Options;
await using (var asked = new SqliteSquallDb(options))
{
    if (!asked.Database.HasPendingModelChanges())
    {
        Console.Error.WriteLine("The model is as the last migration left it: there is nothing to write.");
        return 1;
    }
}

await using var db = new SqliteSquallDb(options);

var server = typeof(SquallDb).Assembly;
var services = new DesignTimeServicesBuilder(server, server, new OperationReporter(null), []).Build(db);
await using var scope = services.CreateAsyncScope();
var scaffolder = scope.ServiceProvider.GetRequiredService<IMigrationsScaffolder>();
var migration = scaffolder.ScaffoldMigration(name, "Squall.Server", "Migrations", language: "C#");
var folder = Path.Combine(FindRoot(), "src", "Server", "Storage", "Migrations");
Directory.CreateDirectory(folder);
Write($"{migration.MigrationId}.cs", migration.MigrationCode);
Write($"{migration.MigrationId}.Designer.cs", migration.MetadataCode);
Write($"{migration.SnapshotName}.cs", migration.SnapshotCode);
return 0;

void Write(string file, string text)
{
    File.WriteAllText(Path.Combine(folder, file), text);
    Console.WriteLine(file);
}

static string FindRoot()
{
    var above = new DirectoryInfo(AppContext.BaseDirectory);
    while (above is not null && !File.Exists(Path.Combine(above.FullName, "Grpc.sln")))
    {
        above = above.Parent;
    }

    return above?.FullName ?? throw new InvalidOperationException("No Grpc.sln above the tool.");
}
