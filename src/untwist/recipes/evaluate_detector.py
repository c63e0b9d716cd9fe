"""Recipe: any detector, untrained on them, on the public corpora that the user brings.

    corpora -> texts -> detector -> scores with intervals and floors -> a run folder

No row is used for training or for a threshold here. A corpus with a published test part is scored
on that part; another corpus is scored on the derived test part (6:2:2, grouped) for comparison with
trained models, and on all its rows, because nothing was trained on the rest. The columns are the
canonical labels; a corpus with labels of its own is scored a second time with those as well, which
is what its published figures count.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.data import CORPORA, Refusals, grouped, known_corpora, split
from untwist.errors import ConfigError, DataError, ModelError, ParseError
from untwist.evaluate import DetectionReport, detection_report, markdown
from untwist.ports import Detector
from untwist.recipes.runfolder import RunFolder, open_run
from untwist.safety import redact
from untwist.schema import Assessment, Dialogue, Json, Labels, Utterance
from untwist.taxonomy import CANONICAL, CORPUS_ONLY, Distortion

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}
REPORT = "report.md"
_CHUNK = 256
_COLUMNS = (*CANONICAL, *(d for d in Distortion if d in CORPUS_ONLY))
_COLUMN = {distortion: place for place, distortion in enumerate(_COLUMNS)}
_N = len(CANONICAL)


@dataclass(frozen=True, slots=True)
class EvaluateDetector:
    """What to evaluate on."""

    out: str
    """The run folder; it must be new or empty."""
    folder: str
    """The folder that holds the corpora, laid out as in the manifest."""
    corpora: tuple[str, ...] = tuple(name for name in CORPORA if name != "open")
    """Names of the corpora."""
    seed: int = 42
    """Of the derived splits, the intervals and the sampled floor."""
    resamples: int = 1_000
    """Of the bootstrap."""
    thresholds: str = "as the detector ships; none was chosen on these corpora"
    """Where the detector's thresholds come from; stands in the report."""
    command: str = "untwist.recipes.evaluate_detector.run(config, detector)"
    """What starts this run; stands in the report."""


@runtime_checkable
class OffersProbabilities(Protocol):
    """What a detector may offer beside its findings."""

    def probabilities(self, utterances: Sequence[Utterance]) -> ArrayLike:
        """Shape (len(utterances), 12), 0 to 1, columns in the order of `CANONICAL`."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The annotated utterances of one corpus as arrays, one column for each of `_COLUMNS`.

    `part` is the derived or published part; `undistorted` means that no label at all was given.
    """

    corpus: str
    utterances: tuple[Utterance, ...]
    gold: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    undistorted: NDArray[np.bool_]
    groups: tuple[str, ...]
    part: NDArray[np.str_]
    published: bool


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the detector said of the rows that were asked."""

    predicted: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    probabilities: NDArray[np.float64] | None
    failures: tuple[Json, ...]


def run(config: EvaluateDetector, detector: Detector) -> Path:
    """Evaluate, and write the run folder.

    A row for which the detector raises a model or parse error is unscored: marked, counted and
    listed in metrics.json. A row of a corpus that cannot be read is refused and listed as well.

    Returns:
        The run folder, with config.toml, manifest.json, metrics.json and report.md.

    Raises:
        ConfigError: a corpus is unknown, or the run folder is in use.
        DataError: a corpus file is missing, or the detector does not keep to its socket.
    """
    _check(config)
    refusals = Refusals()
    corpora = [_rows(name, config, refusals) for name in config.corpora]
    folder = open_run(config.out, config, config.seed, _inputs(config))
    reports: list[DetectionReport] = []
    failures: list[Json] = []
    for rows in corpora:
        asked = rows.part == "test" if rows.published else np.ones(len(rows.part), bool)
        answers = _ask(detector, rows, asked)
        failures.extend(answers.failures)
        for whole in (False,) if rows.published else (False, True):
            for wide in (False, True) if rows.mask[:, _N:].any() else (False,):
                line = _report(config, detector.name, rows, answers, whole=whole, wide=wide)
                reports.append(line)
    _write(folder, reports, refusals, failures)
    return folder.path


def _check(config: EvaluateDetector) -> None:
    for name in config.corpora:
        if name not in CORPORA:
            near = difflib.get_close_matches(name, CORPORA, n=1, cutoff=0.0)[0]
            raise ConfigError(f'unknown corpus "{name}"; did you mean "{near}"?')
    if not config.corpora or config.resamples < 1:
        raise ConfigError("name at least one corpus and one resample")


def _inputs(config: EvaluateDetector) -> list[Path]:
    files = (file.path for name in config.corpora for file in known_corpora()[name].files)
    return [Path(config.folder) / path for path in dict.fromkeys(files)]


def _rows(name: str, config: EvaluateDetector, refusals: Refusals) -> _Rows:
    dialogues = list(CORPORA[name](config.folder, refusals))
    published = any(d.split == "test" for d in dialogues)
    parts = split(dialogues, FRACTIONS, config.seed)
    part_of = {d.id: part for part, members in parts.items() for d in members}
    kept = [
        (utterance, labels, group, part_of[dialogue.id])
        for dialogue, group in zip(dialogues, grouped(dialogues), strict=True)
        for utterance, labels in _annotated(dialogue)
    ]
    if not kept:
        raise DataError(f"{name} has no annotated row: {refusals.summary()}")
    labels = [one for _, one, _, _ in kept]
    return _Rows(
        corpus=name,
        utterances=tuple(utterance for utterance, _, _, _ in kept),
        gold=np.array([[d in (one.distortions or ()) for d in _COLUMNS] for one in labels]),
        mask=np.array([[d in one.carried for d in _COLUMNS] for one in labels]),
        undistorted=np.array([not one.distortions for one in labels]),
        groups=tuple(group for _, _, group, _ in kept),
        part=np.array([part for _, _, _, part in kept]),
        published=published,
    )


def _annotated(dialogue: Dialogue) -> Iterator[tuple[Utterance, Labels]]:
    for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True):
        if labels is not None and labels.distortions is not None:
            yield utterance, labels


def _ask(detector: Detector, rows: _Rows, asked: NDArray[np.bool_]) -> _Answers:
    places = np.flatnonzero(asked)
    predicted, scored = np.zeros(rows.gold.shape, bool), np.ones(len(rows.gold), bool)
    failures: list[Json] = []
    answers = _stream(detector, [rows.utterances[place] for place in places])
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Assessment):
            predicted[place, [_COLUMN[f.distortion] for f in answer.findings]] = True
            continue
        scored[place] = False
        reason = redact(f"{type(answer).__name__}: {answer}")
        failures.append({"corpus": rows.corpus, "id": rows.utterances[place].id, "why": reason})
    offered = _probabilities(detector, rows, asked & scored)
    return _Answers(predicted, scored, offered, tuple(failures))


def _stream(
    detector: Detector, utterances: Sequence[Utterance]
) -> Iterator[Assessment | ModelError | ParseError]:
    """One answer or one error per utterance, in order; after an error the stream starts anew."""
    place = 0
    while place < len(utterances):
        try:
            for answer in detector.detect_many(iter(utterances[place:])):
                if place == len(utterances) or answer.utterance.text != utterances[place].text:
                    raise DataError(f"{detector.name} answers out of order at text {place + 1}")
                yield answer
                place += 1
        except (ModelError, ParseError):
            yield _alone(detector, utterances[place])
            place += 1
            continue
        if place < len(utterances):
            raise DataError(f"{detector.name} stopped after {place} of {len(utterances)} texts")


def _alone(detector: Detector, utterance: Utterance) -> Assessment | ModelError | ParseError:
    """The next text by itself: a detector that reads ahead may have failed on a later one."""
    try:
        return detector.detect(utterance)
    except (ModelError, ParseError) as error:
        return error


def _probabilities(
    detector: Detector, rows: _Rows, wanted: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    if not isinstance(detector, OffersProbabilities):
        return None
    values = np.zeros((len(rows.gold), _N))
    places = np.flatnonzero(wanted)
    for chunk in _chunks(places):
        given = np.asarray(detector.probabilities([rows.utterances[p] for p in chunk]), float)
        if given.shape != (len(chunk), _N):
            raise DataError(f"{detector.name} gives probabilities of shape {given.shape}")
        values[chunk] = given
    return values


def _chunks(places: NDArray[np.intp]) -> Iterable[NDArray[np.intp]]:
    return (places[start : start + _CHUNK] for start in range(0, len(places), _CHUNK))


def _report(
    config: EvaluateDetector,
    name: str,
    rows: _Rows,
    answers: _Answers,
    *,
    whole: bool,
    wide: bool,
) -> DetectionReport:
    test = rows.part == "test"
    here = np.ones(len(test), bool) if whole else test
    rest = here if whole or test.all() else ~test
    derived = f"derived test part, grouped 6:2:2, seed {config.seed}"
    part = "all rows" if whole else "published test part" if rows.published else derived
    own = "the rows themselves, in the floors' favour"
    columns = slice(None) if wide else slice(_N)
    # A detector has no probability for labels that one corpus alone has.
    offered = None if wide else answers.probabilities
    return detection_report(
        rows.gold[here, columns],
        answers.predicted[here, columns],
        [group for group, kept in zip(rows.groups, here, strict=True) if kept],
        np.random.default_rng(config.seed),
        corpus=rows.corpus,
        part=f"{part}, with the corpus' own labels" if wide else part,
        detector=name,
        thresholds=config.thresholds,
        command=config.command,
        labels=[distortion.value for distortion in _COLUMNS[columns]],
        mask=rows.mask[here, columns],
        undistorted=rows.undistorted[here],
        scored=answers.scored[here],
        probabilities=None if offered is None else offered[here],
        baseline_gold=rows.gold[rest, columns],
        baseline_mask=rows.mask[rest, columns],
        baselines_from=own if rest is here else "all other rows of the corpus",
        resamples=config.resamples,
    )


def _write(
    folder: RunFolder,
    reports: Sequence[DetectionReport],
    refusals: Refusals,
    failures: Sequence[Json],
) -> None:
    folder.write_metrics(
        {
            "reports": [report.to_dict() for report in reports],
            "refused": {
                "count": len(refusals),
                "by_reason": refusals.by_reason(),
                "rows": [str(refusal) for refusal in refusals],
            },
            "unscored": list(failures),
        }
    )
    folder.write_text(
        REPORT,
        "# Detection without training on these corpora\n\n"
        f"{refusals.summary()}. {len(failures)} texts unscored.\n\n{markdown(reports)}",
    )
