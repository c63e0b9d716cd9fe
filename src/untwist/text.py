"""Text as every room sees it: checked, normalised, split into sentences, told English from Chinese.

The locale of an answer is told here too: English, Simplified or Traditional Chinese.

Normalisation undoes what hides words from a reader's machine but not from a reader: width, case,
accents, zero-width characters, look-alike letters, stretched letters, Traditional characters. It
keeps a map back, so that evidence is always a span of the text as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from untwist.errors import DataError

Locale = Literal["en", "zh", "zh-Hant"]
"""How a text is written: the language, and for Chinese the characters (plain "zh": Simplified)."""
LOCALES: tuple[Locale, ...] = ("en", "zh", "zh-Hant")

MAX_CHARS = 1_000_000
"""Longest text that is read, in characters."""

_LOOKALIKES = dict(
    zip(
        "аеорсухіјѕԁһԛԝкмтвнгбᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢɑɡαεοριτυνκѵɩ",
        "aeopcyxijsdhqwkmtbhrbabcdeghijklmnoprtuvwyzagaeopituvkvi",
        strict=True,
    )
)
_MARKS = {
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"',
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-",
}  # fmt: skip
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)*")
_STRETCHED = re.compile(r"([^\d])\1{2,}")
_CANTONESE = re.compile("[嘅喺咗啲嚟嗰嘢佢哋冇]")
_TRADITIONAL_REGIONS = ("HK", "TW")
_BOTH = "着"
"""In no Traditional character set of the standard library, but written in Hong Kong."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOUNDARY = re.compile(
    r"""(?<=[.!?])["')\]]*\s+|"""
    r"""(?<=[。！？…!?])["”’」』）)]*(?=[^\s.!?。！？…])|\n+"""
)


@cache
def _simplified() -> dict[str, str]:
    """Traditional to Simplified, one character to one, from OpenCC's table (see NOTICE)."""
    raw = files("untwist").joinpath("t2s.txt").read_text(encoding="utf-8")
    return {pair[0]: pair[1] for pair in raw.split() if len(pair) == 2}


def _fold(ch: str) -> str:
    """One character as the matching rules see it; empty when it is invisible."""
    category = unicodedata.category(ch)
    if category in ("Cf", "Mn", "Me", "Cs") or (category == "Cc" and ch not in "\n\t"):
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if ch in _MARKS:
        return _MARKS[ch]
    compact = unicodedata.normalize("NFKC", ch)
    if _HAN.match(compact):
        return _simplified().get(compact, compact)
    apart = unicodedata.normalize("NFKD", compact).lower()
    return "".join(_LOOKALIKES.get(c, c) for c in apart if unicodedata.category(c) != "Mn")


class _Folding(dict[int, str]):
    """A `str.translate` table that fills itself and remembers which characters change length."""

    def __init__(self) -> None:
        super().__init__()
        self.resized: set[str] = set()

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code))
        if len(folded) != 1:
            self.resized.add(chr(code))
        return folded


_FOLDING = _Folding()


def _spelled(folded: str) -> str:
    """One spelling of a word that Traditional script writes with another character."""
    return folded.replace("甚么", "什么")


@dataclass(frozen=True, slots=True)
class Normalized:
    """Normalised text and the way back.

    Attributes:
        text: what rules and detectors read.
        source: the text as it was written.
        offsets: for each character of `text` its place in `source`, then `len(source)`; None when
            they are equal.
    """

    text: str
    source: str
    offsets: array[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of `text` as the span of `source` it came from (characters, end exclusive)."""
        if self.offsets is None:
            return start, end
        if start >= end:
            return self.offsets[start], self.offsets[start]
        return self.offsets[start], self.offsets[end - 1] + 1


def normalize(text: str) -> Normalized:
    """Undo width, case, accents, invisible, look-alike and stretched letters, Traditional script.

    Takes time and memory linear in the length. Never fails: what cannot be shown is left out.
    """
    folded = _spelled(text.translate(_FOLDING))
    stretched = _STRETCHED.search(folded)
    if stretched is None and _FOLDING.resized.isdisjoint(text):
        return Normalized(folded, text, None)
    return _normalize_with_map(text)


def _normalize_with_map(text: str) -> Normalized:
    out: list[str] = []
    offsets = array("I")
    before = last = ""
    for place, ch in enumerate(text):
        for c in _FOLDING[ord(ch)]:
            if c == last == before and not c.isdigit():
                continue
            before, last = last, c
            out.append(c)
            offsets.append(place)
    offsets.append(len(text))
    return Normalized(_spelled("".join(out)), text, offsets)


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """The spans of the sentences, without the space around them.

    Together they hold every visible character.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for boundary in [*_BOUNDARY.finditer(text), None]:
        end = boundary.end() if boundary else len(text)
        piece = text[start:end]
        if piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(piece.strip())))
        start = end
    return tuple(spans)


def language(text: str) -> Literal["en", "zh"] | None:
    """English or Chinese, by script: Han characters against Latin words.

    None when there is neither, or when kana or Hangul show that it is another language.
    """
    han = len(_HAN.findall(text))
    words = sum(1 for _ in _LATIN_WORD.finditer(text))
    if _KANA_HANGUL.search(text) or not (han or words):
        return None
    return "zh" if han >= words else "en"


def traditional(text: str) -> bool | None:
    """Whether the Chinese of a text is written in Traditional characters.

    Decided by the characters that only one of the two sets has; most are in both. Where these say
    nothing, Cantonese words count as Traditional. None when nothing tells.
    """
    lead = sum(_leaning(ch) for ch in _HAN.findall(text))
    return lead > 0 if lead else bool(_CANTONESE.search(text)) or None


@cache
def _leaning(ch: str) -> int:
    """1 for a form that is Traditional only, -1 for one that is Simplified only, else 0."""
    if _encodes(ch, "gb2312"):
        return 0 if ch in _BOTH or _encodes(ch, "big5") else -1
    return int(ch in _simplified())


def _encodes(ch: str, codec: str) -> bool:
    try:
        ch.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def locale_of(lang: Literal["en", "zh"], texts: Iterable[str], region: str | None = None) -> Locale:
    """The locale of an answer: Chinese in the characters of the first text that tells them.

    Args:
        lang: the language; for English the texts do not matter.
        texts: what the person wrote, the newest first.
        region: ISO code of the place, which decides when none of the texts tells.
    """
    if lang == "en":
        return "en"
    told = (traditional(text) for text in texts)
    by_place = region in _TRADITIONAL_REGIONS
    return "zh-Hant" if next((t for t in told if t is not None), by_place) else "zh"


def require_text(text: str, what: str = "text") -> str:
    """The text itself, when it can be read.

    Raises:
        DataError: it is empty, too long, or holds a NUL or half a surrogate pair; the message says
            where.
    """
    if not isinstance(text, str):
        raise DataError(f"{what} is {type(text).__name__}, not a string")
    if not text.strip():
        raise DataError(f"{what} is empty: give at least one visible character")
    if len(text) > MAX_CHARS:
        raise DataError(f"{what} has {len(text):,} characters, over {MAX_CHARS:,}: split it")
    if "\x00" in text:
        raise DataError(f"{what} holds a NUL character at position {text.index(chr(0))}: remove it")
    half = _SURROGATE.search(text)
    if half is not None:
        raise DataError(f"{what} is not valid Unicode at position {half.start()}: use UTF-8")
    return text
