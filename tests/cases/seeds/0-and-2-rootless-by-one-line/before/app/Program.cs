var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => "fine");
app.Run();
