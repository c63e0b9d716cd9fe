"""A move in words: what leads in, what takes up the answer, and the one question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from untwist import safety
from untwist.respond.answers import open_answers
from untwist.respond.book import PARTS
from untwist.respond.case import BEFORE, Case, Move
from untwist.respond.moods import cue_pattern
from untwist.respond.page import Texts
from untwist.respond.pick import quotes
from untwist.respond.quote import barred, first_sentence, quotable
from untwist.respond.ratings import WHOLE as HUNDRED
from untwist.respond.steps import FRAME, QUESTION
from untwist.respond.trace import REPEATED
from untwist.respond.voice import Subject, Voice
from untwist.schema import Step
from untwist.text import normalize

_TRIES = 24
"""Wordings that are tried before a reply may be one that was said before."""
_SHORT_ANSWER = 40
"""Longest answer in characters that is taken up word for word."""
_PERSONAL = ("{thought}", "{answer}", "{new}")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says one move.

    Attributes:
        move: what is said.
        case: what it was decided from.
        voice: picks the variants.
    """

    move: Move
    case: Case
    voice: Voice

    def text(self) -> str:
        """The reply: not one that was said before, as long as there is another wording."""
        for attempt in range(_TRIES):
            voice = replace(self.voice, seed=f"{self.voice.seed}{attempt or ''}")
            text = replace(self, voice=voice)._compose(bare=attempt >= _TRIES // 2)
            if not self._was_said(text) and self._may_be_said(text):
                return text
        return self._with_more()

    def _may_be_said(self, text: str) -> bool:
        """Whether the person's words break no rule where they stand in ours."""
        heard = self.case.assessment
        return not quotes(text) or not safety.violations(
            text, self.voice.book.lang, heard.risk, user_text=heard.utterance.text
        )

    def _was_said(self, text: str) -> bool:
        """Whether a reply was said before, with a line of help after it or without."""
        return any(one == text or one.startswith(f"{text}\n\n") for one in self.voice.said)

    def step(self) -> Step:
        """Where the reply leaves the conversation."""
        move = self.move
        name = move.step.id if move.step else "close"
        return Step(move.protocol, name, move.strategy, move.target, self.thought, move.branch)

    @property
    def thought(self) -> str | None:
        """The thought in view, unless danger is spoken of or another one is taken up."""
        move = self.move
        anew = self.case.branch == "new_thought" and move.branch is None
        if barred(self.case.assessment) or (anew and move.step and move.step.id == "thought"):
            return None
        return self.case.state.thought

    def part(self) -> str:
        """Which of the five CBT parts the reply is."""
        move = self.move
        if move.step is None or move.branch == "farewell" or move.step.id == "close":
            return PARTS[4]
        if move.protocol != FRAME:
            return PARTS[2]
        if move.step.id == "settle":
            return PARTS[0]
        return PARTS[1] if move.step.id in BEFORE else PARTS[3]

    def _compose(self, *, bare: bool) -> str:
        opening = self.voice.book.join(*([] if bare else self._opening()))
        core = self._core(quoted=quotes(opening))
        if not self.move.sums_up:
            return self.voice.book.join(opening, core)
        return "\n\n".join(filter(None, [opening, "\n".join(self._summary()), core]))

    def _with_more(self) -> str:
        """Every wording was said: one sentence more makes it another one, as long as there are."""
        texts = self.voice.book.conversation["acknowledge"]
        for size in range(1, len(self.voice.said) + 2):
            more = [texts[(size + i) % len(texts)] for i in range(1 + size // len(texts))]
            text = self.voice.book.join(*more, self._core(quoted=False))
            if not self._was_said(text):
                return text
        return self._core(quoted=False)

    def _opening(self) -> Iterator[str]:
        move, voice = self.move, self.voice
        if move.validates:
            yield voice.say(PARTS[0], Subject(move.strategy, move.target))
        elif move.reflects is not None:
            yield self._filled("reflect", move.reflects.reflect.of(self.case.intensity))
        for lead in move.leads:
            texts = self.case.protocols.branches.texts[lead].of(self.case.intensity)
            yield self._filled(lead, texts)
        if self._first_settling() and self.thought:
            yield voice.fill(voice.pick("hold", voice.book.conversation["hold"]), self.thought)

    def _first_settling(self) -> bool:
        """Whether this is where the person is heard first, and the thought comes into view."""
        move, asked = self.move, self.case.state.asked
        settling = move.step is not None and move.step.id == "settle" and move.branch is None
        return settling and (FRAME, "settle") not in asked

    def _core(self, *, quoted: bool) -> str:
        move, intensity = self.move, self.case.intensity
        step, known = move.step, self.case.protocols.branches.texts
        if move.branch is None and step is not None:
            tiers = [step.ask.of(intensity), step.ask.all()]
            return self._filled("ask", *tiers, quoted=quoted)
        if move.branch in REPEATED and step is not None:
            own = step.unknown if move.branch == "unknown" else step.doubts
            tiers = [own.of(intensity), known[move.branch].all()]
            return self._filled(move.branch, *tiers, quoted=quoted)
        branch = move.branch or "farewell"
        name = branch if branch in known else branch.removesuffix("_again")
        nearer = self._own_answer() if name == QUESTION else ()
        return self._filled(name, nearer, known[name].of(intensity), quoted=quoted)

    def _own_answer(self) -> Texts:
        """What answers the very question that was asked; what the program is, any text says."""
        asked = self.case.assessment.utterance.text
        if safety.asks_if_person(asked):
            return ()
        folded, lang = normalize(asked).text, self.voice.book.lang
        for question in self.case.protocols.branches.questions.values():
            if cue_pattern(question.cues, lang).search(folded):
                return question.texts.of(self.case.intensity)
        return ()

    def _filled(self, name: str, *tiers: Texts, quoted: bool = False) -> str:
        """A variant with its slots filled; the person's words come first when they can be said."""
        slots = self._slots(name)
        fitting = [[t for t in tier if _fills(t, slots)] for tier in tiers]
        personal = [t for t in fitting[0] if any(s in t for s in _PERSONAL)]
        plain = [[t for t in tier if not any(s in t for s in _PERSONAL)] for tier in fitting]
        fresh = not quoted and (not self.case.state.quoted or name == "new_thought")
        text = self.voice.pick(name, *([personal] if fresh else ()), *plain)
        for slot, words in slots.items():
            text = text.replace(slot, words)
        return text

    def _slots(self, name: str) -> dict[str, str]:
        """What can be filled in."""
        book, move = self.voice.book, self.move
        found = {}
        if self.thought:
            found["{thought}"] = book.quoted(self.thought)
        if name == "reflect" and (answer := self._answer()):
            found["{answer}"] = book.quoted(answer)
        if name == "new_thought" and (new := self._new()):
            found["{new}"] = book.quoted(new)
        if move.target is not None:
            found["{distortion}"] = move.target.name_in(book.lang)
            found["{definition}"] = move.target.definition_in(book.lang)
        total = round(sum(share.percent for share in self.case.state.shares))
        found["{sum}"], found["{rest}"] = str(total), str(abs(HUNDRED - total))
        return found

    def _answer(self) -> str | None:
        """The answer as it may be taken up: short, and no harsh thought that gains by an echo."""
        heard, asked = self.case.assessment, self.move.reflects
        named = asked is not None and asked.id == "thought"
        if barred(heard) or (heard.findings and not named):
            return None
        words = heard.utterance.text.strip()
        if len(words) > _SHORT_ANSWER:
            return None
        return quotable(words, self.voice.book.lang, heard.risk, words)

    def _new(self) -> str | None:
        heard = self.case.assessment
        if barred(heard):
            return None
        text = heard.utterance.text
        return quotable(first_sentence(text), self.voice.book.lang, heard.risk, text)

    def _summary(self) -> Iterator[str]:
        """The lines of the summary that can be filled; a kind one when there are none."""
        state, lang = self.case.state, self.voice.book.lang
        texts = open_answers(self.voice.book.locale, self.voice.book.folder).summary
        lines: list[tuple[str, dict[str, str | None]]] = [
            ("thought", {"{thought}": self._quoted(self.thought)}),
            ("belief", _numbers(state.belief_before, state.belief_after)),
            ("emotion", _numbers(state.emotion_before, state.emotion_after)),
            ("balanced", {"{answer}": self._kept("balanced_thought")}),
            ("small_step", {"{answer}": self._kept("small_step")}),
        ]
        whole = [(n, s) for n, s in lines if all(v is not None for v in s.values())]
        for name, slots in whole:
            text = self.voice.pick(f"summary {name}", texts[name])
            for slot, words in slots.items():
                text = text.replace(slot, words or "")
            yield f"- {text}"
        if not whole:
            yield self.voice.pick(f"summary {lang}", texts["bare"])

    def _quoted(self, words: str | None) -> str | None:
        return self.voice.book.quoted(words) if words else None

    def _kept(self, name: str) -> str | None:
        """The first sentence of what was written into a field, when it can be quoted."""
        words = self.case.state.answers.get(name)
        if not words or barred(self.case.assessment):
            return None
        text = words[-1]
        risk = self.case.assessment.risk
        return self._quoted(quotable(first_sentence(text), self.voice.book.lang, risk, text))


def _fills(text: str, slots: dict[str, str]) -> bool:
    """Whether every slot of a text can be filled."""
    for slot in slots:
        text = text.replace(slot, "")
    return "{" not in text


def _numbers(before: int | None, after: int | None) -> dict[str, str | None]:
    return {
        "{before}": None if before is None else str(before),
        "{after}": None if after is None else str(after),
    }
