using System.Globalization;
using Google.Protobuf;
using Grpc.Core;

namespace Squall.Rpc;

/// A call's end as trailers: grpc-status, grpc-message, grpc-status-details-bin and the caller's metadata.
public static class StatusTrailers
{
    public const string Code = "grpc-status";
    public const string Message = "grpc-message";
    public const string Details = "grpc-status-details-bin";

    /// Clients refuse trailers much larger than this, and then even the status is lost.
    public const int BytesMax = 8 * 1024;

    // What HTTP/2 reckons for each field beside its name and value.
    private const int FieldOverheadBytes = 32;

    /// The fields to send. Where all would exceed 8 KiB, details and metadata that do not fit are left out:
    /// the status itself always arrives.
    public static List<KeyValuePair<string, string>> Write(Status status, Metadata? metadata)
    {
        List<KeyValuePair<string, string>> fields =
        [
            new(Code, ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture)),
        ];
        int bytes = Size(fields[0]);
        if (!string.IsNullOrEmpty(status.Detail))
        {
            int room = BytesMax - bytes - Message.Length - FieldOverheadBytes;
            fields.Add(new(Message, StatusMessage.Encode(status.Detail, room)));
            bytes += Size(fields[1]);
        }

        foreach (Metadata.Entry entry in metadata ?? Metadata.Empty)
        {
            if (!HttpFields.IsMetadata(entry.Key)
                || entry.Key == Details && !Agrees(entry.ValueBytes, status.StatusCode))
            {
                continue;
            }

            KeyValuePair<string, string> field = new(entry.Key, HttpFields.Write(entry));
            if (bytes + Size(field) <= BytesMax)
            {
                fields.Add(field);
                bytes += Size(field);
            }
        }

        return fields;
    }

    /// Null where there is no grpc-status; UNKNOWN where there is one that is not a code.
    public static Status? Read(string? code, string? message)
    {
        if (code is null)
        {
            return null;
        }

        string detail = message is null ? "" : StatusMessage.Decode(message);
        return int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number <= (int)StatusCode.Unauthenticated
                ? new Status((StatusCode)number, detail)
                : new Status(StatusCode.Unknown, $"The server's status '{code}' is not a code. {detail}".TrimEnd());
    }

    // Clients differ in which of the two they believe, so they must not tell two stories.
    private static bool Agrees(byte[] details, StatusCode code)
    {
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(details).Code == (int)code;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static int Size(KeyValuePair<string, string> field) =>
        field.Key.Length + field.Value.Length + FieldOverheadBytes;
}
