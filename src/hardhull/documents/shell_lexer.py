"""BuildKit's shell lexer: quotes, escapes, `$V` and `${V…}`, and words; `expansion` is its door.

The quirks are BuildKit's on purpose (unset names vanish, patterns know `*` and `?` only): what we
compute must be what the build computes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.documents import shell_patterns
from hardhull.documents.shell_patterns import WordSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardhull.documents.expansion import Mode, Origin

GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's unicode.IsSpace accepts; Python's own notion also has the separators 1C to 1F."""

DEEPEST = 50
TOO_DEEP = "variables are nested too deeply"

_PLAIN = re.compile(r"""[^\s$<'"\\`}/]+""")
_SPECIAL = frozenset("@*#?-$!0")


class Lexer:
    """The state of one run: position, what was found, and the word under construction.

    `buffer` is shared between nested runs because BuildKit shares it: the words (not the result)
    lack the text before a `${V:-x}`, and heredocs are found among the words.
    """

    def __init__(self, text: str, lookup: Mapping[str, Origin], mode: Mode) -> None:
        self.text = text
        self.at = 1 if text.startswith("\ufeff") else 0
        self.lookup = lookup
        self.mode = mode
        self.raw_escapes = mode.raw_escapes
        self.depth = 0
        self.buffer = ""
        self.sources: list[tuple[str, Origin]] = []
        self.unresolved: list[str] = []

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        """Take the next character."""
        char = self.peek()
        self.at += len(char)
        return char

    def until(self, stop: str, *, raw_escapes: bool) -> tuple[str, list[str]]:
        """Read up to `stop` ("" for the end); return the text and its words."""
        before, self.raw_escapes = self.raw_escapes, raw_escapes
        self.depth += 1
        if self.depth > DEEPEST:
            raise WordSyntaxError(TOO_DEEP)
        result = self._until(stop)
        self.depth -= 1
        self.raw_escapes = before
        return result

    def _until(self, stop: str) -> tuple[str, list[str]]:
        special: dict[str, Callable[[], str]] = {
            "$": self.dollar,
            "<": self.angle,
            "'": self.single_quoted,
            '"': self.double_quoted,
        }
        result: list[str] = []
        words = _Words(self)
        while char := self.peek():
            if char == stop:
                self.at += 1
                return "".join(result), words.finished()
            if plain := _PLAIN.match(self.text, self.at):
                self.at = plain.end()
                piece = plain[0]
                words.add_raw(piece)
            elif read := special.get(char):
                piece = read()
                (words.add if char == "$" else words.add_raw)(piece)
            else:
                piece = self.plain_or_escaped(words)
            result.append(piece)
        if stop:
            raise WordSyntaxError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(result), words.finished()

    def plain_or_escaped(self, words: _Words) -> str:
        """Take a character without meaning, or an escape and what it escapes."""
        char = self.next()
        if char != self.mode.escape:
            words.add(char)
            return char
        raw = char if self.raw_escapes else ""
        char = self.next()
        if raw or char:
            words.add_raw(raw + char)
        return raw + char

    def single_quoted(self) -> str:
        """Take a quoted text in which nothing is special."""
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.at = len(self.text)
            raise WordSyntaxError("unexpected end of statement while looking for matching quote")
        inner = self.text[self.at + 1 : end]
        self.at = end + 1
        return f"'{inner}'" if self.mode.raw_quotes else inner

    def double_quoted(self) -> str:
        """Take a quoted text in which variables and a few escapes are special."""
        self.at += 1
        quote = '"' if self.mode.raw_quotes else ""
        result = [quote]
        while char := self.peek():
            if char == '"':
                self.at += 1
                return "".join(result) + quote
            if char == "$":
                result.append(self.dollar())
                continue
            self.at += 1
            if char == self.mode.escape:
                if self.raw_escapes:
                    result.append(char)
                if not self.peek():
                    break
                if self.peek() in ('"', "$", self.mode.escape):
                    char = self.next()
            result.append(char)
        raise WordSyntaxError("unexpected end of statement while looking for matching quote")

    def angle(self) -> str:
        """Keep the blanks of `<< EOF` in one word, as BuildKit does since 2025."""
        start = self.at
        self.at += 1
        if self.peek() == "<":
            self.at += 1
            while self.peek() in ("\t", "\r", " "):
                self.at += 1
        return self.text[start : self.at]

    def dollar(self) -> str:
        """Take a variable with its modifiers; return what it expands to."""
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            return self.plain_value(name, f"${name}") if name else "$"
        self.at += 1
        if self.peek() in ("", "{", "}", ":"):
            raise WordSyntaxError("syntax error: bad substitution")
        name = self.name()
        sign = self.next()
        if sign == ":":
            sign += self.next()
        match sign:
            case "}":
                return self.plain_value(name, f"${{{name}}}")
            case "#" | "%":
                return self.trimmed(name, sign)
            case "/":
                return self.with_replacement(name)
            case "+" | "-" | "?":
                return self.with_default(name, sign)
            case _ if sign.startswith(":") and sign not in (":#", ":%"):
                return self.with_default(name, sign)
        raise WordSyntaxError(f"unsupported modifier ({sign}) in substitution")

    def name(self) -> str:
        """Take the name of a variable: digits, one special character, or letters."""
        char = self.peek()
        if char.isdecimal():
            end = self.at
            while self.text[end : end + 1].isdecimal():
                end += 1
        elif char and char in _SPECIAL:
            end = self.at + 1
        else:
            end = self.at
            while (char := self.text[end : end + 1]) and (
                char.isalpha() or char.isdecimal() or char == "_"
            ):
                end += 1
        start, self.at = self.at, end
        return self.text[start:end]

    def value(self, name: str) -> str | None:
        """Look a name up and note where its value came from."""
        origin = self.lookup.get(name)
        if origin is None:
            return None
        if origin.late:
            self.unresolved.append(name)
            return ""
        if origin.value is not None:
            self.sources.append((name, origin))
        return origin.value

    def plain_value(self, name: str, as_written: str) -> str:
        """The value of a variable without a modifier."""
        value = self.value(name)
        if value is None:
            self.unresolved.append(name)
            return as_written if self.mode.keep_unset else ""
        return value

    def with_default(self, name: str, sign: str) -> str:
        """Expand `-`, `+` and `?`, with `:` also for empty values.

        An unknown sign behind `:` is an error only where the value matters, as in BuildKit.
        """
        marks = len(self.sources), len(self.unresolved)
        word = self.until("}", raw_escapes=False)[0]
        inner = self.sources[marks[0] :], self.unresolved[marks[1] :]
        del self.sources[marks[0] :], self.unresolved[marks[1] :]
        value = self.value(name)
        if value is None and self.mode.keep_unset:
            return f"${{{name}{sign}{word}}}"
        missing = value is None or (sign.startswith(":") and not value)
        kind = sign[-1]
        if kind not in "+-?":
            raise WordSyntaxError(f"unsupported modifier ({sign}) in substitution")
        if kind == "?" and missing:
            raise WordSyntaxError(f"{name}: {word or 'is not allowed to be unset or empty'}")
        if kind != "?" and missing == (kind == "-"):
            self.sources += inner[0]
            self.unresolved += inner[1]
            return word
        return "" if kind == "+" else value or ""

    def trimmed(self, name: str, sign: str) -> str:
        """Expand `%` and `#`, doubled for the longest match."""
        word = self.until("}", raw_escapes=True)[0]
        value = self.value(name)
        if value is None:
            self.unresolved.append(name)
            if self.mode.keep_unset:
                return f"${{{name}{sign}{word}}}"
        greedy = word.startswith(sign)
        trim = shell_patterns.without_suffix if sign == "%" else shell_patterns.without_prefix
        pattern = word[1:] if greedy else word
        return trim(value or "", pattern, greedy=greedy)

    def with_replacement(self, name: str) -> str:
        """Expand `/pattern/replacement`, with `//` for every match."""
        everywhere = self.peek() == "/"
        self.at += everywhere
        pattern = self.until("/", raw_escapes=True)[0]
        replacement = self.until("}", raw_escapes=True)[0]
        value = self.value(name)
        if value is None:
            self.unresolved.append(name)
            if self.mode.keep_unset:
                return f"${{{name}/{pattern}/{replacement}}}"
        return shell_patterns.replaced(value or "", pattern, replacement, everywhere=everywhere)


class _Words:
    """The words found so far in one run of the lexer."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.found: list[str] = []
        self.inside = False
        lexer.buffer = ""

    def add(self, text: str) -> None:
        for char in text:
            if char not in GO_SPACE:
                self.add_raw(char)
            elif self.inside and self.lexer.buffer:
                self.found.append(self.lexer.buffer)
                self.lexer.buffer = ""
                self.inside = False

    def add_raw(self, text: str) -> None:
        self.lexer.buffer += text
        self.inside = True

    def finished(self) -> list[str]:
        if self.lexer.buffer:
            self.found.append(self.lexer.buffer)
            self.lexer.buffer = ""
            self.inside = False
        return self.found
