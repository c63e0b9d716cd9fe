"""Recipe: the leakage report, which runs before any number across corpora.

corpora -> parts -> exact, near, contained and similar rows, by pair of parts -> a run folder
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from untwist.data import (
    Leak,
    Leakage,
    Loaded,
    Part,
    Reading,
    Refusals,
    find_leakage,
    parts_of,
)
from untwist.evaluate import Table, heat_map
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Json

SCHEMA = "untwist/leakage@1"
By = Literal["corpus", "published", "grouped"]
_PROTOCOL = (
    "Exact: the text as written is there too. Near: its letters and digits are, after spacing, "
    "punctuation, width, case and script are made one; includes the exact ones. Contained: at "
    "least {contained} of its pieces of 8 letters are in one row there, as in an excerpt. Similar: "
    "of the pieces of both rows at least {similar} are common. A row counts once; contained and "
    "similar leave out the near ones. Rows that may lack a pair because all their pieces are very "
    "common: {unsure:,}."
)


@dataclass(frozen=True, slots=True)
class DataOverlap:
    """What to compare."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...]
    """Names of corpora, or files of your own."""
    by: By = "corpus"
    """Whole corpora, or the parts of the published or the grouped split."""
    pairs: int | None = None
    """How many pairs of ids metrics.json lists for two parts; None lists all."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    command: str = "untwist.recipes.data_overlap.run(config)"
    """What starts this run; stands in the report."""


def run(
    config: DataOverlap, refusals: Refusals | None = None, progress: Progress = quiet
) -> tuple[Path, Leakage]:
    """Compare, and write the run folder.

    Args:
        config: what to compare.
        refusals: collects refused rows.
        progress: told how many corpora are read, then whether they are compared.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, pictures) and
        the report. No text is written, only ids and counts.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus cannot be read.
    """
    refused = Refusals() if refusals is None else refusals
    loaded = load_each(config.corpora, config.reading, refused, progress)
    folder = open_run(config.out, config, 42, [file for one in loaded for file in one.files])
    progress("comparing", 0, 1)
    report = find_leakage([part for one in loaded for part in parts(one, config.by)])
    progress("comparing", 1, 1)
    about: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "by": config.by,
        "refused": {"count": len(refused), "by_reason": refused.by_reason()},
    }
    folder.write_metrics(about | report.to_dict(config.pairs))
    protocol = _PROTOCOL.format(
        contained=report.contained, similar=report.similar, unsure=report.unsure
    )
    title = "What the corpora share"
    publish(folder, title, chapters(report, refused), protocol=protocol, command=config.command)
    return folder.path, report


def parts(loaded: Loaded, by: By) -> Iterator[Part]:
    """A corpus as one part, or cut as one of its splits."""
    name = loaded.entry.name
    if by == "corpus":
        yield Part(name, loaded.dialogues)
        return
    own = parts_of(name, loaded.dialogues, by)
    for part in dict.fromkeys(own):
        rows = [d for d, place in zip(loaded.dialogues, own, strict=True) if place == part]
        yield Part(f"{name}/{part}", rows)


def chapters(report: Leakage, refused: Refusals) -> list[Chapter]:
    """The report: who leaks into whom, how, and what each part repeats."""
    found = [leak for leak in report.between if leak.leaked or leak.ids]
    words = (
        f"{refused.summary()}. {len(found)} of {len(report.between)} ordered pairs of parts share "
        "something. A row of the table is read: of the part on the left, this many rows are found "
        "in the part above."
    )
    return [
        Chapter("Between parts", (words,), (_leaks(found),), _drawings(report)),
        Chapter("Within parts", (), (_within(report),)),
    ]


def _leaks(found: Sequence[Leak]) -> Table:
    header = (
        "of", "rows", "in", "exact", "near", "contained", "similar", "all", "share", "same ids",
    )  # fmt: skip
    rows = tuple(
        (
            leak.part, f"{leak.rows:,}", leak.other, f"{leak.exact:,}", f"{leak.near:,}",
            f"{leak.contained:,}", f"{leak.similar:,}", f"{leak.leaked:,}",
            f"{100 * leak.leaked / leak.rows:.1f} %", f"{len(leak.ids):,}",
        )
        for leak in found
    )  # fmt: skip
    note = "Equal ids say nothing between corpora, and much between the parts of one."
    return Table("Rows that leak", header, rows, note)


def _drawings(report: Leakage) -> tuple[Drawing, ...]:
    names = report.parts
    if len(names) < 2:
        return ()
    grid = [
        [
            None if row == column else 100 * leak.leaked / leak.rows if leak.rows else None
            for column in names
            if (leak := report.leak(row, column)) is not None
        ]
        for row in names
    ]
    title = "Rows found elsewhere, percent"
    caption = "Share of the rows of the part on the left that are found in the part above."
    return (Drawing("overlap", caption, lambda: heat_map(grid, names, names, title, ".0f")),)


def _within(report: Leakage) -> Table:
    header = (
        "part", "rows", "texts repeated", "rows with them", "with other labels",
        "repeated but for spacing and the like", "rows with them", "with other labels",
    )  # fmt: skip
    rows = tuple(
        (
            one.leak.part,
            f"{one.leak.rows:,}",
            *(
                f"{n:,}"
                for kind in (one.exact, one.near)
                for n in (kind.texts, kind.rows, kind.relabelled)
            ),
        )
        for one in report.within
    )
    return Table("Repeats", header, rows)
