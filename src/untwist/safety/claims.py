"""Finds claims that a program of this kind must not make: therapy, cure, diagnosis, titles, proof.

What counts as a claim, and the few narrow reasons why the same words may stand (a denial, the name
of a method, a corpus or a paper), are data in `claims.json`. The linter is for texts that people
read: pages, interface texts, metadata.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from untwist.errors import DataError
from untwist.safety.rules import expand
from untwist.taxonomy import Lang
from untwist.text import normalize

SUFFIXES = (
    ".cff", ".cfg", ".css", ".csv", ".htm", ".html", ".js", ".json", ".md", ".rst", ".svg", ".toml",
    ".txt", ".yaml", ".yml",
)  # fmt: skip
"""What is read in a folder; a file that is named is read whatever it is called."""

_FAR = sys.maxsize
_BREAK = re.compile(r"\n[ \t]*(?:\n[ \t\n]*|(?=[-*+#|>]|\d+\.))")
_ESCAPE = re.compile(r"(?<!\\)\\u([0-9a-fA-F]{4})")
_BLANK = re.compile(r" (?![*+?{])")
_SOFT = str.maketrans("*\n\t", "   ")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim in a text.

    Attributes:
        line: where it begins, from 1.
        phrase: the words.
        rule: the name of the rule in `claims.json`.
    """

    line: int
    phrase: str
    rule: str

    def why(self, lang: Lang = "en") -> str:
        """Why it may not stand."""
        return str(_file()[self.rule][lang])


@dataclass(frozen=True, slots=True)
class _Excuse:
    pattern: re.Pattern[str]
    rules: frozenset[str]


def find_claims(text: str) -> tuple[Claim, ...]:
    """The claims of a text in English or Chinese, in order; denials and names are excused."""
    folded = normalize(text)
    flat = _flat(folded.text)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    excused = [
        (excuse.rules, [found.span() for found in excuse.pattern.finditer(flat)])
        for excuse in _excuses()
    ]
    claims = []
    for rule, pattern in _patterns():
        for found in pattern.finditer(flat):
            if _stands(rule, found.span(), excused):
                continue
            start, end = folded.span(*found.span())
            phrase = " ".join(text[start:end].split())
            claims.append((start, Claim(bisect_right(starts, start), phrase, rule)))
    return tuple(claim for _, claim in sorted(claims, key=lambda c: (c[0], c[1].rule)))


def _flat(text: str) -> str:
    """Lines of a paragraph joined, ends of paragraphs and items as full stops; equal in length."""
    ended = _BREAK.sub(lambda found: "." + " " * (len(found[0]) - 1), text)
    return ended.translate(_SOFT)


def _stands(
    rule: str,
    span: tuple[int, int],
    excused: Iterable[tuple[frozenset[str], Sequence[tuple[int, int]]]],
) -> bool:
    """Whether a match lies within a reason why it may stand; each reason's matches are in order."""
    for rules, spans in excused:
        if rules and rule not in rules:
            continue
        place = bisect_right(spans, (span[0], _FAR)) - 1
        if place >= 0 and span[1] <= spans[place][1]:
            return True
    return False


def claims_in(paths: Iterable[Path | str]) -> Iterator[tuple[Path, Claim]]:
    """The claims of files and of the text files in folders, file by file.

    Raises:
        DataError: a path does not exist, or a file is not UTF-8.
    """
    for path in map(Path, paths):
        for file in _files(path):
            for claim in find_claims(_text_of(file)):
                yield file, claim


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"cannot read {path}: no such file or folder")
    if path.is_file():
        return [path]
    found = (p for p in sorted(path.rglob("*")) if p.suffix.lower() in SUFFIXES and p.is_file())
    return [p for p in found if not any(x.startswith(".") for x in p.relative_to(path).parts)]


def _text_of(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not UTF-8 at byte {error.start + 1}: save it as UTF-8"
        ) from None
    if file.suffix.lower() == ".json":
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return text


@cache
def _raw() -> Mapping[str, Any]:
    path = files("untwist.safety").joinpath("claims.json")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _file() -> Mapping[str, Mapping[str, str]]:
    return {entry["id"]: entry["why"] for entry in _raw()["claims"]}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((entry["id"], _compiled(entry["pattern"])) for entry in _raw()["claims"])


@cache
def _excuses() -> tuple[_Excuse, ...]:
    return tuple(
        _Excuse(_compiled(entry["pattern"]), frozenset(entry.get("for", ())))
        for entry in _raw()["excuses"]
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled, with each blank standing for one or more; a Latin word ends beside a Han letter."""
    whole = expand(pattern, _raw()["macros"]).replace(" ?", " *")
    return re.compile(_BLANK.sub(" +", whole), re.ASCII)
