using System.Net;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What is wrong with a request in JSON, whose spelling has faults of its own.</summary>
public sealed class BadInputJsonTests : IClassFixture<FrozenServer>
{
    private const string Mark = "zzzz";
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);
    private readonly ServerFixture _server;

    public BadInputJsonTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string> Rpcs()
    {
        var rpcs = new TheoryData<string>();
        foreach (MethodDescriptor method in Contract.Methods.Where(
            method => !Contract.IsLater(method) && !method.IsServerStreaming))
        {
            rpcs.Add(Contract.NameOf(method));
        }

        return rpcs;
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Half_a_surrogate_pair_and_text_that_is_not_UTF8_are_refused_with_the_field_named(string rpc)
    {
        string[] escapes = ["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\ud83d", "\\ude00\\ud83d"];
        byte[][] bytes = [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]];
        await RefuseEachFieldAsync(rpc, field => field.FieldType == FieldType.String || IsMask(field), json =>
        [
            .. escapes.Select(escape => Encoding.UTF8.GetBytes(json.Replace(Mark, escape, StringComparison.Ordinal))),
            .. bytes.Select(fault => Replaced(json, fault)),
        ]);
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task A_value_of_another_kind_is_refused_with_the_field_named(string rpc)
    {
        using Client ada = await SignInAsync();
        IMessage request = await (await Place.MakeAsync(_server, ada)).RequestAsync(rpc);
        string before = await _server.DumpAsync();
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            foreach (string value in Misfits(field))
            {
                string json = Nest(path, value);
                (HttpStatusCode code, string body) = await PostAsync(rpc, Encoding.UTF8.GetBytes(json), ada);
                AssertNamed(rpc, json, path.Replace("tasks.", "tasks[0].", StringComparison.Ordinal), code, body);
                AssertUnreadable(json, body);
            }
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task What_is_no_JSON_object_is_refused(string rpc)
    {
        using Client ada = await SignInAsync();
        string[] broken =
        [
            "", " ", "{", "}", "[]", "1", "\"text\"", "true", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{}{}",
            "{} x", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":01}", "{\"a\":NaN}", "// {}",
            "{\"a\":\"\\ud83d\"}", "{\"\\ud83d\":1}", new string('[', 100_000), new string('{', 100_000),
            new string('[', 300) + new string(']', 300),
        ];
        string before = await _server.DumpAsync();
        foreach (string json in broken)
        {
            (HttpStatusCode code, string body) = await PostAsync(rpc, Encoding.UTF8.GetBytes(json), ada);
            Assert.Equal((json, HttpStatusCode.BadRequest), (json, code));
            AssertUnreadable(json, body);
            Assert.InRange(body.Length, 1, 2_000);
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    [Fact]
    public async Task Nesting_without_end_in_what_is_passed_over_harms_nobody()
    {
        const int Deep = 300_000;
        using Client ada = await SignInAsync();
        foreach ((string open, string close) in ((string, string)[])[("{\"a\":", "}"), ("[", "]")])
        {
            string nested = string.Concat(Enumerable.Repeat(open, Deep)) + "1" + string.Concat(
                Enumerable.Repeat(close, Deep));
            string unknown = $"{{\"unknown\":{nested}}}";
            (HttpStatusCode code, _) = await PostAsync("GreeterService/SayHello", Encoding.UTF8.GetBytes(unknown), ada);
            Assert.Equal(HttpStatusCode.OK, code);
            string known = $"{{\"name\":{nested}}}";
            (code, string body) = await PostAsync("GreeterService/SayHello", Encoding.UTF8.GetBytes(known), ada);
            AssertNamed("GreeterService/SayHello", open, "name", code, body);
            Assert.Contains("nested too deep; at most 100 levels", body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Refusals_are_the_same_as_over_gRPC(string rpc)
    {
        using Client ada = await SignInAsync();
        IMessage request = await (await Place.MakeAsync(_server, ada)).RequestAsync(rpc);
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            // One value of each reason; a null is no JSON, and a mask with such a path has none.
            foreach (BadValue bad in BadInputTable.Of(rpc, path, field)!
                .Where(bad => bad.Value is string or int or long)
                .DistinctBy(bad => bad.Reason))
            {
                IMessage wrong = BadInputTests.With(request, path, bad.Value);
                (HttpStatusCode code, string body) =
                    await PostAsync(rpc, Encoding.UTF8.GetBytes(Formatter.Format(wrong)), ada);
                AssertNamed(rpc, bad.Name, BadInputTests.Expected(rpc, path, bad).Field, code, body);
                Assert.Equal(bad.Reason, Detail<ErrorInfo>(body)!.Reason);
            }
        }
    }

    private static bool IsMask(FieldDescriptor field) =>
        field.FieldType == FieldType.Message && field.MessageType.FullName == FieldMask.Descriptor.FullName;

    /// <summary>What is JSON, and no value of the field.</summary>
    private static string[] Misfits(FieldDescriptor field) => field switch
    {
        { IsRepeated: true } => ["1", "\"x\"", "{\"a\":1}"],
        { FieldType: FieldType.Int32 } => ["\"x\"", "1.5", "3000000000", "1e99", "[]", "true", "\"\""],
        { FieldType: FieldType.Int64 } => ["\"x\"", "1.5", "\"9223372036854775808\"", "1e99", "{}", "false"],
        { FieldType: FieldType.Enum } => ["\"NO_SUCH_NAME\"", "[]", "{}", "true", "1.5"],
        { FieldType: FieldType.Bool } => ["1", "\"yes\"", "[]"],
        { FieldType: FieldType.String } => ["1", "true", "[\"x\"]", "{\"a\":1}"],
        { FieldType: FieldType.Bytes } => ["1", "\"?\"", "[]"],
        { MessageType.Name: "Timestamp" } => ["\"nonsense\"", "1", "\"2026-02-30T00:00:00Z\"", "\"\"", "{}"],
        { MessageType.Name: "Duration" } => ["\"nonsense\"", "1", "\"1\"", "\"999999999999999999s\"", "{}"],
        { MessageType.Name: "FieldMask" } => ["1", "[\"title\"]", "{}", "\"a_b\""],
        _ => ["1", "\"x\"", "[]", "true"],
    };

    private static string Nest(string path, string value)
    {
        string[] names = path.Split('.');
        return names.Reverse().Aggregate(
            value, (inner, name) => name == "tasks" && inner[0] == '{' && names.Length > 1
                ? $"{{\"{name}\":[{inner}]}}"
                : $"{{\"{name}\":{inner}}}");
    }

    private static byte[] Replaced(string json, byte[] fault)
    {
        string[] parts = json.Split(Mark);
        return [.. Encoding.UTF8.GetBytes(parts[0]), .. fault, .. Encoding.UTF8.GetBytes(parts[1])];
    }

    private async Task RefuseEachFieldAsync(
        string rpc, Func<FieldDescriptor, bool> which, Func<string, IEnumerable<byte[]>> faults)
    {
        using Client ada = await SignInAsync();
        IMessage request = await (await Place.MakeAsync(_server, ada)).RequestAsync(rpc);
        string before = await _server.DumpAsync();
        foreach ((string path, FieldDescriptor field) in Contract.FieldsOf(request.Descriptor))
        {
            if (!which(field))
            {
                continue;
            }

            object marked = IsMask(field) ? new FieldMask { Paths = { Mark } }
                : field.IsRepeated ? (string[])["fine", Mark] : Mark;
            string json = Formatter.Format(BadInputTests.With(request, path, marked));
            string name = path.Replace("tasks.", "tasks[0].", StringComparison.Ordinal)
                + (field.IsRepeated ? "[1]" : "");
            foreach (byte[] fault in faults(json))
            {
                (HttpStatusCode code, string body) = await PostAsync(rpc, fault, ada);
                AssertNamed(rpc, Encoding.UTF8.GetString(fault), name, code, body);
                AssertUnreadable(name, body);
            }
        }

        Assert.Equal(before, await _server.DumpAsync());
    }

    private static void AssertNamed(string rpc, string what, string field, HttpStatusCode code, string body)
    {
        Assert.Equal((rpc, what, HttpStatusCode.BadRequest), (rpc, what, code));
        Assert.Contains("\"code\":\"invalid_argument\"", body, StringComparison.Ordinal);
        Assert.Equal(
            (rpc, what, field), (rpc, what, Detail<BadRequest>(body)?.FieldViolations.Single().Field ?? body));
    }

    /// <summary>The runtime's own refusals have what the service's have.</summary>
    private static void AssertUnreadable(string what, string body)
    {
        Assert.Contains("\"code\":\"invalid_argument\"", body, StringComparison.Ordinal);
        ErrorInfo? cause = Detail<ErrorInfo>(body);
        Assert.Equal((what, "squall", "INVALID_REQUEST"), (what, cause?.Domain, cause?.Reason));
    }

    private static T? Detail<T>(string body)
        where T : class, IMessage<T>, new()
    {
        using JsonDocument document = JsonDocument.Parse(body);
        if (!document.RootElement.TryGetProperty("details", out JsonElement details))
        {
            return null;
        }

        string type = new T().Descriptor.FullName;
        string? value = details.EnumerateArray()
            .Where(detail => detail.GetProperty("type").GetString() == type)
            .Select(detail => detail.GetProperty("value").GetString()).SingleOrDefault();
        if (value is null)
        {
            return null;
        }

        var found = new T();
        found.MergeFrom(Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '=')));
        return found;
    }

    private async Task<(HttpStatusCode Code, string Body)> PostAsync(string rpc, byte[] json, Client caller)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(_server.Address, Contract.PathOf(Contract.Method(rpc))))
        {
            Content = new ByteArrayContent(json) { Headers = { ContentType = new("application/json") } },
        };
        request.Headers.Authorization = new("Bearer", caller.Tokens.AccessToken);
        using HttpResponseMessage answer = await http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
