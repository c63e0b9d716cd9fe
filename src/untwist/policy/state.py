"""The state: what a policy sees of a message and of the conversation before it, as one vector.

    Assessment -> words + descriptions of distortions, intensity, risk -> encoder -> 1024 numbers
    Session    -> turn, strategies used, response                                 -> 25 numbers

One function for training, evaluation and service (CoPoLLM 4.1, "State and Action Space"). The words
of the person and the descriptions of the labels are encoded apart and added with fixed weights, so
that a long message cannot drown its labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError
from untwist.ports import Encoder
from untwist.schema import START, Assessment, Session
from untwist.taxonomy import LANGS, Distortion, Intensity, Lang, Risk, Strategy
from untwist.text import normalize

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

VERSION = 1
LABEL_WEIGHT, WORDS_WEIGHT = 1.0, 0.5
"""Of the descriptions of the labels and of the person's own words, both of length 1 before."""
SESSION_SCALE = 16.0
"""The session's features are multiplied with it, so that the two blocks have like lengths."""
LONGEST = 12
"""Turns and counts beyond these are seen as these."""
OFTEN = 3
_GENTLE = list(Strategy).index(Strategy.EMPATHIC_VALIDATION)
"""The strategies between this one and the last, crisis intervention, challenge a thought."""
SESSION_FEATURES: tuple[str, ...] = (
    "turn / 12",
    "first message",
    *(f"times {s.action_id} was used / 3" for s in Strategy),
    *(f"{s.action_id} was the last" for s in Strategy),
    "the last was a challenge",
    "the response to it is known",
    "the response to it, -1 to 1",
)
NONE_FOUND: dict[Lang, str] = {"en": "No distortion.", "zh": "没有认知扭曲。"}
NOT_JUDGED: dict[Lang, str] = {"en": "Intensity not judged.", "zh": "程度未判断。"}


def describe(assessment: Assessment, lang: Lang | None = None) -> str:
    """T(s) of CoPoLLM 4.1: the words and what they were heard as, one description a line.

    Args:
        assessment: gold or predicted labels.
        lang: of the descriptions; None is the language of the message.
    """
    spoken: Lang = lang or assessment.utterance.lang or "en"
    return "\n".join((assessment.utterance.text, *_descriptions(assessment, spoken)))


def _descriptions(assessment: Assessment, lang: Lang) -> list[str]:
    found = [_of_distortion(f.distortion, lang) for f in assessment.findings]
    return [
        *(found or [NONE_FOUND[lang]]),
        _of_intensity(assessment.intensity, lang),
        _of_risk(assessment.risk, lang),
    ]


def _of_distortion(distortion: Distortion, lang: Lang) -> str:
    return f"{distortion.name_in(lang)}: {distortion.definition_in(lang)}"


def _of_intensity(intensity: Intensity | None, lang: Lang) -> str:
    if intensity is None:
        return NOT_JUDGED[lang]
    label = {"en": "Intensity", "zh": "程度"}[lang]
    return f"{label} {intensity.name_in(lang)}: {intensity.definition_in(lang)}"


def _of_risk(risk: Risk, lang: Lang) -> str:
    label = {"en": "Risk", "zh": "风险"}[lang]
    return f"{label} {risk.name_in(lang)}: {risk.definition_in(lang)}"


@dataclass(frozen=True, slots=True)
class StateEncoder:
    """Assessment and session in, one vector out.

    Attributes:
        encoder: reads texts; the descriptions of the labels are read once.
        version: of the whole recipe of the state; a learned policy refuses any other.

    Raises:
        DataError: the encoder gives other shapes than it says, or no numbers.
    """

    encoder: Encoder
    version: int = VERSION
    _known: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise DataError(f"state version {self.version} is unknown; this version has {VERSION}")

    @property
    def name(self) -> str:
        """Encoder and version of the state."""
        return f"{self.encoder.name}+session@{self.version}"

    @property
    def size(self) -> int:
        """Length of a state: the encoder's size and one for each of `SESSION_FEATURES`."""
        return self.encoder.size + len(SESSION_FEATURES)

    def encode(self, assessment: Assessment, session: Session = START) -> Floats:
        """One state, shape (size,)."""
        state: Floats = self.encode_many([assessment], [session])[0]
        return state

    def encode_many(self, assessments: Sequence[Assessment], sessions: Sequence[Session]) -> Floats:
        """One state a row, shape (n, size).

        Raises:
            DataError: the two differ in number, or the encoder failed (see `encode_words`).
        """
        if len(assessments) != len(sessions):
            raise DataError(f"{len(assessments)} assessments but {len(sessions)} sessions")
        return np.hstack([self.encode_words(assessments), encode_sessions(sessions)])

    def encode_words(self, assessments: Sequence[Assessment]) -> Floats:
        """The part that does not know the session, shape (n, encoder.size).

        Raises:
            DataError: the encoder gave NaN, infinity, a zero vector or another size than it says.
        """
        if not assessments:
            return np.zeros((0, self.encoder.size), np.float32)
        words = self._words([a.utterance.text for a in assessments])
        labels = _unit(np.stack([self._labels(a) for a in assessments]))
        mixed = _unit(np.float32(LABEL_WEIGHT) * labels + np.float32(WORDS_WEIGHT) * words)
        return mixed * np.float32(math.sqrt(self.encoder.size))

    def _words(self, texts: Sequence[str]) -> Floats:
        """Of what was written; a stray accent holds no words, and is then its labels alone."""
        rows = np.zeros((len(texts), self.encoder.size), np.float32)
        written = [at for at, text in enumerate(texts) if normalize(text).text]
        if written:
            rows[written] = self._read([texts[at] for at in written])
        return rows

    def _labels(self, assessment: Assessment) -> Floats:
        """Distortions together, intensity and risk: three descriptions of equal length, added."""
        lang: Lang = assessment.utterance.lang or "en"
        *found, intensity, risk = (self._described(d) for d in _descriptions(assessment, lang))
        together: Floats = np.stack(found).sum(axis=0) / np.float32(math.sqrt(len(found)))
        return together + intensity + risk

    def _described(self, text: str) -> Floats:
        if text not in self._known:
            every = _every_description()
            self._known.update(zip(every, self._read(every), strict=True))
        return self._known[text]

    def _read(self, texts: Sequence[str]) -> Floats:
        """Rows of length 1."""
        rows = np.asarray(self.encoder.encode(texts), np.float32)
        wanted = (len(texts), self.encoder.size)
        if rows.shape != wanted:
            raise DataError(
                f"the encoder {self.encoder.name} gave shape {rows.shape} for {wanted}: "
                "set its size to what its model gives"
            )
        if not np.isfinite(rows).all():
            at = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise DataError(f"the encoder {self.encoder.name} gave NaN or infinity for text {at}")
        return _unit(rows)


def _unit(rows: Floats) -> Floats:
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    if not length.all():
        at = int(np.flatnonzero(length[:, 0] == 0)[0])
        raise DataError(f"the encoder gave a zero vector for text {at}: it holds nothing to read")
    scaled: Floats = (rows / length).astype(np.float32)
    return scaled


def _every_description() -> list[str]:
    return [
        text
        for lang in LANGS
        for text in (
            *(_of_distortion(d, lang) for d in Distortion),
            NONE_FOUND[lang],
            *(_of_intensity(i, lang) for i in (None, *Intensity)),
            *(_of_risk(r, lang) for r in Risk),
        )
    ]


def encode_sessions(sessions: Sequence[Session]) -> Floats:
    """The session's features, shape (n, 25)."""
    order = list(Strategy)
    counts = np.array([[s.used.count(a) for a in order] for s in sessions], np.int64)
    last = np.array([order.index(s.used[-1]) if s.used else -1 for s in sessions], np.int64)
    response = [math.nan if s.response is None else s.response for s in sessions]
    turn = np.array([s.turn for s in sessions], np.int64)
    return session_features(
        turn, counts.reshape(-1, len(order)), last, np.array(response, np.float32)
    )


def session_features(turn: Codes, counts: Codes, last: Codes, response: Floats) -> Floats:
    """`SESSION_FEATURES` of many conversations at once.

    Args:
        turn: earlier messages of the person, shape (n,).
        counts: how often each strategy was used, shape (n, 10).
        last: number of the last strategy, -1 when there was none, shape (n,).
        response: to it; NaN when it is not known, shape (n,).
    """
    n, strategies = counts.shape
    block = np.zeros((n, len(SESSION_FEATURES)), np.float32)
    block[:, 0] = np.minimum(turn, LONGEST) / LONGEST
    block[:, 1] = turn == 0
    block[:, 2 : 2 + strategies] = np.minimum(counts, OFTEN) / OFTEN
    had = np.flatnonzero(last >= 0)
    block[had, 2 + strategies + last[had]] = 1
    block[:, -3] = (last > _GENTLE) & (last < strategies - 1)
    known = ~np.isnan(response)
    block[:, -2] = known
    block[known, -1] = response[known]
    return block * np.float32(SESSION_SCALE)


def session_of(assessments: Sequence[Assessment], used: Sequence[Strategy]) -> Session:
    """The session before a message, from what was heard and done up to it.

    Args:
        assessments: of the person's messages, oldest first; the last is the one to be answered.
        used: the strategies of the replies between them, oldest first; fewer than there were
            replies when some are not known.

    Raises:
        DataError: there is no assessment, or there are more strategies than replies.
    """
    if not assessments:
        raise DataError("a session needs the assessment of the message that is to be answered")
    answered = len(assessments) > 1 and bool(used)
    response = response_between(assessments[-2], assessments[-1]) if answered else None
    return Session(len(assessments) - 1, tuple(used), response)


def response_between(before: Assessment, after: Assessment) -> float | None:
    """How much easier the later message is, -1 to 1; None where an intensity was not judged."""
    if any(a.findings and a.intensity is None for a in (before, after)):
        return None
    pair = (before, after)
    intensity = np.array([-1 if a.intensity is None else a.intensity.rank for a in pair])
    level = burden(intensity, np.array([a.risk.rank for a in pair]))
    return float(level[0] - level[1])


def burden(intensity: Codes, risk: Codes) -> Floats:
    """How heavy messages weigh, 0 to 1: half by intensity, half by risk.

    Args:
        intensity: rank of the intensity; -1 where there is no distortion.
        risk: rank of the risk.
    """
    level = (intensity + 1) / len(Intensity) + risk / (len(Risk) - 1)
    return (level / 2).astype(np.float32)
