using System.Collections.Concurrent;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddHostedService<Packer>();
builder.Services.AddSingleton<ConcurrentQueue<Order>>();

var app = builder.Build();

app.MapPost("/orders", (Order order, ConcurrentQueue<Order> queue) =>
{
    queue.Enqueue(order);
    return Results.Accepted();
});
app.MapGet("/healthz", () => "ready");

app.Run();

public record Order(string Tea, int Grams);

/// <summary>Takes orders from the queue, one at a time.</summary>
public class Packer : BackgroundService
{
    private readonly ConcurrentQueue<Order> queue;
    private readonly ILogger<Packer> log;

    public Packer(ConcurrentQueue<Order> queue, ILogger<Packer> log)
    {
        this.queue = queue;
        this.log = log;
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            while (queue.TryDequeue(out var order))
            {
                log.LogInformation("packed {Grams} g of {Tea}", order.Grams, order.Tea);
            }
            await Task.Delay(TimeSpan.FromSeconds(1), stop);
        }
    }
}
