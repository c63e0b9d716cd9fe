"""Recipe: replies are handed out for rating without saying whose they are.

    replies of several systems -> codes, an order for each rater -> sheets, pages and a key

The key stays with whoever runs the rating. What is handed out has names and numbers taken out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from untwist.data import ReplyRow, read_replies
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    NO_SCORE,
    BlindReply,
    BlindRow,
    PageScale,
    blinded,
    rating_page,
    seeker_of,
)
from untwist.llm.prompts import RUBRICS, Judge, Rubric
from untwist.recipes.runfolder import open_run
from untwist.recipes.sheets import write_sheet
from untwist.safety import redact
from untwist.schema import Json
from untwist.taxonomy import Lang

KEY, RATERS = "key.json", "raters"
KEY_FORM = "untwist/blind-key@1"
_NAME = re.compile(r"[\w-]{1,60}")
_HEADER = ("code", "place", "message", "reply")
DEFAULT_RUBRICS: tuple[Rubric, ...] = ("cognitive", "session", "answer")
"""CoPoLLM's six scales and CBT-LLM's three."""


@dataclass(frozen=True, slots=True)
class MakeBlind:
    """What is to be rated, and by whom."""

    out: str
    """The run folder; it must be new or empty."""
    files: tuple[str, ...]
    """Replies, as `untwist.data.read_replies` reads them."""
    raters: tuple[str, ...]
    """Names or initials; letters, digits, - and _."""
    lang: Lang = "en"
    """Of the replies that are taken, and of the scales."""
    rubrics: tuple[Rubric, ...] = DEFAULT_RUBRICS
    """Whose scales are asked."""
    items: int = 0
    """How many messages; 0 takes all that every system answered."""
    mask: tuple[str, ...] = ()
    """Words that would give a system away, besides the systems' names."""
    seed: int = 42
    """Of the sample, the codes and the orders."""


def make(config: MakeBlind) -> tuple[Path, Json]:
    """Write sheets and pages for every rater, and the key.

    Returns:
        The folder (config.toml, manifest.json, key.json, raters/NAME.csv, .xlsx and .html) and what
        was done: {"messages", "replies", "systems", "masked", "left_out"}.

    Raises:
        ConfigError: the folder is in use, a name cannot be one, or there is no such rubric.
        DataError: a file cannot be read, or too few messages were answered by every system.
    """
    _check_names(config)
    scales = page_scales(config.lang, config.rubrics)
    rng = np.random.default_rng(config.seed)
    rows = [row for file in config.files for row in read_replies(file)]
    kept, left_out = _shared(rows, config, rng)
    blinding = blinded(
        [_hidden(row) for row in kept], config.raters, rng, [*config.mask, *_stems(config.files)]
    )
    folder = open_run(config.out, config, config.seed, [Path(one) for one in config.files])
    (folder.path / RATERS).mkdir()
    for rater, sheet in blinding.sheets.items():
        _hand_out(folder.path / RATERS, rater, sheet, scales, config.lang)
    known = {(row.id, row.system): row for row in kept}
    done: Json = {
        "messages": len({row.id for row in kept}),
        "replies": len(kept),
        "systems": sorted({row.system for row in kept}),
        "masked": blinding.masked,
        "left_out": left_out,
    }
    codes = {code: _keyed(known[one.item, one.system]) for code, one in blinding.key.items()}
    values = {scale.key: list(scale.values) for scale in scales}
    versions = {name: Judge(config.lang, name).version for name in config.rubrics}
    folder.write_json(
        KEY,
        {"schema": KEY_FORM, "lang": config.lang, "rubrics": versions, "scales": values,
         "done": done, "codes": codes},
    )  # fmt: skip
    return folder.path, done


def page_scales(lang: Lang, rubrics: Sequence[Rubric]) -> tuple[PageScale, ...]:
    """The scales of some rubrics as raters are told of them, the same that a model is told.

    Raises:
        ConfigError: there is no such rubric, or none is named.
    """
    strange = [name for name in rubrics if name not in RUBRICS]
    if strange or not rubrics:
        raise ConfigError(f"name rubrics out of {', '.join(RUBRICS)}")
    found = [
        PageScale(key, one["name"], one["about"], tuple(one["values"]))
        for name in rubrics
        for key, one in Judge(lang, name).words["scales"].items()
    ]
    if len({scale.key for scale in found}) < len(found):
        raise ConfigError("two of these rubrics have a scale of one name: ask for them apart")
    return tuple(found)


def _check_names(config: MakeBlind) -> None:
    bad = [name for name in config.raters if not _NAME.fullmatch(name)]
    if bad:
        raise ConfigError(f'"{bad[0]}" cannot name a file: letters, digits, - and _ only')
    if len({name.casefold() for name in config.raters}) < len(config.raters):
        raise ConfigError("two raters have one name: give each another")


def _stems(files: Sequence[str]) -> list[str]:
    return [Path(one).stem for one in files]


def _shared(
    rows: Sequence[ReplyRow], config: MakeBlind, rng: np.random.Generator
) -> tuple[list[ReplyRow], dict[str, int]]:
    """The replies to a sample of the messages that every system answered."""
    here = [row for row in rows if row.lang == config.lang]
    answered = [row for row in here if row.reply is not None]
    systems = {row.system for row in here}
    by: dict[str, set[str]] = {}
    for row in answered:
        by.setdefault(row.id, set()).add(row.system)
    whole = [id for id, who in by.items() if who == systems]
    wanted = config.items or len(whole)
    if not whole or wanted > len(whole):
        raise DataError(
            f"{len(whole)} messages were answered by all of {len(systems)} systems in "
            f"{config.lang}: ask for fewer, or give replies of all systems to the same messages"
        )
    taken = {whole[at] for at in rng.permutation(len(whole))[:wanted]}
    left_out = {
        "another language": len(rows) - len(here),
        "no reply": len(here) - len(answered),
        "not answered by every system": len(answered) - len(whole) * len(systems),
        "not in the sample": (len(whole) - wanted) * len(systems),
    }
    return [row for row in answered if row.id in taken], left_out


def _hidden(row: ReplyRow) -> BlindReply:
    said = redact("\n\n".join(_line(row, at) for at in range(len(row.said))))
    return BlindReply(row.id, row.system, said, redact(row.reply or ""), row.group)


def _line(row: ReplyRow, at: int) -> str:
    one = row.said[at]
    return one.text if len(row.said) == 1 else f"{'>' if one.role == 'user' else '<'} {one.text}"


def _keyed(row: ReplyRow) -> Json:
    seeker = seeker_of(row.distortions, row.intensity, row.risk)
    return {"id": row.id, "system": row.system, "group": row.group, "seeker": seeker,
            "state": row.state}  # fmt: skip


def _hand_out(
    folder: Path, rater: str, sheet: Sequence[BlindRow], scales: Sequence[PageScale], lang: Lang
) -> None:
    header = (*_HEADER, *(scale.key for scale in scales), "comment")
    blanks = [""] * (len(scales) + 1)
    rows = [header, *([r.code, str(r.place), r.message, r.reply, *blanks] for r in sheet)]
    choices = {
        len(_HEADER) + at: (*map(str, scale.values), NO_SCORE) for at, scale in enumerate(scales)
    }
    write_sheet(folder, rater, rows, choices)
    page = rating_page(sheet, scales, rater, lang)
    (folder / f"{rater}.html").write_text(page, encoding="utf-8", newline="\n")
