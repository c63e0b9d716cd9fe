"""A split of the user's own, one file a part: an id may stand once in all of them.

Source: whoever made the split.
Licence: the maker's.
Language: English and Chinese.
Labels: as in `tabular` and `jsonl`.
Splits: the names that the caller gives to the files.
Known faults: none of the format's own.
Size: any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from untwist.data import jsonl, tabular
from untwist.data.jsonlines import Record
from untwist.data.jsonlist import read_objects
from untwist.data.refusals import Refusals, build_each
from untwist.data.sources import ID, Reading, id_column
from untwist.data.splits import near_key
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue

CORPUS = "parts"
"""The corpus of rows that name none."""


def load_own_parts(
    parts: Mapping[str, Path | str], how: Reading, refusals: Refusals | None = None
) -> Iterator[Dialogue]:
    """Every row of every part, in the order given, with its part as `split`.

    Args:
        parts: name of the part to its file: all tables, or all JSON Lines in our own format.
        how: which column is what and the encoding, for tables; a column "id" names the rows when
            none is named.
        refusals: collects refused rows, also those whose id stands in another part or twice in one;
            without it the first one raises.

    Raises:
        ConfigError: tables and JSON Lines are mixed, or a column is named as the split too.
        DataError: a file is missing or unreadable, or a row is refused and there is no collector.
    """
    files = {part: Path(path) for part, path in parts.items()}
    tables = [is_table(path) for path in files.values()]
    if any(tables) and not all(tables):
        raise ConfigError("the parts are tables and JSON Lines: give all of one kind")
    if any(tables):
        yield from _tables(files, how, refusals)
        return
    seen: dict[str, str] = {}
    for part, file in files.items():
        if not file.is_file():
            raise DataError(f"no file {file}: give a CSV, TSV or JSON Lines file")
        build = partial(_row, part=part, file=file, seen=seen)
        yield from build_each(read_objects(file, refusals), build, file, refusals)


def is_table(path: Path) -> bool:
    """Whether a file is a table by its ending; any other is JSON Lines."""
    return path.suffix.lower() in tabular.DELIMITERS


def named_by_ids(parts: Mapping[str, Path | str], how: Reading) -> bool:
    """Whether the rows of every part have ids; without them only texts can be compared.

    Raises:
        DataError: the first line of a table cannot be read.
        ConfigError: the encoding is unknown.
    """
    return all(not is_table(Path(p)) or id_column(Path(p), how) for p in parts.values())


def shared_texts(dialogues: Sequence[Dialogue]) -> dict[tuple[str, str], int]:
    """How many rows of a part have their text in another part as well, by both parts.

    Spacing, punctuation, width, case and script do not matter; pairs that share nothing are left
    out.
    """
    keys: dict[str, list[str]] = {}
    for dialogue in dialogues:
        key = near_key("\n".join(utterance.text for utterance in dialogue.utterances))
        keys.setdefault(dialogue.split or "", []).append(key)
    counts = {
        (part, other): sum(key in held for key in own)
        for other, others in keys.items()
        for held in [frozenset(others)]
        for part, own in keys.items()
        if part != other
    }
    return {pair: n for pair, n in counts.items() if n}


def _tables(
    files: Mapping[str, Path], how: Reading, refusals: Refusals | None
) -> Iterator[Dialogue]:
    ids = {id_column(file, how) for file in files.values()}
    if len(ids) > 1:
        raise DataError(f'only some of the parts have a column "{ID}": give it to all of them')
    yield from tabular.load_parts(
        files,
        refusals,
        columns=replace(how.columns, id=ids.pop()),
        taxonomy=how.taxonomy,
        corpus=CORPUS,
        encoding=how.encoding,
    )


def _row(record: Record, part: str, file: Path, seen: dict[str, str]) -> Dialogue:
    if record.data.get(ID) is None:
        record = Record(record.line, {**record.data, ID: f"{part}-{record.line}"})
    dialogue = jsonl.from_row(record, corpus=CORPUS)
    here = f"{file}:{record.line}"
    if seen.setdefault(dialogue.id, here) != here:
        raise DataError(f'id "{dialogue.id}" is at {seen[dialogue.id]} too: give every row its own')
    return replace(dialogue, split=part)
