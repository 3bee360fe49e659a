using Grpc.Reflection.V1;

namespace Squall.Server.Tests;

/// <summary>Every RPC by everyone on every kind of list, as matrix.txt says.</summary>
public sealed class MatrixTests : IClassFixture<FrozenServer>
{
    /// <summary>Fewer would say that rows, callers or kinds of lists were lost.</summary>
    private const int CellsMin = 2_000;
    private readonly ServerFixture _server;

    public MatrixTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string> Names() => [.. MatrixTable.Rows.Select(row => row.Name)];

    [Fact]
    public void Each_RPC_has_its_row_and_each_row_its_RPC() => Assert.Equal(
        MatrixTable.Methods.Keys.Order(StringComparer.Ordinal),
        MatrixTable.Rows.Select(row => row.Rpc).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void It_is_as_large_as_it_was() =>
        Assert.InRange(MatrixTable.Rows.Sum(row => row.Cells.Count), CellsMin, int.MaxValue);

    [Fact]
    public async Task Each_service_that_the_server_says_it_serves_is_in_it()
    {
        using var call = new ServerReflection.ServerReflectionClient(_server.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "*" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(
            MatrixTable.Methods.Values.Select(method => method.Service.FullName).Distinct()
                .Order(StringComparer.Ordinal),
            call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Everyone_is_answered_as_the_table_says_and_whoever_is_refused_has_no_effect(string name)
    {
        MatrixRow row = MatrixTable.Row(name);
        MatrixRun run = await MatrixRun.RunAsync(_server, row);
        Assert.True(run.Wrong.Count == 0, string.Join('\n', run.Wrong));
        Assert.InRange(run.Cells, row.Cells.Count, row.Cells.Count + 1);
        Assert.Equal(row.Cells.Values.Count(answer => !"+0d".Contains(answer)), run.Refused);
    }
}
