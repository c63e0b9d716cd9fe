"""Writes the practice sentences of the app's learning pages from the open corpus.

`python docs/practice.py` takes short, harmless training messages with one label each: for every
pattern some of its own, and some of others between them, in a fixed order.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from untwist.data import load_open
from untwist.taxonomy import CANONICAL, Distortion, Risk

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "src/untwist/serve/web/texts/practice.json"
OWN, OTHERS = 4, 2
LONGEST = {"en": 120, "zh": 45}


def short(lang: str) -> Iterator[tuple[str, Distortion]]:
    """Sentences with their one label."""
    for dialogue in load_open():
        said, labels = dialogue.utterances[0], dialogue.labels[0]
        if len(dialogue.utterances) > 1 or labels is None or dialogue.split == "test":
            continue
        harmless = labels.risk in (Risk.NONE, Risk.LOW) and not labels.acuity
        plain = len(said.text) <= LONGEST[lang] and "\n" not in said.text
        if said.lang == lang and harmless and plain and len(labels.distortions or ()) == 1:
            yield said.text, next(iter(labels.distortions or ()))


def chosen(lang: str) -> dict[str, list[list[str]]]:
    """For every pattern its sentences, as [text, label]."""
    by_label: dict[Distortion, list[str]] = {}
    for text, label in sorted(short(lang), key=lambda pair: _order(pair[0])):
        by_label.setdefault(label, []).append(text)
    found = {}
    for at, one in enumerate(CANONICAL):
        others = [CANONICAL[(at + step) % len(CANONICAL)] for step in (3, 7)][:OTHERS]
        pairs = [[text, one.value] for text in by_label[one][:OWN]]
        pairs += [[by_label[other][OWN + at % 5], other.value] for other in others]
        found[one.value] = sorted(pairs, key=lambda pair: _order(one.value + pair[0]))
    return found


def _order(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _converter() -> Callable[[str], str]:
    spec = importlib.util.spec_from_file_location("traditional", ROOT / "docs/traditional.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    convert: Callable[[str], str] = module.traditional
    return convert


def main() -> None:
    """Write the file."""
    convert = _converter()
    zh = chosen("zh")
    hant = {key: [[convert(text), label] for text, label in rows] for key, rows in zh.items()}
    found = {"en": chosen("en"), "zh": zh, "zh-Hant": hant}
    TARGET.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
