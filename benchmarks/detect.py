"""Speed and memory of `untwist detect`, beside scikit-learn's TF-IDF + logistic regression.

    python benchmarks/detect.py --out results/benchmark-detect

Claims: a cold `untwist detect TEXT` (wall time, peak memory), texts per second of one core in a
batch, and how time and memory grow from 10^4 to 10^6 texts. Texts are those of the open corpus of
at most 100 characters, over and over. One thread everywhere; medians of five with their spread.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import load_open
from untwist.engine import load_detector
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL

REPEATS = 5
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def child(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MB of one process."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
        "stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - start
    return wall, int(done.stdout) / 1024


def cold() -> dict[str, Any]:
    """A new process for one sentence."""
    command = [
        sys.executable,
        "-m",
        "untwist",
        "detect",
        "If I fail this exam my whole life is over",
    ]
    runs = [child(command) for _ in range(REPEATS)]
    return {
        "wall_s": spread([wall for wall, _ in runs]),
        "peak_mb": spread([mb for _, mb in runs]),
        "note": "wall time includes a small Python process that starts and measures it",
    }


def per_second(work: Callable[[], object], texts: int) -> dict[str, float]:
    """Texts per second over the repeats."""
    rates = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        rates.append(texts / (time.perf_counter() - start))
    return spread(rates)


def short_texts() -> list[Utterance]:
    """Texts of the open corpus of at most 100 characters."""
    return [d.utterances[0] for d in load_open() if len(d.utterances[0].text) <= 100]


def batch() -> dict[str, Any]:
    """One core, one process: ours with screen and evidence, and the peer with labels alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline

    utterances = short_texts()
    texts = [u.text for u in utterances]
    detector = load_detector()
    gold = np.array(
        [
            [c in d.labels[0].distortions for c in CANONICAL]
            for d in load_open()
            if len(d.utterances[0].text) <= 100
        ]
    )
    peer = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 5), min_df=2),
        OneVsRestClassifier(LogisticRegression(solver="liblinear")),
    )
    peer.fit(texts[::4], gold[::4])
    ours = per_second(lambda: list(detector.detect_many(utterances)), len(texts))
    theirs = per_second(lambda: peer.predict_proba(texts), len(texts))
    return {
        "texts": len(texts),
        "mean_characters": round(float(np.mean([len(t) for t in texts])), 1),
        "untwist_texts_per_s": ours,
        "sklearn_texts_per_s": theirs,
        "ratio": round(ours["median"] / theirs["median"], 2),
        "note": "untwist screens for risk and finds evidence as well; the peer only labels",
    }


def growth(sizes: list[int]) -> list[dict[str, float]]:
    """Time and peak memory of the command on files of growing size."""
    texts = itertools.cycle([u.text for u in short_texts()])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        for size in sizes:
            with source.open("w", encoding="utf-8") as file:
                for i in range(size):
                    row = {"id": i, "text": next(texts)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            command = [sys.executable, "-m", "untwist", "detect"]
            wall, peak = child([*command, "--input", str(source), "--output", str(target)])
            lines = sum(1 for _ in target.open(encoding="utf-8"))
            assert lines == size, f"{lines} answers to {size} texts"
            rows.append(
                {"texts": size, "wall_s": round(wall, 2), "peak_mb": round(peak, 1),
                 "texts_per_s": round(size / wall)}
            )  # fmt: skip
    return rows


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    cold_, batch_ = found["cold"], found["batch"]
    lines = [
        "# Speed and memory of the fast detector",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"One thread; {REPEATS} repeats.",
        "",
        "| what | median | min | max |",
        "|---|---|---|---|",
        "| cold `untwist detect TEXT`, wall s | {median} | {min} | {max} |".format(
            **cold_["wall_s"]
        ),
        "| the same, peak MB | {median} | {min} | {max} |".format(**cold_["peak_mb"]),
        "| batch, texts/s, one core | {median} | {min} | {max} |".format(
            **batch_["untwist_texts_per_s"]
        ),
        "| scikit-learn TF-IDF + logistic regression, texts/s | {median} | {min} | {max} |".format(
            **batch_["sklearn_texts_per_s"]
        ),
        "",
        f"Ratio {batch_['ratio']} on {batch_['texts']} texts of {batch_['mean_characters']} "
        f"characters; {batch_['note']}.",
        "",
        "| texts | wall s | texts/s | peak MB |",
        "|---|---|---|---|",
        *(
            "| {texts:,} | {wall_s} | {texts_per_s:,} | {peak_mb} |".format(**row)
            for row in found["growth"]
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy reads it when it is first imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--largest", type=int, default=1_000_000)
    arguments = parser.parse_args()
    sizes = [n for n in (10_000, 100_000, 1_000_000) if n <= arguments.largest]
    found = {
        "command": f"python benchmarks/detect.py --out {arguments.out}"
        f" --largest {arguments.largest}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, numpy {np.__version__}",
        "cold": cold(),
        "batch": batch(),
        "growth": growth(sizes),
        "own_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "metrics.json").write_text(
        json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
