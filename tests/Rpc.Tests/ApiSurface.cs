using System.Reflection;
using System.Runtime.CompilerServices;

namespace Squall.Rpc.Tests;

/// The public surface of assemblies as lines of text: a type, then its members, indented, in C#'s own words.
internal static class ApiSurface
{
    // What protoc writes is held to its .proto files.
    private static readonly string[] Generated =
        ["Google.Rpc", "Grpc.Health.V1", "Grpc.Reflection.V1", "Grpc.Reflection.V1Alpha"];

    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// By type, so that a member is reported with the type that it belongs to.
    public static SortedDictionary<string, SortedSet<string>> Of(IEnumerable<Assembly> assemblies)
    {
        var surface = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (Type type in assemblies.SelectMany(assembly => assembly.GetTypes()).Where(IsSeen))
        {
            string title = Title(type);
            if (!surface.TryGetValue(title, out SortedSet<string>? members))
            {
                surface[title] = members = new SortedSet<string>(StringComparer.Ordinal);
            }

            members.UnionWith(Members(type));
        }

        return surface;
    }

    private static bool IsSeen(Type type) =>
        !Generated.Contains(type.Namespace) && !type.Name.Contains('<', StringComparison.Ordinal)
        && (type.IsPublic || (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem)
            && IsSeen(type.DeclaringType!));

    private static string Title(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"delegate {Name(invoke.ReturnType)} {FullName(type)}({Parameters(invoke)}){Constraints(type)}";
        }

        string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : type is { IsAbstract: true, IsSealed: true } ? "static class"
            : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        string access = type.IsNestedFamORAssem ? "protected internal " : type.IsNestedFamily ? "protected " : "";
        IEnumerable<Type> bases = type.IsEnum || type.IsValueType ? [] :
            new[] { type.BaseType! }.Where(b => b is not null && b != typeof(object)).Concat(OwnInterfaces(type));
        string list = string.Join(", ", bases.Select(Name));
        return $"{access}{kind} {FullName(type)}{(list.Length > 0 ? " : " + list : "")}{Constraints(type)}";
    }

    private static IEnumerable<Type> OwnInterfaces(Type type)
    {
        Type[] all = type.GetInterfaces();
        return all.Where(one => !all.Any(other => other != one && other.GetInterfaces().Contains(one))
            && type.BaseType?.GetInterfaces().Contains(one) != true).OrderBy(one => one.Name);
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            yield break;
        }

        if (type.IsEnum)
        {
            foreach (string name in Enum.GetNames(type))
            {
                yield return $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}";
            }

            yield break;
        }

        foreach (FieldInfo field in type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily))
        {
            string kind = field.IsLiteral ? "const " : field.IsStatic ? "static " : "";
            yield return $"{kind}{Name(field.FieldType)} {field.Name}";
        }

        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(IsSeen))
        {
            yield return $"{Access(constructor)}{Bare(type)}({Parameters(constructor)})";
        }

        foreach (PropertyInfo property in type.GetProperties(Declared))
        {
            MethodInfo?[] seen = [.. property.GetAccessors(true).Where(IsSeen)];
            if (seen.Length > 0 && IsNew(seen[0]!))
            {
                string accessors = (seen.Contains(property.GetMethod) ? " get;" : "")
                    + (seen.Contains(property.SetMethod) ? " set;" : "");
                ParameterInfo[] index = property.GetIndexParameters();
                string name = index.Length > 0 ? $"this[{Parameters(index)}]" : property.Name;
                yield return $"{Modifiers(seen[0]!)}{Name(property.PropertyType)} {name} {{{accessors} }}";
            }
        }

        foreach (MethodInfo method in type.GetMethods(Declared).Where(IsSeen).Where(IsNew))
        {
            if (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            {
                string generics = method.IsGenericMethod
                    ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";
                string constraints = string.Concat(method.GetGenericArguments().Select(Constraint));
                yield return $"{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{generics}"
                    + $"({Parameters(method)}){constraints}";
            }
        }
    }

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsNew(MethodInfo method) => method.GetBaseDefinition() == method
        && !method.Name.Contains('.', StringComparison.Ordinal);

    private static string Access(MethodBase method) =>
        method.IsFamilyOrAssembly ? "protected internal " : method.IsFamily ? "protected " : "";

    private static string Modifiers(MethodInfo method) => Access(method)
        + (method.IsStatic ? "static " : method.DeclaringType!.IsInterface ? ""
            : method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "");

    private static string Parameters(MethodBase method) =>
        (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + Parameters(method.GetParameters());

    private static string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(parameter =>
        (parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : parameter.IsOut ? "out " : "")
        + $"{Name(parameter.ParameterType)} {parameter.Name}"
        + (parameter.IsOptional ? " = " + Default(parameter) : "")));

    private static string Default(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => parameter.ParameterType.IsValueType ? "default" : "null",
        bool value => value ? "true" : "false",
        string text => $"\"{text}\"",
        Enum value => Convert.ToInt64(value) == 0 ? "default" : value.ToString(),
        object value => value.ToString()!,
    };

    private static string Constraints(Type type) => string.Concat(
        type.GetGenericArguments().Skip(type.DeclaringType?.GetGenericArguments().Length ?? 0).Select(Constraint));

    private static string Constraint(Type parameter)
    {
        if (!parameter.IsGenericParameter)
        {
            return "";
        }

        GenericParameterAttributes attributes = parameter.GenericParameterAttributes;
        List<string> parts = [.. parameter.GetGenericParameterConstraints().Select(Name)];
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            parts.Insert(0, "class");
        }

        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
        {
            parts.Add("new()");
        }

        return parts.Count > 0 ? $" where {parameter.Name} : {string.Join(", ", parts)}" : "";
    }

    private static string FullName(Type type) => type.IsNested
        ? FullName(type.DeclaringType!) + "." + Bare(type) + Generics(type)
        : $"{type.Namespace}.{Bare(type)}{Generics(type)}";

    private static string Bare(Type type) => type.Name.Split('`')[0];

    private static string Generics(Type type)
    {
        int inherited = type.DeclaringType?.GetGenericArguments().Length ?? 0;
        string[] own = [.. type.GetGenericArguments().Skip(inherited).Select(Variance)];
        return own.Length > 0 ? $"<{string.Join(", ", own)}>" : "";
    }

    private static string Variance(Type argument) => (argument.IsGenericParameter
        ? argument.GenericParameterAttributes & GenericParameterAttributes.VarianceMask : default) switch
    {
        GenericParameterAttributes.Covariant => "out ",
        GenericParameterAttributes.Contravariant => "in ",
        _ => "",
    } + Name(argument);

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Name(inner) + "?";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        string prefix = type.IsNested ? Bare(type.DeclaringType!) + "." : "";
        return prefix + (Type.GetTypeCode(type), type) switch
        {
            (_, { IsEnum: true }) => Bare(type),
            (TypeCode.Boolean, _) => "bool",
            (TypeCode.Byte, _) => "byte",
            (TypeCode.Int32, _) => "int",
            (TypeCode.Int64, _) => "long",
            (TypeCode.Double, _) => "double",
            (TypeCode.String, _) => "string",
            _ when type == typeof(void) => "void",
            _ when type == typeof(object) => "object",
            _ => Bare(type),
        } + (type.IsGenericType ? $"<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : "");
    }
}
