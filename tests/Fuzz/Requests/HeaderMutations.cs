namespace Squall.Fuzz;

/// <summary>What can be wrong with a call's headers, its path and its query, while HTTP itself is in order.</summary>
internal static class HeaderMutations
{
    private static readonly string[] Timeouts =
    [
        "0S", "1n", "999n", "1u", "50m", "1S", "99999999H", "99999999n", "100000000S", "1s", "-1S", "S", "", " ", "1 S",
        "1.5S", "1SS", "0x1S", "１S", "9223372036854775807n", "5", "0", "1", "9999999999", "99999999999", "-5", "1e3",
    ];

    private static readonly string[] Types =
    [
        "application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc+foo",
        "application/grpcx", "application/grpc-web", "application/grpc-web+json", "application/grpc-web-text",
        "application/grpc-web-text+json",
        "application/proto", "application/json", "application/json; charset=utf-8", "application/json;charset=latin1",
        "application/connect+proto", "application/connect+json", "application/connect+", "APPLICATION/GRPC",
        "text/plain",
        "application/grpc;", "application/json;;", ";", "", "application/json, application/proto", "*/*",
    ];

    private static readonly string[] Encodings =
        ["gzip", "GZIP", "identity", "br", "deflate", "", "gzip,gzip", "gzip, identity", "x-gzip", "\u00FF", "*"];

    private static readonly string[] Accepted =
        ["gzip", "gzip;q=0", "gzip;q=0.000", "gzip;q=1;q=0", "*", "identity", "br, gzip", ",,,gzip", ";",
            "gzip;q=a", ""];

    private static readonly string[] Names =
    [
        "echo-a", "echo-a-bin", "a-bin", "echo-_.", "grpc-status", "grpc-message", "grpc-foo", "echo-grpc-status",
        "user-agent", "x-grpc-web", "accept", "origin", "te", "traceparent", "tracestate", "baggage", "cookie",
        "authorization", "content-language", "expect", "range", "if-none-match", "x-forwarded-for", "trailer",
    ];

    private static readonly string[] Values =
    [
        "", "a", " a ", "a,b", "YQ==", "YQ", "YQ=", "YQ===", "Y", "-_", "====", "YQ==,YWI=", ",",
        "\u0080\u00FF", "a\tb",
        "%00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-zz-zz-zz", FuzzServer.Origin, "null",
        "application/grpc-web-text", "trailers", "application/grpc-web-textual", "1", "bytes=0-",
        "a=b; c=\"d", "\u0001",
    ];

    public static readonly Mutation<Call>[] All =
    [
        Change("a timeout", (call, random) =>
            Set(call, IsConnect(call) ? "connect-timeout-ms" : "grpc-timeout", Any(Timeouts, random))),
        Change("two timeouts", (call, random) =>
        {
            string name = IsConnect(call) ? "connect-timeout-ms" : "grpc-timeout";
            call.Headers.AddRange([(name, Any(Timeouts, random)), (name, Any(Timeouts, random))]);
        }),
        Change("a type", (call, random) => Set(call, "content-type", Any(Types, random))),
        Change("no type", (call, _) => call.Headers.RemoveAll(header => header.Name == "content-type")),
        Change("an encoding", (call, random) => Set(call, EncodingName(call, random), Any(Encodings, random))),
        Change("two encodings", (call, random) =>
            call.Headers.Add((EncodingName(call, random), Any(Encodings, random)))),
        Change("what is accepted", (call, random) => Set(call, AcceptName(call), Any(Accepted, random))),
        Change("a version", (call, random) =>
            Set(call, "connect-protocol-version", Any(["1", "2", "", "1,1", "01"], random))),
        Change("metadata", (call, random) => call.Headers.Add((Any(Names, random), Any(Values, random)))),
        Change("metadata", (call, random) => call.Headers.Add((Any(Names, random), Any(Values, random)))),
        Change("much metadata", (call, random) => call.Headers.AddRange(
            Enumerable.Range(0, random.Next(60)).Select(at => ($"echo-{at}", Any(Values, random))))),
        Change("long metadata", (call, random) => call.Headers.Add(
            (Any(["echo-a", "a", "echo-b-bin"], random), new string('x', 4 * random.Next(7_000))))),
        Change("metadata past the limit", (call, random) => call.Headers.AddRange(
            Enumerable.Range(0, 5).Select(at => ($"a{at}", new string('x', random.Next(9_000, 15_000)))))),
        Change("a path", (call, random) => call.Path = AnotherPath(call.Path, random)),
        Change("a method of its own accord", (call, random) => call.Path = Any(
            ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List",
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"], random)),
        Change("another kind of call", (call, random) =>
            call.Path = Call.Service + Any(["Echo", "Look", "Repeat", "Collect", "Chat"], random)),
        Change("a verb", (call, random) =>
            call.Verb = Any(["GET", "PUT", "OPTIONS", "DELETE", "PATCH", "get", "BREW", "QUERY"], random)),
        Change("a browser's question", (call, random) =>
        {
            call.Verb = "OPTIONS";
            call.Headers.AddRange([("origin", Any([FuzzServer.Origin, "https://b.example", ""], random)),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", Any([.. Names, .. Values], random))]);
        }),
        Change("a query", (call, random) => call.Query = AnotherQuery(call.Query, random)),
    ];

    private static Mutation<Call> Change(string name, Action<Call, Random> change) => new(name, (call, random) =>
    {
        change(call, random);
        return call;
    });

    private static string Any(string[] among, Random random) => Bytes.Pick(among, random);

    private static bool IsConnect(Call call) =>
        call.Protocol is Protocol.ConnectUnary or Protocol.ConnectGet or Protocol.ConnectStream;

    private static string EncodingName(Call call, Random random) => random.Next(8) == 0
        ? Any(["content-encoding", "grpc-encoding", "connect-content-encoding"], random)
        : call.Protocol switch
        {
            Protocol.ConnectUnary or Protocol.ConnectGet => "content-encoding",
            Protocol.ConnectStream => "connect-content-encoding",
            _ => "grpc-encoding",
        };

    private static string AcceptName(Call call) => call.Protocol switch
    {
        Protocol.ConnectUnary or Protocol.ConnectGet => "accept-encoding",
        Protocol.ConnectStream => "connect-accept-encoding",
        _ => "grpc-accept-encoding",
    };

    private static void Set(Call call, string name, string value)
    {
        call.Headers.RemoveAll(header => header.Name == name);
        call.Headers.Add((name, value));
    }

    private static string AnotherPath(string path, Random random) => random.Next(12) switch
    {
        0 => path.ToLowerInvariant(),
        1 => path + "/",
        2 => "/" + path,
        3 => path.Replace("E", "%45", StringComparison.Ordinal).Replace("S", "%53", StringComparison.Ordinal),
        4 => path.Insert(random.Next(1, path.Length), "/./"),
        5 => path + "/../Echo",
        6 => "/",
        7 => path[..random.Next(1, path.Length)],
        8 => path + new string('x', random.Next(3_000)),
        9 => path + "%00",
        10 => path + "%ff%fe",
        _ => "/squall.fuzz.v1.Nothing/Echo",
    };

    private static string AnotherQuery(string query, Random random)
    {
        string[] parts = query.Split('&');
        string extra = Any(
            ["encoding=json", "encoding=proto", "encoding=", "message=", "message=%7B%7D", "message=%ff", "base64=1",
                "base64=0", "compression=gzip", "compression=br", "connect=v2", "connect=v1", "a=%zz", "%", "&&", "=",
                "message=" + new string('A', random.Next(6_000))], random);
        return random.Next(3) switch
        {
            0 => string.Join('&', parts.Append(extra)),
            1 => string.Join('&', parts.Where((_, at) => at != random.Next(parts.Length))),
            _ => string.Join('&', parts.Select((part, at) => at == random.Next(parts.Length) ? extra : part)),
        };
    }
}
