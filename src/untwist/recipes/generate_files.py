"""What a recipe of generated data leaves behind.

`items.jsonl` holds what may be used, each row with its provenance; `refused.jsonl` and
`failed.jsonl` ids and reasons, never words; metrics.json and the report what became of every
source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from untwist.data import (
    to_row,
)
from untwist.evaluate import Table
from untwist.generate import write_rows
from untwist.generate.gate import Draft, kind_of
from untwist.recipes.generate_folder import Opened
from untwist.recipes.generate_settings import Config
from untwist.recipes.generate_stages import Generated, Tally
from untwist.recipes.publish import Chapter, publish
from untwist.schema import Json

SCHEMA = "untwist/generated@1"
ITEMS, REFUSED, FAILED, QUEUE = "items.jsonl", "refused.jsonl", "failed.jsonl", "queue.jsonl"
_PROTOCOL = (
    "Every text that comes in is redacted before a model reads it. An item whose call failed is "
    "counted under its reason and is no row. What repeats an earlier row, stands in a registered "
    "test set ({tests}) or breaks a rule of safe wording is refused, named in refused.jsonl and "
    "counted. Each row says in its provenance which model, prompt, seed and call made it."
)


def rows(drafts: Iterable[Draft]) -> Iterator[Json]:
    """Drafts as rows of our own format, with what stands beside."""
    for draft in drafts:
        yield to_row(draft.dialogue) | draft.beside


def finish(
    folder: Opened,
    config: Config,
    tally: Tally,
    kept: Sequence[Draft],
    refused: Sequence[tuple[str, str]],
    *,
    title: str,
    names: Sequence[str],
    statistics: Json,
    chapters: Sequence[Chapter],
    more: Mapping[str, Sequence[Json]] | None = None,
) -> Generated:
    """Writes the files of a run: rows, refusals, failures, metrics and report.

    Args:
        folder: of the run.
        config: of the recipe.
        tally: what was counted.
        kept: what passed the gate, in order.
        refused: what did not, with the reasons.
        title: of the report.
        names: of the models.
        statistics: of the pipeline's own, into metrics.json.
        chapters: of the pipeline's own, into the report.
        more: further files by name.
    """
    folder.settle()
    write_rows(folder.path / ITEMS, rows(kept))
    turned_away = [*tally.before, *refused]
    write_rows(folder.path / REFUSED, ({"id": id, "reason": why} for id, why in turned_away))
    write_rows(folder.path / FAILED, tally.failed)
    for name, lines in (more or {}).items():
        write_rows(folder.path / name, lines)
    metrics = _metrics(config, tally, len(kept), refused, names, statistics)
    metrics["files"] = {name: len(lines) for name, lines in (more or {}).items()}
    folder.write_metrics(metrics)
    protocol = _PROTOCOL.format(tests=", ".join(tally.tests) or "none was named")
    told = [_counts(metrics), *chapters]
    publish(folder, title, told, protocol=protocol, command=config.command)
    return Generated(folder.path, tally.ok, f"{len(kept):,} rows written; {tally.line()}", metrics)


def _metrics(
    config: Config,
    tally: Tally,
    written: int,
    refused: Sequence[tuple[str, str]],
    names: Sequence[str],
    statistics: Json,
) -> Json:
    totals: Counter[str] = Counter()
    earlier: Counter[str] = Counter()
    for summary in tally.summaries.values():
        totals.update(dict(summary.totals))
        earlier.update(dict(summary.earlier))
    wanted = ("asked", "cached", "prompt_tokens", "completion_tokens", "cost", "seconds")
    return {
        "schema": SCHEMA,
        "command": config.command,
        "models": list(names),
        "written": written,
        "unread": {"count": len(tally.refusals), "by_reason": tally.refusals.by_reason()},
        "refused_before": _by_kind(tally.before),
        "refused": _by_kind(refused),
        "stages": {
            name: {"done": s.done, "failed": dict(s.failed), "stopped": s.stopped}
            for name, s in tally.summaries.items()
        },
        "calls": {name: totals.get(name) for name in wanted},
        "calls_before": {name: earlier.get(name) for name in wanted},
        "tests": list(tally.tests),
        "statistics": statistics,
    }


def _by_kind(refused: Sequence[tuple[str, str]]) -> dict[str, int]:
    return dict(Counter(kind_of(reason) for _, reason in refused).most_common())


def _counts(metrics: Json) -> Chapter:
    """The chapter that says what became of every source and item."""
    lines = [("rows written", metrics["written"])]
    lines += [(f"not read: {why}", n) for why, n in metrics["unread"]["by_reason"].items()]
    lines += [(f"refused before any call: {w}", n) for w, n in metrics["refused_before"].items()]
    for name, stage in metrics["stages"].items():
        lines.append((f"{name}: done", stage["done"]))
        lines += [(f"{name}: failed, {why}", n) for why, n in stage["failed"].items()]
    lines += [(f"refused: {why}", n) for why, n in metrics["refused"].items()]
    calls = metrics["calls"]
    lines += [("calls made", calls["asked"] or 0), ("answers from the cache", calls["cached"] or 0)]
    for key, name in (("prompt_tokens", "tokens asked"), ("completion_tokens", "tokens answered")):
        if calls[key] is not None:
            lines.append((name, calls[key]))
    before = metrics["calls_before"]
    if before["asked"]:
        lines.append(("calls of earlier runs", before["asked"]))
    cells = tuple((name, f"{int(n):,}") for name, n in lines)
    if calls["cost"] is not None:
        cells = (*cells, ("cost", f"{calls['cost']:.4f}"))
    if before["cost"] is not None:
        cells = (*cells, ("cost of earlier runs", f"{before['cost']:.4f}"))
    return Chapter("What became of it", (), (Table("", ("what", "count"), cells),))
