"""Recipe: what annotators agree on becomes data, the rest goes to a senior reader.

    a round -> majority -> labelled rows
            -> what has none, and every lone vote for high risk -> the adjudication queue -> tasks
    adjudicated round -> takes the place of the majority

A vote for high risk is never outvoted: somebody with experience looks again (CoPoLLM, section 3:
what indicates self-harm is always high risk). What nobody agrees on is not written as data.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from untwist.data import to_row
from untwist.data.convert.files import created, line_of
from untwist.data.convert.wording import answer as names_of
from untwist.data.jsonl import EVERY_LABEL
from untwist.data.labelstudio import (
    Answer,
    ChainAnswer,
    Round,
    TripleAnswer,
    TurnAnswer,
    dialogues_of,
    result_of,
    triple_in,
    triple_row,
)
from untwist.data.labelstudio.chains import chain_in
from untwist.data.labelstudio.pages import SAID, wording
from untwist.data.labelstudio.turns import place_of
from untwist.errors import ConfigError
from untwist.evaluate import most, most_labels, most_spans
from untwist.schema import Finding, Json, Labels
from untwist.taxonomy import Distortion, Lang, Risk

LABELS, INTENSITY, RISK, HIGH_RISK, CHOICE = "labels", "intensity", "risk", "high_risk", "choice"
"""Reasons why an item has no consensus, beside the scales of a triple."""
_NEITHER = -1
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the annotators of one item say together.

    Attributes:
        item: its name.
        votes: how many judged it.
        answer: what most say; None when there is no consensus. Reasons are not among it.
        disputes: what there is no consensus about.
        adjudicated: whether a senior reader decided.
    """

    item: str
    votes: int
    answer: Answer | None
    disputes: tuple[str, ...] = ()
    adjudicated: bool = False


@dataclass(frozen=True, slots=True)
class Majority:
    """A round, settled.

    Attributes:
        round: as the annotators left it.
        settled: one entry for each item that enough judged, in the order of the tasks.
        waiting: how many items too few judged.
    """

    round: Round
    settled: tuple[Settled, ...]
    waiting: int

    @property
    def agreed(self) -> tuple[Settled, ...]:
        """Those with an answer."""
        return tuple(one for one in self.settled if one.answer is not None)

    @property
    def disputed(self) -> tuple[Settled, ...]:
        """Those without."""
        return tuple(one for one in self.settled if one.answer is None)

    def counts(self) -> Json:
        """How many of which kind, as JSON values."""
        why = [dispute for one in self.disputed for dispute in one.disputes]
        return {
            "items": len(self.round.tasks),
            "agreed": sum(not one.adjudicated for one in self.agreed),
            "adjudicated": sum(one.adjudicated for one in self.agreed),
            "disputed": len(self.disputed),
            "disputes": {reason: why.count(reason) for reason in dict.fromkeys(why)},
            "waiting": self.waiting,
        }


def settle(found: Round, at_least: int = 2, adjudicated: Round | None = None) -> Majority:
    """The majority of every item.

    Args:
        found: what annotators said.
        at_least: how many must have judged an item; 1 takes the word of a single annotator.
        adjudicated: what senior readers said of what was disputed; it takes the place of the
            majority where they agree among themselves.

    Raises:
        ConfigError: nobody need judge, or the rounds are for different pages.
    """
    if at_least < 1:
        raise ConfigError("a majority needs one annotator at least")
    if adjudicated is not None and adjudicated.page != found.page:
        raise ConfigError(
            f"a round of {found.page} is not adjudicated by one of {adjudicated.page}"
        )
    senior = adjudicated.by_item() if adjudicated is not None else {}
    settled, waiting = [], 0
    for item, said in found.by_item().items():
        votes = list(said.values())
        above = list(senior.get(item, {}).values())
        if len(votes) < at_least and not above:
            waiting += 1
            continue
        settled.append(_settled(item, votes, above))
    return Majority(found, tuple(settled), waiting)


def _settled(item: str, votes: Sequence[Answer], senior: Sequence[Answer]) -> Settled:
    answer, disputes = together(senior or votes)
    return Settled(item, len(votes), answer, disputes, adjudicated=bool(senior))


def together(votes: Sequence[Answer]) -> tuple[Answer | None, tuple[str, ...]]:
    """What most of the votes on one item say, or what there is no consensus about.

    Args:
        votes: of one page, one of them at least.
    """
    turns = [vote for vote in votes if isinstance(vote, TurnAnswer)]
    if turns:
        return _turn([vote.labels for vote in turns])
    chains = [vote for vote in votes if isinstance(vote, ChainAnswer)]
    if chains:
        place = most(_NEITHER if vote.chosen is None else vote.chosen for vote in chains)
        if place is None:
            return None, (CHOICE,)
        return ChainAnswer(None if place == _NEITHER else place), ()
    return _triple([vote for vote in votes if isinstance(vote, TripleAnswer)])


def _turn(votes: Sequence[Labels]) -> tuple[Answer | None, tuple[str, ...]]:
    labels = most_labels([vote.distortions for vote in votes if vote.distortions is not None])
    # how strongly something is held, say those who heard it
    heard = [vote for vote in votes if labels and labels & (vote.distortions or frozenset())]
    intensity = _level(vote.intensity for vote in heard)
    risk = _level(vote.risk for vote in votes)
    lone = any(vote.risk is Risk.HIGH for vote in votes) and risk != (Risk.HIGH,)
    disputes = tuple(
        reason
        for reason, holds in (
            (LABELS, labels is None),
            (INTENSITY, intensity is None),
            (HIGH_RISK, lone),
            (RISK, risk is None and not lone),
        )
        if holds
    )
    if disputes or labels is None or intensity is None or risk is None:
        return None, disputes
    evidence = tuple(chain.from_iterable(_spans(d, votes) for d in Distortion if d in labels))
    return TurnAnswer(Labels(labels, EVERY_LABEL, intensity[0], risk[0], (), evidence)), ()


def _level(votes: Iterable[T | None]) -> tuple[T | None] | None:
    """The level that most chose, (None,) when nobody judged; None when there is no consensus."""
    given = [vote for vote in votes if vote is not None]
    found = most(given)
    return None if given and found is None else (found,)


def _spans(distortion: Distortion, votes: Sequence[Labels]) -> list[Finding]:
    marked = [
        [
            (span.start, span.end)
            for span in vote.evidence
            if span.distortion is distortion and span.start is not None and span.end is not None
        ]
        for vote in votes
        if any(span.distortion is distortion for span in vote.evidence)
    ]
    return [Finding(distortion, 1.0, start, end) for start, end in most_spans(marked)]


def _triple(votes: Sequence[TripleAnswer]) -> tuple[Answer | None, tuple[str, ...]]:
    match = most(vote.match for vote in votes)
    adequacy = most(vote.adequacy for vote in votes)
    risk = most(vote.risk for vote in votes)
    scales = {"match": match, "adequacy": adequacy, "risk": risk}
    if match is None or adequacy is None or risk is None:
        return None, tuple(scale for scale, value in scales.items() if value is None)
    return TripleAnswer(match, adequacy, risk), ()


def agreed_rows(found: Majority) -> list[Json]:
    """What was agreed on, in the format that the rest of untwist reads.

    Turns become dialogues, of which only agreed messages have labels; chains become pairs with the
    one that was chosen; triples get the vote of every annotator, and stand there when disputed,
    too, for their reader takes the majority itself. "people" says who decided, and why.
    """
    writers: dict[str, Callable[[Majority], list[Json]]] = {
        "turns": _turn_rows,
        "chains": _chain_rows,
        "triples": _triple_rows,
    }
    return writers[found.round.page](found)


def write_agreed(found: Majority, path: Path | str) -> int:
    """Write `agreed_rows` as JSON Lines; returns how many.

    Raises:
        DataError: the file is there already, or cannot be written.
    """
    rows = agreed_rows(found)
    with created(Path(path)) as file:
        for row in rows:
            file.write(line_of(row))
    return len(rows)


def _turn_rows(found: Majority) -> list[Json]:
    tasks, said = found.round.tasks, found.round.by_item()
    labelled, people = [], dict[tuple[str, str], list[Json]]()
    for one in found.agreed:
        if isinstance(one.answer, TurnAnswer):
            data = tasks[one.item]
            labelled.append((data, one.answer.labels))
            corpus, id, turn = place_of(data)
            people.setdefault((corpus, id), []).append({"turn": turn} | _who(one, said[one.item]))
    dialogues = dialogues_of(labelled)
    return [to_row(d) | {"people": people[d.corpus, d.id]} for d in dialogues]


def _chain_rows(found: Majority) -> list[Json]:
    said = found.round.by_item()
    rows = []
    for one in found.agreed:
        item = chain_in(found.round.tasks[one.item])
        place = one.answer.chosen if isinstance(one.answer, ChainAnswer) else None
        picked = {"chosen": place, "chain": None if place is None else item.candidates[place]}
        rows.append(item.to_dict() | picked | {"people": [_who(one, said[one.item])]})
    return rows


def _triple_rows(found: Majority) -> list[Json]:
    said = found.round.by_item()
    rows = []
    for one in found.settled:
        votes = tuple(
            answer.vote(by)
            for by, answer in said[one.item].items()
            if isinstance(answer, TripleAnswer)
        )
        if one.adjudicated and isinstance(one.answer, TripleAnswer):
            votes = (one.answer.vote("adjudicated"),)
        triple = replace(triple_in(found.round.tasks[one.item]), votes=votes)
        rows.append(triple_row(triple) | {"people": [_who(one, said[one.item])]})
    return rows


def _who(one: Settled, said: Mapping[str, Answer]) -> Json:
    why = [answer.rationale for answer in said.values() if answer.rationale]
    how = "adjudicated" if one.adjudicated else "majority"
    return {"decided": how, "votes": one.votes, "rationales": why}


def queue(found: Majority, lang: Lang) -> list[Json]:
    """The tasks of what is disputed, with what the annotators said and no name.

    The senior reader sees letters in the order of the annotators' numbers; an item that people
    could not settle says what about.

    Args:
        found: settled.
        lang: of the page.
    """
    by_item = found.round.by_item()
    return [
        {"data": data | {SAID: _shown(by_item[one.item], data, lang), "disputes": [*one.disputes]}}
        for one in found.disputed
        for data in (found.round.tasks[one.item],)
    ]


def _shown(said: Mapping[str, Answer], data: Json, lang: Lang) -> list[Json]:
    name = wording(lang)["annotator"]
    ordered = sorted(said.items(), key=lambda pair: (len(pair[0]), pair[0]))
    return [
        {"author": f"{name} {_letter(place)}", "text": _spoken(answer, data, lang)}
        for place, (_, answer) in enumerate(ordered)
    ]


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _spoken(answer: Answer, data: Json, lang: Lang) -> str:
    """An answer in the words of the page."""
    words = wording(lang)
    if isinstance(answer, TurnAnswer):
        labels = answer.labels
        parts = [names_of(labels.distortions or frozenset(), lang)]
        if labels.intensity is not None:
            parts.append(f"{words['intensity']}: {labels.intensity.name_in(lang)}")
        if labels.risk is not None:
            parts.append(f"{words['risk_level']}: {labels.risk.name_in(lang)}")
    else:
        results = result_of(replace(answer, rationale=""), data, lang)
        parts = [result["value"]["choices"][0] for result in results]
    return "; ".join([*parts, *([answer.rationale] if answer.rationale else [])])
