"""The Dockerfile reader against BuildKit's own parser (PyPI `dockerfile`): equal or Unreadable.

HARDHULL_CORPUS names a folder of real Dockerfiles; without it only the hand-written ones are used.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from hardhull.documents.dockerfile import Dockerfile, Instruction, Unreadable, read_dockerfile
from hardhull.documents.source import FileKind, Source

official = pytest.importorskip("dockerfile", reason="pip install dockerfile==3.4.0")
pytestmark = pytest.mark.judge

SPLICES = 5_000
SPLIT = frozenset(("FROM", "EXPOSE", "COPY", "ADD", "VOLUME", "ARG"))

# What the parser lets through and the next stage of the build refuses; we refuse at once.
REFUSED_LATER = re.compile(
    r"unknown instruction|before the first FROM|no FROM|needs |no name for a build stage"
    r"|names can't be empty|can't stand behind ONBUILD|only one \w+ directive|escape character"
    r"|behind a JSON array|outside ASCII|carriage return|longer than|named by"
)
# The judge is of 2023: since then `<< WORD` opens a heredoc, as does one beside `${V%x}`, `# check`
# is a directive, and the escape directive holds in flags and may follow blanks outside ASCII.
LAGS = re.compile(
    r"\$\{[^{}\n]*[#%/].*<<|<<.*\$\{[^{}\n]*[#%/]|^\s*#\s*[^\x00-\x7f]\s*escape|"
    r"<<[ \t\r]|^\s*#\s*check\s*=|\A\s*#\s*escape\s*=\s*`(?s:.*)\s--\S*[\\`\"']",
    re.MULTILINE | re.IGNORECASE,
)

TRICKY = {
    "shared tag": "ARG T=8.0\nFROM img:$T AS a\nFROM sdk:$T\n",
    "composite tag": 'ARG A=8.0\nARG B="3.20"\nFROM img:${A}-alpine${B}\n',
    "whole image": "ARG IMAGE=img:1\nFROM ${IMAGE}\n",
    "no default": "ARG IMAGE\nFROM ${IMAGE}\n",
    "modifiers": "ARG V=8.0.1\nFROM a:${V:-1} AS x\nFROM a:${V%.*} AS y\nFROM a:${V/8/9}\n",
    "two arguments": "ARG A=1 B=2 C D='x y'\nFROM a:$A-$B\n",
    "inner argument": "ARG T=1\nFROM a:$T\nARG T=2\nRUN echo $T\n",
    "global twice": "ARG T=1\nARG T=2\nFROM a:$T\n",
    "platform": "FROM --platform=$BUILDPLATFORM a:1 AS b\n",
    "two flags": "FROM --platform=linux/amd64 --foo=1 a:1\n",
    "stages": "FROM a AS Base\nFROM base\nCOPY --from=BASE /a /b\nCOPY --from=0 /a /b\n",
    "later stage": "FROM build\nFROM a AS build\n",
    "copy image": "FROM a\nCOPY --from=img:1 --chown=app:app --link /a /b\n",
    "mount": "FROM a\nRUN --mount=type=bind,from=x:1,target=/y --mount=type=cache,target=/z ls\n",
    "syntax": "# syntax=docker/dockerfile:1\nFROM a\n",
    "syntax late": "# check=skip=all\n# syntax = docker/dockerfile:1\n# escape=`\n"
    "FROM a\nRUN a `\n b\n",
    "syntax behind shebang": "#!/usr/bin/env x\n# syntax=docker/dockerfile:1\nFROM a\n",
    "escape": "# escape=`\nFROM a\nRUN dir `\n  c:\\ \nENV P=c:\\x\\\nUSER x\n",
    "escape too late": "# hello\n# escape=`\nFROM a\nRUN a `\nUSER b\n",
    "escape indented": "  #  escape = `\nFROM a\nRUN a `\n b\n",
    "heredoc": "FROM a\nRUN <<EOF\nFROM b\nUSER c\nEOF\nUSER d\n",
    "heredoc in tabs": "FROM a\nRUN <<-EOF\n\tFROM b\n\tEOF\nUSER d\n",
    "heredoc quoted": "FROM a\nRUN <<'EOF' cat\n$A\nEOF\nCOPY <<\"E F\" /x\nhi\nE F\nUSER d\n",
    "heredocs": "FROM a\nCOPY <<one.txt <<two.txt /d/\nFROM x\none.txt\nUSER\ntwo.txt\nUSER d\n",
    "heredoc numbered": "FROM a\nRUN 3<<EOF cat <&3\nhi\nEOF\nUSER d\n",
    "heredoc continued": "FROM a\nRUN cat \\\n  <<EOF && \\\n  ls\nhi\nEOF\nUSER d\n",
    "no heredoc": 'FROM a\nRUN echo "<<EOF" a<<EOF <<<x \\<<EOF\nUSER d\n',
    "no heredoc in json": 'FROM a\nRUN ["cat", "<<EOF"]\nUSER d\n',
    "no heredoc in cmd": "FROM a\nCMD cat <<EOF\nUSER d\n",
    "heredoc arithmetic": "FROM a\nRUN echo $((1<<2))\nUSER d\n",
    "heredoc unterminated": "FROM a\nRUN <<EOF\nUSER d\n",
    "heredoc behind onbuild": "FROM a\nONBUILD RUN <<EOF\nUSER x\nEOF\nUSER d\n",
    "heredoc open quote": "FROM a\nRUN echo it's <<EOF\nUSER d\n",
    "heredoc crlf": "FROM a\r\nRUN <<EOF\r\nhi\r\nEOF\r\nUSER d\r\n",
    "heredoc with variables": "FROM a\nRUN echo ${A:-b} ${C} $D <<EOF\nx\nEOF\nUSER d\n",
    "heredoc with substring": "FROM a\nRUN echo ${A:0:3} ${B:,x} <<EOF\nx\nEOF\nUSER d\n",
    "no heredoc with bash form": "FROM a\nRUN echo ${B^^} <<EOF\nUSER d\n",
    "from in a run": "FROM a\nRUN echo \\\nFROM b \\\n  && ls\nLABEL x=1 \\\n  FROM=b\n",
    "onbuild": 'FROM a\nONBUILD COPY --from=b /c /d\nONBUILD CMD ["a", "b"]\nONBUILD USER x\n',
    "comments inside": "FROM a\nRUN a \\\n# one\n\n  # two \\\n   \t\n  && b\n# three\nUSER x\n",
    "swallowed": "FROM a\nRUN a \\\n# comment\nUSER b\nUSER c\n",
    "from over lines": "FROM \\\n  --platform=linux/amd64 \\\n  a:1 \\\n  AS \\\n  b\n",
    "keyword over lines": "FR\\\nOM a\nUS\\\n# c\nER b\n",
    "comment behind from": "FROM a # base\n",
    "quoted from": 'FROM "alpine:3.20"\n',
    "crlf": "FROM a\r\nRUN b \\\r\n  && c\r\nUSER d\r\n",
    "mixed": "FROM a\nRUN b \\\r\n  && c \\\n && d\r\nUSER e\n",
    "many carriage returns": "FROM a\r\r\nUSER b \\\r\r\nc\r\r\n",
    "bom": "\ufeffFROM a\nUSER b\n",
    "indented": "\t FROM\ta:1\tAS\tb\n   USER \t c  \n",
    "lower case": "from a as b\nrun c\nUser d\n",
    "scratch": "FROM scratch\nCOPY a /\n",
    "registry with port": "FROM localhost:5000/a:1\nFROM reg:5000/a@sha256:abc\n",
    "template": "FROM a:{{ v }}\nUSER {{ u }}\n",
    "template alone": "{{ v }}\nFROM a\n",
    "windows": '# escape=`\nFROM a:8.0-nanoserver\nCOPY a C:\\app\\\nSHELL ["cmd", "/S"]\n',
    "unknown": "FROM a\nFOO bar\n",
    "lone mark": "FROM a\n\\\nRUN b\n  \\  \n  USER c\n",
    "mark with blanks": "FROM a\nRUN b \\  \t\n  c\n",
    "double mark": "FROM a\nRUN b \\\\\nUSER c\n",
    "triple mark": "FROM a\nRUN b \\\\\\\nUSER c\nENV A=b\\\\\\\n",
    "ends in a mark": "FROM a\nRUN b \\\n",
    "ends in a mark and comments": "FROM a\nRUN b \\\n# c\n\n# d",
    "no final newline": "FROM a\nUSER b",
    "blank lines": "\n\n# x\n\nFROM a\n\n\n\nUSER b\n\n\n",
    "env": "FROM a\nENV A=\"x y\" B='z  ' C=\\ d E= \\\n  F=1\nENV G h  i\nENV J\tk\n"
    'LABEL a.b="c d" e=f\n',
    "env without value": "FROM a\nENV A\n",
    "env without equals": "FROM a\nENV A=1 B\n",
    "env open quote": 'FROM a\nENV A="b c\nUSER x\n',
    "health": "FROM a\nHEALTHCHECK --interval=5s --timeout=3s CMD curl -f http://x:80/ || exit 1\n"
    'HEALTHCHECK NONE\nHEALTHCHECK CMD ["a", "b"]\nhealthcheck cmd a\n',
    "json": 'FROM a\nCMD [ "a" , "b\\"c\\u0041" ]\nENTRYPOINT []\nCOPY ["a b", "c"]\n'
    'VOLUME ["/a"]\n',
    "json over lines": 'FROM a\nCMD ["a", \\\n  # c\n  "b"\\\n ]\n',
    "json not": "FROM a\nCMD ['a', 'b']\nRUN [ -f x ] && y\nCMD [\"a\", ]\nCMD [\n",
    "json nested": 'FROM a\nCMD ["a", ["b"]]\n',
    "json numbers": 'FROM a\nCMD ["a", 1]\n',
    "json tail": 'FROM a\nCMD ["a"] b\n',
    "json null": "FROM a\nCMD [null]\n",
    "flags odd": "FROM a\nRUN --  x\nRUN --a=\"b c\" --d='e' --f\\ g h\nRUN --a --b\nRUN -- \n"
    "RUN -x y\n",
    "blanks odd": "FROM a\u00a0b\nRUN\u00a0c\nENV A=1\u00a0B=2\n\u00a0USER x\u00a0\n"
    "EXPOSE 1\v2\f3\n",
    "separators": "FROM a\nRUN b\u2028c\x1cd\x85e\nENV A=1\x1cB=2\n",
    "expose": "FROM a\nEXPOSE 80 443/tcp $PORT\nEXPOSE 8080-8090\n",
    "arg quoted": 'FROM a\nARG A="b c" D\nARG "E=f g"\n',
    "empty arguments": "FROM a\nRUN\nCMD\nENTRYPOINT\n",
    "one word copy": "FROM a\nCOPY b\n",
    "carriage returns only": "FROM a\rUSER b\r",
    "nothing": "",
    "only comments": "# a\n# b\n",
}


def _value(item: Instruction) -> tuple[str, ...]:
    """Return the arguments in the judge's own form."""
    item = item.trigger or item
    words = tuple(word.value for word in item.words)
    if item.json or item.keyword in SPLIT:
        return words
    if item.keyword in ("ENV", "LABEL"):
        if "=" not in words[0]:
            return words
        return tuple(part for word in words for part in word.split("=", 1))
    if item.keyword == "HEALTHCHECK":
        return tuple(re.split(r"[\t\v\f\r ]+", item.text, maxsplit=1))
    return (item.text,) if item.text else ()


def _ours(file: Dockerfile) -> list[tuple[Any, ...]]:
    return [
        (
            item.keyword,
            item.trigger.keyword if item.trigger else None,
            item.json,
            item.first_line,
            item.last_line,
            tuple(flag.value for flag in item.flags),
            _value(item),
            # The judge gives the lines of a heredoc behind ONBUILD, but not its body.
            () if item.trigger else tuple((doc.name, doc.body) for doc in item.heredocs),
        )
        for item in file.instructions
    ]


def _theirs(text: str) -> list[tuple[Any, ...]] | None:
    try:
        commands = official.parse_string(text)
    except (official.GoParseError, UnicodeDecodeError):
        return None  # it splits flags between bytes, and can't give the pieces back
    return [
        (
            (item.cmd or "").upper(),
            item.sub_cmd.upper() if item.sub_cmd else None,
            item.json,
            item.start_line,
            item.end_line,
            item.flags,
            item.value,
            tuple((heredoc.name, heredoc.content) for heredoc in item.heredocs),
        )
        for item in commands
    ]


def _compare(text: str, where: str) -> bool:
    """Compare one file; True if both read it."""
    file = read_dockerfile(Source.from_bytes(where, FileKind.DOCKERFILE, text.encode()))
    theirs = _theirs(text)
    if theirs is None:
        assert isinstance(file, Unreadable) or LAGS.search(text), f"{where}: they refuse it"
        return False
    if isinstance(file, Unreadable):
        later = REFUSED_LATER.search(file.reason) or LAGS.search(text)
        assert later, f"{where}: {file}\n{text}"
        return False
    _check_spans(file)
    if LAGS.search(text):
        return False
    assert _ours(file) == theirs, where
    return True


def _check_spans(file: Dockerfile) -> None:
    text = file.source.text
    for item in file.instructions:
        assert file.source.line_of(item.span.start) >= item.first_line
        assert text[slice(*item.span)].upper().startswith(item.keyword[0])
        for word in (*item.flags, *item.words):
            assert text[slice(*word.span)] == word.text
            assert item.span.start < word.span.start < word.span.end <= item.span.end
        for heredoc in item.heredocs:
            assert text[slice(*heredoc.span)] == heredoc.body


def _corpus() -> list[Path]:
    folder = os.environ.get("HARDHULL_CORPUS")
    if not folder:
        return []
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if "dockerfile" in path.name.lower()
        and path.suffix not in (".dockerignore", ".md", ".cs", ".yml", ".yaml", ".json")
        and path.is_file()
    )


def _texts() -> list[str]:
    texts: list[str] = []
    for path in _corpus():
        try:
            texts.append(path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError:
            continue  # the judge takes text only
    return texts


@pytest.mark.parametrize("name", TRICKY)
def test_tricky_files(name: str) -> None:
    _compare(TRICKY[name], name)


def test_most_tricky_files_are_read_by_both() -> None:
    assert sum(_compare(text, name) for name, text in TRICKY.items()) >= 65


def test_real_files() -> None:
    if not _corpus():
        pytest.skip("HARDHULL_CORPUS names no folder with Dockerfiles")
    texts = _texts()
    read = sum(_compare(text, f"file {number}") for number, text in enumerate(texts))
    assert read > len(texts) * 0.9


def test_random_splices() -> None:
    """Lines of real (or tricky) files in random order: nothing may be read differently."""
    chance = random.Random(20_240_601)  # noqa: S311  not for secrets
    pool = [*TRICKY.values(), *_texts()]
    read = 0
    for number in range(SPLICES):
        parts = chance.sample(pool, chance.randint(1, min(3, len(pool))))
        lines = [line for part in parts for line in part.splitlines(keepends=True)]
        start = chance.randrange(max(1, len(lines)))
        lines = lines[start : start + chance.randint(1, 25)]
        if chance.random() < 0.5:
            chance.shuffle(lines)
        head = chance.choice(("FROM a\n", "FROM a\n", "# escape=`\nFROM a\n", ""))
        read += _compare(head + "".join(lines), f"splice {number}")
    assert read > SPLICES * 0.2
