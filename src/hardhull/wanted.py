"""Which images a run needs to know: those it pins or refreshes, and those its rules read.

Images that are built here are among them where a changed manifest starts today's first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hardhull.facts.catalogue import MICROSOFT_HOST, renamed
from hardhull.facts.lookups import Wanted
from hardhull.images import DEFAULT_HOST, parse_reference
from hardhull.model import Level
from hardhull.outcome import Status
from hardhull.project.stages import effective, parent_chain
from hardhull.rules.images.end_of_life_runtime import ID as END_OF_LIFE
from hardhull.rules.images.end_of_life_runtime import facts_of, is_over
from hardhull.rules.images.pinning import is_to_refresh
from hardhull.rules.images.stale_digest import ID as STALE
from hardhull.rules.images.tag_no_longer_rebuilt import ID as NOT_REBUILT
from hardhull.rules.images.unpinned_image import ID as UNPINNED
from hardhull.rules.ports.privileged_port import ID as PORT
from hardhull.rules.privileges.capabilities_not_dropped import ID as CAPABILITIES
from hardhull.rules.todays_image import named_today
from hardhull.rules.user.workload_may_run_as_root import ID as NON_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.images import Reference
    from hardhull.outcome import Outcome
    from hardhull.project.container import Container
    from hardhull.project.link import Project

_KUBERNETES_HOST: Final = "registry.k8s.io"
_CONCERNS: Final = frozenset({"user", "ports", "privileges", "filesystem"})
"""Concerns whose rules read the config of an image."""
_STARTING: Final = frozenset({NON_ROOT, CAPABILITIES, PORT})
"""Rules after whose change today's image may not start, or not be found."""


def wanted(outcome: Outcome) -> tuple[Wanted, ...]:
    """The images to look up after a run that fixed without knowing any digest, by name.

    After such a run the references that are left to pin are the final ones: a repository that is
    renamed is asked for under its new name.
    """
    facts = outcome.project.workspace.facts
    unpinned = set(_left_to_pin(outcome))
    pinned = dict(_to_refresh(outcome))
    asked = dict.fromkeys([*unpinned, *pinned], False)
    ours = {facts.origin(reference.exact) for reference in _run_today(outcome)}
    if any(rule.concern in _CONCERNS for rule in outcome.rules):
        for reference in _read_by_rules(outcome.project):
            name = facts.origin(reference.name)
            new = parse_reference(renamed(reference.text) or "")
            if new is not None and new.name in unpinned:
                asked[new.name] = True
            elif reference.digest is not None and name not in pinned:
                asked[facts.origin(reference.exact)] = True
            else:
                asked[name] = True
    ours -= set(asked)
    aging = set(_may_have_ended(outcome))
    named = [
        Wanted(
            name,
            asked[name],
            tuple(sorted(pinned.get(name, ()))),
            end_of_life=asked[name] and name in aging,
        )
        for name in asked
    ]
    named += [Wanted(name, config=True, optional=True) for name in ours]
    return tuple(sorted(named, key=lambda one: one.name))


def _run_today(outcome: Outcome) -> Iterator[Reference]:
    """Images that are built here, where the manifest that names them changes so that it matters.

    What the registry has under such a tag is not what the files make, but what the changed
    manifest starts first.
    """
    changed: set[tuple[str, str]] = set()
    for entry in outcome.entries:
        if entry.status is Status.FIXED and entry.finding.rule in _STARTING:
            subject = entry.finding.subject
            containers = subject.containers if entry.finding.rule == PORT else (subject,)
            changed |= {(one.path, one.where) for one in containers}
    project = outcome.project
    # What is set at a pod holds for all its containers.
    groups: list[Sequence[Container]] = [one.containers for one in project.all_workloads]
    for group in (*groups, *((one,) for one in (*project.containers, *project.patches))):
        if any((one.path, one.where) in changed for one in group):
            for container in group:
                if (reference := named_today(container, project)) is not None:
                    yield reference


def _may_have_ended(outcome: Outcome) -> Iterator[str]:
    """Microsoft's .NET images by tag, unless the catalogue knows that their version has ended."""
    if not any(rule.id in (END_OF_LIFE, NOT_REBUILT) for rule in outcome.rules):
        return
    facts = outcome.project.workspace.facts
    for use in outcome.project.references:
        known = facts_of(use, facts)
        if use.name is None or known is None or is_over(known, facts):
            continue
        name = facts.origin(use.name)
        if name.startswith(f"{MICROSOFT_HOST}/dotnet/"):
            yield name


def _left_to_pin(outcome: Outcome) -> Iterator[str]:
    for entry in outcome.entries:
        finding = entry.finding
        if finding.rule != UNPINNED or finding.level is Level.MANUAL:
            continue
        if finding.subject.unsure or finding.subject.ignores_digest:
            continue  # no digest would change that
        # Withheld, for want of the digest; unfixed where the rule only reports.
        left = entry.status in (Status.WITHHELD, Status.UNFIXED)
        if left and finding.subject.name is not None:
            yield outcome.project.workspace.facts.origin(finding.subject.name)


def _to_refresh(outcome: Outcome) -> Iterator[tuple[str, set[str]]]:
    """Pinned tags that may have moved, with the digests that are written for them."""
    if not any(rule.id == STALE for rule in outcome.rules):
        return
    found: dict[str, set[str]] = {}
    for use in outcome.project.references:
        reference = use.reference
        if reference is None or reference.tag is None or use.writer is not None:
            continue
        if reference.digest and is_to_refresh(use, outcome.project.workspace):
            name = outcome.project.workspace.facts.origin(reference.name)
            found.setdefault(name, set()).add(reference.digest)
    yield from found.items()


def _read_by_rules(project: Project) -> Iterator[Reference]:
    """Bases of images that are built, and images of containers, if they may be .NET."""
    made_elsewhere = {
        use.name
        for use in project.references
        if use.name is not None and use.built_here is None and use.writer is None
    }
    for text in _texts(project):
        reference = parse_reference(text) if text else None
        if reference is None or reference.name not in made_elsewhere:
            continue
        if _may_be_dotnet(reference, project):
            yield reference


def _texts(project: Project) -> Iterable[str | None]:
    """Whether something is an application may hang on what is asked here: all may be ones."""
    for stage in project.stages:
        yield stage.chain[0].base.resolved
    for stages in project.dockerfiles.values():
        last = len(stages) - 1
        if stages and any(effective(stages, last, word) for word in ("ENTRYPOINT", "CMD")):
            yield parent_chain(stages, last)[-1].base.resolved
    in_pods = (c for workload in project.all_workloads for c in workload.containers)
    for container in (*project.containers, *in_pods):
        if not project.makes(container) and container.image is not None:
            yield container.image.text
    for app in project.applications:
        if app.image is not None:
            yield app.image.base


def _may_be_dotnet(reference: Reference, project: Project) -> bool:
    facts = project.workspace.facts
    if facts.is_likened(reference.name):
        return False  # the configuration says what it is like, whatever its own config says
    known = facts.image(reference.name)
    if known is not None:
        return known.os != "windows"
    reference = parse_reference(facts.origin(reference.name)) or reference
    # Docker's official images and Microsoft's other products have no .NET program in them that
    # a rule of ours could be about.
    if reference.host == DEFAULT_HOST and reference.repository.startswith("library/"):
        return False
    if reference.host == MICROSOFT_HOST and "dotnet" not in reference.repository:
        return False
    if reference.host == _KUBERNETES_HOST:
        return False
    return facts.family(reference.name) is None
