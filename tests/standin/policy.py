"""Who may do what, and GitHub's words for no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from standin.gitstore import ZERO
from standin.state import Refused, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standin.moves import Move
    from standin.state import Repository, Rule

ARCHIVED = "Repository was archived so is read-only."
NOT_BY_ACTIONS = "GitHub Actions is not permitted to create or approve pull requests."


def require(token: Token, repository: Repository, permission: str, level: str = "write") -> None:
    """Refuse as GitHub does where the token's permissions don't reach."""
    if repository.disabled:
        raise Refused(403, "Repository access blocked")
    if not token.may(permission, level):
        if token.is_app:
            raise Refused(403, "Resource not accessible by integration")
        if token.kind is TokenKind.FINE_GRAINED:
            raise Refused(403, "Resource not accessible by personal access token")
        raise Refused(404, "Not Found")
    if level == "write":
        writable(repository)


def writable(repository: Repository) -> None:
    if repository.archived:
        raise Refused(403, ARCHIVED)
    if repository.locked:
        raise Refused(403, "Repository has been locked for migration.")


def may_open_pulls(token: Token, repository: Repository) -> None:
    """The setting that stops workflows from opening pull requests."""
    if token.kind is TokenKind.ACTIONS and not repository.actions_may_open_pulls:
        raise Refused(403, NOT_BY_ACTIONS)


@dataclass(frozen=True)
class Violation:
    text: str
    commits: tuple[str, ...] = ()
    classic: bool = False


def violations(repository: Repository, login: str, move: Move) -> list[Violation]:
    """The rules that a move breaks."""
    if not move.ref.startswith("refs/heads/"):
        return []
    return [
        found
        for rule in repository.rules_for(move.branch)
        if login not in rule.bypass
        for found in _broken(repository, rule, move)
    ] + [
        Violation("This branch has been added to a merge queue.", classic=True)
        for pull in repository.pulls.values()
        if pull.queued_at and pull.head_repository is repository and pull.head_ref == move.branch
    ]


# Rules about what is done with the ref, whatever the commits are.
SAID = {
    "creation": "Cannot create ref due to creations being restricted.",
    "deletion": "Cannot delete this branch",
    "update": "Cannot update this protected ref.",
    "non_fast_forward": "Cannot force-push to this branch",
    "pull_request": "Changes must be made through a pull request.",
}


def _broken(repository: Repository, rule: Rule, move: Move) -> Iterator[Violation]:
    created, deleted = move.old == ZERO, move.new == ZERO
    updated = not created and not deleted
    applies = {
        "creation": created,
        "deletion": deleted,
        "update": updated,
        "non_fast_forward": move.forced,
        "pull_request": updated,
    }
    if applies.get(rule.kind):
        yield Violation(SAID[rule.kind], classic=rule.classic)
    if rule.kind == "required_signatures":
        bare = tuple(oid for oid in move.commits if oid not in repository.verified)
        if bare:
            yield Violation("Commits must have verified signatures.", bare, rule.classic)
    if rule.kind == "required_linear_history":
        read = repository.store.commit_object
        merges = tuple(oid for oid in move.commits if len(read(oid).parents) > 1)
        if merges:
            yield Violation("This branch must not contain merge commits.", merges, rule.classic)
    if rule.kind == "required_status_checks" and updated:
        for check in rule.parameters.get("required_status_checks", ()):
            said = f'Required status check "{check["context"]}" is expected.'
            yield Violation(said, classic=rule.classic)


def in_answer(found: list[Violation]) -> Refused:
    """Broken rules as the API says it."""
    texts = "\n".join(one.text for one in found)
    if found[0].classic:
        return Refused(422, texts.replace("this branch", "this protected branch"))
    return Refused(422, f"Repository rule violations found\n\n{texts}\n\n")


def in_push(repository: Repository, move: Move, found: list[Violation], server: str) -> list[str]:
    """Broken rules as `git push` shows them, without git's own `remote: `."""
    if found[0].classic:
        return [
            f"error: GH006: Protected branch update failed for {move.ref}.",
            *(f"error: {one.text}" for one in found),
        ]
    ref = move.ref.replace("/", "%2F")
    lines = [
        f"error: GH013: Repository rule violations found for {move.ref}.",
        f"Review all repository rules at {server}/{repository.full_name}/rules?ref={ref}",
        "",
    ]
    for one in found:
        lines += [f"- {one.text}"]
        if one.commits:
            count = len(one.commits)
            lines += [f"  Found {count} violation{'s' * (count > 1)}:", ""]
            lines += [f"  {oid}" for oid in one.commits]
        lines += [""]
    return lines


def workflow_refusal(token: Token, move: Move) -> str | None:
    """Why this token may not bring these workflow files, if so."""
    workflows = sorted(path for path in move.files if path.startswith(".github/workflows/"))
    if not workflows or token.may("workflows", "write"):
        return None
    path = workflows[0]
    if token.is_app:
        return (
            f"refusing to allow a GitHub App to create or update workflow `{path}`"
            " without `workflows` permission"
        )
    return (
        f"refusing to allow a Personal Access Token to create or update workflow `{path}`"
        " without `workflow` scope"
    )
