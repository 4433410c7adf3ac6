"""The life of a pull request: opened, moved on, closed, merged, opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import history
from standin.gitstore import ZERO, Person
from standin.moves import Move
from standin.state import Edit, Pull, Refused, Repository, World, invalid

if TYPE_CHECKING:
    from standin.state import Account

WEB_FLOW = "web-flow"
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nby the stand-in\n-----END PGP SIGNATURE-----"


def identity(world: World, account: Account) -> Person:
    """How an account signs commits that are made on the website or through the API."""
    return Person(account.login, account.email, world.clock.seconds)


def github_identity(world: World) -> Person:
    return Person("GitHub", "noreply@github.com", world.clock.seconds)


def open_pull(
    world: World,
    repository: Repository,
    author: Account,
    *,
    head: tuple[Repository, str],
    base: str,
    title: str,
    body: str | None = None,
    draft: bool = False,
    maintainer_can_modify: bool = False,
) -> Pull:
    """Open a pull request, or say why not in GitHub's words."""
    home, branch = head
    head_sha, base_sha = home.branch(branch), repository.branch(base)
    if base_sha is None:
        raise invalid("PullRequest", field="base", code="invalid")
    if head_sha is None:
        raise invalid("PullRequest", field="head", code="invalid")
    bring(home, repository, head_sha)
    for other in repository.pulls.values():
        if other.is_open and (other.head_repository, other.head_ref, other.base_ref) == (
            home, branch, base,
        ):  # fmt: skip
            said = f"A pull request already exists for {home.owner.login}:{branch}."
            raise invalid("PullRequest", said)
    if history.merge_base(repository.store, base_sha, head_sha) is None:
        raise invalid("PullRequest", f"The {branch} branch has no history in common with {base}")
    if not history.between(repository.store, base_sha, head_sha):
        raise invalid("PullRequest", f"No commits between {base} and {branch}")
    fits("PullRequest", title=title, body=body)
    at = world.clock.tick()
    pull = Pull(
        world.number(), len(repository.pulls) + 1, title, body, author, home, branch, head_sha,
        base, base_sha, at, at, draft, maintainer_can_modify and home is not repository,
    )  # fmt: skip
    repository.pulls[pull.number] = pull
    repository.store.set_ref(f"refs/pull/{pull.number}/head", head_sha)
    return pull


def bring(home: Repository, repository: Repository, oid: str) -> None:
    """Copy a fork's commits over: on GitHub all forks share their objects."""
    if home is repository:
        return
    for commit in history.ancestors(home.store, oid):
        if repository.store.kind(commit) is None:
            for one in _below(home, commit):
                kind, data = home.store.find(one) or ("", b"")
                repository.store.write(kind, data)


def _below(home: Repository, commit: str) -> list[str]:
    store, found = home.store, [commit]
    queue = [store.commit_object(commit).tree]
    while queue:
        tree = queue.pop()
        found.append(tree)
        for entry in store.entries(tree).values():
            (queue if entry.kind == "tree" else found).append(entry.oid)
    return found


# -- what moves of branches do


def follow(world: World, repository: Repository, move: Move, actor: Account) -> None:
    """What a branch that was moved, made or deleted does to pull requests."""
    if not move.ref.startswith("refs/heads/"):
        return
    for home in {id(one): one for one in world.repositories.values()}.values():
        for pull in home.pulls.values():
            if pull.head_repository is repository and pull.head_ref == move.branch:
                _head_moved(world, home, pull, move, actor)
            elif home is repository and pull.base_ref == move.branch and pull.is_open:
                _base_moved(world, home, pull, move, actor)


def _head_moved(world: World, home: Repository, pull: Pull, move: Move, actor: Account) -> None:
    if not pull.is_open:
        if move.new == ZERO:
            world.event(pull, "HeadRefDeletedEvent", actor)
        return
    if move.new == ZERO:
        world.event(pull, "HeadRefDeletedEvent", actor)
        close(world, home, pull, actor)
        return
    bring(pull.head_repository, home, move.new)
    if move.forced:
        world.event(
            pull, "HeadRefForcePushedEvent", actor, beforeCommit=move.old, afterCommit=move.new
        )
    pull.head_sha, pull.updated_at = move.new, world.clock.stamp
    rules = home.rules_for(pull.base_ref)
    if any(rule.parameters.get("dismiss_stale_reviews_on_push") for rule in rules):
        for review in pull.reviews:
            review.state = "DISMISSED" if review.state == "APPROVED" else review.state
    home.store.set_ref(f"refs/pull/{pull.number}/head", move.new)
    base = home.branch(pull.base_ref)
    if base is not None and not history.between(home.store, base, move.new):
        # Nothing is left to merge: GitHub closes it, and doesn't call it merged.
        close(world, home, pull, actor)


def _base_moved(world: World, home: Repository, pull: Pull, move: Move, actor: Account) -> None:
    if move.new == ZERO:
        close(world, home, pull, actor)
    elif history.is_ancestor(home.store, pull.head_sha, move.new):
        _merged(world, home, pull, actor, move.new, move.old)
    elif move.new != move.old:
        pull.base_sha = move.new if move.forced else pull.base_sha


# -- what people and tokens do


def close(world: World, home: Repository, pull: Pull, actor: Account) -> None:
    if not pull.is_open:
        return
    event = world.event(pull, "ClosedEvent", actor)
    pull.state, pull.closed_at = "closed", event.at
    pull.auto_merge = pull.queued_at = None
    base = home.branch(pull.base_ref)
    if base is not None and pull.merge_base_at_close is None:
        pull.merge_base_at_close = history.merge_base(home.store, base, pull.head_sha)


def reopen(world: World, home: Repository, pull: Pull, actor: Account) -> None:
    """Open it again, where the branch is still what it was or has only grown."""
    if pull.is_open:
        return
    if pull.merged_at:
        raise invalid("PullRequest", "state cannot be changed. The pull request is merged.")
    head = pull.head_repository.branch(pull.head_ref)
    said = f"state cannot be changed. The {pull.head_ref} branch"
    if head is None:
        raise invalid("PullRequest", f"{said} has been deleted.", field="state")
    bring(pull.head_repository, home, head)
    if not history.is_ancestor(home.store, pull.head_sha, head):
        raise invalid("PullRequest", f"{said} was force-pushed or recreated.", field="state")
    for other in home.pulls.values():
        same = (other.head_repository, other.head_ref) == (pull.head_repository, pull.head_ref)
        if other.is_open and same and other.base_ref == pull.base_ref:
            name = f"{pull.head_repository.owner.login}:{pull.head_ref}"
            text = f"state cannot be changed. There is already an open pull request for {name}."
            raise invalid("PullRequest", text, field="state")
    if not history.between(home.store, home.branch(pull.base_ref) or ZERO, head):
        text = f"state cannot be changed. There are no new commits on the {said.split('The ')[1]}."
        raise invalid("PullRequest", text, field="state")
    pull.state, pull.closed_at = "open", None
    pull.merge_base_at_close = None
    pull.head_sha = head
    world.event(pull, "ReopenedEvent", actor)


def merge(world: World, home: Repository, pull: Pull, actor: Account, method: str = "merge") -> str:
    """Merge as the button does; gives the new commit."""
    store, base = home.store, home.branch(pull.base_ref)
    if not pull.is_open or pull.draft or base is None:
        raise Refused(405, "Pull Request is not mergeable")
    tree = history.merged_tree(store, base, pull.head_sha)
    if tree is None:
        raise Refused(405, "Pull Request is not mergeable")
    world.clock.tick()
    name = f"{pull.head_repository.owner.login}/{pull.head_ref}"
    match method:
        case "merge":
            parents = [base, pull.head_sha]
            message = f"Merge pull request #{pull.number} from {name}\n\n{pull.title}"
        case _:
            parents = [base]
            commits = history.between(store, base, pull.head_sha)
            message = f"{pull.title} (#{pull.number})\n\n" + "\n\n".join(
                f"* {store.commit_object(one).message.strip()}" for one in commits
            )
    oid = website_commit(world, home, actor, tree, parents, message)
    ref = f"refs/heads/{pull.base_ref}"
    store.set_ref(ref, oid)
    _merged(world, home, pull, actor, oid, base)
    follow(world, home, Move(ref, base, oid, (oid,), forced=False, files=frozenset()), actor)
    if home.delete_branch_on_merge and pull.head_repository is home and home.branch(pull.head_ref):
        gone = Move(f"refs/heads/{pull.head_ref}", pull.head_sha, ZERO, (), False, frozenset())
        store.delete_ref(gone.ref)
        follow(world, home, gone, actor)
    return oid


def _merged(
    world: World, home: Repository, pull: Pull, actor: Account, oid: str, before: str
) -> None:
    event = world.event(pull, "MergedEvent", actor, commit=oid)
    pull.merged_at, pull.merged_by, pull.merge_commit = event.at, actor, oid
    pull.merge_base_at_close = history.merge_base(home.store, before, pull.head_sha)
    close(world, home, pull, actor)


def website_commit(
    world: World, home: Repository, actor: Account, tree: str, parents: list[str], message: str
) -> str:
    """A commit made with a button: by the person, committed and signed by GitHub."""
    oid = home.store.commit(
        tree, parents, identity(world, actor), github_identity(world), message,
        signature=SIGNATURE,
    )  # fmt: skip
    home.verified.add(oid)
    return oid


def fits(resource: str, **texts: str | None) -> None:
    """Refuse texts that are longer than GitHub takes."""
    for name, limit in (("title", 256), ("body", 65536)):
        if len(texts.get(name) or "") > limit:
            said = f"{name} is too long (maximum is {limit} characters)"
            raise invalid(resource, said, field=name)


def edit(
    world: World, home: Repository, pull: Pull, editor: Account, change: dict[str, Any]
) -> None:
    """Change title, body or base, with the history GitHub keeps of each."""
    fits("PullRequest", title=change.get("title"), body=change.get("body"))
    if "title" in change and change["title"] != pull.title:
        if not change["title"].strip():
            raise invalid("PullRequest", field="title", code="missing_field")
        was, pull.title = pull.title, change["title"]
        world.event(pull, "RenamedTitleEvent", editor, previousTitle=was, currentTitle=pull.title)
    if "body" in change and change["body"] != pull.body:
        edited(world, pull, editor, pull.body or "", change["body"] or "", pull.created_at)
        pull.body = change["body"]
    if "base" in change and change["base"] != pull.base_ref:
        base = home.branch(change["base"])
        if base is None:
            raise invalid("PullRequest", field="base", code="invalid")
        if not history.between(home.store, base, pull.head_sha):
            text = (
                f"There are no new commits between base branch '{change['base']}' and head branch"
            )
            raise invalid("PullRequest", f"{text} '{pull.head_ref}'", field="base")
        was, pull.base_ref, pull.base_sha = pull.base_ref, change["base"], base
        world.event(
            pull,
            "BaseRefChangedEvent",
            editor,
            previousRefName=was,
            currentRefName=pull.base_ref,
        )
    pull.updated_at = world.clock.stamp


def edited(world: World, thing: Any, editor: Account, old: str, new: str, created_at: str) -> None:
    """Keep a version of a body, and the first one too."""
    if not thing.edits:
        thing.edits.append(Edit(world.number(), thing.author, created_at, old))
    thing.edits.append(Edit(world.number(), editor, world.clock.tick(), new))
