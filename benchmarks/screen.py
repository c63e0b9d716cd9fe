"""Speed of the safety screen: short messages, the slowest hundredth, growth to a million letters.

    python benchmarks/screen.py --out results/benchmark-screen

Claims: a short message takes at most 1 ms in the median, the slowest hundredth of all cases stays
below 50 ms, and time grows in proportion to length up to 10^6 characters, also for texts that are
built to be slow. Beside it a peer that finds much less: one compiled alternation of twenty words.
One thread; each message is timed by itself, after one warm reading.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from untwist.data import load_open, shipped_cases
from untwist.engine import load_reader
from untwist.safety import screen

REPEATS = 5
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
_PEER = re.compile(
    "suicide|suicidal|kill myself|want to die|end my life|self-harm|hurt myself|overdose|goodbye"
    "|hopeless|自杀|想死|不想活|结束生命|自残|轻生|遗书|活不下去|绝望|伤害自己"
)
_SLOW = {
    "ordinary letters": None,
    "one crisis sentence, again and again": "i want to die and nobody will find me. ",
    "almost a crisis, again and again": "i do not want to be here any more than you want to. ",
    "spaced letters": "k i l l m y s e l f ",
    "one word without an end": "a",
    "signs": "!?*~#.,-_ ",
    "pictures": "🔪💊🙂🪢",
    "Chinese, almost a crisis": "我想死你了不想活动筋骨，",
    "Chinese with marks between": "不.想.活.了*",
}


def milliseconds(work: Callable[[], object]) -> float:
    """The quickest of the repeats; the others only say how busy the machine was."""
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1e3)
    return min(took)


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile, largest and number."""
    ranked = sorted(values)
    return {
        "median_ms": round(statistics.median(ranked), 4),
        "p99_ms": round(ranked[int(0.99 * (len(ranked) - 1))], 4),
        "max_ms": round(ranked[-1], 4),
        "texts": len(ranked),
    }


def messages() -> dict[str, Any]:
    """Every case and the short texts of the open corpus, each by itself."""
    cases = [case.utterance.text for case in shipped_cases()]
    short = [d.utterances[0].text for d in load_open() if len(d.utterances[0].text) <= 100][::5]
    reader = load_reader()
    return {
        "rules, short ordinary messages": spread(
            [milliseconds(lambda t=t: screen(t)) for t in short]
        ),
        "rules, all cases": spread([milliseconds(lambda t=t: screen(t)) for t in cases]),
        "rules and reader, short ordinary messages": spread(
            [milliseconds(lambda t=t: screen(t, (), reader.read)) for t in short[::4]]
        ),
        "rules and reader, all cases": spread(
            [milliseconds(lambda t=t: screen(t, (), reader.read)) for t in cases[::4]]
        ),
        "twenty words, all cases": spread(
            [milliseconds(lambda t=t: _PEER.search(t)) for t in cases]
        ),
    }


def growth() -> list[dict[str, Any]]:
    """Microseconds per character at growing lengths."""
    letters = " ".join(d.utterances[0].text for d in load_open())
    reader = load_reader()
    rows = []
    for name, unit in _SLOW.items():
        row: dict[str, Any] = {"text": name}
        for length in LENGTHS:
            long = letters[:length] if unit is None else (unit * (length // len(unit) + 1))[:length]
            start = time.perf_counter()
            screen(long, (), reader.read)
            row[f"{length}"] = round((time.perf_counter() - start) * 1e6 / length, 3)
        rows.append(row)
    return rows


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    lines = [
        "# Speed of the safety screen",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"One thread; each message alone, the quickest of {REPEATS} readings.",
        "",
        "| what | median ms | p99 ms | largest ms | texts |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {v['median_ms']} | {v['p99_ms']} | {v['max_ms']} | {v['texts']:,} |"
            for name, v in found["messages"].items()
        ),
        "",
        "Microseconds per character (rules and reader), one reading of one long text; flat is",
        "linear.",
        "",
        f"| text | {' | '.join(f'{n:,}' for n in LENGTHS)} |",
        "|---" * (len(LENGTHS) + 1) + "|",
        *(
            f"| {row['text']} | {' | '.join(str(row[str(n)]) for n in LENGTHS)} |"
            for row in found["growth"]
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found = {
        "command": f"python benchmarks/screen.py --out {arguments.out}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}",
        "messages": messages(),
        "growth": growth(),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (arguments.out / "metrics.json").write_text(text + "\n", encoding="utf-8")
    (arguments.out / "report.md").write_text(report(found), encoding="utf-8")


if __name__ == "__main__":
    main()
