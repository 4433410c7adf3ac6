"""Program evidence: what projects say of themselves and what their code is seen to do."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from hardhull.documents.source import FileKind, Source
from hardhull.model import UsageError
from hardhull.project import dotnet
from hardhull.project.dotnet import DotnetProject, Evidence, Programs
from hardhull.project.settings_files import settings
from hardhull.project.sighting import Sighting, without_comments

WEB = '<Project Sdk="Microsoft.NET.Sdk.Web">{}</Project>'


@dataclass(frozen=True)
class Folder:
    """Files in memory; the text None stands for a file that can't be read."""

    files: dict[str, str | None]

    def source(self, path: str) -> Source:
        text = self.files[path]
        if text is None:
            raise UsageError(f"{path}: closed")
        return Source(path, FileKind.EVIDENCE, text)


def programs(**files: str | None) -> Programs:
    return Programs(Folder(files))


def evidence(path: str, text: str) -> Evidence:
    return Programs(Folder({"web/web.csproj": WEB, f"web/{path}": text})).evidence("web")


def ports(found: Evidence) -> list[tuple[str, int | None]]:
    return [(one.how, one.port) for one in found.ports_in_code]


def only(*files: tuple[str, str]) -> DotnetProject:
    return Programs(Folder(dict(files))).projects()[0]


# ---------------------------------------------------------------- ports


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("o.ListenAnyIP(80);", [("ListenAnyIP", 80)]),
        ("o.ListenAnyIP(80, x => x.UseHttps());", [("ListenAnyIP", 80)]),
        ("o.ListenAnyIP(port: 80);", [("ListenAnyIP", 80)]),
        ("o.ListenAnyIP(Options.Http);", [("ListenAnyIP", None)]),
        ("o.ListenLocalhost(5000)", [("ListenLocalhost", 5000)]),
        ("o.Listen(IPAddress.Any, 80)", [("Listen", 80)]),
        ("o.Listen(IPAddress.Any,\n    ports.Http, l => { l.X(1, 2); })", [("Listen", None)]),
        ('o.Listen(IPAddress.Parse("0.0.0.0"), 443)', [("Listen", 443)]),
        ("o.Listen(new IPEndPoint(IPAddress.Any, 81))", [("Listen", 81)]),
        ("UseKestrel(o => o.Listen(address, 80))", [("Listen", 80)]),
        ("socket.Listen(100);", []),
        ("bus.Listen(queue, 80);", []),
        ('b.UseUrls("http://*:80")', [("UseUrls", 80)]),
        ('b.UseUrls("http://+:80;https://+:443")', [("UseUrls", 80), ("UseUrls", 443)]),
        ('b.UseUrls("http://*", "https://*")', [("UseUrls", 80), ("UseUrls", 443)]),
        ('b.UseUrls($"http://*:{port}")', [("UseUrls", None)]),
        ("b.UseUrls(urls)", [("UseUrls", None)]),
        ('app.Run("http://[::]:80");', [("Run", 80)]),
        ('await app.RunAsync($"http://*:{p}");', [("RunAsync", None)]),
        ('app.Urls.Add("http://*:81");', [("Urls.Add", 81)]),
        ('listener.Prefixes.Add("http://+:80/");', [("Prefixes.Add", 80)]),
        ('b.UseSetting("urls", "http://*:80")', [("UseSetting", 80)]),
        ('b.UseSetting("detailedErrors", "true")', []),
        (
            'Environment.SetEnvironmentVariable("ASPNETCORE_HTTP_PORTS", "80");',
            [("SetEnvironmentVariable", 80)],
        ),
        ('config.GetValue("PORT", 80);', [("setting", 80)]),
        ('config.GetValue<int>("GRPC_PORT", 81);', [("setting", 81)]),
        ('config.GetValue<int>("PORT");', [("setting", None)]),
        ('Environment.GetEnvironmentVariable("PORT") ?? "80"', [("setting", 80)]),
        ('config["HTTP_PORT"]', [("setting", None)]),
        ('config["Smtp:Port"]; config["SmtpPort"]; config["RabbitPort"]', []),
        ("const int Port = 80;", [("constant", 80)]),
        ("var smtpPort = 25; client.Port = 587;", []),
        ('new ServerPort("0.0.0.0", 80, c)', [("ServerPort", 80)]),
        ("new TcpListener(IPAddress.Any, 80)", [("TcpListener", 80)]),
        ("new KestrelMetricServer(port: 1234)", [("KestrelMetricServer", 1234)]),
        ("app.UseMetricServer();", []),
        ("app.Run(); app.Run(async c => await c.Write(80)); host.Start();", []),
    ],
)
def test_ports_in_code(code: str, expected: list[tuple[str, int | None]]) -> None:
    assert ports(evidence("Program.cs", code)) == expected


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a.cs", "// o.ListenAnyIP(80);\n"),
        ("a.cs", "/* o.ListenAnyIP(80);\n o.ListenAnyIP(81); */"),
        ("a.cs", "/// <code>o.ListenAnyIP(80)</code>"),
        ("a.cs", "var c = '\"'; // ListenAnyIP(80) \""),
        ("a.fs", "(* o.ListenAnyIP(80)\n *)\nlet f (x: 'T) = x // ListenAnyIP(80)"),
        ("a.vb", "Dim x = 1 ' o.ListenAnyIP(80)\nREM o.ListenAnyIP(80)"),
        ("a.txt", "o.ListenAnyIP(80)"),
        ("obj/a.cs", "o.ListenAnyIP(80)"),
    ],
)
def test_what_does_not_count(path: str, code: str) -> None:
    assert evidence(path, code).ports_in_code == ()


@pytest.mark.parametrize(
    "code",
    [
        'var u = "http://x"; o.ListenAnyIP(80);',
        'var u = @"C:\\"; o.ListenAnyIP(80);',
        'var u = """\n " // \n"""; o.ListenAnyIP(80);',
        "var u = '/'; var v = '\\''; /* \" */ o.ListenAnyIP(80);",
        'var u = $@"{a}//{b}"; o.ListenAnyIP(80);',
    ],
)
def test_strings_are_no_comments(code: str) -> None:
    assert ports(evidence("Program.cs", code)) == [("ListenAnyIP", 80)]


def test_a_sighting_says_where() -> None:
    found = evidence("Program.cs", 'var x = 1;\r\n  b.UseUrls("http://*:80"); // why\r\n')
    assert found.ports_in_code == (
        Sighting(
            "ports_in_code",
            "UseUrls",
            "web/Program.cs",
            2,
            'b.UseUrls("http://*:80"); // why',
            "http://*:80",
            80,
        ),
    )
    assert (found.complete, found.files) == (True, 1)


def test_settings_that_bind_ports() -> None:
    text = """{
  // "Urls": "http://*:1",
  "Urls": "http://*:80;https://*",
  "Kestrel": { "Endpoints": { "Http": { "Url": "http://+:81" }, "X": {"Url": "%URL%"} } },
  "Kestrel:Endpoints:Flat:Url": "http://*:82",
  "PORT": 83, /* "PORT": 84, */
  "Smtp": { "Port": 25 }, "BaseUrls": ["http://other:80"],
}"""
    found = evidence("appsettings.Production.json", text)
    assert [(one.how, one.port, one.line) for one in found.ports_in_code] == [
        ("urls", 80, 3),
        ("urls", 443, 3),
        ("kestrel:endpoints:http:url", 81, 4),
        ("kestrel:endpoints:x:url", None, 4),
        ("kestrel:endpoints:flat:url", 82, 5),
        ("setting", 83, 6),
    ]


def test_only_the_docker_profile_counts() -> None:
    text = """{ "profiles": {
      "web": { "commandName": "Project", "applicationUrl": "http://localhost:5000" },
      "Container": { "commandName": "Docker", "httpPort": 80, "sslPort": 0,
        "environmentVariables": { "ASPNETCORE_HTTP_PORTS": "80;81" } } } }"""
    found = evidence("Properties/launchSettings.json", text)
    assert ports(found) == [("launch settings", port) for port in (80, 80, 81)]
    assert ports(evidence("Properties/launchSettings.json", text.replace("Docker", "IIS"))) == []


# ---------------------------------------------------------------- files and the rest


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('File.WriteAllText("/data/a.txt", x);', [("File.WriteAllText", "/data/a.txt")]),
        ("await File.AppendAllLinesAsync(path, x);", [("File.AppendAllLinesAsync", None)]),
        ('File.Create("a.bin")', [("File.Create", "a.bin")]),
        ("File.ReadAllText(path); File.Exists(path); controller.File(bytes, type);", []),
        ("new FileStream(path, FileMode.Create)", [("FileStream", None)]),
        ("new FileStream(path, FileMode.Open)", []),
        ("File.Open(path, FileMode.Append)", [("File.Open", None)]),
        ("FileStream Read(string p) => null;", []),
        ('new StreamWriter("log.txt")', [("StreamWriter", "log.txt")]),
        ("new StreamWriter(Path.Combine(a, b), true)", [("StreamWriter", None)]),
        ("new StreamWriter(response.Body)", []),
        ('Directory.CreateDirectory("/app/uploads")', [("CreateDirectory", "/app/uploads")]),
        ("Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), name))", []),
        ('File.WriteAllText("/tmp/a", x); File.WriteAllText(Path.GetTempFileName(), x);', []),
        ('log.WriteTo.Console()\n .WriteTo.File("logs/a.log")', [("WriteTo.File", "logs/a.log")]),
        ('log.WriteTo.Async(a => a.File("x.log"))', [("WriteTo.File", "x.log")]),
        ("log.WriteTo.Console(); app.File(x)", []),
        ('logging.AddFile("app.log")', [("logging.AddFile", "app.log")]),
        ('new FileTarget("f") { FileName = x }', [("FileTarget", None)]),
        ('o.UseSqlite("Data Source=app.db")', [("UseSqlite", "app.db")]),
        ("o.UseSqlite(connection)", [("UseSqlite", None)]),
        ('o.UseSqlite("Data Source=:memory:")', []),
        ('new LiteDatabase(@"data.db")', [("LiteDatabase", "data.db")]),
        (
            'd.PersistKeysToFileSystem(new DirectoryInfo(@"/keys"))',
            [("PersistKeysToFileSystem", "/keys")],
        ),
        ("Task Save(IFormFile f) => Copy(env.WebRootPath);", [("upload", None)]),
    ],
)
def test_file_writes_in_code(code: str, expected: list[tuple[str, str | None]]) -> None:
    found = evidence("Program.cs", code)
    assert [(one.how, one.literal) for one in found.file_writes] == expected


def test_file_writes_in_settings() -> None:
    text = """{ "Serilog": { "WriteTo": [ { "Name": "Console" },
        { "Name": "Async", "Args": { "configure": [
          { "Name": "File", "Args": { "path": "logs/web.log" } } ] } } ] },
      "ConnectionStrings": { "A": "Data Source=app.sqlite;Cache=Shared", "B": "Data Source=sql" },
      "NLog": { "targets": { "f": { "type": "File", "fileName": "x.log" } } },
      "Logging": { "PathFormat": "y.log" } }"""
    found = evidence("appsettings.json", text)
    assert [(one.how, one.literal) for one in found.file_writes] == [
        ("Serilog", "logs/web.log"),
        ("database", "app.sqlite"),
        ("NLog", "x.log"),
        ("Logging", "y.log"),
    ]


def test_log_configuration() -> None:
    nlog = '<targets><target xsi:type="File" name="f" fileName="/logs/a.log"/></targets>'
    log4net = (
        '<appender name="r" type="log4net.Appender.RollingFileAppender">\n'
        '  <file value="b.log" /></appender><!-- <target type="File" fileName="c"/> -->'
    )
    for path, text, name in (
        ("nlog.config", nlog, "/logs/a.log"),
        ("log4net.config", log4net, "b.log"),
    ):
        assert [one.literal for one in evidence(path, text).file_writes] == [name]
    assert evidence("packages.config", nlog).file_writes == ()


def test_other_topics() -> None:
    found = evidence(
        "Startup.cs",
        "WebHost.CreateDefaultBuilder(args);\nservices.AddDataProtection();\n"
        'app.MapHealthChecks("/healthz"); app.UseHealthChecks(path);\n'
        'Env("CORECLR_ENABLE_PROFILING");\nKubernetesClientConfiguration.InClusterConfig();',
    )
    assert [one.how for one in found.legacy_host] == ["WebHost.CreateDefaultBuilder"]
    assert [one.how for one in found.data_protection] == ["AddDataProtection"]
    assert [one.literal for one in found.health_endpoints] == ["/healthz", None]
    assert [one.line for one in found.profiler] == [4]
    assert {one.line for one in found.kubernetes_client} == {5}


def test_packages_are_evidence() -> None:
    project = WEB.format(
        '\n<PackageReference Include="KubernetesClient" Version="1" />\n'
        '<PackageReference Include="Datadog.Trace.Bundle" />'
        '<PackageReference Include="Microsoft.VisualStudio.Azure.Kubernetes.Tools.Targets" />'
    )
    found = Programs(Folder({"web.csproj": project})).evidence("")
    assert [(one.literal, one.line) for one in found.kubernetes_client] == [("KubernetesClient", 2)]
    assert [one.literal for one in found.profiler] == ["Datadog.Trace.Bundle"]


# ---------------------------------------------------------------- projects


def test_a_project_as_written() -> None:
    project = only(
        (
            "src/Web/Web.csproj",
            WEB.format(
                "<!-- <AssemblyName>old</AssemblyName> --><PropertyGroup>"
                "<AssemblyName>shop.web</AssemblyName>"
                "<TargetFrameworks>net8.0;$(Next)</TargetFrameworks><Next>net10.0</Next>"
                "<ContainerUser>root</ContainerUser></PropertyGroup>"
                '<ItemGroup><ContainerPort Include="80" Type="tcp" />'
                '<ProjectReference Include="..\\Core\\Core.csproj" />'
                '<ProjectReference Include="$(Other)\\x.csproj" /></ItemGroup>'
            ),
        ),
        ("src/core/Core.csproj", ""),
    )
    assert project == DotnetProject(
        path="src/Web/Web.csproj",
        directory="src/Web",
        name="Web",
        assembly_name="shop.web",
        target_frameworks=("net8.0", "net10.0"),
        sdk="Microsoft.NET.Sdk.Web",
        is_web=True,
        is_test=False,
        container=(("ContainerUser", "root"), ("ContainerPort", "80")),
        packages=(),
        references=("src/core/Core.csproj",),
        unresolved=("$(Other)\\x.csproj",),
    )


def test_the_nearest_build_props_is_inherited() -> None:
    properties = (
        "<Project><PropertyGroup><TargetFramework>{}</TargetFramework></PropertyGroup></Project>"
    )
    files = {
        "Directory.Build.props": properties.format("net6.0"),
        "src/Directory.Build.props": properties.format("net10.0"),
        "src/a/a.csproj": '<Project Sdk="Microsoft.NET.Sdk" />',
        "b/b.fsproj": '<Project Sdk="Microsoft.NET.Sdk" />',
    }
    found = {one.name: one.target_frameworks for one in Programs(Folder(dict(files))).projects()}
    assert found == {"a": ("net10.0",), "b": ("net6.0",)}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("Shop.Tests.csproj", "", True),
        ("Shop.UnitTests.csproj", "", True),
        ("ShopTests.csproj", "", True),
        ("Contest.csproj", "", False),
        ("Latest.Api.csproj", "", False),
        ("Spec.csproj", '<PackageReference Include="Microsoft.NET.Test.Sdk" />', True),
        ("Spec.csproj", "<IsTestProject>true</IsTestProject>", True),
        ("Load.Tests.csproj", "<IsTestProject>false</IsTestProject>", False),
    ],
)
def test_test_projects(path: str, text: str, expected: bool) -> None:
    assert only((path, WEB.format(text))).is_test is expected


def test_evidence_follows_references_and_leaves_neighbours_out() -> None:
    reference = '<ProjectReference Include="../{0}/{0}.csproj" />'
    found = Programs(
        Folder(
            {
                "web/web.csproj": WEB.format(reference.format("core")),
                "web/Program.cs": "o.ListenAnyIP(1)",
                "web/tests/tests.csproj": WEB,
                "web/tests/Test.cs": "o.ListenAnyIP(2)",
                "core/core.csproj": WEB.format(reference.format("deep")),
                "core/A.cs": "o.ListenAnyIP(3)",
                "deep/deep.csproj": WEB.format(reference.format("web")),
                "deep/B.cs": "o.ListenAnyIP(4)",
                "other/other.csproj": WEB,
                "other/C.cs": "o.ListenAnyIP(5)",
            }
        )
    )
    assert [port for _, port in ports(found.evidence("web"))] == [1, 3, 4]
    assert found.evidence("web") is found.evidence("web")


def test_linked_files_are_read() -> None:
    found = Programs(
        Folder(
            {
                "web/web.csproj": WEB.format('<Compile Include="..\\shared\\*.cs" />'),
                "shared/Host.cs": "o.ListenAnyIP(80)",
                "shared2/Host.cs": "o.ListenAnyIP(81)",
            }
        )
    )
    assert ports(found.evidence("web")) == [("ListenAnyIP", 80)]


def test_what_can_not_be_read_or_followed_is_not_complete() -> None:
    unreadable = programs(**{"web.csproj": WEB, "A.cs": None, "B.cs": "o.ListenAnyIP(80)"})
    assert unreadable.evidence("").complete is False
    assert ports(unreadable.evidence("")) == [("ListenAnyIP", 80)]
    lost = programs(**{"web.csproj": WEB.format('<ProjectReference Include="../x/x.csproj" />')})
    assert lost.evidence("").complete is False
    closed = programs(**{"web.csproj": None})
    assert closed.evidence("").complete is False
    assert programs().projects() == ()
    assert programs().evidence("nowhere") == Evidence(complete=True, files=0)


def test_the_budget_ends_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str | None] = {f"a{n}.cs": f"o.ListenAnyIP({n})" for n in range(10)}
    files |= {"web.csproj": WEB, "Program.cs": "o.ListenAnyIP(80)"}
    monkeypatch.setattr(dotnet, "MOST_FILES", 3)
    found = Programs(Folder(files)).evidence("")
    assert (found.complete, [port for _, port in ports(found)]) == (False, [80, 0, 1])
    monkeypatch.setattr(dotnet, "MOST_BYTES", 20)
    assert Programs(Folder(files)).evidence("").files == 2


# ---------------------------------------------------------------- never raises


def test_settings_of_broken_files() -> None:
    text = '{"a": {"b": [1, {"c": "x"}, [true]]}, "d": null, // no\n "e": "f"}'
    assert [(key, value) for key, value, _ in settings(text)] == [
        ("a:b:0", "1"),
        ("a:b:1:c", "x"),
        ("a:b:2:0", "true"),
        ("d", "null"),
        ("e", "f"),
    ]
    for end in range(len(text)):
        assert all(value in text for _, value, _ in settings(text[:end]))
        list(settings(text[end:]))


@pytest.mark.parametrize("language", ["cs", "fs", "vb", "json", "xml"])
def test_offsets_stay(language: str) -> None:
    text = 'a /* x\r\n*/ "b//" // c\n<!-- d\n --> (* e *) \' f\n"""'
    for end in range(len(text) + 1):
        blanked = without_comments(text[:end], language)
        assert len(blanked) == end
        assert blanked.count("\n") == text.count("\n", 0, end)


def test_cut_off_code_never_raises() -> None:
    code = 'o.Listen(new IPEndPoint(IPAddress.Any, 80)); b.UseUrls("http://*:80"); File.Open("x",'
    for end in range(len(code)):
        evidence("Program.cs", code[:end])


@pytest.mark.parametrize(
    "piece",
    [
        '"', "/*", "'", "(*", "<target ", "<Project ", "log", "WriteTo.", "Listen(", "{", "[",
        '"a":', "https://", ".Run(", 'GetValue("', "int port", "Data Source=", "File.Open(", "\n",
        "<!--", "<a Include", "$(",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["A.cs", "A.fs", "A.vb", "appsettings.json", "nlog.config"])
def test_repetition_is_read_in_reasonable_time(path: str, piece: str) -> None:
    text = "WriteTo.File Urls port = 1 kube" + piece * (100_000 // len(piece))
    start = time.perf_counter()
    evidence(path, text)
    only(("web.csproj", text))
    assert time.perf_counter() - start < 5
