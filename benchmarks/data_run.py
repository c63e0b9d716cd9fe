"""One run of `benchmarks/data.py` in this process, and what there is to run.

    python benchmarks/data_run.py JOB STARTED

Prints the seconds and MB of one job, {"what": name, "of": its arguments}, as JSON. Gold and
predictions are random. Each library is imported by the work that needs it, so that no process pays
for another's.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from untwist.evaluate import Interval

LABELS = 12
SEED = 1
SAME = ("micro_f1", "macro_f1")
"""The scores that ours and the peers' have in common."""

Work = Callable[[], dict[str, Any]]
"""What is measured; gives what it found."""


def material(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Gold and predicted labels: from rare to frequent, four fifths of them hit, a few invented."""
    rng = np.random.default_rng(SEED)
    gold = rng.random((rows, LABELS)) < np.geomspace(0.02, 0.3, LABELS)
    hit = rng.random(gold.shape) < 0.8
    return gold, np.where(gold, hit, rng.random(gold.shape) < 0.03)


def our_bootstrap(rows: int, resamples: int) -> Work:
    """Intervals of six scores, every row a group of its own."""
    from untwist.evaluate import bootstrap

    gold, predicted = material(rows)
    groups = [f"row {n}" for n in range(rows)]
    calm = ~gold.any(axis=1)

    def work() -> dict[str, Any]:
        rng = np.random.default_rng(SEED)
        found = bootstrap(gold, predicted, groups, rng, undistorted=calm, resamples=resamples)
        return {name: bounds(found[name]) for name in SAME}

    return work


def our_report(rows: int, resamples: int) -> Work:
    """The whole report: scores, floors, false alarms, calibration, and the same intervals."""
    from untwist.evaluate import detection_report

    gold, predicted = material(rows)
    probabilities = np.where(predicted, 0.9, 0.1)

    def work() -> dict[str, Any]:
        report = detection_report(
            gold,
            predicted,
            [f"row {n}" for n in range(rows)],
            np.random.default_rng(SEED),
            corpus="made",
            part="all",
            detector="made",
            thresholds="none",
            command="benchmarks/data_run.py",
            labels=[f"label {n}" for n in range(LABELS)],
            undistorted=~gold.any(axis=1),
            probabilities=probabilities,
            resamples=resamples,
        )
        return {name: bounds(report.intervals[name]) for name in SAME}

    return work


def sklearn_loop(rows: int, resamples: int) -> Work:
    """What is usually written: draw rows, score them, again and again."""
    from sklearn.metrics import f1_score

    gold, predicted = material(rows)

    def work() -> dict[str, Any]:
        rng = np.random.default_rng(SEED)
        drawn = []
        for _ in range(resamples):
            at = rng.integers(rows, size=rows)
            pair = gold[at], predicted[at]
            drawn.append([f1_score(*pair, average=kind) for kind in ("micro", "macro")])
        ends = np.quantile(drawn, [0.025, 0.975], axis=0)
        return dict(zip(SAME, ends.T.tolist(), strict=True))

    return work


def scipy_bootstrap(rows: int, resamples: int) -> Work:
    """SciPy draws the rows; our own vectorised statistic adds up their counts."""
    from scipy.stats import bootstrap

    gold, predicted = material(rows)
    table = np.concatenate([gold & predicted, ~gold & predicted, gold & ~predicted], axis=1)

    def f1(at: np.ndarray, axis: int) -> np.ndarray:
        counts = table[at].sum(axis=at.ndim + axis)
        hit, false, missed = np.split(counts, 3, axis=-1)
        micro = 2 * hit.sum(-1) / (2 * hit + false + missed).sum(-1)
        return np.stack([micro, (2 * hit / (2 * hit + false + missed)).mean(-1)])

    def work() -> dict[str, Any]:
        found = bootstrap(
            (np.arange(rows),), f1, n_resamples=resamples, batch=100, vectorized=True, axis=-1,
            method="percentile", rng=np.random.default_rng(SEED),
        ).confidence_interval  # fmt: skip
        return dict(zip(SAME, np.stack([found.low, found.high], 1).tolist(), strict=True))

    return work


def our_loading(corpora: list[str], folder: str) -> Work:
    """Every source through the one door: licence, sha256, rows, labels, languages, groups."""

    def work() -> dict[str, Any]:
        from untwist.data import Reading, Refusals, load_source

        refusals = Refusals()
        how = Reading(folder, accept=("all",))
        loaded = [load_source(name, how, refusals) for name in corpora]
        return {"rows": sum(len(one.dialogues) for one in loaded), "refused": len(refusals)}

    return work


def uncollected(corpora: list[str], folder: str) -> Work:
    """The same without Python's garbage collector, which looks through all rows held so far."""
    gc.disable()
    return our_loading(corpora, folder)


def pandas_loading(files: list[str]) -> Work:
    """The same files as data frames; nothing in them is checked or understood."""

    def work() -> dict[str, Any]:
        import pandas

        def frame(file: str) -> Sized:
            if file.endswith((".json", ".jsonl")):
                found: Sized = pandas.read_json(file, lines=file.endswith("l"))
            else:
                found = pandas.read_csv(file, sep="\t" if file.endswith(".tsv") else ",")
            return found

        return {"rows": sum(len(one) for one in [frame(file) for file in files])}

    return work


WORKS: dict[str, Callable[..., Work]] = {
    "untwist bootstrap": our_bootstrap,
    "untwist detection_report": our_report,
    "scikit-learn f1_score": sklearn_loop,
    "scipy bootstrap": scipy_bootstrap,
    "untwist load_source": our_loading,
    "the same, garbage collector off": uncollected,
    "pandas": pandas_loading,
}


def bounds(interval: Interval | None) -> list[float]:
    """Both ends of an interval."""
    assert interval is not None, "every label has support here, so both scores are known"
    return [interval.low, interval.high]


def peak() -> float:
    """Largest memory of this process so far, MB.

    On Linux by /proc, for getrusage starts from what the parent of a process had.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="utf-8").splitlines()
        sizes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
        if sizes:
            return sizes[0] / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(job: dict[str, Any], started: float) -> dict[str, Any]:
    """One run in this process: the first call, with all that it opens, and the same once more."""
    work = WORKS[job["what"]](**job["of"])
    before, start = peak(), time.perf_counter()
    found = work()
    first, process = time.perf_counter() - start, time.monotonic() - started
    start, busy = time.perf_counter(), time.process_time()
    work()
    again, again_cpu = time.perf_counter() - start, time.process_time() - busy
    times = {"process_s": process, "first_s": first, "again_s": again, "again_cpu_s": again_cpu}
    return {"found": found, **times, "peak_mb": peak(), "before_mb": before}


def main() -> None:
    """Print one run."""
    print(json.dumps(measured(json.loads(sys.argv[1]), float(sys.argv[2]))))


if __name__ == "__main__":
    main()
