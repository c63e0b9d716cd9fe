"""The fast detector: a linear model on hashed n-grams, in numpy, with evidence for every finding.

Made for the default install: no GPU, no download, English and Chinese, thousands of texts a second.
Leaves out: word order beyond five characters or three words, and the conversation before a message
(only the safety screen reads that).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.detect import heads
from untwist.detect.evidence import best_clauses, shares
from untwist.detect.linear import CHUNK, Weights, logits, sigmoid
from untwist.detect.risk import RiskReader, screened
from untwist.detect.thresholds import Decision, Rules, fire
from untwist.detect.windows import windows
from untwist.embed import Space, extract
from untwist.errors import ArtifactError
from untwist.safety import screen
from untwist.schema import Assessment, Finding, Screening, Utterance
from untwist.taxonomy import CANONICAL, Intensity
from untwist.text import Normalized, normalize

KIND = "detector-fast"
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one text.

    Attributes:
        spans: the windows of the normalised text.
        chance: probability per window and head.
        found: (distortion head, window with the strongest evidence) of each finding.
    """

    spans: list[tuple[int, int]]
    chance: Floats
    found: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FastDetector:
    """A trained model.

    Attributes:
        name: name and version, as in `Assessment.detector`.
        space: which n-grams are read.
        weights: of the n-grams that count, by head, with intercepts by language (en, zh).
        rules: when a distortion is reported, by language (en, zh).
        longest: longest piece of a long text that is read at once, in characters, by language
            (en, zh).
        about: everything else the model folder says of itself.
        reader: hears risk after the rules of `untwist.safety`; None is the rules alone.
    """

    name: str
    space: Space
    weights: Weights
    rules: Rules
    longest: tuple[int, int]
    about: Mapping[str, Any]
    reader: RiskReader | None = None

    @classmethod
    def load(cls, folder: Path) -> FastDetector:
        """Read a model folder.

        Raises:
            ArtifactError: it cannot be used; the message says why.
        """
        artifact = artifacts.load(folder, KIND)
        config, tensors = artifact.config, artifact.tensors
        try:
            if tuple(config["heads"]) != heads.NAMES:
                unknown = sorted(set(config["heads"]) - set(heads.NAMES))
                raise ArtifactError(f"{folder} has other labels than this version: {unknown}")
            space = Space(**config["space"])
            weights = Weights(
                tensors["rows"].astype(np.int64),
                tensors["table"].astype(np.float32),
                tensors["bias"].astype(np.float32),
            )
            if weights.table.shape != (len(weights.rows), heads.COUNT + 1):
                raise ArtifactError(f"{folder} has a table of shape {weights.table.shape}")
            return cls(
                config["name"],
                space,
                weights.indexed(space.bits),
                _rules(config, tensors["thresholds"].astype(np.float32)),
                (int(config["longest"][0]), int(config["longest"][1])),
                config,
            )
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error
        except (TypeError, IndexError, ValueError) as error:
            raise ArtifactError(f"{folder} does not fit together: {error}") from error

    def save(self, folder: Path, card: str) -> None:
        """Write a model folder; weights are stored as 16-bit floats."""
        config = {**self.about, "name": self.name, "heads": list(heads.NAMES)}
        config |= {
            "gates": [list(rule.gates) for rule in self.rules],
            "sure": [rule.sure for rule in self.rules],
            "longest": list(self.longest),
            "space": asdict(self.space),
        }
        tensors: dict[str, NDArray[Any]] = {
            "rows": self.weights.rows.astype(np.int32),
            "table": self.weights.dense.astype(np.float16),
            "bias": self.weights.bias,
            "thresholds": np.stack([rule.labels for rule in self.rules]),
        }
        artifacts.save(folder, artifacts.Artifact(KIND, config, tensors), card)

    def detect(self, utterance: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """One message; the history is read for risk only."""
        screening = screen(utterance.text, history, self.reader.read if self.reader else None)
        return self._assess([utterance], [screening])[0]

    def detect_many(self, utterances: Iterable[Utterance]) -> Iterator[Assessment]:
        """Many unrelated messages, in order, with constant memory."""
        stream = iter(utterances)
        while chunk := list(islice(stream, CHUNK)):
            yield from self._assess(chunk, screened([u.text for u in chunk], self.reader))

    def probabilities(self, utterances: Sequence[Utterance]) -> Floats:
        """Probability of each canonical distortion, shape (messages, 12)."""
        rows = [np.zeros((0, len(CANONICAL)), np.float32)]
        for at in range(0, len(utterances), CHUNK):
            part = utterances[at : at + CHUNK]
            readings = self._read([normalize(u.text) for u in part], part)
            rows.extend(r.chance[None, :, heads.DISTORTIONS].max(axis=1) for r in readings)
        return np.concatenate(rows)

    def _assess(
        self, utterances: Sequence[Utterance], screenings: Sequence[Screening]
    ) -> list[Assessment]:
        texts = [normalize(u.text) for u in utterances]
        readings = self._read(texts, utterances)
        evidence = self._evidence(texts, readings)
        return [
            self._assessment(u, s, r, e)
            for u, s, r, e in zip(utterances, screenings, readings, evidence, strict=True)
        ]

    def _read(self, texts: Sequence[Normalized], utterances: Sequence[Utterance]) -> list[Reading]:
        """Every head's probability for every window of every text."""
        lang = [1 if u.lang == "zh" else 0 for u in utterances]
        spans = [windows(t.text, self.longest[z]) for t, z in zip(texts, lang, strict=True)]
        pieces = [t.text[a:b] for t, ws in zip(texts, spans, strict=True) for a, b in ws]
        owner = np.repeat(np.array(lang, np.int64), [len(ws) for ws in spans])
        chance = self._chances(pieces, owner)
        count = np.array([len(ws) for ws in spans], np.int64)
        fired = fire(
            self.rules, owner, chance[:, heads.DISTORTIONS], chance[:, heads.ANY],
            np.repeat(count, count),
        )  # fmt: skip
        ends = np.cumsum(count)
        return [
            Reading(ws, chance[at:end], _strongest(chance[at:end], fired[at:end]))
            for ws, at, end in zip(spans, ends - count, ends, strict=True)
        ]

    def _chances(self, pieces: Sequence[str], lang: NDArray[np.int64]) -> Floats:
        return sigmoid(logits(pieces, self.weights, self.space) + self.weights.bias[lang])

    def _evidence(
        self, texts: Sequence[Normalized], readings: Sequence[Reading]
    ) -> list[list[tuple[int, int]]]:
        """For each text and finding, the span of the text as it was written."""
        asked = [
            (i, head, reading.spans[window])
            for i, reading in enumerate(readings)
            for head, window in reading.found
        ]
        answers: list[list[tuple[int, int]]] = [[] for _ in texts]
        for at in range(0, len(asked), CHUNK):
            part = asked[at : at + CHUNK]
            pieces = [texts[i].text[a:b] for i, _, (a, b) in part]
            batch = extract(pieces, self.space)
            head = np.array([h for _, h, _ in part], np.int64)
            length = int(batch.origin[-1]) + len(pieces[-1]) + 1
            share = shares(batch, self.weights, self.space.apart, head, length)
            for (i, _, (a, _)), piece, origin in zip(part, pieces, batch.origin, strict=True):
                start, end = best_clauses(piece, share[origin : origin + len(piece)])
                answers[i].append(texts[i].span(a + start, a + end))
        return answers

    def _assessment(
        self,
        utterance: Utterance,
        screening: Screening,
        reading: Reading,
        evidence: list[tuple[int, int]],
    ) -> Assessment:
        findings = [
            Finding(CANONICAL[head], float(reading.chance[window, head]), start, end)
            for (head, window), (start, end) in zip(reading.found, evidence, strict=True)
        ]
        findings.sort(key=lambda f: -f.score)
        used = sorted({window for _, window in reading.found})
        steps = reading.chance[used, heads.INTENSITY].max(axis=0) > 0.5 if used else None
        return Assessment(
            utterance,
            tuple(findings),
            None if steps is None else list(Intensity)[_climb(steps)],
            screening.level,
            screening.acuity,
            screening.reasons,
            self.name,
        )


def _rules(config: Mapping[str, Any], thresholds: Floats) -> Rules:
    en, zh = (
        Decision(labels, tuple(float(gate) for gate in gates), float(sure))
        for labels, gates, sure in zip(thresholds, config["gates"], config["sure"], strict=True)
    )
    return en, zh


def _strongest(chance: Floats, fired: Flags) -> tuple[tuple[int, int], ...]:
    """Each distortion that some window is given, and its likeliest window of these."""
    if not fired.any():
        return ()
    where = np.where(fired, chance[:, heads.DISTORTIONS], -1.0).argmax(axis=0)
    return tuple((int(k), int(where[k])) for k in np.flatnonzero(fired.any(axis=0)))


def _climb(steps: NDArray[np.bool_]) -> int:
    """How many cumulative steps hold without a gap, from the lowest."""
    missing = np.flatnonzero(~steps)
    return int(missing[0]) if len(missing) else len(steps)
