using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Squall.Rpc;

/// What is served: the methods, and the descriptors that reflection and JSON look into.
internal sealed class ServiceCatalog(IOptions<GrpcServiceOptions> shared, IOptions<RpcServerOptions> rpc)
{
    private readonly ConcurrentDictionary<string, ServiceDescriptor> services = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Assembly, bool> assemblies = new();
    private readonly ConcurrentDictionary<string, bool> ignoresUnknown = new(StringComparer.Ordinal);
    private MessageCodec? json;
    private MessageCodec? proto;

    /// By full name, in the order of names.
    public IEnumerable<ServiceDescriptor> Services =>
        services.Values.OrderBy(service => service.FullName, StringComparer.Ordinal);

    /// The files of the services, and of the details that errors carry, with all that they import.
    public IReadOnlyList<FileDescriptor> Files =>
        FileDescriptorClosure([.. Services.Select(service => service.File), .. RichErrorFiles]);

    /// Where their code is, and beside it their comments.
    public IEnumerable<Assembly> Assemblies =>
        assemblies.Keys.Append(typeof(Google.Rpc.ErrorDetailsReflection).Assembly);

    /// Made when first asked for: by then everything is mapped.
    public MessageCodec Json => json ??= new MessageCodec(new JsonCodec(TypeRegistry.FromFiles(Files)));

    /// Knows how to show in JSON what is not.
    public MessageCodec Proto => proto ??= new MessageCodec(null, this);

    private static FileDescriptor[] RichErrorFiles =>
        [Google.Rpc.ErrorDetailsReflection.Descriptor, Google.Rpc.StatusReflection.Descriptor];

    /// Whether a call of a method that is not there is left to others.
    public bool Ignores(string path)
    {
        int end = path.LastIndexOf('/');
        return end > 0 && ignoresUnknown.TryGetValue(path[1..end], out bool ignores)
            ? ignores
            : shared.Value.IgnoreUnknownServices ?? false;
    }

    /// The methods of a class: those of its contract, and those that providers know.
    public ServiceMethodProviderContext<TService> Add<TService>(IServiceProvider provider)
        where TService : class
    {
        CallPolicy policy = CallPolicy.Of(
            shared.Value, provider.GetService<IOptions<GrpcServiceOptions<TService>>>()?.Value, rpc.Value);
        var methods = new ServiceMethodProviderContext<TService>(provider, policy, null);
        bool isGenerated = Bind(methods);
        foreach (IServiceMethodProvider<TService> other in provider.GetServices<IServiceMethodProvider<TService>>())
        {
            other.OnServiceMethodDiscovery(methods);
        }

        if (!isGenerated && methods.Methods.Count + methods.RequestMethods.Count == 0)
        {
            throw new InvalidOperationException($"{typeof(TService)} is not a gRPC service: it derives from no "
                + "generated class, and no method provider knows it.");
        }

        Know(methods.Methods, policy);
        return methods;
    }

    /// The methods of a definition.
    public ServiceMethodProviderContext<ServerServiceDefinition> Add(
        ServerServiceDefinition definition, IServiceProvider provider)
    {
        CallPolicy policy = CallPolicy.Of(shared.Value, null, rpc.Value) with { SuppressCreatingService = true };
        var methods = new ServiceMethodProviderContext<ServerServiceDefinition>(provider, policy, null);
        definition.BindService(new DefinitionBinder(methods));
        Know(methods.Methods, policy);
        return methods;
    }

    private void Know(IEnumerable<RpcMethod> methods, CallPolicy policy)
    {
        foreach (RpcMethod method in methods)
        {
            ignoresUnknown[method.Definition.ServiceName] = policy.IgnoreUnknown;
        }
    }

    /// False if the class is not a generated one's.
    private bool Bind<TService>(ServiceMethodProviderContext<TService> methods)
        where TService : class
    {
        if (FindBinder(typeof(TService)) is not var (bindType, bind))
        {
            return false;
        }

        var descriptor = bindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)
            as ServiceDescriptor;
        bind.Invoke(null, [new ServiceBinder<TService>(methods, descriptor), null]);
        if (descriptor is not null)
        {
            services[descriptor.FullName] = descriptor;
            assemblies[bindType.Assembly] = true;
            json = null;
        }

        return true;
    }

    private static (Type BindType, MethodInfo Bind)? FindBinder(Type serviceType)
    {
        for (Type? type = serviceType; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute
                && attribute.BindType.GetMethod(
                    attribute.BindMethodName,
                    BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static,
                    [typeof(ServiceBinderBase), type]) is { } bind)
            {
                return (attribute.BindType, bind);
            }
        }

        return null;
    }

    private static List<FileDescriptor> FileDescriptorClosure(IEnumerable<FileDescriptor> roots)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var files = new List<FileDescriptor>();
        void Visit(FileDescriptor file)
        {
            if (seen.Add(file.Name))
            {
                foreach (FileDescriptor dependency in file.Dependencies)
                {
                    Visit(dependency);
                }

                files.Add(file);
            }
        }

        foreach (FileDescriptor root in roots)
        {
            Visit(root);
        }

        return files;
    }
}
