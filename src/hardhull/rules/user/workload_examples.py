"""Examples of workload-may-run-as-root: its tests and its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.model import Example, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY out /app
{user}ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
_NUMERIC = _DOCKERFILE.format(user="USER $APP_UID\n")
_ROOT = _DOCKERFILE.format(user="")
_POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels: {{app: api}}
  template:
    metadata:
      labels: {{app: api}}{notes}
    spec:
{pod}      containers:
        - name: api
          image: {image}
{container}"""
_REQUIRED = "securityContext:\n  runAsNonRoot: true\n"


def _pod(
    pod: str = "", container: str = "", notes: str = "", image: str = "acme.example/api:1"
) -> str:
    """A Deployment with these lines at its pod and at its container."""
    at_pod = "".join(f"      {line}\n" for line in pod.splitlines())
    at_container = "".join(f"          {line}\n" for line in container.splitlines())
    return _POD.format(pod=at_pod, container=at_container, notes=notes, image=image)


_TODAY = "acme.example/api:1"


def _published(**config: object) -> dict[str, Mapping[str, Any]]:
    """A recording of what the registry has under the tag that the manifest names."""
    return {_TODAY: {"digest": f"sha256:{7:064x}", "config": {"os": "linux", **config}}}


_WHOLE = "      securityContext:\n        runAsNonRoot: true\n"
_OTHER = "        - name: proxy\n          image: acme.example/proxy:1\n"
_MESH = '\n      annotations: {sidecar.istio.io/inject: "true"}'
_MARINER = "mcr.microsoft.com/dotnet/samples:1"
_LIKE = (
    "base-images:\n"
    f"  {_MARINER}:\n"
    "    like: mcr.microsoft.com/dotnet/aspnet:8.0-cbl-mariner2.0-distroless\n"
)
_ROUTE = """\
---
apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: api
"""

WORKLOAD_MAY_RUN_AS_ROOT = (
    Example(
        "every container of the pod has a number: once, at the pod",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod()},
        {"k8s/api.yaml": _pod() + _WHOLE},
    ),
    Example(
        "another container's user is not known: at the application's own",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod() + _OTHER},
        {"k8s/api.yaml": _pod(container=_REQUIRED) + _OTHER},
    ),
    Example(
        "a mesh adds containers to the pod",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod(notes=_MESH)},
        {"k8s/api.yaml": _pod(container=_REQUIRED, notes=_MESH)},
    ),
    Example(
        "runAsUser: 0 goes, where the image has a user",
        {
            "api/Dockerfile": _NUMERIC,
            "k8s/api.yaml": _pod(
                container="securityContext:\n  runAsUser: 0\n  privileged: false\n"
            ),
        },
        {"k8s/api.yaml": _pod(container="securityContext:\n  privileged: false\n") + _WHOLE},
        level=Level.REVIEW,
    ),
    Example(
        "runAsNonRoot: false is overridden, to be looked at",
        {
            "api/Dockerfile": _NUMERIC,
            "k8s/api.yaml": _pod(pod="securityContext:\n  runAsNonRoot: false\n"),
        },
        {"k8s/api.yaml": _pod(pod=_REQUIRED)},
        level=Level.REVIEW,
    ),
    Example(
        "what the pod says is overridden by each container",
        {
            "api/Dockerfile": _NUMERIC,
            "k8s/api.yaml": _pod(
                pod="securityContext:\n  runAsNonRoot: false\n", container=_REQUIRED
            ),
        },
        {"k8s/api.yaml": _pod(pod=_REQUIRED, container=_REQUIRED)},
        level=Level.REVIEW,
    ),
    Example(
        "an image made elsewhere whose user is a name with a known number",
        {"k8s/api.yaml": _pod(image=_MARINER)},
        {
            "k8s/api.yaml": _pod(
                image=_MARINER,
                container="securityContext:\n  runAsUser: 1654\n",
            )
            + _WHOLE
        },
        settings=_LIKE,
    ),
    Example(
        "OpenShift sees to it by itself",
        {"k8s/api.yaml": _pod(image=_MARINER) + _ROUTE},
        silent=True,
        settings=_LIKE,
    ),
    Example(
        "OpenShift gives numbers itself",
        {
            "k8s/api.yaml": _pod(image=_MARINER, pod="securityContext:\n  runAsNonRoot: false\n")
            + _ROUTE
        },
        refused="OpenShift gives numbers itself",
        settings=_LIKE,
    ),
    Example(
        "the image runs as root",
        {"api/Dockerfile": _ROOT, "k8s/api.yaml": _pod()},
        refused="image-runs-as-root comes first",
    ),
    Example(
        "runAsUser: 0 and an image that runs as root",
        {
            "api/Dockerfile": _ROOT,
            "k8s/api.yaml": _pod(container="securityContext:\n  runAsUser: 0\n"),
        },
        refused="sets runAsUser: 0",
    ),
    Example(
        "the image under the tag, by its config, has a number already",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod()},
        {"k8s/api.yaml": _pod() + _WHOLE},
        digests=_published(User="1654"),
    ),
    Example(
        "the image under the tag, by its config, still runs as root",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod()},
        refused="acme.example/api:1 runs as root (by its config); this waits until",
        digests=_published(),
    ),
    Example(
        "the image under the tag, by its config, has a user by name",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod()},
        refused="runs as app, a name, which Kubernetes can't check",
        digests=_published(User="app"),
    ),
    Example(
        "the manifest's own number holds for the image under the tag, too",
        {
            "api/Dockerfile": _NUMERIC,
            "k8s/api.yaml": _pod(container="securityContext:\n  runAsUser: 1654\n"),
        },
        {"k8s/api.yaml": _pod(container="securityContext:\n  runAsUser: 1654\n") + _WHOLE},
        digests=_published(),
    ),
    Example(
        "the image's user is a name",
        {"api/Dockerfile": _DOCKERFILE.format(user="USER app\n"), "k8s/api.yaml": _pod()},
        refused="image-user-by-name comes first",
    ),
    Example(
        "a base image that is not known",
        {
            "api/Dockerfile": _ROOT.replace(
                "mcr.microsoft.com/dotnet/aspnet:8.0", "acme.example/base:1"
            ),
            "k8s/api.yaml": _pod(),
        },
        refused="say what it is like under base-images",
    ),
    Example(
        "required already",
        {"api/Dockerfile": _NUMERIC, "k8s/api.yaml": _pod(pod=_REQUIRED)},
        silent=True,
    ),
    Example(
        "Windows pods are left alone",
        {
            "api/Dockerfile": _NUMERIC,
            "k8s/api.yaml": _pod(pod="nodeSelector: {kubernetes.io/os: windows}\n"),
        },
        silent=True,
    ),
)
