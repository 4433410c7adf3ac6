var builder = WebApplication.CreateBuilder(args);
builder.Services.AddHealthChecks();

var app = builder.Build();

string[] teas = ["Assam", "Keemun", "Sencha"];

app.MapGet("/teas", () => teas);
app.MapGet("/teas/{index:int}", (int index) =>
    index >= 0 && index < teas.Length ? Results.Ok(teas[index]) : Results.NotFound());
app.MapHealthChecks("/healthz");

app.Run();
