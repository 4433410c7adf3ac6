File.WriteAllText("/app/state.json", "{}");
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => "Umber");
app.Run();
