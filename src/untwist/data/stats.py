"""What is in a corpus, counted: labels, levels, lengths, turns and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from untwist.data.ownlabels import BinaryLabels, VoteLabels, own_words
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import Distortion


@dataclass(frozen=True, slots=True)
class Turns:
    """The shape of a corpus of dialogues (CoPoLLM Table 2).

    Attributes:
        dialogues: how many.
        utterances: of both speakers; a system message is none.
        seeker: utterances of the person.
        counsellor: utterances of the other side.
        annotated_dialogues: dialogues with at least one judged utterance.
        annotated: judged utterances ("segments").
        labels: distortion labels in all.
    """

    dialogues: int
    utterances: int
    seeker: int
    counsellor: int
    annotated_dialogues: int
    annotated: int
    labels: int


@dataclass(frozen=True, slots=True)
class Stats:
    """One corpus, counted (CrossLinCD Table 1 and more).

    Attributes:
        corpus: its name.
        rows: dialogues; a single message is a dialogue of one.
        groups: how many groups they name (near-duplicates not joined).
        langs: utterances by language; None where it is neither.
        chars: mean characters of an utterance of the person; None without one.
        judged: utterances whose distortions are judged.
        labels: mean distortion labels of a judged utterance; None without one.
        undistorted: judged utterances without a label.
        distorted: utterances of which is known that they are distorted, and not how.
        distortions: how often each label was given; a label that the corpus can carry and never
            has counts 0, one that it cannot carry is absent.
        own: how often each of the corpus's own words was given, where it has words of its own.
        intensity: by level.
        risk: by level, where it is one level.
        turns: the shape of the dialogues.
        parts: rows by part, by split.
    """

    corpus: str
    rows: int
    groups: int
    langs: dict[str | None, int]
    chars: float | None
    judged: int
    labels: float | None
    undistorted: int
    distorted: int
    distortions: dict[Distortion, int]
    own: dict[str, int]
    intensity: dict[str, int]
    risk: dict[str, int]
    turns: Turns
    parts: dict[str, dict[str, int]]

    def to_dict(self) -> Json:
        """As JSON values."""
        values = asdict(self)
        values["distortions"] = {d.value: n for d, n in self.distortions.items()}
        values["langs"] = {lang or "neither": n for lang, n in self.langs.items()}
        return values


def stats_of(
    corpus: str, dialogues: Sequence[Dialogue], parts: Mapping[str, Iterable[str]] | None = None
) -> Stats:
    """Count one corpus.

    Args:
        corpus: its name.
        dialogues: its rows.
        parts: the part of each row, by name of the split.
    """
    pairs = [
        (utterance, labels)
        for dialogue in dialogues
        for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True)
    ]
    said = [utterance for utterance, _ in pairs if utterance.role == "user"]
    given = [labels for _, labels in pairs if labels is not None]
    judged = [labels.distortions for labels in given if labels.distortions is not None]
    total = sum(map(len, judged))
    return Stats(
        corpus=corpus,
        rows=len(dialogues),
        groups=len({dialogue.group for dialogue in dialogues}),
        langs=dict(Counter(utterance.lang for utterance in said).most_common()),
        chars=_mean(sum(len(utterance.text) for utterance in said), len(said)),
        judged=len(judged),
        labels=_mean(total, len(judged)),
        undistorted=sum(not found for found in judged),
        distorted=sum(isinstance(one, BinaryLabels) and one.distorted for one in given),
        distortions=_distortions(given),
        own=dict(
            Counter(
                word for one in given if not isinstance(one, VoteLabels) for word in own_words(one)
            ).most_common()
        ),
        intensity=_levels(labels.intensity for labels in given),
        risk=_levels(labels.risk for labels in given),
        turns=_turns(dialogues, [utterance for utterance, _ in pairs], total),
        parts={mode: dict(Counter(names)) for mode, names in (parts or {}).items()},
    )


def _mean(total: float, n: int) -> float | None:
    return total / n if n else None


def _distortions(given: Sequence[Labels]) -> dict[Distortion, int]:
    carried = {d for labels in given if labels.distortions is not None for d in labels.carried}
    counts = Counter(d for labels in given for d in labels.distortions or ())
    return {d: counts[d] for d in Distortion if d in carried}


def _levels(levels: Iterable[object]) -> dict[str, int]:
    known = Counter(level for level in levels if level is not None)
    return {str(getattr(level, "value", level)): n for level, n in known.most_common()}


def _turns(dialogues: Sequence[Dialogue], utterances: Sequence[Utterance], labels: int) -> Turns:
    seeker = sum(utterance.role == "user" for utterance in utterances)
    judged = [
        sum(one is not None and one.distortions is not None for one in dialogue.labels)
        for dialogue in dialogues
    ]
    return Turns(
        dialogues=len(dialogues),
        utterances=len(utterances),
        seeker=seeker,
        counsellor=len(utterances) - seeker,
        annotated_dialogues=sum(n > 0 for n in judged),
        annotated=sum(judged),
        labels=labels,
    )
