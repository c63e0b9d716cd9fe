"""The card of a tuned model: what it learned, how it is asked, what nobody has checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from string import Template
from typing import Any

from untwist.schema import Json
from untwist.tune.config import TuneConfig
from untwist.tune.examples import STREAMS

_ASKED: Mapping[str, str] = {
    "dialogues": "the prompts `detect` (labels, intensity, risk) and `reply` (a strategy in words)",
    "labels": "the prompt `names`: `untwist detect --detector llm:NAME --question names`",
    "chains": "the prompt `names` with reasons: `untwist detect --detector llm:NAME "
    "--question reasons`",
    "triads": "the rows' own instruction and input",
    "worksheets": "the prompt `challenge` (a worksheet for an event)",
    "samples": "the messages of the samples",
}
"""What a model of each kind of data is asked; the kinds are `config.KINDS`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says beside its preset.

    Attributes:
        name: of the model.
        base: of the model that was tuned.
        data: sources as they were named.
        counts: of samples, by stream.
        losses: first and last loss on what was learned, and that on what was held out; None where
            it was not measured.
        command: what made it.
        notes: what must be said of this very run, such as that its model is a random one.
    """

    name: str
    base: str
    data: Sequence[str]
    counts: Json
    losses: Mapping[str, float | None]
    command: str
    notes: Sequence[str] = ()


def card(config: TuneConfig, facts: Facts) -> str:
    """The text of README.md beside an adapter; its front matter is what the hub reads."""
    text = files("untwist.tune").joinpath("card.md").read_text(encoding="utf-8")
    filled: dict[str, Any] = {
        "base": json.dumps(facts.base),
        "name": facts.name,
        "about": config.about,
        "source": config.source,
        "notes": "".join(f"**{note}**\n\n" for note in facts.notes),
        "asked": _ASKED[config.data.kind],
        "data": "; ".join(facts.data),
        "counts": _table(facts.counts),
        "settings": _settings(config),
        "losses": _losses(facts.losses),
        "command": facts.command,
    }
    return Template(text).substitute(filled)


def _table(counts: Json) -> str:
    rows = ["| samples | learned | held out |", "|---|---|---|"]
    streams = {**counts["train"]["streams"], **counts["held_out"]["streams"]}
    for stream in sorted(streams):
        cells = (counts[side]["streams"].get(stream, 0) for side in ("train", "held_out"))
        rows.append(f"| {_named(stream)} | " + " | ".join(f"{n:,}" for n in cells) + " |")
    return "\n".join(rows)


def _settings(config: TuneConfig) -> str:
    rows = ["| table | settings |", "|---|---|"]
    for table, values in asdict(config).items():
        if isinstance(values, dict):
            told = ", ".join(f"{_named(key)} {_said(value)}" for key, value in values.items())
            rows.append(f"| {table} | {told} |")
    return "\n".join([*rows, f"| seed | {config.seed} |"])


def _named(key: str) -> str:
    """A key as code; a stream is called one, for its name alone would be a claim."""
    return f"`{key}` stream" if key in STREAMS else f"`{key}`"


def _said(value: object) -> str:
    words = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{words}`" if words else "none"


def _losses(losses: Mapping[str, float | None]) -> str:
    told = (f"{name} {_number(value)}" for name, value in losses.items())
    return ", ".join(told)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"
