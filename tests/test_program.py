"""Nasty code and settings: what looks like a port or a written file, and what does not."""
# ruff: noqa: E501  code as it is found

from __future__ import annotations

import pytest

from test_dotnet import evidence

CASES = [
    (
        "Program.cs",
        'var p = Path.GetTempPath();\nFile.WriteAllText(Path.Combine(p, "x"), "");',
        [],
        0,
    ),
    (
        "Program.cs",
        'var file = Path.Combine(Path.GetTempPath(), "x");\nawait using var s = new FileStream(file, FileMode.Create);',
        [],
        0,
    ),
    ("Program.cs", "var f = Path.GetTempFileName();\nFile.WriteAllBytes(f, b);", [], 0),
    ("Program.cs", 'const string Help = "call File.WriteAllText(x) and o.ListenAnyIP(80)";', [], 0),
    ("Program.cs", 'var s = """\n  File.WriteAllText("a", "b"); o.ListenAnyIP(80);\n""";', [], 0),
    (
        "Program.cs",
        '#if DEBUG\no.ListenAnyIP(80);\nFile.WriteAllText("a","b");\n#endif\n',
        [None],
        1,
    ),
    ("Program.cs", "#if DEBUG\nx();\n#else\no.ListenAnyIP(80);\n#endif\n", [80], 0),
    ("Program.cs", "#if !DEBUG\no.ListenAnyIP(80);\n#endif\n", [80], 0),
    (
        "Program.cs",
        "if (env.IsDevelopment())\n{\n    o.Listen(IPAddress.Any, 5000);\n}\n",
        [None],
        0,
    ),
    ("Program.cs", "if (a(b(c)) && d) o.ListenAnyIP(5000);\n", [None], 0),
    ("Program.cs", "if (a) { x(); } else { k(o => {\n  o.ListenAnyIP(5000);\n}); }\n", [None], 0),
    ("Program.cs", "if (a) { x(); }\nk(o => {\n  o.ListenAnyIP(5000);\n});\n", [5000], 0),
    ("Program.cs", "foreach (var x in y)\n{\n  o.ListenAnyIP(5000);\n}\n", [5000], 0),
    ("Program.cs", "#if false\no.ListenAnyIP(80);\n#endif\n", [], 0),
    (
        "Program.cs",
        'File.ReadAllText("a"); File.OpenRead("b"); File.Exists("c"); File.OpenText("x");',
        [],
        0,
    ),
    ("Program.cs", 'File.Delete("/app/a");', [], 1),
    ("Program.cs", 'Directory.Delete("/app/a", true); Directory.Move("a","b");', [], 2),
    ("Program.cs", 'new FileInfo("a.txt").Create(); new FileInfo("a").OpenWrite();', [], 2),
    ("Program.cs", 'new DirectoryInfo("uploads").Create();', [], 1),
    ("Program.cs", "using var s = File.OpenWrite(path);", [], 1),
    ("Program.cs", 'using StreamWriter w = new("log.txt");', [], 1),
    ("Program.cs", 'using FileStream w = new("log.txt", FileMode.Create);', [], 1),
    ("Program.cs", 'await File.WriteAllTextAsync($"{dir}/x", y);', [], 1),
    ("Program.cs", 'System.IO.File.WriteAllText("x", y);', [], 1),
    ("Program.cs", '_fileSystem.File.WriteAllText("x", y);', [], 1),
    ("Program.cs", 'var path = "http://localhost:80"; client.BaseAddress = new Uri(path);', [], 0),
    ("Program.cs", 'builder.WebHost.UseUrls("http://localhost:80");', [80], 0),
    ("Program.cs", "builder.WebHost.ConfigureKestrel(o => o.ListenAnyIP(80));", [80], 0),
    (
        "Program.cs",
        "builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.IPv6Any, 80));",
        [80],
        0,
    ),
    ("Program.cs", 'o.ListenUnixSocket("/run/api.sock");', [], 1),
    ("Program.cs", "o.Listen(\n  IPAddress.Any,\n  8_080);", [8080], 0),
    ("Program.cs", "const int HttpPort = 80;\no.ListenAnyIP(HttpPort);", [80, None], 0),
    ("Program.cs", 'app.Run("http://0.0.0.0:" + port);', [None], 0),
    (
        "Program.cs",
        'var port = Environment.GetEnvironmentVariable("PORT") ?? "80"; app.Run($"http://0.0.0.0:{port}");',
        [None, 80],
        0,
    ),
    (
        "Program.cs",
        'builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, "http://*:80");',
        [80],
        0,
    ),
    (
        "Program.cs",
        'builder.WebHost.UseKestrel().UseUrls(builder.Configuration["Urls"]);',
        [None],
        0,
    ),
    ("Program.cs", 'new HttpListener().Prefixes.Add("http://*:80/");', [80], 0),
    (
        "Program.cs",
        "Log.Logger = new LoggerConfiguration().WriteTo.Console().CreateLogger();",
        [],
        0,
    ),
    (
        "Program.cs",
        'new LoggerConfiguration().WriteTo.Console(new JsonFormatter()).WriteTo.Seq("http://seq").WriteTo.File(new JsonFormatter(), "logs/a.json");',
        [],
        1,
    ),
    ("Program.cs", 'new LoggerConfiguration().WriteTo.Console(); return File(bytes, "x");', [], 0),
    (
        "Program.cs",
        'var path = Path.Combine(env.WebRootPath, "uploads", f.FileName);\nusing var s = new FileStream(path, FileMode.Create); await f.CopyToAsync(s); IFormFile x;',
        [],
        2,
    ),
    (
        "Program.cs",
        'ZipFile.CreateFromDirectory("a", "b.zip"); ZipFile.ExtractToDirectory("b.zip", "c");',
        [],
        2,
    ),
    ("Program.cs", 'image.Save("out.png"); doc.Save(stream);', [], 1),
    (
        "Program.cs",
        'X509Certificate2 c; File.WriteAllBytes("/app/cert.pfx", c.Export(X509ContentType.Pfx));',
        [],
        1,
    ),
    (
        "Program.cs",
        'services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo("/keys"));',
        [],
        1,
    ),
    (
        "Program.cs",
        'services.AddHangfire(c => c.UseLiteDbStorage("x.db")); services.AddDbContext<D>(o => o.UseSqlite(conn));',
        [],
        1,
    ),
    ("Program.cs", 'var conn = "Data Source=app.db"; new SqliteConnection(conn).Open();', [], 1),
    (
        "Program.cs",
        'services.AddQuartz(); File.Copy("/app/a", Path.Combine(Path.GetTempPath(), "b"));',
        [],
        0,
    ),
    ("Program.fs", 'File.WriteAllText("x", y)', [], 1),
    ("Program.fs", 'File.WriteAllText ("x", y)', [], 1),
    ("Program.fs", "options.ListenAnyIP 80", [80], 0),
    ("Program.fs", 'webHost.UseUrls [| "http://*:80" |] |> ignore', [80], 0),
    ("Program.fs", 'use w = new StreamWriter("a.log")', [], 1),
    ("Program.fs", 'let f\' = 1\nlet x = "a" // File.WriteAllText("x")\n', [], 0),
    ("Program.vb", 'Dim s = "it\'s" : File.WriteAllText("x", y)', [], 1),
    ("Program.vb", '\' File.WriteAllText("x", y)\no.ListenAnyIP(80)', [80], 0),
    ("Program.vb", 'Using w As New StreamWriter("a.log")', [], 1),
    ("Program.vb", 'My.Computer.FileSystem.WriteAllText("a", "b", True)', [], 1),
    ("tools/Gen.cs", 'File.WriteAllText("x","y");', [], 1),
    ("wwwroot/x.json", '{ "Urls": "http://*:80" }', [], 0),
    ("appsettings.json", '{ "Urls": "http://*:80" }', [80], 0),
    (
        "appsettings.json",
        '{ "Kestrel": { "EndPoints": { "Http": { "Url": "http://*:80" } } } }',
        [80],
        0,
    ),
    ("appsettings.json", '{ "Kestrel": { "EndpointDefaults": { "Protocols": "Http2" } } }', [], 0),
    (
        "appsettings.json",
        '{ "Redis": { "Url": "http://*:80" }, "Services": { "Urls": "http://x:80" } }',
        [],
        0,
    ),
    ("appsettings.json", '{ "ConnectionStrings": { "Db": "Data Source=/data/app.db" } }', [], 1),
    ("appsettings.json", '{ "ConnectionStrings": { "Db": "Filename=/data/app.db" } }', [], 1),
    ("appsettings.json", '{ "ConnectionStrings": { "Db": "Server=db;Database=app.db" } }', [], 0),
    (
        "appsettings.json",
        '{ "Serilog": { "Using": ["Serilog.Sinks.File"], "WriteTo": [ { "Name": "Console" } ] } }',
        [],
        0,
    ),
    (
        "appsettings.json",
        '{ "Serilog": { "WriteTo": { "A": { "Name": "File", "Args": { "path": "/tmp/x.log" } } } } }',
        [],
        1,
    ),
    (
        "appsettings.json",
        '{ "Serilog": { "WriteTo:Async": { "Name": "Async", "Args": { "configure": [ { "Name": "File", "Args": { "path": "x.log" } } ] } } } }',
        [],
        1,
    ),
    (
        "appsettings.json",
        '{ "Kestrel": { "Certificates": { "Default": { "Path": "/root/.aspnet/https/a.pfx" } } } }',
        [],
        0,
    ),
    (
        "NLog.config",
        '<nlog><targets><target name="f" xsi:type="File" fileName="${basedir}/logs/a.log"/></targets></nlog>',
        [],
        1,
    ),
    ("NLog.config", '<nlog><targets><target name="f" xsi:type="Console"/></targets></nlog>', [], 0),
    (
        "nlog.config",
        "<nlog><targets><target xsi:type='File' fileName='a.log'/></targets></nlog>",
        [],
        1,
    ),
]


@pytest.mark.parametrize(("path", "text", "ports", "writes"), CASES)
def test_what_is_seen(path: str, text: str, ports: list[int | None], writes: int) -> None:
    found = evidence(path, text)
    assert [one.port for one in found.ports_in_code] == ports
    assert len(found.file_writes) == writes


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ('File.WriteAllText(path, "/tmp/x");', None),
        ('File.Copy("/app/seed.db", "/data/app.db");', "/data/app.db"),
        ('ZipFile.ExtractToDirectory("a.zip", "/data/a");', "/data/a"),
        ('archive.ExtractToDirectory("/data/b");', "/data/b"),
        ('log.WriteTo.File(new JsonFormatter(), "/logs/a.json");', "/logs/a.json"),
    ],
)
def test_the_path_is_what_is_written(code: str, path: str | None) -> None:
    assert [one.literal for one in evidence("Program.cs", code).file_writes] == [path]


@pytest.mark.parametrize(
    "code",
    [
        'void Save(string file) { File.WriteAllText(file, ""); } var file = Path.GetTempFileName();',
        'var dir = temp ? Path.GetTempPath() : "/data"; File.WriteAllText(dir, "");',
        'var d = Path.GetTempPath(); d = "/data"; File.WriteAllText(Path.Combine(d, "x"), "");',
    ],
)
def test_names_that_are_not_always_temporary(code: str) -> None:
    assert len(evidence("Program.cs", code).file_writes) == 1


def test_settings_for_development_are_told_apart() -> None:
    found = evidence(
        "appsettings.Development.json",
        '{ "Urls": "http://*:80", "ConnectionStrings": { "A": "Data Source=a.db" } }',
    )
    assert len(found.ports_in_code) == 1
    outside = found.outside_development()
    assert (outside.ports_in_code, outside.file_writes) == ((), ())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('using static System.IO.File;\nWriteAllText("a.txt", x);', ["a.txt"]),
        ('using static System.IO.File;\nvar t = ReadAllText("a.txt");', []),
        ("using static System.IO.File;\npublic void Delete(string a) { }", []),
        ('using static System.IO.Directory;\nCreateDirectory("data");', ["data"]),
        ('using Disk = System.IO.File;\nDisk.AppendAllText("a.txt", x);', ["a.txt"]),
        ('using File = System.IO.File;\nFile.WriteAllText("a.txt", x);', ["a.txt"]),
        ("global using static System.IO.File;", [None]),
        ("using System.IO;\nWriteAllText(a);", []),
        ("x.AddDeveloperSigningCredential();", ["tempkey.jwk"]),
        ("x.AddDeveloperSigningCredential(true);", ["tempkey.jwk"]),
        ('x.AddDeveloperSigningCredential(true, "tempkey.rsa");', ["tempkey.rsa"]),
        ('x.AddDeveloperSigningCredential(filename: "keys/k");', ["keys/k"]),
        ("x.AddDeveloperSigningCredential(filename: path);", [None]),
        ("x.AddDeveloperSigningCredential(persistKey: false);", []),
        ("x.AddDeveloperSigningCredential(false);", []),
        ('string Name(IFormFile f) => Path.Combine("wwwroot", f.FileName);', []),
        ("Task Keep(IFormFile f) { f.CopyTo(s); return At(env.WebRootPath); }", [None]),
        ("Task Keep(IFormFile f) { db.SaveChanges(); return At(env.WebRootPath); }", []),
    ],
)
def test_writes_by_other_names(code: str, expected: list[str | None]) -> None:
    found = evidence("Program.cs", code)
    assert [one.literal for one in found.file_writes] == expected
