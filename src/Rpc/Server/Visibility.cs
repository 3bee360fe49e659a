using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Squall.Rpc.Tests")]
[assembly: InternalsVisibleTo("Squall.Rpc.Testing")]
