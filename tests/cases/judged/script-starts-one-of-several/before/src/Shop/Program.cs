Log.Logger = new LoggerConfiguration().WriteTo.File("logs/shop.log").CreateLogger();
WebApplication.CreateBuilder(args).Build().Run();
