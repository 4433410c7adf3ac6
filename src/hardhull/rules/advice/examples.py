"""Examples of the advice: its tests and its documentation."""

from hardhull.model import Example, Level

_START = 'ENTRYPOINT ["dotnet", "Api.dll"]\n'
_PIPED = """\
FROM mcr.microsoft.com/dotnet/sdk:8.0{variant} AS build
# the list
{shell}RUN curl -s https://acme.example/list | sort > /list
FROM mcr.microsoft.com/dotnet/aspnet:8.0{variant}
COPY --from=build /list /list
"""
_BASH = 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n'
_ASH = 'SHELL ["/bin/ash", "-eo", "pipefail", "-c"]\n'


def _piped(variant: str, shell: str = "") -> str:
    """A Dockerfile with a pipe in its build stage; SHELL stands above the comment."""
    text = _PIPED.format(variant=variant, shell="") + _START
    return text.replace("# the list\n", f"{shell}# the list\n")


_ADD = f"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n# settings\n{{line}}\n{_START}"
_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: mcr.microsoft.com/dotnet/samples:1
"""
_LIKE = (
    "base-images: {mcr.microsoft.com/dotnet/samples: {like: mcr.microsoft.com/dotnet/aspnet:8.0}}\n"
)
_NUMBERS = _LIKE + "resources:\n  requests: {cpu: 100m, memory: 128Mi}\n  limits: {memory: 256Mi}\n"
_ALL = """\
      resources:
        requests:
          cpu: 100m
          memory: 128Mi
        limits:
          memory: 256Mi
"""

PIPE_WITHOUT_PIPEFAIL = (
    Example(
        "bash on Debian",
        {"Dockerfile": _piped("")},
        {"Dockerfile": _piped("", _BASH)},
        level=Level.REVIEW,
    ),
    Example(
        "ash on Alpine",
        {"Dockerfile": _piped("-alpine")},
        {"Dockerfile": _piped("-alpine", _ASH)},
        level=Level.REVIEW,
    ),
    Example(
        "a later CMD runs in the same shell",
        {
            "Dockerfile": (
                "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nRUN cat /a | sort > /b\n"
                "CMD dotnet Api.dll\n"
            )
        },
        refused="CMD in shell form would run in another shell",
    ),
    Example(
        "a shell that is not known",
        {
            "Dockerfile": _piped("").replace(
                "mcr.microsoft.com/dotnet/sdk:8.0", "acme.example/sdk:1"
            )
        },
        refused="which shell its image has is not known",
    ),
    Example(
        "quoted, alternatives, or set already",
        {
            "Dockerfile": (
                "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
                "RUN grep 'a|b' /a || true\nRUN set -eo pipefail; cat /a | sort > /b\n" + _START
            )
        },
        silent=True,
    ),
)

ADD_INSTEAD_OF_COPY = (
    Example(
        "a text file and a directory, with a flag",
        {
            "conf/proxy.conf": "listen 8080;\n",
            "appsettings.json": "{}\n",
            "Dockerfile": _ADD.format(line="ADD --chown=app  appsettings.json conf /app/"),
        },
        {"Dockerfile": _ADD.format(line="COPY --chown=app  appsettings.json conf /app/")},
    ),
    Example(
        "a source that is not seen here",
        {"Dockerfile": _ADD.format(line="ADD data.bin /app/")},
        refused="data.bin is not among",
    ),
    Example(
        "a variable names the source",
        {"Dockerfile": _ADD.format(line="ARG WHAT\nADD $WHAT /app/")},
        refused="a variable names $WHAT",
    ),
    Example(
        "archives and addresses are what ADD is for",
        {
            "Dockerfile": _ADD.format(
                line="ADD out.tar.gz /app/\nADD https://acme.example/tool /usr/local/bin/"
            )
        },
        silent=True,
    ),
)

MISSING_RESOURCES = (
    Example(
        "the configured numbers",
        {"pod.yaml": _POD},
        {"pod.yaml": _POD + _ALL},
        level=Level.REVIEW,
        settings=_NUMBERS,
    ),
    Example(
        "what is there stays",
        {"pod.yaml": _POD + "      resources:\n        requests:\n          cpu: 1\n"},
        {
            "pod.yaml": _POD
            + "      resources:\n        requests:\n          cpu: 1\n          memory: 128Mi\n"
            + "        limits:\n          memory: 256Mi\n"
        },
        level=Level.REVIEW,
        settings=_NUMBERS,
    ),
    Example(
        "a limit below the configured request",
        {"pod.yaml": _POD + "      resources:\n        limits: {memory: 64Mi}\n"},
        refused="a request may not be above its limit",
        settings=_NUMBERS,
    ),
    Example("no numbers are configured", {"pod.yaml": _POD}, reported=True, settings=_LIKE),
    Example("nothing is missing", {"pod.yaml": _POD + _ALL}, silent=True, settings=_NUMBERS),
)
