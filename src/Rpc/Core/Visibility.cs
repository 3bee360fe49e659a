using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Squall.Rpc.Server")]
[assembly: InternalsVisibleTo("Squall.Rpc.Client")]
[assembly: InternalsVisibleTo("Squall.Rpc.Tests")]
