"""Our judgement of Pod Security, and what `--select pod-security` does, by Kubernetes' own pods.

HARDHULL_POD_SECURITY names `test/testdata` of a checkout of kubernetes/pod-security-admission.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hardhull.project.pod_security_checks import CHECKS

TESTDATA = os.environ.get("HARDHULL_POD_SECURITY", "")
pytestmark = [
    pytest.mark.judge,
    pytest.mark.skipif(
        not (TESTDATA and Path(TESTDATA, "restricted").is_dir()),
        reason="HARDHULL_POD_SECURITY names no test/testdata of kubernetes/pod-security-admission",
    ),
]
MAY_BE_EXPLAINED = {
    "hostPathVolumes", "restrictedVolumes", "seLinuxOptions", "sysctls", "windowsHostProcess",
    "runAsNonRoot", "runAsUser",
}  # fmt: skip


@pytest.fixture(scope="module")
def benchmark() -> Any:
    place = Path(__file__).resolve().parents[2] / "benchmarks" / "pod_security.py"
    spec = importlib.util.spec_from_file_location("pod_security_benchmark", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def test_we_judge_as_kubernetes_does(benchmark: Any) -> None:
    assert list(benchmark.disagreements(Path(TESTDATA))) == []


def test_what_fails_is_fixed_or_explained_and_what_passes_stays(benchmark: Any) -> None:
    tally = benchmark.measured(Path(TESTDATA))

    assert tally.problems == []
    assert tally.identical == tally.passing > 0
    assert not tally.unfixed
    assert set(tally.explained) <= MAY_BE_EXPLAINED
    assert set(tally.fixed) == {check.id for check in CHECKS} - MAY_BE_EXPLAINED
