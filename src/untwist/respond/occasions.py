"""Listening in wording of its own: to a loss, worry about someone, dark or past thoughts."""

from __future__ import annotations

from untwist.respond.book import PARTS, Book
from untwist.respond.moods import LOSS, occasion_of
from untwist.respond.plan import LISTEN, Case
from untwist.respond.replay import OCCASION
from untwist.respond.voice import Subject, Voice
from untwist.schema import Step
from untwist.taxonomy import Risk

_SECOND_READER = "risk-reader"
"""How the second reader names itself among the reasons."""
_AFTER = {PARTS[0]: "invite", PARTS[1]: "fit", PARTS[3]: "stay", PARTS[4]: "stay"}
"""What asks, after a part that holds no question."""


def listens(case: Case, book: Book) -> str | None:
    """The occasion that is listened to now; None when the conversation goes on by its steps.

    Danger below high always comes first. A loss does as long as no thought is worked on, and stays
    until each part was said.
    """
    found = occasion_of(case.assessment, book)
    if _says_little(case):
        found = None
    if case.assessment.risk >= Risk.MEDIUM and found is not None and case.choice.target is None:
        return found
    step = case.state.step
    if step is not None and step.protocol == OCCASION:
        return _going_on(step, found)
    free = step is None or case.state.target is None
    return LOSS if found == LOSS and free and case.choice.target is None else None


def _says_little(case: Case) -> bool:
    """Whether it is a word or two to a question, and only the second reader hears danger in it.

    A line of help is offered with it all the same; the thought is not left for it.
    """
    reasons = case.assessment.reasons
    small = case.state.heard not in (None, "answer", "new_thought", "worse")
    return small and all(reason.startswith(_SECOND_READER) for reason in reasons)


def _going_on(step: Step, found: str | None) -> str | None:
    """A loss that was spoken of, as long as there is something left to say."""
    return (
        LOSS if step.branch == LOSS and step.name != PARTS[-1] and found in (None, LOSS) else None
    )


def listening(occasion: str, case: Case, voice: Voice) -> tuple[str, Step]:
    """The next part of listening, with one question at most, and where it leaves off."""
    step = case.state.step
    same = step is not None and step.protocol == OCCASION and step.branch == occasion
    place = PARTS.index(step.name) + 1 if step is not None and same else 0
    part = PARTS[place % len(PARTS)]
    texts = voice.book.conversation
    words = [voice.say(part, Subject(LISTEN, None, occasion))]
    if part == PARTS[2]:
        words.insert(0, voice.pick("acknowledge", texts["acknowledge"]))
    if part in _AFTER:
        after = _AFTER[part]
        words.append(voice.pick(after, texts[after]))
    return voice.book.join(*words), Step(OCCASION, part, LISTEN, None, None, occasion)
