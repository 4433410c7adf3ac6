builder.Services.AddDbContext<Db>(o => o.UseSqlite("Data Source=alto.db"));
var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => "Alto");
app.Run();
