"""Reads how far a conversation has come from what was said, and from the turns where they are kept.

One pure function that replies and worksheets share: a fold over the program's replies, each with
the message that answered it. A reply is known by its step, where a turn tells it, else by its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from untwist import safety
from untwist.respond.answers import kind_of
from untwist.respond.book import PARTS, open_book
from untwist.respond.crisis import shows_crisis
from untwist.respond.moods import LOSS
from untwist.respond.pick import quotes
from untwist.respond.protocol import FRAME, Protocols, ProtocolStep, open_protocols
from untwist.respond.quote import first_sentence, quotable
from untwist.respond.ratings import WHOLE, rated, rating, shares
from untwist.respond.state import Kind, Progress
from untwist.respond.trace import Trace, trace
from untwist.schema import Reply, Step, Turn, Utterance
from untwist.taxonomy import Intensity, Lang, Risk, Strategy
from untwist.text import language

LOOK_BACK = 80
"""How many earlier replies are read: twice the longest conversation, and bounded in time."""
OCCASION = "occasion"
"""The protocol of a step that listens to a loss, worry about someone, dark or past thoughts."""
CHOICES = frozenset(
    {
        "doubts_again",
        "refuses",
        "refuses_again",
        "another_way",
        "new_thought",
        "worse",
        "thanks",
        "question_to_program",
        "stop",
    }
)
"""Branches that leave a choice to the person; what follows answers it, and no step."""
EARLY = {(FRAME, "settle"), (FRAME, "thought")}
"""The steps before the thought is in words."""
ASIDE = CHOICES | {"farewell", "after_close"}
"""Branches that ask no step."""
_ASKING = frozenset({None, "unknown", "unknown_again", "doubts", "shares_under", "shares_over"})
_RATED = "emotions"
"""A field in words whose number counts as well."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A reply of the program, where it left the conversation, and what was answered."""

    text: str
    step: Step | None
    trace: Trace
    answer: str | None
    intensity: Intensity | None
    danger: bool


def progress(
    history: Sequence[Utterance], earlier: Sequence[Turn] = (), scripts: Path | None = None
) -> Progress:
    """How far a conversation has come.

    Args:
        history: what was said by both, up to the message that is to be answered, or up to the end.
        earlier: the turns so far, where they are known; with them alone the history may be empty.
        scripts: folder with another book; None means the texts that ship with the package.

    Returns:
        A new value; equal arguments give an equal one in every process.
    """
    spoken = history or _spoken(earlier)
    state = Progress()
    lang: Lang = "en"
    for exchange in _exchanges(spoken, earlier, scripts):
        state = _reply(replace(state, intensity=_held(state, exchange)), exchange, scripts)
        if exchange.answer is not None and not exchange.danger:
            lang = language(exchange.answer) or language(exchange.text) or lang
            state = _answer(state, exchange.answer, lang, scripts)
    return state


def _held(state: Progress, exchange: _Exchange) -> Intensity | None:
    """How strongly the thought is held, after one more message.

    Once it is in words an answer may show that a mild one is held more strongly, no more: answers
    are read one by one, and the way must not change with every one of them.
    """
    new, before = exchange.intensity, state.intensity
    if new is None or state.closed:
        return new or before
    if before is None or set(state.asked) <= EARLY:
        return new
    grown = before is Intensity.MILD and new > before
    return Intensity.MODERATE if grown else before


def _spoken(earlier: Sequence[Turn]) -> list[Utterance]:
    found = []
    for turn in earlier:
        found.append(turn.assessment.utterance)
        found.append(Utterance(turn.reply.text, turn.reply.lang, role="assistant"))
    return found


def _exchanges(
    history: Sequence[Utterance], earlier: Sequence[Turn], scripts: Path | None
) -> Iterator[_Exchange]:
    places = [i for i, one in enumerate(history) if one.role == "assistant"][-LOOK_BACK:]
    known = {turn.reply.text: turn for turn in earlier}
    for place, following in zip(places, [*places[1:], len(history)], strict=False):
        text = history[place].text
        after = [one.text for one in history[place + 1 : following] if one.role == "user"]
        turn = known.get(text)
        step = turn.reply.step if turn else None
        told = Trace(ours=True) if turn and (step or _fixed(turn.reply)) else trace(text, scripts)
        intensity = turn.assessment.intensity if turn else told.intensity
        danger = following < len(history) and _is_crisis(history[following].text, known, scripts)
        yield _Exchange(text, step, told, "\n".join(after) or None, intensity, danger)


def _is_crisis(text: str, known: Mapping[str, Turn], scripts: Path | None) -> bool:
    """Whether a reply is the crisis contract: then the message before it answered nothing."""
    if text in known:
        return _fixed(known[text].reply)
    return shows_crisis([text], open_book("en", scripts))


def _fixed(reply: Reply) -> bool:
    """Whether a reply without a step is known to have none: a mood, or the crisis contract."""
    return reply.strategy is Strategy.CRISIS_INTERVENTION


def _reply(state: Progress, exchange: _Exchange, scripts: Path | None) -> Progress:
    """After a reply of the program."""
    step = exchange.step or _recognised(state, exchange.trace)
    if step is None:
        return replace(state, step=_left_open(state), quoted=False)
    if _begins(state, step):
        state = Progress(intensity=state.intensity)
    thought = step.thought or exchange.trace.thought
    thought = _checked(thought) or state.thought
    state = replace(
        state,
        step=step,
        target=step.target or state.target,
        thought=thought,
        quoted=quotes(exchange.text),
    )
    if step.branch is None and step.protocol != OCCASION:
        state = replace(state, asked=(*state.asked, (step.protocol, step.name)))
    elif step.branch is not None:
        state = replace(state, branches=(*state.branches, step.branch))
    if step.branch in ("stop", "farewell"):
        state = replace(state, stopped=True, closed=step.branch == "farewell" or state.closed)
    return _working(state, step, scripts)


def _working(state: Progress, step: Step, scripts: Path | None) -> Progress:
    if step.branch in ASIDE or step.protocol == OCCASION:
        return state
    if step.protocol == FRAME:
        chosen = step.strategy if not state.tried and _works(step.strategy) else None
        return replace(state, strategy=chosen or state.strategy)
    known = open_protocols("en", scripts).named(step.protocol)
    strategy = known.strategy if known and known.strategy else step.strategy
    tried = [name for name in state.tried if name != step.protocol]
    return replace(state, protocol=step.protocol, strategy=strategy, tried=(*tried, step.protocol))


def _works(strategy: Strategy) -> bool:
    """Whether a strategy works on a thought."""
    return strategy not in (Strategy.EMPATHIC_VALIDATION, Strategy.CRISIS_INTERVENTION)


def _left_open(state: Progress) -> Step | None:
    """A reply that is no step of ours leaves the step open, as an aside does."""
    return replace(state.step, branch="aside") if state.step else None


def _begins(state: Progress, step: Step) -> bool:
    """Whether another thought is taken up: after an end, or when the person chose the new one."""
    if step.protocol != FRAME or step.branch is not None:
        return False
    if step.name == "settle":
        return state.closed
    asked_which = state.step is not None and state.step.branch == "new_thought"
    return step.name == "thought" and asked_which


def _recognised(state: Progress, told: Trace) -> Step | None:
    """A step told by texts; what a text does not say is as it was before."""
    before = state.step
    target = told.target or state.target
    strategy = state.strategy or Strategy.EMPATHIC_VALIDATION
    if told.occasion and told.step is None:
        occasion, part = told.occasion
        return Step(OCCASION, part, Strategy.EMPATHIC_VALIDATION, None, None, occasion)
    if told.step is not None and told.protocol is not None:
        return Step(told.protocol, told.step, strategy, target, told.thought, told.branch)
    if told.branch is None:
        return None
    protocol, name = (before.protocol, before.name) if before else (FRAME, "settle")
    return Step(protocol, name, strategy, target, told.thought, told.branch)


def _checked(thought: str | None) -> str | None:
    """A quotation, checked again: history and turns may be forged."""
    return _safe(thought, thought) if thought else None


@lru_cache(maxsize=4096)
def _safe(words: str, text: str) -> str | None:
    """Words of a text that may be said back: none at all of a text that speaks of danger."""
    if safety.screen(text).level >= Risk.MEDIUM:
        return None
    return quotable(words, language(words) or "en", Risk.NONE, text)


def open_step(state: Progress, protocols: Protocols) -> ProtocolStep | None:
    """The step that the last reply asked or left open; None before any."""
    if state.step is None or state.step.protocol == OCCASION:
        return None
    protocol = protocols.named(state.step.protocol)
    return protocol.step(state.step.name) if protocol else None


def _answer(state: Progress, text: str, lang: Lang, scripts: Path | None) -> Progress:
    """After a message of the person."""
    asked = open_step(state, open_protocols(lang, scripts))
    branch = state.step.branch if state.step else None
    choosing = branch in CHOICES or (asked is not None and asked.id == "close" and branch is None)
    heard = kind_of(text, lang, asked, choosing=choosing, folder=scripts)
    state = replace(
        state,
        heard=heard,
        unknown=state.unknown + 1 if _empty(heard, asked, branch) else 0,
        doubted=state.doubted + 1 if heard == "doubts" else 0,
        refused=state.refused + (heard == "refuses"),
    )
    if asked is None or branch not in _ASKING:
        return state
    if asked.takes == "yes_no":
        return _yes_or_no(state, asked, heard)
    if heard != "answer":
        return state
    return _stored(state, asked, text, lang)


def _empty(heard: Kind, asked: ProtocolStep | None, branch: str | None) -> bool:
    """Whether a message gives nothing to go on from: not knowing, or a bare yes or no."""
    if heard == "unknown":
        return True
    asks_words = asked is not None and asked.takes != "yes_no" and branch in _ASKING
    return asks_words and heard in ("agrees", "disagrees")


def _yes_or_no(state: Progress, asked: ProtocolStep, heard: Kind) -> Progress:
    if asked.id != "name":
        return state
    after_doubt = state.step is not None and state.step.branch == "doubts"
    agreed = {"agrees": True, "answer": not after_doubt, "disagrees": False, "doubts": False}
    return replace(state, agreed=agreed.get(heard))


def _stored(state: Progress, asked: ProtocolStep, text: str, lang: Lang) -> Progress:
    if asked.takes == "shares":
        found = shares(text, lang)
        told = {share.factor: share for share in (*state.shares, *found)}
        if sum(share.percent for share in told.values()) > WHOLE:
            told = {share.factor: share for share in found}
        state = replace(state, shares=tuple(told.values()))
    if asked.field is None:
        return state
    number = rated(text, lang) if asked.takes == "percent" else None
    if asked.field == _RATED:
        number = rating(text, lang)
    if number is not None:
        state = replace(state, ratings={**state.ratings, asked.field: number})
    if asked.takes == "text" or asked.field == _RATED:
        words = (*state.answers.get(asked.field, ()), text.strip())
        state = replace(state, answers={**state.answers, asked.field: words})
    if asked.id == "thought" and (thought := _safe(first_sentence(text), text)):
        state = replace(state, thought=thought)
    return state


def listens_to_loss(state: Progress) -> bool:
    """Whether a loss was listened to last, and not all of it has been said."""
    step = state.step
    return bool(
        step and step.protocol == OCCASION and step.branch == LOSS and step.name != PARTS[-1]
    )
