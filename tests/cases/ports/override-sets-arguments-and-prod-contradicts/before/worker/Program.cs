Host.CreateDefaultBuilder(args).Build().Run();
