"""Simulated people behind one socket, one conversation at a time.

`ParametricPatient` is a person of the environment, `PromptedPatient` speaks through a language
model, `ReplayedPatient` says what was said in a logged dialogue, whatever it is answered. None of
them is anyone. For thousands at once there is `policy.env`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError, ModelError
from untwist.llm.prompts.seeker import Danger, Person, Seeker
from untwist.llm.prompts.seeker import instructions as told
from untwist.policy.dynamics import GROUPS, Dynamics, Outcome, Seekers, advance, arrive, express
from untwist.policy.pool import Pool
from untwist.policy.reward import ACTIONS
from untwist.ports import ChatModel
from untwist.schema import Reply, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Lang


@dataclass(frozen=True, slots=True)
class Persona:
    """Who a simulated person is at the beginning.

    Attributes:
        group: A no distortion, B mild, C moderate, D severe, E high risk (CoPoLLM 5.3).
        lang: of the words.
        distortions: the thoughts that are held, the strongest first; none in group A.
        intensity: how strongly; None without a thought.
        trust: in the one who answers, 0 to 1.
        hidden: in danger and not saying so at first; only in group E.
    """

    group: str
    lang: Lang
    distortions: tuple[Distortion, ...] = ()
    intensity: Intensity | None = None
    trust: float = 0.5
    hidden: bool = False

    def __post_init__(self) -> None:
        if self.group not in GROUPS or len(self.group) != 1:
            raise DataError(f'group is "{self.group}": give one of {", ".join(GROUPS)}')
        if bool(self.distortions) != (self.intensity is not None):
            raise DataError("a persona has an intensity exactly when it has a distortion")


def personas(
    n: int, rng: np.random.Generator, dynamics: Dynamics | None = None, lang: Lang | None = None
) -> tuple[Persona, ...]:
    """So many people in the mix of the seeker groups A to E.

    Args:
        n: how many.
        rng: where chance comes from.
        dynamics: whose mix and ranges; None is the default.
        lang: of all; None draws it.
    """
    numbers = dynamics or Dynamics()
    made = arrive(numbers, n, rng, np.full(len(CANONICAL), 1 / len(CANONICAL)))
    _, intensity, _ = express(numbers, made, np.full(n, 0.5, np.float32))
    found = []
    for at in range(n):
        held = [int(k) for k in np.argsort(-made.belief[at], kind="stable") if made.belief[at, k]]
        group = GROUPS[made.group[at]]
        found.append(
            Persona(
                group,
                lang or LANGS[made.lang[at]],
                tuple(CANONICAL[k] for k in held),
                tuple(Intensity)[intensity[at]] if held else None,
                float(made.trust[at]),
                group == "E" and not made.disclosed[at],
            )
        )
    return tuple(found)


@dataclass(slots=True)
class ParametricPatient:
    """One person of the environment: words from a pool, drawn by belief, distress and danger.

    Attributes:
        pool: what is said.
        dynamics: how the person changes.
        lang: of the words; None draws it.
        outcome: how the conversation ended; None while it goes on.
    """

    pool: Pool
    dynamics: Dynamics = field(default_factory=Dynamics)
    lang: Lang | None = None
    outcome: Outcome | None = field(default=None, init=False)
    _now: Seekers | None = field(default=None, init=False, repr=False)
    _row: int = field(default=-1, init=False, repr=False)

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message of a new person."""
        now = arrive(self.dynamics, 1, rng, self.pool.shares())
        if self.lang:
            values = {item.name: getattr(now, item.name) for item in fields(Seekers)}
            now = Seekers(**{**values, "lang": np.array([LANGS.index(self.lang)])})
        self.outcome = None
        return self._says(now, rng)

    def respond(self, reply: Reply, rng: np.random.Generator) -> Utterance | None:
        """The next message, or None when the person is well, has left or is with a human.

        Raises:
            DataError: the conversation has not begun.
        """
        if self.outcome is not None:
            return None
        if self._now is None:
            raise DataError("the conversation has not begun: call begin first")
        action = np.array([ACTIONS.index(reply.strategy)])
        labels = self.pool.truth.labels[[self._row]]
        after, outcome = advance(self.dynamics, self._now, action, labels, rng)
        if (outcome.resolved | outcome.left | outcome.handed)[0]:
            self.outcome = outcome
            return None
        return self._says(after, rng)

    def _says(self, now: Seekers, rng: np.random.Generator) -> Utterance:
        luck: NDArray[Any] = rng.random((2, 1), dtype=np.float32)
        spoken = express(self.dynamics, now, luck[0])
        self._now, self._row = now, int(self.pool.draw(*spoken, now.lang, luck[1])[0])
        return self.pool.assessments[self._row].utterance


@dataclass(slots=True)
class ReplayedPatient:
    """The person's messages of a logged dialogue, in order, whatever they are answered.

    Attributes:
        utterances: of the dialogue, by both; the person's are said.

    Raises:
        DataError: the person says nothing in it.
    """

    utterances: Sequence[Utterance]
    _said: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self._own():
            raise DataError("the dialogue holds no message of the person: leave it out")

    def _own(self) -> list[Utterance]:
        return [one for one in self.utterances if one.role == "user"]

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message."""
        self._said = 1
        return self._own()[0]

    def respond(self, reply: Reply, rng: np.random.Generator) -> Utterance | None:
        """The next message; None after the last.

        Raises:
            DataError: the conversation has not begun.
        """
        if not self._said:
            raise DataError("the conversation has not begun: call begin first")
        rest = self._own()[self._said :]
        self._said += bool(rest)
        return rest[0] if rest else None


@dataclass(slots=True)
class PromptedPatient:
    """A language model that speaks for a persona.

    Attributes:
        model: answers chat messages.
        persona: whom it speaks for.
        turns: messages after which the person leaves in any case.
    """

    model: ChatModel
    persona: Persona
    turns: int = 12
    _talk: list[Utterance] = field(default_factory=list, init=False, repr=False)
    _left: bool = field(default=False, init=False, repr=False)

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message.

        Raises:
            ModelError: the model failed, said nothing, or left before it had begun.
        """
        self._left = False
        self._talk = []
        first = self._speak(rng)
        if first is None:
            raise ModelError(f"{self.model.name} left before it had said anything: try again")
        return first

    def respond(self, reply: Reply, rng: np.random.Generator) -> Utterance | None:
        """The next message; None when the model leaves, or after the last turn.

        Raises:
            DataError: the conversation has not begun.
            ModelError: the model failed or said nothing.
        """
        if not self._talk:
            raise DataError("the conversation has not begun: call begin first")
        said = sum(one.role == "user" for one in self._talk)
        if self._left or said >= self.turns:
            return None
        self._talk.append(Utterance(reply.text, role="assistant"))
        return self._speak(rng)

    def _speak(self, rng: np.random.Generator) -> Utterance | None:
        prompt = Seeker(self.persona.lang)
        answer = self.model.chat(
            prompt.messages(person_of(self.persona), self._talk),
            seed=int(rng.integers(2**31)),
            prompt=prompt.id,
        )
        said = prompt.parse(answer).text
        if said is None:
            self._left = True
            return None
        self._talk.append(Utterance(said, self.persona.lang))
        return self._talk[-1]


def instructions(persona: Persona) -> str:
    """What a model is told about whom it speaks for."""
    return told(person_of(persona), persona.lang)


def person_of(persona: Persona) -> Person:
    """A persona as the prompt of the seeker knows it."""
    danger: Danger = "none"
    if persona.group == "E":
        danger = "hidden" if persona.hidden else "told"
    return Person(persona.distortions, persona.intensity, danger, persona.trust)
