"""Which encoding a file is in: told before its rows are read, so that no row is misread."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from untwist.errors import ConfigError, DataError
from untwist.text import language

FEW_ROWS = 3
"""Lines with bytes that are not UTF-8 which still count as damage and not as another encoding."""

_SAMPLE = 1 << 16
_LINES_KEPT = 200
_FREQUENT = frozenset("的一是不了我在有人")
"""Characters that make up a tenth of Chinese text; bytes read in a wrong way rarely give them."""


def require_encoding(
    path: Path, encoding: str = "utf-8", columns: Sequence[str] = (), *, option: bool = True
) -> str:
    """The codec to open a file with, once it is sure that the file is in that encoding.

    A few damaged rows do not make another encoding. A damaged header does, and so do more than
    `FEW_ROWS` damaged lines that outnumber the sound ones, or two when there is no sound one and
    they read as Chinese in one encoding. Lines of ASCII alone say nothing.

    Args:
        path: the file.
        encoding: what it should be in.
        columns: names that its first line should hold, when that is a header.
        option: whether the reader of the message can choose the encoding.

    Raises:
        DataError: the file is in another encoding; the message names it when it can be told.
        ConfigError: the encoding is unknown.
    """
    try:
        "".encode(encoding)
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        reason = f'unknown encoding "{encoding}": give utf-8, gb18030 or the like'
        raise ConfigError(reason) from error
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if codec not in ("utf-8", "utf-8-sig"):
        if _is_chinese_utf8(start):
            raise DataError(f"{path}: it is UTF-8 and not {encoding}: leave --encoding out")
        return codec
    wide = _utf16(start)
    line, found = (1, wide) if wide else _damage(path, bool(columns))
    if not line:
        return "utf-8-sig"
    reads = f"; it reads as {found.upper()}" if found else ""
    give = f"give --encoding {found or 'with its encoding'}, or " if option else ""
    lacks = [c for c in columns if line == 1 and c.encode() not in start.split(b"\n", 1)[0]]
    why = f" (the header lacks {', '.join(lacks)} as UTF-8)" if lacks else ""
    raise DataError(f"{path}:{line}: not UTF-8{reads}: {give}save it as UTF-8{why}")


def _damage(path: Path, header: bool) -> tuple[int, str]:
    """First damaged line and the likely encoding of a file that is not UTF-8; (0, "") if it is."""
    damaged: list[tuple[int, bytes]] = []
    count = sound = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                sound += 1
            except UnicodeDecodeError:
                count += 1
                if len(damaged) < _LINES_KEPT:
                    damaged.append((line, raw))
    likely = _chinese_codec(b"".join(raw for _, raw in damaged))
    in_header = header and count > 0 and damaged[0][0] == 1
    throughout = count > 1 and not sound and bool(likely)
    if in_header or throughout or count > max(FEW_ROWS, sound):
        return damaged[0][0], likely
    return 0, ""


def _chinese_codec(raw: bytes) -> str:
    """The encoding in which bytes give likely Chinese; empty when none does."""
    likely = ""
    best = -1.0
    for codec in ("gb18030", "big5"):
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        share = sum(ch in _FREQUENT for ch in text) / max(1, len(text))
        if language(text) == "zh" and share > best:
            likely, best = codec, share
    return likely


def _is_chinese_utf8(start: bytes) -> bool:
    """Whether the bytes are sound UTF-8 that holds Chinese, which no other encoding looks like."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= ch <= "\u9fff" for ch in text)


def _utf16(start: bytes) -> str:
    """The kind of UTF-16, told by a byte-order mark or by how the first line ends."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" not in start:
        return ""
    units = {start[at : at + 2] for at in range(0, len(start), 2)}
    endings = {"utf-16-le": b"\n\x00", "utf-16-be": b"\x00\n"}
    return next((codec for codec, ending in endings.items() if ending in units), "")
