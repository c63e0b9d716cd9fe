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
from untwist.policy.dynamics import GROUPS, Dynamics, Outcome, Seekers, advance, arrive, express
from untwist.policy.pool import Pool
from untwist.policy.reward import ACTIONS
from untwist.ports import ChatModel
from untwist.schema import Reply, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Lang

LEAVES = "[LEAVES]"
"""What a model that speaks for a person writes when the person leaves."""


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
    _messages: list[dict[str, str]] = field(default_factory=list, init=False, repr=False)
    _left: bool = field(default=False, init=False, repr=False)

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message.

        Raises:
            ModelError: the model failed, said nothing, or left before it had begun.
        """
        self._left = False
        self._messages = [
            {"role": "system", "content": instructions(self.persona)},
            {"role": "user", "content": _OPENING[self.persona.lang]},
        ]
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
        if not self._messages:
            raise DataError("the conversation has not begun: call begin first")
        said = sum(message["role"] == "assistant" for message in self._messages)
        if self._left or said >= self.turns:
            return None
        self._messages.append({"role": "user", "content": reply.text})
        return self._speak(rng)

    def _speak(self, rng: np.random.Generator) -> Utterance | None:
        seed = int(rng.integers(2**31))
        text = self.model.chat(list(self._messages), seed=seed).strip()
        if not text:
            raise ModelError(
                f"{self.model.name} said nothing for the person: no words are made up for it"
            )
        self._messages.append({"role": "assistant", "content": text})
        if LEAVES in text:
            self._left = True
            return None
        return Utterance(text, self.persona.lang)


_OPENING: dict[Lang, str] = {
    "en": "Write your first message to the listener.",
    "zh": "请写下你对倾听者说的第一句话。",
}
_FRAME: dict[Lang, str] = {
    "en": (
        "You play a person who writes to a listener about what is on their mind. You are not a "
        "helper and give no advice. Write one message of one to three sentences, in English, in "
        "plain words, without naming any symptom or label.\n"
        "{thoughts}\n{risk}\nYou trust the listener {trust}. If you feel heard you soften a "
        "little; if you are pushed before you feel heard, or asked the same thing again, you close "
        "up. Never describe ways of harm. When you want to stop, write only " + LEAVES + "."
    ),
    "zh": (
        "你扮演一个人，向倾听者写下自己的心事。你不是助人者，也不给建议。每次写一到三句话，用中文，"
        "用平常的话，不说任何症状或标签的名称。\n"
        "{thoughts}\n{risk}\n你对倾听者{trust}。觉得被听懂时，你会松动一点；还没被听懂就被追问，"
        "或者同样的话又被问一遍，你会把自己关起来。绝不要描述伤害的方式。"
        "不想继续时，只写 " + LEAVES + "。"
    ),
}  # fmt: skip
_THOUGHTS: dict[Lang, tuple[str, str]] = {
    "en": ("You tell of an ordinary day; nothing is distorted.", "How you think, {level}: {kinds}"),
    "zh": ("你说的是平常的一天，想法没有扭曲。", "你的想法（{level}）：{kinds}"),
}
_RISK: dict[Lang, tuple[str, str, str]] = {
    "en": (
        "You are in no danger.",
        "You sometimes do not want to go on living, and you say so, in general words.",
        "You sometimes do not want to go on living. At first you do not say so; you do when you "
        "have come to trust the listener, in general words.",
    ),
    "zh": (
        "你没有危险。",
        "你有时不想活下去，会笼统地说出来。",
        "你有时不想活下去。一开始你不说；信任了倾听者以后，才会笼统地说出来。",
    ),
}
_TRUST: dict[Lang, tuple[str, str, str]] = {
    "en": ("little", "somewhat", "a good deal"),
    "zh": ("不太信任", "有一点信任", "比较信任"),
}


def instructions(persona: Persona) -> str:
    """What a model is told about whom it speaks for."""
    lang = persona.lang
    plain, held = _THOUGHTS[lang]
    if persona.distortions and persona.intensity is not None:
        kinds = " ".join(d.definition_in(lang) for d in persona.distortions)
        plain = held.format(level=persona.intensity.definition_in(lang), kinds=kinds)
    danger = 0 if persona.group != "E" else 2 if persona.hidden else 1
    trust = _TRUST[lang][min(int(persona.trust * 3), 2)]
    return _FRAME[lang].format(thoughts=plain, risk=_RISK[lang][danger], trust=trust)
