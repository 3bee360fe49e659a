using System.Globalization;
using Squall.Interop;

// squall-interop server [PORT]
// squall-interop client http://HOST:PORT [CASE...]
switch (args)
{
    case ["server", .. var port]:
        await using (InteropServer server = await InteropServer.StartAsync(
            port is [var number] ? int.Parse(number, CultureInfo.InvariantCulture) : 0))
        {
            Console.WriteLine($"Listening on {server.Address}");
            await server.WaitAsync();
        }

        return 0;

    case ["client", var address, .. var wanted]:
        int failed = 0;
        foreach (string name in wanted.Length > 0 ? wanted : InteropClient.Cases.Keys)
        {
            using var client = new InteropClient(new Uri(address));
            try
            {
                await InteropClient.Cases[name](client);
                Console.WriteLine($"ok {name}");
            }
            catch (Exception e)
            {
                failed++;
                Console.WriteLine($"failed {name}: {e.Message}");
            }
        }

        return failed == 0 ? 0 : 1;

    default:
        Console.Error.WriteLine("server [PORT] | client http://HOST:PORT [CASE...]");
        return 2;
}
