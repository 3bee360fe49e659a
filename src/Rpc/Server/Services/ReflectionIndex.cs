using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Squall.Rpc;

/// Answers what tools ask of a server that they have no .proto files for.
internal sealed class ReflectionIndex
{
    private readonly Dictionary<string, FileDescriptor> files;
    private readonly Dictionary<string, FileDescriptor> symbols = new(StringComparer.Ordinal);
    private readonly HashSet<string> messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> extensions =
        new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, ByteString> described;
    private readonly ServiceCatalog catalog;

    public ReflectionIndex(ServiceCatalog catalog)
    {
        this.catalog = catalog;
        described = DescribedFiles.Of(catalog.Assemblies);
        files = catalog.Files.ToDictionary(file => file.Name, StringComparer.Ordinal);
        foreach (FileDescriptor file in files.Values)
        {
            Index(file);
        }
    }

    /// The answer to one question on a stream; `sent` are the files that the stream carried before.
    public ServerReflectionResponse Answer(ServerReflectionRequest request, HashSet<string> sent)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse();
                response.ListServicesResponse.Service.AddRange(
                    catalog.Services.Select(service => new ServiceResponse { Name = service.FullName }));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                Give(response, files, request.FileByFilename, sent);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                Give(response, symbols, request.FileContainingSymbol, sent);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType
                when messages.Contains(request.AllExtensionNumbersOfType):
                response.AllExtensionNumbersResponse = NumbersOf(request.AllExtensionNumbersOfType);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                Refuse(response, StatusCode.NotFound, $"There is no message {request.AllExtensionNumbersOfType}.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                GiveExtension(response, request.FileContainingExtension, sent);
                break;
            default:
                Refuse(response, StatusCode.InvalidArgument, "The request asks for nothing.");
                break;
        }

        return response;
    }

    private static void Refuse(ServerReflectionResponse response, StatusCode code, string message) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message };

    private void Give(
        ServerReflectionResponse response,
        Dictionary<string, FileDescriptor> index,
        string name,
        HashSet<string> sent)
    {
        if (index.TryGetValue(name, out FileDescriptor? file))
        {
            Give(response, file, sent);
            return;
        }

        Refuse(response, StatusCode.NotFound, $"There is no {name}.");
    }

    private void Give(ServerReflectionResponse response, FileDescriptor file, HashSet<string> sent)
    {
        response.FileDescriptorResponse = new FileDescriptorResponse();
        void Add(FileDescriptor file, bool asked)
        {
            // What was asked for is sent again; what it needs, only once a stream.
            if (sent.Add(file.Name) || asked)
            {
                response.FileDescriptorResponse.FileDescriptorProto.Add(
                    described.GetValueOrDefault(file.Name) ?? file.SerializedData);
                foreach (FileDescriptor dependency in file.Dependencies)
                {
                    Add(dependency, false);
                }
            }
        }

        Add(file, true);
    }

    private void GiveExtension(ServerReflectionResponse response, ExtensionRequest asked, HashSet<string> sent)
    {
        if (extensions.TryGetValue(asked.ContainingType, out SortedDictionary<int, FileDescriptor>? numbers)
            && numbers.TryGetValue(asked.ExtensionNumber, out FileDescriptor? file))
        {
            Give(response, file, sent);
            return;
        }

        Refuse(
            response,
            StatusCode.NotFound,
            $"There is no extension {asked.ExtensionNumber} of {asked.ContainingType}.");
    }

    /// For a message without any an empty list, and not an error: tools give up on the whole message otherwise.
    private ExtensionNumberResponse NumbersOf(string message)
    {
        var response = new ExtensionNumberResponse { BaseTypeName = message };
        if (extensions.TryGetValue(message, out SortedDictionary<int, FileDescriptor>? numbers))
        {
            response.ExtensionNumber.AddRange(numbers.Keys);
        }

        return response;
    }

    private void Index(FileDescriptor file)
    {
        foreach (ServiceDescriptor service in file.Services)
        {
            symbols[service.FullName] = file;
            foreach (MethodDescriptor method in service.Methods)
            {
                symbols[method.FullName] = file;
            }
        }

        Index(file, file.EnumTypes, file.Package);
        Index(file, file.Extensions);
        foreach (MessageDescriptor message in file.MessageTypes)
        {
            Index(file, message);
        }
    }

    private void Index(FileDescriptor file, MessageDescriptor message)
    {
        messages.Add(message.FullName);
        symbols[message.FullName] = file;
        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder())
        {
            symbols[field.FullName] = file;
        }

        foreach (OneofDescriptor oneof in message.Oneofs)
        {
            symbols[oneof.FullName] = file;
        }

        Index(file, message.EnumTypes, message.FullName);
        Index(file, message.Extensions);
        foreach (MessageDescriptor nested in message.NestedTypes)
        {
            Index(file, nested);
        }
    }

    private void Index(FileDescriptor file, ExtensionCollection declared)
    {
        foreach (FieldDescriptor extension in declared.UnorderedExtensions)
        {
            symbols[extension.FullName] = file;
            if (!extensions.TryGetValue(
                extension.ExtendeeType.FullName, out SortedDictionary<int, FileDescriptor>? numbers))
            {
                extensions[extension.ExtendeeType.FullName] = numbers = [];
            }

            numbers[extension.FieldNumber] = file;
        }
    }

    /// A value's full name stands beside its enum, not within it; tools ask for either.
    private void Index(FileDescriptor file, IEnumerable<EnumDescriptor> enums, string scope)
    {
        foreach (EnumDescriptor type in enums)
        {
            symbols[type.FullName] = file;
            foreach (EnumValueDescriptor value in type.Values)
            {
                symbols[$"{type.FullName}.{value.Name}"] = file;
                symbols[scope.Length == 0 ? value.Name : $"{scope}.{value.Name}"] = file;
            }
        }
    }
}
