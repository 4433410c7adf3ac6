File.WriteAllText("state.json", "{}");
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => "Sage");
app.Run();
