using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Squall.Rpc.Tests")]
