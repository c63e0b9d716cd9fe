"""What must hold before anything generated is written: redacted, worded safely, new, no leak.

    drafts -> faults of wording -> leaks into registered test sets -> repeats -> kept and refused

Who is refused is named with a reason and counted; the words are not kept. Redaction comes first and
refuses nobody: it is done where a text enters (`redacted`) and where an answer is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from untwist.data import Part, find_leakage
from untwist.safety import redact, screen, violations
from untwist.schema import Dialogue, Finding, Json, Labels, Utterance
from untwist.taxonomy import Lang, Risk

Voice = Literal["reply", "note", "seeker"]
"""Who speaks: a helper to a person, an annotator about a message, or a made-up person."""

_NOTE = frozenset({"R01", "R07", "R08", "R10", "R20", "X2"})
"""Rules for words about a message, which nobody in danger is spoken to with."""
_SEEKER = frozenset({"R01", "X2"})
"""Rules for a made-up person, who may feel guilty or despair as people do."""
OWN = "generated"
_MARK = re.compile(r"\[[A-Z]+\]")
"""What stands in place of what was taken out."""
SAME_ID = "same id"
"""Why a draft is refused that shares corpus and id with an earlier one."""


@dataclass(frozen=True, slots=True)
class Said:
    """One generated text.

    Attributes:
        text: the words.
        voice: who speaks.
        lang: the language it should be in; None skips that check.
        context: risk of the message that it answers.
        answers: that message; None when there is none.
    """

    text: str
    voice: Voice
    lang: Lang | None = None
    context: Risk = Risk.NONE
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One item before it is written.

    Attributes:
        dialogue: as it would be written.
        said: its generated texts.
        beside: more keys of its row, provenance among them.
        own: what must not be said twice; None is all that the dialogue says.
        refusal: why it may not be written, known before the gate; None when nothing is.
    """

    dialogue: Dialogue
    said: tuple[Said, ...]
    beside: Json = field(default_factory=dict)
    own: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """What came through, and what did not.

    Attributes:
        kept: in their order.
        refused: id and reason of the others, in their order.
    """

    kept: tuple[Draft, ...]
    refused: tuple[tuple[str, str], ...]

    def by_reason(self) -> dict[str, int]:
        """How many were refused for what, the most frequent first; ids within reasons are cut."""
        return dict(Counter(kind_of(reason) for _, reason in self.refused).most_common())


def kind_of(reason: str) -> str:
    """A reason without the id or the rules that it names."""
    return reason.split(":", 1)[0]


def faults(said: Said) -> tuple[str, ...]:
    """The rules of safe wording that a text breaks, by who speaks.

    A made-up person may not be in acute danger ("screen"): such words are for people to write.
    """
    if said.voice == "reply":
        return violations(said.text, said.lang, said.context, said.answers)
    wanted = _NOTE if said.voice == "note" else _SEEKER
    found = tuple(rule for rule in violations(said.text, None, Risk.NONE) if rule in wanted)
    if said.voice == "seeker" and screen(said.text).level is Risk.HIGH:
        return (*found, "screen")
    return found


def gate(
    drafts: Sequence[Draft],
    tests: Sequence[Part] = (),
    *,
    repeats: bool = True,
    leaks: bool = True,
) -> Passed:
    """Lets through what may be written; every draft is either kept or refused.

    Args:
        drafts: in the order in which they are written; of two that repeat each other, or share
            corpus and id, the first stays.
        tests: registered test sets.
        repeats: whether near-duplicates are refused.
        leaks: whether what leaks into a test set is refused.
    """
    named: dict[str, Draft] = {}
    why: dict[int, str] = {}
    places: dict[str, int] = {}
    for place, draft in enumerate(drafts):
        name = name_of(draft.dialogue)
        if name in named:
            why[place] = SAME_ID
        else:
            named[name], places[name] = draft, place
    why |= {places[name]: reason for name, reason in _refused(named, tests, repeats, leaks).items()}
    return Passed(
        tuple(draft for place, draft in enumerate(drafts) if place not in why),
        tuple((drafts[place].dialogue.id, why[place]) for place in sorted(why)),
    )


def _refused(
    named: Mapping[str, Draft], tests: Sequence[Part], repeats: bool, leaks: bool
) -> dict[str, str]:
    """The names of those that may not be written, with the reasons."""
    why = {name: reason for name, draft in named.items() if (reason := _wording(draft)) is not None}
    if leaks:
        why |= leaking([d.dialogue for name, d in named.items() if name not in why], tests)
    if repeats:
        why |= repeating([_spoken(d) for name, d in named.items() if name not in why])
    return why


def name_of(dialogue: Dialogue) -> str:
    """A dialogue's name among several corpora."""
    return f"{dialogue.corpus}:{dialogue.id}"


def _wording(draft: Draft) -> str | None:
    if draft.refusal is not None:
        return draft.refusal
    rules = sorted({rule for said in draft.said for rule in faults(said)})
    return f"wording: {' '.join(rules)}" if rules else None


def _spoken(draft: Draft) -> Dialogue:
    """What a draft must not share with another, as a dialogue of the same name."""
    if draft.own is None:
        return draft.dialogue
    return replace(alone(draft.dialogue.id, draft.own), corpus=draft.dialogue.corpus)


def alone(id: str, text: str) -> Dialogue:
    """One text as a dialogue of one message."""
    return Dialogue(id, OWN, (Utterance(text, id=id),), (None,), id)


def leaking(dialogues: Sequence[Dialogue], tests: Sequence[Part]) -> dict[str, str]:
    """Which dialogues share a text with a test set: the name, and the part it leaks into.

    A dialogue leaks when it stands there, is an excerpt of a row there or like one, and when a row
    there is an excerpt of it.
    """
    found: dict[str, str] = {}
    if not dialogues or not tests:
        return found
    mine = Part(OWN, [replace(d, id=name_of(d)) for d in dialogues])
    others = [Part(f"test {test.name}", test.dialogues) for test in tests]
    for leak in find_leakage([mine, *others]).between:
        if OWN not in (leak.part, leak.other):
            continue
        where = (leak.other if leak.part == OWN else leak.part).removeprefix("test ")
        for pair in leak.pairs:
            name = pair.first if leak.part == OWN else pair.second
            found.setdefault(name, f"leak: {where}")
    return found


def repeating(dialogues: Sequence[Dialogue]) -> dict[str, str]:
    """Which dialogues repeat one that stands before them and is kept: the name, and the reason."""
    if not dialogues:
        return {}
    (within,) = find_leakage([Part(OWN, [replace(d, id=name_of(d)) for d in dialogues])]).within
    order = {name_of(dialogue): place for place, dialogue in enumerate(dialogues)}
    like: dict[str, list[str]] = {}
    for pair in within.leak.pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if order[other] < order[one]:
                like.setdefault(one, []).append(other)
    found: dict[str, str] = {}
    for name in order:
        kept = next((other for other in like.get(name, ()) if other not in found), None)
        if kept is not None:
            found[name] = f"repeat: {dialogues[order[kept]].id}"
    return found


def redacted(dialogue: Dialogue) -> Dialogue:
    """The dialogue without what could tell who someone is; spans keep to their words or go.

    A message that is changed loses the evidence spans that no longer lie where they did.
    """
    pairs = [_redacted(u, one) for u, one in zip(dialogue.utterances, dialogue.labels, strict=True)]
    return replace(
        dialogue, utterances=tuple(u for u, _ in pairs), labels=tuple(one for _, one in pairs)
    )


def _redacted(utterance: Utterance, labels: Labels | None) -> tuple[Utterance, Labels | None]:
    text = redact(utterance.text)
    if labels is not None:
        challenges = tuple((d, redact(words)) for d, words in labels.challenges)
        labels = replace(labels, challenges=challenges)
    if text == utterance.text:
        return utterance, labels
    if labels is not None:
        evidence = (_moved(utterance.text, text, finding) for finding in labels.evidence)
        labels = replace(labels, evidence=tuple(f for f in evidence if f is not None))
    return replace(utterance, text=text), labels


def _moved(before: str, after: str, finding: Finding) -> Finding | None:
    """The same words where they stand now; None when some of them were taken out, or may have been.

    Equal words elsewhere are never put in their place.
    """
    if finding.start is None or finding.end is None:
        return finding
    for start, end, by in _stayed(before, after):
        if start <= finding.start and finding.end <= end:
            return replace(finding, start=finding.start + by, end=finding.end + by)
    return None


def _stayed(before: str, after: str) -> list[tuple[int, int, int]]:
    """What redaction left beside its marks: start, end, and how far it moved.

    Where the text before allows several places, none is taken.
    """
    texts = _MARK.split(after)
    begin = [0, *(mark.end() for mark in _MARK.finditer(after))]
    left = _leftmost(before, texts)
    mirrored = _leftmost(before[::-1], [text[::-1] for text in reversed(texts)])
    right = [
        len(before) - at - len(text) for at, text in zip(reversed(mirrored), texts, strict=True)
    ]
    # the ends are fixed: nothing stands before the first and behind the last
    left[-1], right[0] = right[-1], left[0]
    return [
        (one, one + len(text), to - one)
        for text, to, one, other in zip(texts, begin, left, right, strict=True)
        if one == other and before.startswith(text, one)
    ]


def _leftmost(whole: str, texts: Sequence[str]) -> list[int]:
    """Where texts that follow each other with something between stand at the earliest; -1: not."""
    places = [0]
    for last, text in pairwise(texts):
        places.append(whole.find(text, places[-1] + len(last) + 1) if places[-1] >= 0 else -1)
    return places
