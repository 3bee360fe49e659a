namespace Grpc.Core.Utils;

/// <summary>Checks of arguments and states, as gRPC's own API offers them.</summary>
public static class GrpcPreconditions
{
    /// <summary>Throws unless the argument's condition holds.</summary>
    public static void CheckArgument(bool condition)
    {
        if (!condition)
        {
            throw new ArgumentException("The argument is not valid.");
        }
    }

    /// <summary>Throws with this message unless the argument's condition holds.</summary>
    public static void CheckArgument(bool condition, string errorMessage)
    {
        if (!condition)
        {
            throw new ArgumentException(errorMessage);
        }
    }

    /// <summary>Returns the reference, or throws if it is null.</summary>
    public static T CheckNotNull<T>(T reference) =>
        reference is null ? throw new ArgumentNullException(nameof(reference)) : reference;

    /// <summary>Returns the reference, or throws, naming the parameter, if it is null.</summary>
    public static T CheckNotNull<T>(T reference, string paramName) =>
        reference is null ? throw new ArgumentNullException(paramName) : reference;

    /// <summary>Throws unless the state's condition holds.</summary>
    public static void CheckState(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("The object is not in a state that allows this.");
        }
    }

    /// <summary>Throws with this message unless the state's condition holds.</summary>
    public static void CheckState(bool condition, string errorMessage)
    {
        if (!condition)
        {
            throw new InvalidOperationException(errorMessage);
        }
    }
}
