"""Speed and memory of scores with intervals and of loading corpora, each beside its peers.

    python benchmarks/data.py --folder corpora --out results/benchmark-data

Claims: 1,000 bootstrap resamples of an evaluation of 2,500 rows and twelve labels take at most 5 s
on one core, all corpora at hand load in at most 10 s, and both grow in proportion. Peers of the
scores: a loop over scikit-learn's f1_score on resampled rows, and SciPy's bootstrap over counts
that are added up beforehand; both know micro- and macro-F1 alone. Peer of loading: pandas on the
same files. A table of the user's own holds texts of the open corpus, over and over. One thread;
every run is a process of its own (`data_run.py`).
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

REPEATS = 5
RESAMPLES_LIMIT_S = 5.0
LOADING_LIMIT_S = 10.0
SCORES = {
    "untwist bootstrap": [(n, r) for n in (2_500, 25_000) for r in (100, 1_000, 10_000)],
    "untwist detection_report": [(n, r) for n in (2_500, 25_000) for r in (100, 1_000, 10_000)],
    "scikit-learn f1_score": [(2_500, 100), (2_500, 1_000), (25_000, 100)],
    "scipy bootstrap": [(2_500, 100), (2_500, 1_000), (2_500, 10_000), (25_000, 1_000)],
}
"""Rows and resamples; the peers' longest are left out, they take minutes a run."""
TABLES = (1_000, 10_000, 100_000)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
RUN = Path(__file__).with_name("data_run.py")


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }


def repeated(what: str, size: dict[str, int], of: dict[str, Any]) -> dict[str, Any]:
    """Several runs, each in a new process."""
    job = json.dumps({"what": what, "of": of})
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, str(RUN), job, str(time.monotonic())]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        runs.append(json.loads(done.stdout))
    figures = [key for key in runs[0] if key != "found"]
    return {
        "what": what,
        **size,
        "found": runs[0]["found"],
        **{key: spread([run[key] for run in runs]) for key in figures},
    }


def score_runs() -> list[dict[str, Any]]:
    """Ours and both peers, growing by rows and by resamples."""
    runs = []
    for what, sizes in SCORES.items():
        for rows, resamples in sizes:
            size = {"rows": rows, "resamples": resamples}
            runs.append(repeated(what, size, size))
    return runs


def loading_runs(folder: str) -> tuple[list[dict[str, Any]], list[str]]:
    """All corpora whose files are at hand, and their names; pandas gets the same list of files."""
    from untwist import data
    from untwist.cli.sources import locate_all

    corpora = list(locate_all(data.Reading(folder)))
    shipped = Path(data.__file__).parent
    files = [shipped / "open" / f"{lang}.jsonl" for lang in ("en", "zh")]
    known = data.known_corpora()
    files += [Path(folder) / file.path for name in corpora for file in known[name].files]
    size = {"files": len(files), "bytes": sum(file.stat().st_size for file in files)}
    ours = repeated("untwist load_source", size, {"corpora": corpora, "folder": folder})
    return [ours, repeated("pandas", size, {"files": [str(file) for file in files]})], corpora


def write_table(file: Path, rows: int) -> None:
    """A table of the user's own: id, text, names of labels."""
    from untwist.data import load_open

    dialogues = itertools.cycle(list(load_open()))
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["id", "text", "labels"])
        for n, dialogue in zip(range(rows), dialogues, strict=False):
            labels = dialogue.labels[0]
            names = sorted(labels.distortions or ()) if labels else []
            writer.writerow([n, dialogue.utterances[0].text, "; ".join(names)])


def table_runs() -> list[dict[str, Any]]:
    """Growth with a table of the user's own."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in TABLES:
            file = Path(folder) / f"{rows}.csv"
            write_table(file, rows)
            size = {"files": 1, "bytes": file.stat().st_size}
            of = {"corpora": [str(file)], "folder": folder}
            runs.append(repeated("untwist load_source", size, of))
            runs.append(repeated("the same, garbage collector off", size, of))
            runs.append(repeated("pandas", size, {"files": [str(file)]}))
    return runs


def seconds(values: dict[str, float]) -> str:
    """Median and spread."""
    return f"{values['median']:.3f} ({values['min']:.3f}–{values['max']:.3f})"


def line(run: dict[str, Any], *sizes: str) -> str:
    """One run as a row of a table."""
    cells = [run["what"], *sizes, *(seconds(run[f"{key}_s"]) for key in TIMES)]
    cells += [f"{run[f'{key}_mb']['median']:.0f}" for key in ("peak", "before")]
    return "| " + " | ".join(cells) + " |"


TIMES = ("process", "first", "again", "again_cpu")
COLUMNS = (
    " new process, s | first call, s | second call, s | its CPU time, s | peak MB | MB before |"
)


def find(runs: list[dict[str, Any]], what: str, **size: int) -> dict[str, Any]:
    """The run of that name and size."""
    fits = (r for r in runs if r["what"] == what and all(r[k] == v for k, v in size.items()))
    return next(fits)


def ratio(one: dict[str, Any], other: dict[str, Any], key: str = "again_cpu_s") -> str:
    """How many times as long one run takes as the other; CPU time bears a busy machine best."""
    times = one[key]["median"] / other[key]["median"]
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}"


def within(run: dict[str, Any], limit: float) -> str:
    """The slowest new process against a limit."""
    slowest = run["process_s"]["max"]
    return f"{slowest:.2f} s, {'within' if slowest <= limit else 'over'} the {limit:g} s"


def score_page(runs: list[dict[str, Any]]) -> list[str]:
    """The scores."""
    usual = {"rows": 2_500, "resamples": 1_000}
    alone, whole, loop, scipy = (find(runs, what, **usual) for what in SCORES)
    more_rows = find(runs, alone["what"], rows=25_000, resamples=1_000)
    more_resamples = find(runs, alone["what"], rows=2_500, resamples=10_000)
    ends = [[e for pair in r["found"].values() for e in pair] for r in (alone, whole, loop, scipy)]
    apart = max(max(column) - min(column) for column in zip(*ends, strict=True))
    return [
        "## Scores with intervals",
        "",
        "Twelve labels, every row a group of its own (the slowest case for ours). For 2,500 rows "
        "and 1,000 resamples the slowest new process, imports included, takes "
        f"{within(alone, RESAMPLES_LIMIT_S)} aimed at (bootstrap alone) and "
        f"{within(whole, RESAMPLES_LIMIT_S)} (the whole report). There the loop over scikit-learn "
        f"takes {ratio(loop, alone)} times as long as our bootstrap and SciPy's bootstrap "
        f"{ratio(scipy, alone)} times; ours gives intervals of six scores, the peers of two. The "
        f"four agree on both ends of those two to {apart:.4f}. Ten times the rows take our "
        f"bootstrap {ratio(more_rows, alone)} times as long, ten times the resamples "
        f"{ratio(more_resamples, alone)} times.",
        "",
        "| what | rows | resamples |" + COLUMNS,
        "|---|" + "---:|" * 8,
        *(line(run, f"{run['rows']:,}", f"{run['resamples']:,}") for run in runs),
        "",
        "A new process is timed from its start to the end of its first call. The report's first "
        "call opens scikit-learn; the peers' is opened before it. The peers' longest runs are left "
        "out.",
    ]


def loading_page(found: dict[str, Any]) -> list[str]:
    """The data room."""
    corpora, tables = found["loading"], found["tables"]
    ours, pandas = corpora
    smaller, smaller_off, _, own, off, frame = tables[-6:]
    sizes = [
        (f"all corpora ({r['found']['rows']:,})" if r in corpora else f"{r['found']['rows']:,}", r)
        for r in [*corpora, *tables]
    ]
    return [
        "## Loading",
        "",
        f"All {len(found['corpora'])} corpora at hand ({ours['files']} files, "
        f"{ours['bytes'] / 1e6:.1f} MB): the slowest new process takes "
        f"{within(ours, LOADING_LIMIT_S)} aimed at, {ours['found']['refused']} rows refused. "
        f"In new processes ours takes {ratio(ours, pandas, 'process_s')} times as long as pandas, "
        f"in second calls {ratio(ours, pandas, 'again_s')} times; on the largest table of one's "
        f"own {ratio(own, frame, 'process_s')} and {ratio(own, frame, 'again_s')} times, all by "
        "the clock, for pandas frees memory in a thread of its own. Ten times the rows of such a "
        f"table take ours {ratio(own, smaller)} times as long, and "
        f"{ratio(off, smaller_off)} times with Python's garbage collector off, which looks through "
        "the rows that are held already, again and again.",
        "",
        "| what | rows read | MB read |" + COLUMNS,
        "|---|" + "---:|" * 8,
        *(line(run, rows, f"{run['bytes'] / 1e6:.1f}") for rows, run in sizes),
        "",
        "pandas reads the same list of files into frames and stops there. It does not compare "
        "them with the published sha256, refuse damaged rows with file and line, turn labels into "
        "one set with the cells that the corpus cannot carry, tell the language, keep items of one "
        "source in one group, or look for ids that stand twice; rows are as it counts them, so "
        "records of one text are not joined, two files of one corpus count twice, rows that a "
        "corpus leaves out count, and the first row of a file without a header does not. Files "
        "were in the system's cache.",
    ]


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    lines = [
        "# Speed and memory of the scores and of loading",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"One thread, {REPEATS} runs each: median (min–max); memory is the median. Ratios are "
        "of medians, of the CPU time of second calls where nothing else is said.",
        "",
        *score_page(found["scores"]),
        "",
        *loading_page(found),
    ]
    return "\n".join(lines) + "\n"


def version(package: str) -> str:
    """Name and version of a peer, or that it is missing."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        raise SystemExit(f"the peer is missing: pip install {package}") from None


def shown(path: str) -> str:
    """A folder as it may stand in a report: where it lies on this machine is nobody's concern."""
    return "FOLDER" if Path(path).is_absolute() else path


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy reads it when it is first imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", default="corpora", help="with the public corpora")
    parser.add_argument("--json", action="store_true", help="print JSON, not the page")
    arguments = parser.parse_args()
    peers = ", ".join(version(package) for package in ("scikit-learn", "scipy", "pandas"))
    command = f"python benchmarks/data.py --folder {shown(arguments.folder)}"
    if arguments.out is not None:
        command += f" --out {shown(str(arguments.out))}"
    loading, corpora = loading_runs(arguments.folder)
    found = {
        "command": command,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, numpy {np.__version__}, {peers}",
        "scores": score_runs(),
        "corpora": corpora,
        "loading": loading,
        "tables": table_runs(),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "metrics.json").write_text(text, encoding="utf-8")
        (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(text if arguments.json else report(found))


if __name__ == "__main__":
    main()
