"""A learned policy: action values for what is heard now and what was said before.

It obeys the gate that it is given, whatever its weights say: the best of the strategies allowed is
chosen. Acting is a pure function of its arguments. Leaves out: learning (`policy.train`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.embed import StaticEncoder
from untwist.errors import ArtifactError, DataError, SafetyError
from untwist.policy.network import Network
from untwist.policy.ranking import Ranked, match
from untwist.policy.reward import ACTIONS
from untwist.policy.state import StateEncoder
from untwist.ports import Encoder
from untwist.schema import START, Assessment, Choice, Session
from untwist.taxonomy import Strategy

KIND = "policy-learned"


@dataclass(frozen=True, slots=True)
class LearnedPolicy:
    """A network over states.

    Attributes:
        name: name and version, as in `Choice.policy`.
        network: gives one value per strategy.
        state: makes the states, in training and here.
        about: everything else the model folder says of itself.

    Raises:
        DataError: a weight is NaN or infinite.
    """

    name: str
    network: Network
    state: StateEncoder
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not np.isfinite(self.network.flat).all():
            raise DataError("a weight is NaN or infinite: train the policy again")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> LearnedPolicy:
        """Read a model folder.

        Args:
            folder: with config.json, model.safetensors and a card.
            encoder: the one that it was trained with; only needed when it is not static.

        Raises:
            ArtifactError: it cannot be used; the message says why.
        """
        artifact = artifacts.load(folder, KIND)
        config = artifact.config
        try:
            known = encoder or StaticEncoder(int(config["encoder_size"]))
            state = StateEncoder(known, int(config["state_version"]))
            wanted = config["encoder"]
            network = Network.from_tensors(artifact.tensors)
            policy = cls(config["name"], network, state, config)
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error
        except DataError as error:
            raise ArtifactError(f"{folder} cannot be used: {error}") from error
        if known.name != wanted:
            raise ArtifactError(
                f'{folder} was trained with the encoder "{wanted}", not "{known.name}": '
                "give that one"
            )
        if (network.sizes[0], network.sizes[-1]) != (state.size, len(ACTIONS)):
            raise ArtifactError(
                f"{folder} has a network of {network.sizes}; states have {state.size} numbers and "
                f"there are {len(ACTIONS)} strategies: train it again"
            )
        return policy

    def save(self, folder: Path, card: str, precision: type[np.floating[Any]] = np.float32) -> None:
        """Write a model folder.

        Args:
            folder: made when missing.
            card: the text of README.md.
            precision: of the stored weights; they are read as float32 again.
        """
        config = {
            **self.about,
            "name": self.name,
            "encoder": self.state.encoder.name,
            "encoder_size": self.state.encoder.size,
            "state_version": self.state.version,
            "actions": [strategy.value for strategy in ACTIONS],
        }
        tensors = {k: v.astype(precision) for k, v in self.network.tensors().items()}
        artifacts.save(folder, artifacts.Artifact(KIND, config, tensors), card)

    def q(
        self, assessments: Sequence[Assessment], sessions: Sequence[Session]
    ) -> NDArray[np.float32]:
        """Raw action values, shape (n, 10), columns A0 to A9; no gate is applied.

        Raises:
            DataError: the two differ in number, the encoder failed, or a value is no number.
        """
        values = self.network.values(self.state.encode_many(assessments, sessions))
        if not np.isfinite(values).all():
            raise DataError(f"a value of {self.name} is NaN or infinite: train the policy again")
        return values

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """The allowed strategy with the highest value; the lower number where two are equal.

        Raises:
            SafetyError: nothing is allowed.
            DataError: the encoder failed, or a value is no number.
        """
        if not allowed:
            raise SafetyError("the gate allows no strategy: show the help block")
        best = next(r for r in self.rank(assessment, allowed, session) if r.allowed)
        return Choice(best.strategy, best.target, best.grade, self.name)

    def rank(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> tuple[Ranked, ...]:
        """Every strategy, highest value first, the forbidden ones among them.

        Raises:
            DataError: the encoder failed, or a value is no number.
        """
        values = self.q([assessment], [session])[0]
        order = np.argsort(-values, kind="stable")
        return tuple(
            Ranked(
                ACTIONS[at],
                float(values[at]),
                ACTIONS[at] in allowed,
                *match(ACTIONS[at], assessment),
            )
            for at in order
        )
