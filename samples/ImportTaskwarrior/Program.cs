return await ImportTaskwarrior.Commands.Root().Parse(args).InvokeAsync();
