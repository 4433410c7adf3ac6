"""latest-tag: a reference without a tag, or with `latest`, names another version every year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.references import Place
from hardhull.rules.images.more_examples import LATEST_TAG
from hardhull.rules.images.published_examples import LATEST_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "latest-tag"
_FOR_TESTS = re.compile(r"(?:^|/)(?:tests?|fixtures?|test-?data)/", re.IGNORECASE)
_REPLACED = re.compile(r"(?:^|/)skaffold[^/]*:\d+ ")


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """References to `latest`, said or not; in manifests also those of images built here."""
    reference = use.reference
    if reference is None or use.pinned or use.writer is not None:
        return
    if reference.tag not in (None, "latest"):
        return
    if use.built_here is not None and use.place is not Place.KUBERNETES:
        return  # Compose builds it itself: the name is only a label
    if _REPLACED.search(use.built_here or "") or _FOR_TESTS.search(use.path):
        return  # Skaffold puts in the tag that it built; what tests read is not deployed
    facts = context.facts.image(reference.name)
    if facts is not None and facts.os == "windows":
        return
    yield Finding(
        ID,
        use.path,
        use.where,
        use.span,
        "latest may be another version tomorrow" if reference.tag else "without a tag it is latest",
        Severity.MEDIUM,
        Level.MANUAL,
        reference.name,
        (),
        use,
    )


RULE = Rule(
    id=ID,
    title="The image is latest",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "`latest` moves to the next major version on the day it appears: the next build, or the "
        "next pod on another node, runs something else. Nobody can tell which version runs."
    ),
    fix_note="Reported only: which version is meant is not written anywhere.",
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=("https://kubernetes.io/docs/concepts/containers/images/#image-names",),
    equivalents=(
        "checkov:CKV_K8S_14",
        "checkov:CKV_DOCKER_7",
        "trivy:KSV-0013",
        "trivy:DS-0001",
        "polaris:tagNotSpecified",
        "kube-linter:latest-tag",
    ),
    examples=(*LATEST_TAG, *LATEST_IN_PROJECT),
)
