using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// Answers requests that no protocol takes, in plain HTTP.
internal static class HttpRefusal
{
    public static Task WriteAsync(HttpContext http, RpcMethod method)
    {
        HttpResponse response = http.Response;
        string path = method.Definition.FullName;
        if (HttpMethods.IsGet(http.Request.Method) && method.HasNoSideEffects)
        {
            return Write(response, StatusCodes.Status415UnsupportedMediaType, http.Request.ContentLength > 0
                ? $"{path} takes no body by GET: the parameter message holds the request."
                : "The parameter encoding is neither proto nor json.");
        }

        if (!HttpMethods.IsPost(http.Request.Method))
        {
            response.Headers.Allow = method.HasNoSideEffects ? "GET, POST" : HttpMethods.Post;
            return Write(response, StatusCodes.Status405MethodNotAllowed, $"{path} is called by POST.");
        }

        string type = RpcProtocol.MediaType(http.Request);
        if (method is UnknownMethod && type.StartsWith("application/connect+", StringComparison.Ordinal))
        {
            return Write(response, StatusCodes.Status404NotFound, $"There is no method {path}.");
        }

        if (RpcProtocol.IsHttp1(http.Request))
        {
            if (type is "application/grpc" or "application/grpc+proto" or "application/grpc+json")
            {
                return Write(response, StatusCodes.Status426UpgradeRequired, "gRPC needs HTTP/2.");
            }

            if (RpcProtocol.NeedsHttp2(method))
            {
                // A client that means to go on sending would not read the answer before it is done.
                response.Headers.Connection = "close";
                return Write(
                    response, StatusCodes.Status505HttpVersionNotsupported, $"{path} needs HTTP/2: it goes both ways.");
            }
        }

        response.Headers["Accept-Post"] = RpcProtocol.ContentTypes;
        return Write(response, StatusCodes.Status415UnsupportedMediaType, type switch
        {
            "application/json" or "application/proto" =>
                $"{path} is a streaming method: call it with application/connect+{type["application/".Length..]}.",
            "application/connect+json" or "application/connect+proto" =>
                $"{path} is a unary method: call it with application/{type["application/connect+".Length..]}.",
            _ => $"The content type is none of {RpcProtocol.ContentTypes}.",
        });
    }

    /// In plain text: what the caller speaks is not known, and clients go by the status.
    private static Task Write(HttpResponse response, int status, string message)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(message);
    }
}
