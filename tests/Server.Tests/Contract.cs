using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Squall.Server.Tests;

/// <summary>The contract as its descriptors tell it: no table of tests can overlook what is new in it.</summary>
internal static class Contract
{
    /// <summary>Every RPC, in the contract's order.</summary>
    public static IReadOnlyList<MethodDescriptor> Methods { get; } =
        [.. Needs.Contract.SelectMany(service => service.Methods)];

    /// <summary>As tables write it: <c>TaskService/CreateTask</c>.</summary>
    public static string NameOf(MethodDescriptor method) => $"{method.Service.Name}/{method.Name}";

    /// <summary>As the wire writes it: <c>/squall.v1.TaskService/CreateTask</c>.</summary>
    public static string PathOf(MethodDescriptor method) => $"/{method.Service.FullName}/{method.Name}";

    public static MethodDescriptor Method(string name) => Methods.Single(method => NameOf(method) == name);

    public static Need NeedOf(MethodDescriptor method) => Needs.Of(PathOf(method));

    public static bool IsLater(MethodDescriptor method) => Needs.Of(PathOf(method)).IsLater;

    /// <summary>Every field of a request and the messages in it, by path; a well-known type is one.</summary>
    public static IEnumerable<(string Path, FieldDescriptor Field)> FieldsOf(MessageDescriptor message)
    {
        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder())
        {
            yield return (field.Name, field);
            if (field.FieldType == FieldType.Message
                && field.MessageType.File.Package == message.File.Package)
            {
                foreach ((string path, FieldDescriptor inner) in FieldsOf(field.MessageType))
                {
                    yield return ($"{field.Name}.{path}", inner);
                }
            }
        }
    }

    /// <summary>Sets the field at a path; of a repeated message the first one's.</summary>
    public static void Set(IMessage request, string path, object value)
    {
        string[] names = path.Split('.');
        foreach (string name in names.SkipLast(1))
        {
            FieldDescriptor outer = request.Descriptor.FindFieldByName(name);
            object inner = outer.Accessor.GetValue(request);
            if (inner is null)
            {
                inner = outer.MessageType.Parser.ParseFrom(ByteString.Empty);
                outer.Accessor.SetValue(request, inner);
            }

            request = inner as IMessage ?? (IMessage)((System.Collections.IList)inner)[0]!;
        }

        FieldDescriptor field = request.Descriptor.FindFieldByName(names[^1]);
        if (field.IsRepeated)
        {
            var list = (System.Collections.IList)field.Accessor.GetValue(request);
            list.Clear();
            foreach (object item in value is string text ? new[] { text } : (System.Collections.IEnumerable)value)
            {
                list.Add(item);
            }
        }
        else
        {
            field.Accessor.SetValue(request, value);
        }
    }
}
