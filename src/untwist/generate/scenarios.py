"""Triggering events from a grid of personas and feelings, each with its distortions challenged.

    seeds -> event and thoughts -> worksheet (labels, challenges) -> drafts

Source: CBTLlama 3.1.1 and 3.1.2. Departures: seeds are drawn evenly from each kind, so that forty
feelings come equally often; an event in which the safety screen hears acute danger is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from untwist.errors import ConfigError, DataError
from untwist.generate.asking import Asking, Question, Voter
from untwist.generate.gate import Draft, Said, faults
from untwist.generate.journal import Entry, Item
from untwist.generate.pipeline import Pipeline, question
from untwist.generate.provenance import KEY
from untwist.llm.prompts import (
    Challenge,
    Seed,
    TriggeringEvent,
    Worksheet,
    distortions_of,
    emotions,
    labels_of,
    locate,
)
from untwist.safety import redact, screen
from untwist.schema import Dialogue, Finding, Json, Labels, Utterance
from untwist.taxonomy import LANGS, Distortion, Lang

CORPUS = "scenarios"
TAXONOMY = "untwist-12"
_TRIES = 100
"""How often another seed is drawn in place of one that is there already."""


@cache
def grid() -> Mapping[str, Any]:
    """What personas are made of, in both languages."""
    text = files("untwist.generate").joinpath("personas.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def seeds(n: int, lang: Lang, rng: np.random.Generator) -> tuple[Seed, ...]:
    """So many different seeds; every feeling, sex, relationship and occupation about equally often.

    The first seeds of a longer run are those of a shorter one with the same generator.

    Args:
        n: how many.
        lang: of their words.
        rng: where chance comes from.

    Raises:
        ConfigError: there are not so many.
    """
    if n < 1 or lang not in LANGS:
        raise ConfigError("give a number of scenarios above 0, in en or zh")
    kinds = grid()
    feelings = _rounds(len(emotions(lang)), rng)
    streams = {k: _rounds(len(kinds[k]), rng) for k in ("sexes", "relationships", "occupations")}
    made: dict[Seed, None] = {}
    while len(made) < n:
        feeling = emotions(lang)[next(feelings)]
        for _ in range(_TRIES):
            drawn = {kind: kinds[kind][next(stream)] for kind, stream in streams.items()}
            low, high = drawn["occupations"]["ages"]
            age = int(rng.integers(low, high + 1))
            sex, relation, work = (drawn[k][lang] for k in streams)
            seed = Seed(sex, age, work, relation, feeling)
            if seed not in made:
                made[seed] = None
                break
        else:
            raise ConfigError(f"only {len(made):,} different personas could be drawn: ask for less")
    return tuple(made)


def _rounds(size: int, rng: np.random.Generator) -> Iterator[int]:
    """Every place once in a drawn order, again and again."""
    while True:
        yield from rng.permutation(size).tolist()


@dataclass(frozen=True)
class Scenarios(Pipeline):
    """An event of one seed, and a worksheet for it.

    Attributes:
        voters: whoever writes, one item each in turn.
        lang: of everything that is written.
        challenge: whether a worksheet is asked for.
        taxonomy: whose labels it uses.
    """

    voters: tuple[Voter, ...]
    lang: Lang
    challenge: bool = True
    taxonomy: str = TAXONOMY

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return "scenarios@1"

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """The event and, if it may be written, the worksheet."""
        voter = self.voters[value["place"] % len(self.voters)]
        event = await asking.ask(voter, self._event(value))
        text = redact(event.text(self.lang))
        if not self.challenge or faults(Said(text, "seeker", self.lang)):
            return {"text": text, "worksheet": None}
        prompt = Challenge(self.lang, self.taxonomy)
        sheet = await asking.ask(voter, question(prompt, *prompt.messages(text)))
        return {"text": text, "worksheet": _kept(sheet)}

    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """The event's; and a worksheet's, about a text of usual length."""
        prompt = Challenge(self.lang, self.taxonomy)
        usual = {"en": "It happened again today. ", "zh": "今天又发生了一次。"}[self.lang] * 12
        sheet = [question(prompt, *prompt.messages(usual))] if self.challenge else []
        return [self._event(value), *sheet]

    def _event(self, value: Mapping[str, Any]) -> Question[Any]:
        prompt = TriggeringEvent(self.lang)
        return question(prompt, *prompt.messages(Seed(**value["seed"])))


def _kept(sheet: Worksheet) -> Json:
    return {
        "opening": redact(sheet.opening),
        "items": [
            {"thought": redact(i.thought), "label": i.label, "challenge": redact(i.challenge)}
            for i in sheet.items
        ],
        "closing": redact(sheet.closing),
    }


def persona_items(made: tuple[Seed, ...], lang: Lang) -> Iterator[Item]:
    """One item for each seed."""
    for place, seed in enumerate(made):
        yield Item(f"{lang}-{place + 1:05d}", {"place": place, "seed": asdict(seed)})


def scenario(item: Item, entry: Entry, lang: Lang, taxonomy: str = TAXONOMY) -> Draft:
    """The draft of a finished item.

    Raises:
        DataError: the item failed.
    """
    if entry.value is None:
        raise DataError(f"{entry.id} failed and makes no draft")
    text, sheet = entry.value["text"], entry.value["worksheet"]
    utterance = Utterance(text, lang, item.id)
    labels, said = None, [Said(text, "seeker", lang)]
    if sheet is not None:
        labels = _labels(text, sheet, taxonomy)
        level = screen(text).level
        words = [sheet["opening"], *(one["challenge"] for one in sheet["items"]), sheet["closing"]]
        said += [Said(one, "reply", lang, level, text) for one in words]
        said += [Said(one["thought"], "seeker", lang) for one in sheet["items"]]
    dialogue = Dialogue(item.id, CORPUS, (utterance,), (labels,), f"{CORPUS}:{item.id}")
    beside = {"persona": dict(item.value["seed"]), "worksheet": sheet, KEY: dict(entry.provenance)}
    return Draft(dialogue, tuple(said), beside)


def _labels(text: str, sheet: Mapping[str, Any], taxonomy: str) -> Labels:
    """Labels, spans where a thought stands word for word, and the first challenge of each label."""
    found: dict[Distortion, str] = {}
    spans: list[Finding] = []
    for one in sheet["items"]:
        span = locate(one["thought"], text)
        for distortion in labels_of(taxonomy)[one["label"]]:
            found.setdefault(distortion, one["challenge"])
            if span is not None:
                spans.append(Finding(distortion, 1.0, *span))
    return Labels(
        distortions=frozenset(found),
        carried=distortions_of(labels_of(taxonomy), taxonomy),
        evidence=tuple(spans),
        challenges=tuple((d, found[d]) for d in Distortion if d in found),
    )
