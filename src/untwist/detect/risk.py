"""The second reader: may raise what the rules say of the risk of a message, and never lowers it.

Rules know what they were told; this model has read thousands of labelled messages and hears what
sounds like them. Leaves out: the conversation before a message, which `untwist.safety.screen` folds
over with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.detect.bare import is_bare
from untwist.detect.reading import Reading
from untwist.errors import ArtifactError, SafetyError
from untwist.safety import raised, screen
from untwist.schema import Screening
from untwist.taxonomy import Acuity, Risk

KIND = "risk-reader"
STEPS = tuple(Risk)[1:]
"""The levels that can be reached, lowest first; one head asks whether at least that is reached."""
KINDS = tuple(Acuity)
"""The kinds of danger, one head each, after those of the levels."""
HEADS = (*(f"risk>={step.value}" for step in STEPS), *(f"acuity={kind.value}" for kind in KINDS))

_LEVELS = tuple(Risk)
_NUMBER = re.compile(r"-\d+$")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RiskReader:
    """A trained second reader.

    Attributes:
        name: name and version, as it stands among the reasons.
        reading: how likely each level and each kind of danger is; its signs are kinds of rules.
        cuts: probability above which a level is reached, by level and language (en, zh); (3, 2).
        named: probability above which a kind of danger is named in a text that is raised; (10,).
        about: everything else that the model folder says of itself.
    """

    name: str
    reading: Reading
    cuts: Floats
    named: Floats
    about: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> RiskReader:
        """Read a model folder.

        Raises:
            ArtifactError: it cannot be used; the message says why.
        """
        reading, artifact = Reading.open(folder, KIND, HEADS)
        tensors = artifact.tensors
        try:
            cuts, named = tensors["cuts"].astype(np.float32), tensors["named"].astype(np.float32)
            return cls(str(artifact.config["name"]), reading, cuts, named, artifact.config)
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error

    def save(self, folder: Path, card: str) -> None:
        """Write a model folder; a weight takes one byte."""
        config = {**self.about, **self.reading.config(), "name": self.name}
        tensors = {**self.reading.tensors(), "cuts": self.cuts, "named": self.named}
        artifacts.save(folder, artifacts.Artifact(KIND, config, tensors), card)

    def read(self, text: str, own: Screening) -> Screening:
        """What this reader hears in one message, given what the rules said of it."""
        return self.read_many([text], [own])[0]

    def read_many(self, texts: Sequence[str], owns: Sequence[Screening]) -> list[Screening]:
        """What this reader hears in each of several unrelated messages."""
        chance, lang = self.reading.chances(texts, [signs(own) for own in owns])
        return [
            Screening(Risk.NONE)
            if own.level is Risk.NONE and is_bare(text)
            else self._heard(heard, int(z))
            for text, own, heard, z in zip(texts, owns, chance, lang, strict=True)
        ]

    def raise_many(self, texts: Sequence[str], owns: Sequence[Screening]) -> list[Screening]:
        """What the rules and this reader say together of each of several unrelated messages.

        Raises:
            SafetyError: something unexpected happened; the caller must show the help block.
        """
        try:
            heard = self.read_many(texts, owns)
        except Exception as error:
            message = "the messages could not be read for risk: show the help block"
            raise SafetyError(message) from error
        return [raised(own, more) for own, more in zip(owns, heard, strict=True)]

    def _heard(self, chance: Floats, lang: int) -> Screening:
        reached = np.flatnonzero(chance[: len(STEPS)] > self.cuts[:, lang])
        if not len(reached):
            return Screening(Risk.NONE)
        level = _LEVELS[int(reached[-1]) + 1]
        if level < Risk.MEDIUM:
            return Screening(level, (), (self.name,))
        share = chance[len(STEPS) :] / self.named
        kinds = tuple(kind for kind, s in zip(KINDS, share, strict=True) if s > 1.0)
        return Screening(level, kinds or (KINDS[int(share.argmax())],), (self.name,))


def signs(own: Screening) -> frozenset[str]:
    """What the reader is told of the rules: the ids of those that spoke, without their numbers."""
    return frozenset(_NUMBER.sub("", reason) for reason in own.reasons)


def screened(texts: Sequence[str], reader: RiskReader | None) -> list[Screening]:
    """The risk of unrelated messages: what the rules say, and the reader where there is one.

    Raises:
        SafetyError: something unexpected happened; the caller must show the help block.
    """
    owns = [screen(text) for text in texts]
    return reader.raise_many(texts, owns) if reader else owns
