"""The scripted responder: carries a strategy out in prepared words, offline and predictably.

Single form: the five CBT parts (CBT-LLM, Fig. 3) as one short reply with one question.
Conversation form: a protocol per strategy inside a frame, one question per turn. Where the
conversation stands is read from the turns, or from the history alone by recognising the responder's
own earlier texts, so that no state is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from untwist import safety
from untwist.respond.book import PARTS, Book, open_book
from untwist.respond.crisis import (
    BLOCK_PAUSE,
    CRISIS_PARTS,
    contacts_text,
    crisis_text,
    shows_crisis,
    soft_text,
    sticky_text,
)
from untwist.respond.moods import DISTRESS, LOSS, NEUTRAL, NOD, brief, mood, occasion_of
from untwist.respond.occasions import listening, listens
from untwist.respond.pick import occurs, said_by_program
from untwist.respond.plan import Case, plan
from untwist.respond.protocol import open_protocols
from untwist.respond.quote import evidence
from untwist.respond.replay import progress
from untwist.respond.speak import Speaker
from untwist.respond.voice import Subject, Voice
from untwist.schema import Assessment, Choice, Reply, Step, Turn, Utterance
from untwist.taxonomy import Intensity, Risk, Strategy
from untwist.text import Locale, language, locale_of

VERSION = "scripted@3"
_ATTEMPTS = 24
"""How often the parts of a reply are mixed anew before one may be said again."""
_SAYING = frozenset({None, "answer", "new_thought", "worse"})
"""What a message is when it says something of its own; all else is read by its cues alone."""
_EMPTY = (NEUTRAL, NOD, "unsure")
"""Moods after which whoever goes on is listened to step by step."""
HELP_PART = "help"
"""The part of a reply that says where help is, below high risk."""


@dataclass(frozen=True)
class ScriptedResponder:
    """Satisfies `ports.Responder` with texts from a book.

    Attributes:
        conversation: one part per turn instead of all five at once.
        region: where the person is, as an ISO 3166 code; None means told from what they write.
        locale: language of the replies; None means the language of the message. Chinese is written
            in the characters that the person writes, Traditional always for "zh-Hant".
        scripts: folder with another book; None means the texts that ship with the package.

    Raises:
        ConfigError: the region is unknown.
        ArtifactError: a file of the book is absent or unreadable.
        DataError: a file of the book lacks a text.
    """

    conversation: bool = False
    region: str | None = None
    locale: Locale | None = None
    scripts: Path | None = None

    def __post_init__(self) -> None:
        safety.lines(self.region)
        open_book(self.locale or "en", self.scripts)

    @property
    def name(self) -> str:
        """Which responder, which version."""
        return VERSION

    def reply(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Reply:
        """A draft in prepared words; equal arguments give an equal draft in every process.

        High risk gets the crisis contract whatever was chosen, and soon after it the person is
        asked how they are before any thought is worked on again. In conversation, a message without
        a thought of its own (an answer, say) goes on with the thought that is being worked on. In
        both cases the reply names the strategy it carries out, which may not be the one chosen.
        """
        region = self._region(assessment, history)
        book = open_book(self._locale(assessment, history, region), self.scripts)
        said = said_by_program(history)
        seed = f"{assessment.utterance.text}\n{len(said)}\n"
        voice = Voice(book, seed, said, assessment.intensity)
        if assessment.risk is Risk.HIGH or choice.strategy is Strategy.CRISIS_INTERVENTION:
            text = crisis_text(assessment, voice, region)
            return self._reply(text, book, Strategy.CRISIS_INTERVENTION, CRISIS_PARTS)
        if shows_crisis(said[-BLOCK_PAUSE:], book):
            return self._after(assessment, region, voice)
        if self.conversation:
            said_so_far = [*history, assessment.utterance]
            return self._next(choice, assessment, said_so_far, earlier, voice, region)
        text, parts = _single(choice, assessment, voice)
        return _offering(self._reply(text, book, choice.strategy, parts), assessment, voice, region)

    def _after(self, assessment: Assessment, region: str | None, voice: Voice) -> Reply:
        """Soon after a crisis reply no thought is worked on, whatever was chosen.

        Whoever now says where they are gets the contacts of that place; whoever takes it back,
        changes the topic or will not call is asked about their safety once more.
        """
        book, strategy = voice.book, Strategy.EMPATHIC_VALIDATION
        told = safety.region_of(assessment.utterance.text) is not None
        if not told and sticky_text(assessment, voice, region) is not None:
            text = _fresh(voice, lambda one: sticky_text(assessment, one, region) or "")
            return self._reply(text, book, strategy, (PARTS[0], HELP_PART))
        text = voice.pick("after", book.moods.texts["after_crisis"], book.conversation["stay"])
        if told and assessment.risk > Risk.NONE:
            help_ = contacts_text(voice, region)
        elif assessment.risk is Risk.MEDIUM:
            help_ = soft_text(assessment, voice, region)
        else:
            return self._reply(text, book, strategy, PARTS[:1])
        return self._reply(f"{text}\n\n{help_}", book, strategy, (PARTS[0], HELP_PART))

    def _next(
        self,
        choice: Choice,
        assessment: Assessment,
        spoken: Sequence[Utterance],
        earlier: Sequence[Turn],
        voice: Voice,
        region: str | None,
    ) -> Reply:
        """The next turn of a conversation."""
        book = voice.book
        state = progress(spoken, earlier, self.scripts)
        if brief(assessment, book) or state.heard not in _SAYING:
            choice = replace(choice, strategy=Strategy.EMPATHIC_VALIDATION, target=None)
        case = Case(state, choice, assessment, open_protocols(book.locale, self.scripts))
        begins = state.step is None or state.closed
        if begins and (words := evidence(assessment, case.target, book.lang)):
            case = replace(case, state=replace(state, thought=words))
        occasion = listens(case, book)
        if occasion is not None:
            text, step = listening(occasion, case, voice)
            reply = self._reply(text, book, step.strategy, (step.name,), step)
            return _offering(reply, assessment, voice, region)
        if (text_of_mood := _mood_text(case, voice)) is not None:
            strategy = Strategy.EMPATHIC_VALIDATION
            reply = self._reply(text_of_mood, book, strategy, PARTS[:1])
            return _offering(reply, assessment, voice, region)
        speaker = Speaker(plan(case), case, replace(voice, intensity=case.intensity))
        step = speaker.step()
        reply = self._reply(speaker.text(), book, step.strategy, (speaker.part(),), step)
        return _offering(reply, assessment, voice, region, gentle=speaker.move.gentle)

    def _locale(
        self, assessment: Assessment, history: Sequence[Utterance], region: str | None
    ) -> Locale:
        """The locale that was set, or that of the message, in the characters that it has.

        Characters that nothing written tells are told by the place.
        """
        if self.locale == "zh-Hant":
            return self.locale
        earlier = [u.text for u in reversed(history) if u.role == "user"]
        spoken = (language(text) for text in (assessment.utterance.text, *earlier))
        told = next((found for found in spoken if found), None)
        lang = self.locale or assessment.utterance.lang or told or "en"
        return locale_of(lang, (assessment.utterance.text, *earlier), region)

    def _region(self, assessment: Assessment, history: Sequence[Utterance]) -> str | None:
        if self.region is not None:
            return self.region
        earlier = [u.text for u in reversed(history) if u.role == "user"]
        found = (safety.region_of(text) for text in (assessment.utterance.text, *earlier))
        return next((region for region in found if region is not None), None)

    def _reply(
        self,
        text: str,
        book: Book,
        strategy: Strategy,
        parts: tuple[str, ...],
        step: Step | None = None,
    ) -> Reply:
        return Reply(text, book.lang, strategy, parts, self.name, step)


def _offering(
    reply: Reply, assessment: Assessment, voice: Voice, region: str | None, *, gentle: bool = False
) -> Reply:
    """With a line where help is: at medium risk, and at low risk when it gets worse (R22)."""
    worse = gentle and assessment.risk > Risk.NONE
    if assessment.risk is not Risk.MEDIUM and not worse:
        return reply
    help_ = soft_text(assessment, voice, region)
    return replace(reply, text=f"{reply.text}\n\n{help_}", parts=(*reply.parts, HELP_PART))


def _single(choice: Choice, assessment: Assessment, voice: Voice) -> tuple[str, tuple[str, ...]]:
    """One whole reply: to a mood without a thought, else the five parts."""
    book = voice.book
    listening_only = choice.strategy is Strategy.EMPATHIC_VALIDATION and choice.target is None
    feeling = mood(assessment, book) if listening_only else DISTRESS
    if feeling not in (DISTRESS, LOSS):
        return voice.pick(feeling, book.moods.texts[feeling], book.conversation["stay"]), PARTS[:1]
    occasion = occasion_of(assessment, book) if listening_only else None
    subject = Subject(choice.strategy, choice.target, occasion)
    thought = evidence(assessment, choice.target, book.lang)
    return _five_parts(subject, thought, voice), PARTS


def _fresh(voice: Voice, wording: Callable[[Voice], str]) -> str:
    """A wording that was not said before, as far as there is one.

    Its parts are mixed anew; when that does not help, a word of acknowledgement makes it another.
    """
    first = wording(voice)
    if first not in voice.said:
        return first
    seeds = (f"{voice.seed}{attempt}" for attempt in range(_ATTEMPTS))
    mixed = [wording(replace(voice, seed=seed)) for seed in seeds]
    leads = ("", *voice.book.conversation["acknowledge"])
    every = (voice.book.join(lead, text) for lead in leads for text in mixed)
    return next((text for text in every if text not in voice.said), first)


def _mood_text(case: Case, voice: Voice) -> str | None:
    """What is said to a message without a thought, before there is one to work on.

    Whoever goes on telling plain things is listened to step by step.
    """
    book, state = voice.book, case.state
    if (state.step is not None and not state.closed) or case.choice.target is not None:
        return None
    feeling = mood(case.assessment, book)
    if feeling in (DISTRESS, LOSS) or (state.closed and feeling != "greeting"):
        return None
    known = [text for name in _EMPTY for text in book.moods.texts[name]]
    if feeling in _EMPTY and any(occurs(text, said) for said in voice.said for text in known):
        return None
    return _fresh(voice, lambda one: one.pick(feeling, book.moods.texts[feeling]))


def _five_parts(subject: Subject, thought: str | None, voice: Voice) -> str:
    """All five parts in one to three short paragraphs; the person's words are quoted once."""
    said = {part: voice.say(part, subject) for part in PARTS if part != "key_thought"}
    opening = [said["validation"], voice.say("key_thought", subject, thought)]
    ending = [said["strategy"], said["encouragement"]]
    question = said["challenge"]
    if voice.intensity is Intensity.SEVERE:
        paragraphs = [opening, [*voice.pace(), question], ending]
    else:
        paragraphs = [[*opening, question], [*voice.pace(), *ending]]
    return "\n\n".join(voice.book.join(*p) for p in paragraphs)
