"""The guard's second reader: hears in a draft of a reply what the wording patterns have missed.

It has read thousands of good and broken drafts; it is told which patterns were found and how
dangerous the message is that the draft answers. It can only stop a draft, never pass one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.detect.reading import Reading
from untwist.errors import ArtifactError
from untwist.taxonomy import Risk

KIND = "draft-reader"
BROKEN = "broken"
"""The one question: whether a draft breaks any rule."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DraftReader:
    """A trained reader of drafts.

    Attributes:
        name: name and version.
        reading: how likely it is that any rule is broken.
        cuts: probability above which a draft is stopped, by its language (en, zh); (2,).
        about: everything else that the model folder says of itself.
    """

    name: str
    reading: Reading
    cuts: Floats
    about: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> DraftReader:
        """Read a model folder.

        Raises:
            ArtifactError: it cannot be used; the message says why.
        """
        reading, artifact = Reading.open(folder, KIND, (BROKEN,))
        try:
            cuts = artifact.tensors["cuts"].astype(np.float32)
            return cls(str(artifact.config["name"]), reading, cuts, artifact.config)
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error

    def save(self, folder: Path, card: str) -> None:
        """Write a model folder; a weight takes one byte."""
        config = {**self.about, **self.reading.config(), "name": self.name}
        tensors = {**self.reading.tensors(), "cuts": self.cuts}
        artifacts.save(folder, artifacts.Artifact(KIND, config, tensors), card)

    def stops(self, text: str, context: Risk, found: Sequence[str] = ()) -> bool:
        """Whether a draft reads like those that break a rule.

        Args:
            text: the draft.
            context: the level of risk of the message that it answers.
            found: the rules whose patterns were found in it.
        """
        chance, lang = self.reading.chances([text], [signs(context, found)])
        return bool(chance[0, 0] > self.cuts[lang[0]])


def signs(context: Risk, found: Sequence[str]) -> frozenset[str]:
    """What the reader is told: the level of risk, and the rules whose patterns were found."""
    return frozenset({f"context={context.value}", *(f"found={rule}" for rule in found)})
