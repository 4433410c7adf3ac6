"""What a program listens on: code, arguments and variables in the order that ASP.NET Core obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.kinds import BY_CONFIG
from hardhull.project.listeners import (
    ENDPOINT,
    LAUNCH_SETTINGS,
    OTHER_OPTION,
    PORT_VARIABLES,
    PRIVILEGED,
    URL_VARIABLES,
    Decider,
    Listener,
    Listening,
    decides_port,
    moved,
    moved_arguments,
    moved_urls,
    ports_in,
    urls_argument,
)
from hardhull.project.published_ports import (
    arguments_of_image,
    hidden_in_image,
    variables_of_image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.dockerfile import Instruction, Word
    from hardhull.facts.described import ImageConfig
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container
    from hardhull.project.published_image import PublishedImage
    from hardhull.project.sighting import Sighting

__all__ = [
    "LAUNCH_SETTINGS",
    "PORT_VARIABLES",
    "PRIVILEGED",
    "URL_VARIABLES",
    "Decider",
    "Listener",
    "Listening",
    "decides_port",
    "environment_word",
    "idle_stages",
    "is_web",
    "listening",
    "moved",
    "moved_arguments",
    "moved_urls",
    "ports_in",
    "run_stages",
    "start_instructions",
    "urls_argument",
    "ways_to_run",
]


def listening(
    app: Application,
    stage: AppStage | None,
    container: Container | None,
    published: ImageConfig | None = None,
) -> Listening:
    """What one program listens on, built by `stage` and run by `container`, either may be None.

    `published` is the config of the image that is run, where no stage stands for it; without it
    that of an image which nothing here builds.
    """
    program = app.program
    ports = program.ports_in_code if program is not None else ()
    seen = [one for one in ports if one.how != LAUNCH_SETTINGS]
    bound = _bound_in_code(seen)
    if any(not one.conditional for one in seen):
        return bound
    heard = _told(app, stage, container, published)
    return Listening((*bound.listeners, *heard.listeners), (*bound.unknown, *heard.unknown))


def _bound_in_code(seen: Sequence[Sighting]) -> Listening:
    found = tuple(
        Listener(
            one.port,
            "https" if one.port in (443, 8443) else "http",
            Decider.CODE,
            f"{one.path}:{one.line} binds {one.port}",
            one.path,
            one.line,
        )
        for one in seen
        if one.port is not None
    )
    hidden = tuple(
        f"{one.path}:{one.line} "
        + ("binds a port under a condition" if one.conditional else "computes a port")
        for one in seen
        if one.port is None
    )
    return Listening(found, hidden)


def _told(
    app: Application,
    stage: AppStage | None,
    container: Container | None,
    published: ImageConfig | None,
) -> Listening:
    """What arguments and variables tell a program to listen on, where its code does not decide."""
    image = None
    if published is None and stage is None and container is not None:
        published, image = app.published(container), app.image_of(container)
    arguments = tuple(_arguments(stage, container, published))
    hidden = tuple(_hidden_arguments(stage, container))
    if image is not None and not (container is not None and container.command):
        arguments = arguments or arguments_of_image(image)
    hidden += hidden_in_image(image) if image is not None else ()
    if arguments:
        return Listening(arguments, hidden)
    if published is not None and container is not None:
        web = is_web(app, stage) or app.published_kind(container) == "aspnet"
    else:
        web = is_web(app, stage)
    if not web:
        return Listening()
    heard = _from_variables(_variables(stage, container, published, image))
    return Listening(heard.listeners, (*heard.unknown, *hidden))


def is_web(app: Application, stage: AppStage | None) -> bool:
    """Whether the program listens at all: by its project's SDK, else by its image.

    The `runtime` image lacks ASP.NET Core; on `runtime-deps` a program may bring it along, which
    EXPOSE or a variable of its own tells.
    """
    if app.project is not None and app.project.is_web:
        return True
    if stage is None or stage.facts is None or stage.facts.kind == "runtime":
        return False
    if any(
        decides_port(name) and value.instruction >= 0 for name, value in stage.environment.items()
    ):
        return True
    if stage.facts.kind == "aspnet":
        return app.project is None or any(i.keyword == "EXPOSE" for i in stage.instructions)
    own = stage.facts.http_port
    words = [w.text for i in stage.instructions if i.keyword == "EXPOSE" for w in i.words]
    exposed = {word.partition("/")[0] for word in words}
    if stage.config is not None:
        exposed |= {str(port) for port in stage.config.exposed}
    return own is not None and str(own) in exposed


def _hidden_arguments(stage: AppStage | None, container: Container | None) -> Iterator[str]:
    """Other arguments that say where to listen: they are not read."""
    for cursor in container.command if container is not None else ():
        if OTHER_OPTION.search(cursor.text or ""):
            yield f"{cursor.path}:{cursor.line} tells it where to listen: {cursor.text}"
    for instruction in start_instructions(stage):
        for word in instruction.words:
            if OTHER_OPTION.search(word.value) and stage is not None:
                place = f"{stage.path}:{instruction.first_line}"
                yield f"{place} tells it where to listen: {word.value}"


def _arguments(
    stage: AppStage | None, container: Container | None, published: ImageConfig | None
) -> Iterator[Listener]:
    cursors = container.command if container is not None else ()
    found = urls_argument(tuple(cursor.text or "" for cursor in cursors))
    if found is not None:
        cursor = cursors[found[0]]
        place = f"{cursor.file.source.path}:{cursor.line}"
        for scheme, port in ports_in("URLS", found[1]):
            path, line = cursor.file.source.path, cursor.line
            evidence = f"{place} starts with --urls {found[1]}"
            yield Listener(port, scheme, Decider.ARGUMENT, evidence, path, line, "", cursor)
        return
    if published is not None and container is not None and not cursors:
        found = urls_argument((*published.entrypoint, *published.cmd))
        for scheme, port in ports_in("URLS", found[1]) if found is not None else ():
            evidence = f"its image starts with --urls {found[1]}{BY_CONFIG}" if found else ""
            yield Listener(port, scheme, Decider.ARGUMENT, evidence, container.path)
        return
    for instruction in start_instructions(stage):
        found = urls_argument(tuple(word.value for word in instruction.words))
        for scheme, port in ports_in("URLS", found[1]) if found is not None else ():
            path, line = stage.path if stage is not None else "", instruction.first_line
            evidence = f"{path}:{line} starts with --urls"
            yield Listener(port, scheme, Decider.ARGUMENT, evidence, path, line)


def start_instructions(stage: AppStage | None) -> tuple[Instruction, ...]:
    """The ENTRYPOINT and CMD that are in force."""
    found = [] if stage is None else [stage.effective("ENTRYPOINT"), stage.effective("CMD")]
    return tuple(instruction for instruction in found if instruction is not None)


def _from_variables(groups: Mapping[str, tuple[str | None, Listener]]) -> Listening:
    for names in (("Kestrel",), URL_VARIABLES, PORT_VARIABLES):
        listeners: list[Listener] = []
        unknown: list[str] = []
        for variable, (value, listener) in groups.items():
            own = ENDPOINT.match(variable) if names == ("Kestrel",) else variable in names
            if not own:
                continue
            if value is None:
                unknown.append(f"{listener.evidence}, with a value that is not known")
                continue
            listeners += [
                _with(listener, scheme, port) for scheme, port in ports_in(variable, value)
            ]
            if names is URL_VARIABLES and listeners:
                break  # URLS beats ASPNETCORE_URLS beats DOTNET_URLS
        if listeners or unknown:
            return Listening(tuple(listeners), tuple(unknown))
    return Listening()


def _with(listener: Listener, scheme: str, port: int) -> Listener:
    return Listener(
        port,
        scheme,
        listener.decider,
        listener.evidence,
        listener.path,
        listener.line,
        listener.variable,
        listener.cursor,
    )


def _variables(
    stage: AppStage | None,
    container: Container | None,
    published: ImageConfig | None,
    image: PublishedImage | None,
) -> dict[str, tuple[str | None, Listener]]:
    """Variables that decide ports, the container's over the Dockerfile's over the image's."""
    found: dict[str, tuple[str | None, Listener]] = {}
    if published is not None and container is not None and container.image is not None:
        for name, value in published.variables.items():
            if decides_port(name):
                evidence = f"{container.image.text} sets {name}{BY_CONFIG}"
                base = Decider.BASE
                found[name] = (value, Listener(0, "", base, evidence, container.path, 0, name))
    if stage is not None:
        for name, known in stage.environment.items():
            if decides_port(name):
                found[name] = (known.value, _variable_of_stage(stage, name))
    if image is not None:
        found |= variables_of_image(image)
    settings = container.environment if container is not None else {}
    for name, setting in settings.items():
        if decides_port(name):
            path, line = setting.cursor.file.source.path, setting.cursor.line
            evidence = f"{path}:{line} sets {name}"
            listener = Listener(0, "", Decider.VARIABLE, evidence, path, line, name, setting.cursor)
            found[name] = (setting.value, listener)
    order = (*URL_VARIABLES, *PORT_VARIABLES)
    ranked = sorted(found, key=lambda name: order.index(name) if name in order else -1)
    return {name: found[name] for name in ranked}


def _variable_of_stage(stage: AppStage, name: str) -> Listener:
    word = environment_word(stage, name)
    if word is None:
        known = BY_CONFIG if stage.facts is not None and stage.facts.by_config else ""
        evidence = f"{stage.base} sets {name}{known}"
        return Listener(0, "", Decider.BASE, evidence, stage.path, 0, name)
    line = word[0].first_line
    evidence = f"{stage.path}:{line} sets {name}"
    return Listener(0, "", Decider.VARIABLE, evidence, stage.path, line, name)


def environment_word(stage: AppStage, name: str) -> tuple[Instruction, Word] | None:
    """The ENV word that sets a variable last in the chain; the value's word in `ENV NAME value`."""
    found: tuple[Instruction, Word] | None = None
    for instruction in stage.instructions:
        if instruction.keyword != "ENV":
            continue
        words = instruction.words
        if words and "=" not in words[0].text:
            if words[0].text == name and len(words) > 1:
                found = (instruction, words[1])
            continue
        for word in words:
            if word.text.partition("=")[0] == name:
                found = (instruction, word)
    return found


def ways_to_run(app: Application) -> Iterator[tuple[AppStage | None, Container | None]]:
    """Each container with each stage it may run; the stages alone where nothing runs them."""
    if not app.containers:
        for stage in app.stages:
            yield stage, None
    for container in app.containers:
        if not app.stages:
            yield None, container
        for stage in app.stages_of(container):
            yield stage, container
    for patch in app.patches:
        yield from ((stage, patch) for stage in app.stages_of(patch))


def idle_stages(app: Application) -> tuple[AppStage, ...]:
    """Stages that nothing here runs, while other stages of the same program are run."""
    if not app.containers:
        return ()
    used = [stage for container in app.containers for stage in app.stages_of(container)]
    parts = {(stage.path, one.index) for stage in used for one in stage.chain}
    return tuple(
        stage
        for stage in app.stages
        if stage not in used and not parts & {(stage.path, one.index) for one in stage.chain}
    )


def run_stages(app: Application) -> tuple[AppStage, ...]:
    """The other stages: those that something here runs, all of them where nothing does."""
    idle = idle_stages(app)
    return tuple(stage for stage in app.stages if stage not in idle)
