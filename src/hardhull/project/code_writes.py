"""What code writes: calls that make or change files, and where, if the text says so."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from hardhull.project.calls import MOST_CALLS, any_of, arguments_at
from hardhull.project.sighting import DATABASE, Sighting, sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source

WRITE_WORDS = (
    "File.", "File(", "FileStream", "FileTarget", "FileSystem", "FileAppender", "StreamWriter",
    "CreateDirectory", "ExtractTo", "LiteDatabase", "Sqlite", "Directory.", "FileInfo",
    "DirectoryInfo", ".Save", "ListenUnixSocket", "CreateFromDirectory", "DeveloperSigning",
    "System.IO.",
)  # fmt: skip
_TEMPORARY = re.compile(r'GetTemp(?:Path|FileName)|^[$@]*"/tmp(?:["/])')
_PATH_LIKE = re.compile(r"path|file|combine|\.log|\.txt", re.IGNORECASE)
# One look for the start of a word, then all names: five times as fast as a look for each.
_CALL = (
    r"\b(?:File\.(?:Write\w*|Append\w*|Create\w*|OpenWrite|Open|Copy|Move|Replace|Delete)\b"
    r"|Directory\.(?:Delete|Move)\b|FileSystem\.(?:Write\w+|CopyFile|MoveFile|DeleteFile)\b"
    r"|(?:FileStream|StreamWriter)(?=\s+\w+\s*=\s*new\s*\()"
    r"|(?:FileStream|StreamWriter|ExtractToDirectory|CreateFromDirectory|CreateDirectory"
    r"|FileTarget|LiteDatabase|UseSqlite|SqliteConnection|PersistKeysToFileSystem"
    r"|RollingFileAppender|ListenUnixSocket)\b"
    r"|(?:FileInfo|DirectoryInfo)(?=\s*\()"
    r"|WriteTo\b[^;]{0,200}?\.(?:Rolling)?File\b)|\.Save(?:As)?(?:Async)?(?=\s*\()"
)
_WRITE_CALL = re.compile(_CALL)
_WRITE_OR_LOG_CALL = re.compile(rf"{_CALL}|\b\w{{0,40}}[lL]og\w{{0,40}}\.AddFile\b")
_IMPORTED = re.compile(
    r"\b(?P<all>global\s+)?(?:using\s+static|open\s+type|Imports|using\s+(?P<alias>\w+)\s*=)\s+"
    r"(?:global::)?System\.IO\.(?P<type>File|Directory)\b(?!\s*\.)"
)
"""Other ways to name the types: `using static System.IO.File`, `using Disk = System.IO.File`."""
_METHODS = {
    "File": r"WriteAll\w+|Append(?:All\w+|Text)|Create\w*|OpenWrite|Open|Copy|Move|Replace|Delete",
    "Directory": r"Delete|Move",
}
_OPENING = re.compile(r"(?:\s+\w+\s*=\s*new)?\s*\(")
_TYPES = frozenset({"FileStream", "StreamWriter", "FileTarget", "LiteDatabase", "SqliteConnection"})
_WRITE_MODE = re.compile(r"FileMode\.(?:Create|CreateNew|Append|OpenOrCreate|Truncate)|\.Write\b")
_MADE = re.compile(r"\)?\s*\.(?:Create\w*|OpenWrite|AppendText|MoveTo|CopyTo|Delete)\s*\(")
_SECOND = frozenset({"File.Copy", "File.Move", "File.Replace", "CreateFromDirectory"})
"""Calls that write to their second argument."""
_ASSIGNED = re.compile(r"(?<![\w.])(\w+)\s*=(?![=>])\s*([^;\n]*)")
_SIGNING_KEY = re.compile(r"\bAddDeveloperSigningCredential\s*\(")
_NOT_KEPT = re.compile(r"(?:persistKey\s*:?[:=]\s*)?false", re.IGNORECASE)
_KEPT = re.compile(r"(?:(?:persistKey\s*:?[:=]\s*)?true)?", re.IGNORECASE)
_KEY_FILE = re.compile(r'(?:filename\s*:?[:=]\s*)?@?"([^"]+)"')
_STORES = re.compile(r"\b(?:Copy|Save(?!Changes)|Store|Upload|Write(?!Line)|OpenWrite)\w*\s*\(")
_KEY_NAME = "tempkey.jwk"
_KEEPS_KEY = "AddDeveloperSigningCredential keeps its signing key in a file"
_WHOLE = re.compile(
    r'\s*(?:\w+\s*[:=]\s*)?(?:new\s+(?:DirectoryInfo|FileInfo)\s*\(\s*)?@?"([^"]*)"\s*\)?\s*'
)


def writes_in_code(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    """Yield the calls that write files; `bare` is the code without its strings."""
    if any_of(WRITE_WORDS, bare):
        temporary = _temporary_names(code)
        for call, start, end in islice(_calls(bare), MOST_CALLS):
            opening = _OPENING.match(code, end)
            if opening is None and call in _TYPES:
                continue
            arguments = arguments_at(code, opening.end() - 1) if opening else []
            if _is_write(call, (start, end), arguments, code, temporary):
                how = "WriteTo.File" if call.startswith("WriteTo") else call.lstrip(".")
                text = _written_path(how, arguments)
                yield sighting(source, "file_writes", how, end - 1, text)
        yield from _for_all_files(source, bare)
        yield from _signing_keys(source, code, bare)
    if "IFormFile" in code and _STORES.search(bare):
        for hit in re.finditer(r"\bWebRootPath\b|\"wwwroot\b", code):
            yield sighting(source, "file_writes", "upload", hit.start())


def _calls(bare: str) -> Iterator[tuple[str, int, int]]:
    """What may write, by the name of its type, with its offsets."""
    for hit in (_WRITE_OR_LOG_CALL if ".AddFile" in bare else _WRITE_CALL).finditer(bare):
        yield hit[0], hit.start(), hit.end()
    for imported in _imports(bare):
        owner, alias = imported["type"], imported["alias"]
        if alias == owner:
            continue  # the usual name, which was looked for above
        before = rf"\b{alias}\." if alias else r"(?<![\w.])(?<!new )(?<!void )(?<!Task )"
        for hit in re.finditer(rf"{before}({_METHODS[owner]})(?=\s*\()", bare):
            yield f"{owner}.{hit[1]}", hit.start(), hit.end()


def _imports(bare: str) -> Iterator[re.Match[str]]:
    return _IMPORTED.finditer(bare) if "System.IO." in bare else iter(())


def _for_all_files(source: Source, bare: str) -> Iterator[Sighting]:
    """An import for the whole project: its calls in other files are not followed."""
    for hit in _imports(bare):
        if hit["all"] and hit["alias"] != hit["type"]:
            yield sighting(source, "file_writes", f"global System.IO.{hit['type']}", hit.start())


def _signing_keys(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    """IdentityServer's key for development is kept in the folder that the program starts in."""
    for hit in _SIGNING_KEY.finditer(bare) if "DeveloperSigning" in bare else ():
        arguments = [argument.strip() for argument in arguments_at(code, hit.end() - 1)]
        if any(_NOT_KEPT.fullmatch(argument) for argument in arguments):
            continue
        names = (_KEY_FILE.fullmatch(argument) for argument in arguments)
        name = next((found[1] for found in names if found), None)
        usual = all(_KEPT.fullmatch(argument) for argument in arguments)
        known = _KEY_NAME if usual else name
        yield sighting(source, "file_writes", _KEEPS_KEY, hit.start(), known)


def _temporary_names(code: str) -> frozenset[str]:
    """Names that only ever hold paths below the temporary directory."""
    if "GetTemp" not in code:
        return frozenset()
    assigned: dict[str, list[str]] = {}
    for hit in _ASSIGNED.finditer(code):
        assigned.setdefault(hit[1], []).append(hit[2])
    names: frozenset[str] = frozenset()
    for _ in range(3):  # a path made of a path made of the temporary directory
        names = frozenset(
            name
            for name, values in assigned.items()
            if all(_is_temporary(value, names) for value in values)
            and not re.search(rf"\bstring\??\s+{name}\s*[,)=]\s*(?!=)(?:[,)]|$)", code)
            and not re.search(rf"[(,]\s*string\??\s+{name}\b", code)
        )
    return names


def _is_temporary(text: str, names: frozenset[str]) -> bool:
    text = text.strip()
    if "?" in text:
        return False  # it may be something else
    if _TEMPORARY.search(text):
        return True
    first = re.match(r'(?:(?:System\.IO\.)?Path\.(?:Combine|Join)\s*\(\s*|\$"\{)?(\w+)', text)
    return first is not None and first[1] in names


def _is_write(
    call: str,
    at: tuple[int, int],
    arguments: list[str],
    code: str,
    temporary: frozenset[str],
) -> bool:
    place = 1 if call in _SECOND else 0
    target = arguments[place].strip() if len(arguments) > place else ""
    everything = ",".join(arguments)
    if _is_temporary(target, temporary):
        # What is moved away from its place is written too.
        return call == "File.Move" and not _is_temporary(arguments[0], temporary)
    match call:
        case "FileStream" | "File.Open":
            return _WRITE_MODE.search(everything) is not None
        case "StreamWriter":
            return target.startswith(('"', '@"', '$"')) or _PATH_LIKE.search(target) is not None
        case "SqliteConnection" | "LiteDatabase" | "FileTarget":
            before = code[max(0, at[0] - 80) : at[0]]
            constructed = re.search(r"\b[nN]ew\s+(?:\w+\.)*\Z", before) is not None
            return constructed and "memory" not in everything.lower()
        case "UseSqlite":
            return "memory" not in everything.lower()
        case "FileInfo" | "DirectoryInfo":
            end = code.find(everything, at[1]) + len(everything)
            return bool(everything) and _MADE.match(code, end) is not None
        case _ if call.startswith(".Save"):
            return target.startswith(('"', '@"', '$"'))
        case _:
            return True


def _written_path(how: str, arguments: list[str]) -> str | None:
    """The path as written. What else is a string, such as the content, is no path."""
    if how == "FileTarget":
        return None  # its first argument is a name
    first = 1 if how in _SECOND else 0
    if how == "ExtractToDirectory" and len(arguments) > 1 and _WHOLE.fullmatch(arguments[1]):
        first = 1
    most = 2 if how == "WriteTo.File" else 1  # a formatter may come first
    for argument in arguments[first : first + most]:
        whole = _WHOLE.fullmatch(argument)
        if whole:
            database = DATABASE.search(whole[1])
            return database[1].strip() if database else str(whole[1])
    return None
