builder.Services.AddDataProtection();
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => "Cello");
app.Run();
