"""A detector around any model that scores texts: windows, thresholds, evidence, screen.

The same for torch and for onnxruntime; only the scores come from elsewhere. Evidence is found by
leaving out: the clause without which a label's score falls most. Leaves out: the conversation
before a message, which is read for risk only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from untwist.detect.decisions import Decisions
from untwist.detect.evidence import best_clauses, clauses
from untwist.detect.outputs import STEPS
from untwist.detect.risk import RiskReader, screened
from untwist.detect.tokens import Tokens, padded
from untwist.safety import screen
from untwist.schema import Assessment, Finding, Screening, Utterance
from untwist.taxonomy import CANONICAL, Intensity

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

CHUNK = 256
"""Messages of a stream that are read before the first of them is answered."""
BATCH = 32
"""Texts that go through the model together."""


class Score(Protocol):
    """Token ids and their mask, both (texts, tokens), to logits (texts, heads, outputs)."""

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        """The logits."""


@dataclass(frozen=True, slots=True)
class ScoredDetector:
    """A detector whose scores come from an encoder.

    Attributes:
        name: name and version, as in `Assessment.detector`.
        decisions: what the scores mean.
        tokens: how texts are read.
        score: the model.
        about: everything else that the model folder says of itself.
        reader: hears risk after the rules of `untwist.safety`; None is the rules alone.
        head: which head is heard; None is the mean of those that have learnt a label.
    """

    name: str
    decisions: Decisions
    tokens: Tokens
    score: Score
    about: Mapping[str, Any]
    reader: RiskReader | None = None
    head: str | None = None

    @property
    def judges_intensity(self) -> bool:
        """Whether findings come with an intensity."""
        return self._decisions.judges_intensity

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of `predict_proba`."""
        return self.decisions.outputs.names

    def by(self, head: str) -> Self:
        """The same detector, heard by one of its heads.

        Raises:
            ConfigError: there is no such head.
        """
        self.decisions.of(head)
        return replace(self, head=head)

    def detect(self, utterance: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """One message; the history is read for risk only."""
        screening = screen(utterance.text, history, self.reader.read if self.reader else None)
        return self._assess([utterance], [screening])[0]

    def detect_many(self, utterances: Iterable[Utterance]) -> Iterator[Assessment]:
        """Many unrelated messages, in order, with constant memory."""
        stream = iter(utterances)
        while chunk := list(islice(stream, CHUNK)):
            yield from self._assess(chunk, screened([u.text for u in chunk], self.reader))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probability of each output, shape (texts, outputs); nan where no head has learnt it.

        A text that is read in windows has the highest of each output.
        """
        spans = [self._spans(text) for text in texts]
        pieces = [t[a:b] for t, own in zip(texts, spans, strict=True) for a, b in own]
        if not pieces:
            return np.zeros((0, self.decisions.outputs.count), np.float32)
        starts = np.cumsum([0, *(len(own) for own in spans[:-1])])
        return np.maximum.reduceat(self._chances(pieces), starts, axis=0)

    def probabilities(self, utterances: Sequence[Utterance]) -> Floats:
        """Probability of each canonical distortion, shape (messages, 12); 0 where not learnt."""
        chance = self.predict_proba([u.text for u in utterances])
        where = self.decisions.outputs.canonical
        own = np.where(where >= 0, chance[:, where], np.float32(0))
        return np.nan_to_num(own, nan=0.0)

    @property
    def _decisions(self) -> Decisions:
        return self.decisions if self.head is None else self.decisions.of(self.head)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        return self.tokens.windows(text) if self.decisions.windows else [(0, len(text))]

    def _logits(self, pieces: Sequence[str]) -> Floats:
        """Logits of the heads that are heard, shape (pieces, heads, outputs)."""
        rows = self.tokens.ids(pieces)
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        parts = []
        for at in range(0, len(order), BATCH):
            batch = [rows[i] for i in order[at : at + BATCH]]
            parts.append(self.score(*padded(batch, self.tokens.pad)))
        found = np.concatenate(parts)
        back = np.empty_like(found)
        back[order] = found
        if self.head is None:
            return back
        k = self.decisions.heads.index(self.head)
        return back[:, k : k + 1]

    def _chances(self, pieces: Sequence[str]) -> Floats:
        own = self._decisions
        return own.joined(own.chances(self._logits(pieces)))

    def _assess(
        self, utterances: Sequence[Utterance], screenings: Sequence[Screening]
    ) -> list[Assessment]:
        spans = [self._spans(u.text) for u in utterances]
        pieces = [u.text[a:b] for u, own in zip(utterances, spans, strict=True) for a, b in own]
        chance, found, at = self._chances(pieces), [], 0
        heard = self._decisions.heard(chance)
        for utterance, screening, own in zip(utterances, screenings, spans, strict=True):
            here = slice(at, at + len(own))
            found.append(self._assessment(utterance, screening, own, chance[here], heard[here]))
            at += len(own)
        return found

    def _assessment(
        self,
        utterance: Utterance,
        screening: Screening,
        spans: Sequence[tuple[int, int]],
        chance: Floats,
        heard: Flags,
    ) -> Assessment:
        findings: list[Finding] = []
        for window in np.flatnonzero(heard.any(axis=1)).tolist():
            start, end = spans[window]
            mine = [
                (place, k)
                for place, k in enumerate(self.decisions.outputs.canonical)
                if k >= 0 and _strongest(chance[:, k], heard[:, k]) == window
            ]
            if mine:
                shown = self._evidence(utterance.text[start:end], [k for _, k in mine])
                findings += [
                    Finding(CANONICAL[place], float(chance[window, k]), start + a, start + b)
                    for (place, k), (a, b) in zip(mine, shown, strict=True)
                ]
        findings.sort(key=lambda f: -f.score)
        return Assessment(
            utterance,
            tuple(findings),
            self._intensity(chance[heard.any(axis=1)]) if findings else None,
            screening.level,
            screening.acuity,
            screening.reasons,
            self.name,
        )

    def _evidence(self, text: str, columns: Sequence[int]) -> list[tuple[int, int]]:
        """For each output, the clauses without which its logit falls most."""
        spans = clauses(text)
        if len(spans) == 1:
            return [spans[0]] * len(columns)
        without = [text[:start] + text[end:] for start, end in spans]
        carried = np.where(self._decisions.carried, 1.0, 0.0)
        weigh = (carried / np.maximum(carried.sum(axis=0), 1)).astype(np.float32)
        logits = (self._logits([text, *without]) * weigh).sum(axis=1)
        found = []
        for column in columns:
            share = np.zeros(len(text), np.float32)
            for (start, end), rest in zip(spans, logits[1:, column], strict=True):
                share[start:end] = max(float(logits[0, column] - rest), 0.0) / (end - start)
            found.append(best_clauses(text, share))
        return found

    def _intensity(self, chance: Floats) -> Intensity | None:
        """How many cumulative steps hold, in the windows where something is heard."""
        if not self.judges_intensity:
            return None
        held = chance[:, -len(STEPS) :].max(axis=0) > 0.5
        missing = np.flatnonzero(~held)
        return list(Intensity)[int(missing[0]) if len(missing) else len(held)]


def _strongest(chance: Floats, heard: Flags) -> int:
    """The window that is likeliest of those where a label is heard; -1 when there is none."""
    return int(np.where(heard, chance, -1.0).argmax()) if heard.any() else -1
