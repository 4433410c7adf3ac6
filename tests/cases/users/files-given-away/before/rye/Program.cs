File.WriteAllText("data/state.json", "{}");
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => "Rye");
app.Run();
