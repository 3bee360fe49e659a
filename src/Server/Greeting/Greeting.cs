using System.Text.Json;

namespace Squall.Server;

/// <summary>The greeting, and the page that answers whoever opens the server's address.</summary>
internal static class Greeting
{
    public static string To(string name) => $"Hello, {(name.Length == 0 ? "world" : name)}";

    public static void MapGreetingPage(this IEndpointRouteBuilder routes)
    {
        byte[] page = JsonSerializer.SerializeToUtf8Bytes(new
        {
            message = To(""),
            server = Product.Name,
            version = Product.Version,
            protocols = new[] { "gRPC", "gRPC-Web", "Connect" },
            services = "listed by server reflection",
        });
        routes.MapGet("/", context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = page.Length;
            return context.Response.Body.WriteAsync(page).AsTask();
        });
    }
}
