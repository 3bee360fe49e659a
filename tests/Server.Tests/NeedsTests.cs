using Squall.V1;

namespace Squall.Server.Tests;

public sealed class NeedsTests
{
    [Fact]
    public void Each_rpc_of_the_contract_has_its_row() => Assert.Empty(Needs.Gaps());

    [Fact]
    public void The_contract_is_read_in_full()
    {
        var services = typeof(TaskItem).Assembly.GetTypes()
            .Where(type => type.IsAbstract && type.IsSealed && type.Name.EndsWith("Service", StringComparison.Ordinal))
            .Select(type => type.Name);
        Assert.Equal(services.Order(), Needs.Contract.Select(service => service.Name).Order());
    }

    [Fact]
    public void A_method_of_the_contract_without_a_row_lets_nobody_in() =>
        Assert.Throws<InvalidOperationException>(() => Needs.Of("/squall.v1.TaskService/Steal"));

    [Theory]
    [InlineData("/grpc.health.v1.Health/Check", Proof.Nothing, Role.Unspecified)]
    [InlineData("/squall.v1.GreeterService/SayHello", Proof.Nothing, Role.Unspecified)]
    [InlineData("/squall.v1.AuthService/Logout", Proof.Session, Role.Unspecified)]
    [InlineData("/squall.v1.TaskListService/CreateTaskList", Proof.SessionOrKey, Role.Unspecified)]
    [InlineData("/squall.v1.TaskService/GetTask", Proof.SessionOrKey, Role.Viewer)]
    [InlineData("/squall.v1.TaskService/CompleteTask", Proof.SessionOrKey, Role.Worker)]
    [InlineData("/squall.v1.TaskService/CreateTask", Proof.SessionOrKey, Role.Editor)]
    [InlineData("/squall.v1.TaskListService/SetMember", Proof.SessionOrKey, Role.Owner)]
    internal void A_method_needs_what_its_row_says(string method, Proof proof, Role role) =>
        Assert.Equal((proof, role), (Needs.Of(method).Proof, Needs.Of(method).Role));
}
