"""untwist doctor: whether this installation can do its work."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec

import click
import numpy as np

from untwist.engine import Engine, load_detector, load_policy, load_reader
from untwist.errors import UntwistError
from untwist.llm import Check, open_model, probe, waited
from untwist.safety import broken_examples, lines, regions, screen, stale
from untwist.schema import Utterance
from untwist.taxonomy import Risk

_EXTRAS = {
    "llm": "openai",
    "sentence": "sentence_transformers",
    "zh": "opencc",
    "eval": "sklearn",
    "onnx": "onnxruntime",
    "export": "onnxscript",
    "finetune": "transformers",
    "qlora": "bitsandbytes",
    "rl": "gymnasium",
    "inspect": "inspect_ai",
    "serve": "fastapi",
    "postgres": "psycopg",
    "crypto": "cryptography",
    "ray": "ray",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: "ok", "note" (works without it) or "fail", and what to do."""

    check: str
    state: str
    message: str


@click.command(
    "doctor", epilog="Examples: untwist doctor --json; untwist doctor --llm Qwen/Qwen3-8B"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--llm",
    "model",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Test a language model instead, with five short questions; without NAME, the one that "
    "UNTWIST_LLM_URL and UNTWIST_LLM_MODEL say.",
)
def command(as_json: bool, model: str | None) -> None:
    """Check the installation: versions, models, help lines, terminal, extras."""
    findings = list(_examine() if model is None else _examine_llm(model))
    for f in findings:
        row = {"check": f.check, "state": f.state, "message": f.message}
        mark = {"ok": "ok  ", "note": "note", "fail": "FAIL"}[f.state]
        line = json.dumps(row, ensure_ascii=False) if as_json else f"{mark} {f.check}: {f.message}"
        click.echo(line)
    failed = sum(f.state == "fail" for f in findings)
    if failed:
        raise click.ClickException(f"{failed} checks failed; see the lines above")


def _examine() -> Iterator[Finding]:
    yield Finding("python", "ok", platform.python_version())
    yield Finding("numpy", "ok", np.__version__)
    yield from _tried("detector", _detector)
    yield from _tried("safety screen", _screen)
    yield from _tried("risk reader", lambda: load_reader().name)
    yield from _tried("policy", lambda: load_policy().name)
    yield _rule_examples()
    yield from _tried("reply", _reply)
    yield _help_lines()
    encoding = (sys.stdout.encoding or "").lower()
    good = encoding.replace("-", "") == "utf8"
    yield Finding("terminal", "ok" if good else "note", encoding or "unknown encoding")
    for extra, module in _EXTRAS.items():
        have = find_spec(module) is not None
        todo = "installed" if have else f'not installed; pip install "untwist[{extra}]"'
        yield Finding(f"extra {extra}", "ok" if have else "note", todo)


def _examine_llm(name: str) -> Iterator[Finding]:
    model = open_model(name or None, os.environ)
    yield Finding("model", "ok", model.name)

    async def checks() -> list[Check]:
        return [check async for check in probe(model)]

    for check in waited(checks()):
        yield Finding(check.name, check.state, check.message)


def _rule_examples() -> Finding:
    faults = broken_examples()
    if faults:
        return Finding("rule examples", "fail", "; ".join(faults[:5]))
    return Finding("rule examples", "ok", "every rule keeps its examples and counterexamples")


def _tried(check: str, probe: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding(check, "ok", probe())
    except UntwistError as error:
        yield Finding(check, "fail", str(error))


def _detector() -> str:
    detector = load_detector()
    heard = detector.detect(Utterance("I dropped one plate, so I am a complete failure."))
    if not heard.findings:
        raise UntwistError(f"{detector.name} heard nothing in the sample: reinstall untwist")
    return detector.name


def _screen() -> str:
    levels = [screen(text).level for text in ("I want to die", "我不想活了")]
    if any(level is not Risk.HIGH for level in levels):
        raise UntwistError("the screen missed a plain sample: do not use this installation")
    return "hears plain samples in both languages"


def _reply() -> str:
    turn = Engine.default().turn("I dropped one plate, so I am a complete failure.")
    return f"{turn.versions['responder']}, guard passed" if turn.verdict.passed else "guard failed"


def _help_lines() -> Finding:
    old = stale(datetime.now(UTC).date())
    if old:
        ids = ", ".join(r.id for r in old)
        return Finding("help lines", "fail", f"older than 180 days, update untwist: {ids}")
    known = [r for r in regions() if lines(r)]
    return Finding("help lines", "ok", f"{len(known)} regions: {', '.join(known)}")
