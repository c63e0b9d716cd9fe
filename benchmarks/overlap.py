"""Speed, memory and recall of the leakage report, beside datasketch's MinHashLSH.

    python benchmarks/overlap.py --out results/benchmark-overlap

Claims: what twelve parts share is found in less than a minute on one core and less than 3 GB at
60,000 texts, and every change that keeps the letters is found. Texts are invented: half Chinese of
about 30 characters, half English of about 900, made of phrases of the open corpus; 35 % of them are
changed copies of others, each in one known way. The peer gets the same `near_key` and the same
pieces of eight letters, so it need not undo spacing or width itself. One thread; every run is a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import load_open, near_key
from untwist.data.leakage import CONTAINED, SIMILAR, Part, find_leakage
from untwist.data.near import GRAM
from untwist.schema import Dialogue, Utterance

REPEATS = 5
SIZES = (600, 6_000, 60_000)
PARTS = 12
SEED = 1
PERMUTATIONS = 128
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
JOINT = {"en": " ", "zh": ""}
TOKENS = {"en": 170, "zh": 30}
"""Words of an English text, characters of a Chinese one."""
Random = np.random.Generator
Tokens = list[str]


def phrases(lang: str) -> list[Tokens]:
    """The open corpus in runs of 3 to 6 words, or characters."""
    rng = np.random.default_rng(SEED)
    found = []
    for dialogue in load_open():
        utterance = dialogue.utterances[0]
        if utterance.lang == lang:
            tokens = utterance.text.split() if lang == "en" else list(utterance.text)
            while tokens:
                size = int(rng.integers(3, 7))
                found.append(tokens[:size])
                tokens = tokens[size:]
    return found


def invented(lang: str, size: int, rng: Random, pool: list[Tokens]) -> list[Tokens]:
    """Texts of random phrases, as words or characters; in the Chinese ones an ASCII comma each."""
    texts = []
    for length in rng.normal(TOKENS[lang], TOKENS[lang] / 6, size):
        tokens: Tokens = []
        while len(tokens) < max(length, 20):
            tokens += pool[rng.integers(len(pool))]
        if lang == "zh":
            tokens.insert(len(tokens) // 2, ",")
        texts.append(tokens)
    return texts


def wide(text: str) -> str:
    """ASCII signs, letters and digits in full width."""
    return "".join(chr(ord(ch) + 0xFEE0) if "!" <= ch <= "~" else ch for ch in text)


def sprinkled(tokens: Tokens, sign: str, rng: Random) -> Tokens:
    """The sign after every fifth word or so."""
    return [token + sign if rng.random() < 0.2 else token for token in tokens]


def one_changed(tokens: Tokens, pool: list[Tokens], rng: Random) -> Tokens:
    """One word, or two characters in Chinese, replaced by others."""
    at = int(rng.integers(1, len(tokens) - 3))
    new = pool[rng.integers(len(pool))]
    width = 1 if any(len(token) > 1 for token in tokens) else 2
    return [*tokens[:at], *new[:width], *tokens[at + width :]]


CHANGES: dict[str, Callable[[Tokens, str, list[Tokens], Random], str]] = {
    "spacing changed": lambda t, j, p, r: j.join(sprinkled(t, "  \n", r)),
    "punctuation changed": lambda t, j, p, r: j.join(sprinkled(t, " …! " if j else "、", r)) + ".",
    "full width": lambda t, j, p, r: wide(j.join(t)),
    "case changed": lambda t, j, p, r: j.join(t).upper(),
    "one word changed": lambda t, j, p, r: j.join(one_changed(t, p, r)),
    "beginning added": lambda t, j, p, r: j.join(
        [*(token for _ in range(2) for token in p[r.integers(len(p))]), *t]
    ),
    "excerpt (half)": lambda t, j, p, r: j.join(t[len(t) // 4 : -len(t) // 4]),
}
Planted = dict[str, tuple[str, str]]
"""Id of the changed copy to id of the original and the kind of change."""


def material(size: int) -> tuple[list[Part], Planted]:
    """Texts in twelve parts, and which of them are copies of which."""
    rng = np.random.default_rng(SEED)
    rows: list[tuple[str, str]] = []
    planted: Planted = {}
    per_kind = size // 40
    for lang in ("en", "zh"):
        pool = phrases(lang)
        kinds = [kind for kind in CHANGES if lang == "en" or kind != "case changed"]
        copies = [kind for kind in kinds for _ in range(per_kind)]
        originals = invented(lang, size // 2 - len(copies), rng, pool)
        rows += [(f"{lang}-{n}", JOINT[lang].join(tokens)) for n, tokens in enumerate(originals)]
        for n, kind in zip(rng.permutation(len(originals)), copies, strict=False):
            text = CHANGES[kind](originals[n], JOINT[lang], pool, rng)
            rows.append((f"{lang}-{n}-copy", text))
            planted[f"{lang}-{n}-copy"] = (f"{lang}-{n}", f"{kind}, {lang}")
    order = rng.permutation(len(rows))
    dialogues = [Dialogue(rows[n][0], "made", (Utterance(rows[n][1]),), (None,), "") for n in order]
    parts = [Part(f"part {n + 1}", dialogues[n::PARTS]) for n in range(PARTS)]
    return parts, planted


def ours(parts: list[Part]) -> tuple[set[tuple[str, str]], int]:
    """All pairs of the report; how many pieces it passed over."""
    report = find_leakage(parts)
    leaks = [*report.between, *(within.leak for within in report.within)]
    return {(pair.first, pair.second) for leak in leaks for pair in leak.pairs}, report.skipped


def peer(parts: list[Part]) -> tuple[set[tuple[str, str]], int]:
    """All pairs whose signatures meet; nothing is passed over."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError as error:
        raise SystemExit("the peer is missing: pip install datasketch") from error
    index = MinHashLSH(threshold=SIMILAR, num_perm=PERMUTATIONS)
    signatures = {}
    for part in parts:
        for dialogue in part.dialogues:
            key = near_key(dialogue.utterances[0].text)
            pieces = {key[n : n + GRAM] for n in range(max(len(key) - GRAM + 1, 1))}
            signature = MinHash(num_perm=PERMUTATIONS, seed=SEED, hashfunc=zlib.crc32)
            signature.update_batch([piece.encode() for piece in pieces])
            signatures[dialogue.id] = signature
            index.insert(dialogue.id, signature, check_duplication=False)
    found = {(id, other) for id, s in signatures.items() for other in index.query(s)}
    return {pair for pair in found if pair[0] != pair[1]}, 0


def measured(which: str, size: int) -> dict[str, Any]:
    """One run in this process."""
    parts, planted = material(size)
    letters = sum(len(d.utterances[0].text) for part in parts for d in part.dialogues)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    pairs, skipped = {"untwist": ours, "datasketch": peer}[which](parts)
    wall = time.perf_counter() - start
    asked = Counter(kind for _, kind in planted.values())
    got = Counter(
        kind
        for copy, (original, kind) in planted.items()
        if (copy, original) in pairs or (original, copy) in pairs
    )
    return {
        "texts": sum(len(part.dialogues) for part in parts),
        "mean_characters": round(letters / size, 1),
        "wall_s": wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before_mb": before,
        "pairs": len(pairs),
        "skipped": skipped,
        "recall": {kind: [got[kind], asked[kind]] for kind in asked},
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def repeated(which: str, size: int) -> dict[str, Any]:
    """Several runs, each in a new process."""
    command = [sys.executable, __file__, "--one", which, "--largest", str(size)]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(REPEATS)
    ]
    return {
        **runs[0],
        "what": which,
        "wall_s": spread([run["wall_s"] for run in runs]),
        "peak_mb": spread([run["peak_mb"] for run in runs]),
        "before_mb": spread([run["before_mb"] for run in runs]),
        "texts_per_s": round(runs[0]["texts"] / statistics.median(r["wall_s"] for r in runs)),
    }


def recalled(run: dict[str, Any], kind: str) -> str:
    """How many copies of a kind a run found."""
    got, asked = run["recall"][kind]
    return f"{got:,} of {asked:,}"


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    runs = found["runs"]
    largest = [run for run in runs if run["texts"] == max(r["texts"] for r in runs)]
    kinds = list(largest[0]["recall"])
    lines = [
        "# Speed, memory and recall of the leakage report",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"One thread, {REPEATS} runs, {PARTS} parts, {largest[0]['mean_characters']} characters a "
        "text in the mean; peak memory with the texts themselves (the last column is before the "
        "search).",
        "",
        "| what | texts | wall s (min–max) | texts/s | pairs found | pieces passed over | "
        "peak MB | MB before |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {r['what']} | {r['texts']:,} | {r['wall_s']['median']} "
            f"({r['wall_s']['min']}–{r['wall_s']['max']}) | {r['texts_per_s']:,} | {r['pairs']:,} "
            f"| {r['skipped']:,} | {r['peak_mb']['median']:.0f} | "
            f"{r['before_mb']['median']:.0f} |"
            for r in runs
        ),
        "",
        f"Changed copies found among {largest[0]['texts']:,} texts (untwist: as exact, near, "
        f"contained from {CONTAINED} or similar from {SIMILAR}; datasketch: MinHashLSH, threshold "
        f"{SIMILAR}, {PERMUTATIONS} permutations, on the same keys and pieces, not verified):",
        "",
        "| change, language |" + "".join(f" {run['what']} |" for run in largest),
        "|---|" + "---:|" * len(largest),
        *(
            f"| {kind} |" + "".join(f" {recalled(run, kind)} |" for run in largest)
            for kind in kinds
        ),
        "",
        "Ordered pairs, also of texts that are not planted. MinHashLSH does not claim to find "
        "excerpts. A changed word costs a Chinese text of thirty characters about ten of its "
        "pieces, so that most are below both thresholds; half of the shortest is too short to have "
        "pieces; a stretched word that is then spaced out has another key.",
    ]
    return "\n".join(lines) + "\n"


def version(package: str) -> str:
    """The version, or that it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise SystemExit(f"the peer is missing: pip install {package}") from None


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy reads it when it is first imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    parser.add_argument("--json", action="store_true", help="print JSON, not the page")
    parser.add_argument("--one", choices=["untwist", "datasketch"], help="one run, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one, arguments.largest)))
        return
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, datasketch {version('datasketch')}"
    )
    runs = []
    for size in [size for size in SIZES if size <= arguments.largest]:
        runs.append(repeated("untwist", size))
        runs.append(repeated("datasketch", size))
    found = {
        "command": " ".join(["python", "benchmarks/overlap.py", *sys.argv[1:]]),
        "machine": machine,
        "runs": runs,
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "metrics.json").write_text(text, encoding="utf-8")
        (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(text if arguments.json else report(found))


if __name__ == "__main__":
    main()
