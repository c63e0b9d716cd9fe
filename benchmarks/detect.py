"""Speed and memory of `untwist detect`, beside two peers on the same texts.

    python benchmarks/detect.py --out results/benchmark-detect

Claims: a cold `untwist detect TEXT` (wall time, peak memory); texts per second of one core in a
batch, labels alone and in full, beside scikit-learn's TF-IDF + logistic regression and the
architecture of XLM-R-large (random weights; needs torch and transformers, else it is left out); and
how time and memory of the command with two workers grow from 10^4 to 10^7 texts. Texts are those of
the open corpus of at most 100 characters, over and over. One thread in each process; medians of
five with their spread.
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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import load_open
from untwist.engine import load_detector
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL

REPEATS = 5
ENCODED = 64
"""Texts that the encoder reads."""
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
    """One core, one process: ours in full and labels alone; the peers give labels alone."""
    utterances = short_texts()
    texts = [u.text for u in utterances]
    detector = load_detector()
    rates = {
        "untwist, in full": per_second(lambda: list(detector.detect_many(utterances)), len(texts)),
        "untwist, probabilities alone": per_second(
            lambda: detector.probabilities(utterances), len(texts)
        ),
        "scikit-learn, TF-IDF + logistic regression": sklearn_rate(texts),
    }
    encoder = xlmr_rate(texts[:: max(1, len(texts) // ENCODED)][:ENCODED])
    if encoder is not None:
        rates["XLM-R-large's architecture, torch"] = encoder
    ours = rates["untwist, in full"]["median"]
    return {
        "texts": len(texts),
        "mean_characters": round(float(np.mean([len(t) for t in texts])), 1),
        "texts_per_s": rates,
        "in_full_over": {
            name: round(ours / rate["median"], 2)
            for name, rate in rates.items()
            if not name.startswith("untwist")
        },
        "note": "in full is with the safety screen, both readers and evidence; the peers only "
        f"label. XLM-R-large reads {ENCODED} of the texts, a token for every four letters or "
        "every Chinese character, in batches of 16 of like length",
    }


def sklearn_rate(texts: list[str]) -> dict[str, float]:
    """Characters 1 to 5, one-vs-rest."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline

    dialogues = [d for d in load_open() if len(d.utterances[0].text) <= 100]
    gold = np.array([[c in d.labels[0].distortions for c in CANONICAL] for d in dialogues])
    peer = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 5), min_df=2),
        OneVsRestClassifier(LogisticRegression(solver="liblinear")),
    )
    peer.fit(texts[::4], gold[::4])
    return per_second(lambda: peer.predict_proba(texts), len(texts))


def xlmr_rate(texts: list[str]) -> dict[str, float] | None:
    """Random weights and made-up tokens: what is measured is arithmetic alone."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        return None
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=250_002, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16,
        intermediate_size=4096, max_position_embeddings=514, type_vocab_size=1,
        num_labels=len(CANONICAL),
    )  # fmt: skip
    model = XLMRobertaForSequenceClassification(config).eval()
    lengths = sorted(2 + max(1, len(t) // (4 if t.isascii() else 1)) for t in texts)

    def work() -> None:
        with torch.inference_mode():
            for at in range(0, len(lengths), 16):
                part = lengths[at : at + 16]
                tokens = torch.randint(5, 250_000, (len(part), part[-1]))
                mask = (torch.arange(part[-1]) < torch.tensor(part)[:, None]).long()
                model(tokens, attention_mask=mask)

    return per_second(work, len(texts))


def growth(sizes: list[int]) -> list[dict[str, float]]:
    """Time and peak memory of the command, two workers, on files of growing size."""
    texts = itertools.cycle([u.text for u in short_texts()])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        for size in sizes:
            with source.open("w", encoding="utf-8") as file:
                for i in range(size):
                    row = {"id": i, "text": next(texts)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            command = [sys.executable, "-m", "untwist", "detect", "--workers", "2"]
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
        f"One thread a process; {REPEATS} repeats.",
        "",
        "| what | median | min | max |",
        "|---|---|---|---|",
        "| cold `untwist detect TEXT`, wall s | {median} | {min} | {max} |".format(
            **cold_["wall_s"]
        ),
        "| the same, peak MB | {median} | {min} | {max} |".format(**cold_["peak_mb"]),
        *(
            "| {0}, texts/s, one core | {median} | {min} | {max} |".format(name, **rate)
            for name, rate in batch_["texts_per_s"].items()
        ),
        "",
        f"{batch_['texts']:,} texts of {batch_['mean_characters']} characters; {batch_['note']}.",
        "",
        *(f"In full, times as fast as {n}: {r:,}" for n, r in batch_["in_full_over"].items()),
        "",
        "`untwist detect --input FILE --workers 2`, in full:",
        "",
        "| texts | wall s | texts/s | peak MB of the largest process |",
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
    parser.add_argument("--largest", type=int, default=10_000_000)
    arguments = parser.parse_args()
    sizes = [n for n in (10_000, 100_000, 1_000_000, 10_000_000) if n <= arguments.largest]
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
