"""Writes the Traditional Chinese texts from the Simplified ones.

`python docs/traditional.py` rewrites `scripts/zh-Hant` from `scripts/zh`, the "zh-Hant" fields of
the resource and word files, and the words of the pages; `tests/respond/test_traditional.py` fails
when one of them is out of date. It takes OpenCC (extra "dev"), with the words that are used in
Taiwan. What OpenCC gets wrong stands in
`traditional.json` under "fixed", as it has to be; "vocabulary" lists every word that is another one
in Traditional texts, and not just written with other characters, so that a new one is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

Texts = dict[str, Any]
_ZH = re.compile(r'(\s+)"zh": (\{"name"[^{}]*\})')
ROOT = Path(__file__).parents[1]
SCRIPTS = "src/untwist/respond/scripts"
RESOURCES = "src/untwist/safety/resources.json"
WORDS = "src/untwist/taxonomy/words.json"
PAGES = "src/untwist/serve/web/texts"
CONFIG = "s2twp"
QUOTES = str.maketrans("“”", "「」")


@cache
def exceptions() -> dict[str, dict[str, str]]:
    """The reviewed exceptions."""
    found: dict[str, dict[str, str]] = json.loads(
        (ROOT / "docs/traditional.json").read_text(encoding="utf-8")
    )
    return found


def traditional(text: str) -> str:
    """A Simplified text in Traditional characters."""
    fixed = exceptions()["fixed"]
    parts = re.split(f"({'|'.join(map(re.escape, fixed))})", text)
    return "".join(fixed.get(part) or _convert(part) for part in parts).translate(QUOTES)


def _convert(text: str) -> str:
    return _converter()(text)


@cache
def _converter() -> Callable[[str], str]:
    from opencc import OpenCC  # only here: the tests read the exceptions without it

    convert: Callable[[str], str] = OpenCC(CONFIG).convert
    return convert


def resources(text: str) -> str:
    """The resource file with every Traditional name beside the Simplified one."""
    data = json.loads(text)
    for entry in data["entries"]:
        entry["name"] = _beside(entry["name"])
        entry["hours"] = entry["hours"] and _beside(entry["hours"])
    data["regions"] = {code: _beside(entry) for code, entry in data["regions"].items()}
    data["block"] = _beside(data["block"])
    return json.dumps(data, ensure_ascii=False, indent=1)


def words(text: str) -> str:
    """The word file with every Traditional name behind the Simplified one."""
    plain = re.sub(r',\s*"zh-Hant": \{"name"[^{}]*\}', "", text)
    return _ZH.sub(lambda found: f'{found[0]},{found[1]}"zh-Hant": {traditional(found[2])}', plain)


def _beside(texts: Texts) -> Texts:
    """The same mapping with "zh-Hant" after "zh"."""
    out: Texts = {}
    for key, value in texts.items():
        if key == "zh-Hant":
            continue
        out[key] = value
        if key == "zh":
            out["zh-Hant"] = _converted(value)
    return out


def _converted(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _converted(inner) for key, inner in value.items()}
    return [_converted(one) for one in value] if isinstance(value, list) else traditional(value)


def fresh() -> dict[str, str]:
    """Every generated file, by its path from the root, as it should be."""
    simplified = ROOT / SCRIPTS / "zh"
    out = {
        f"{SCRIPTS}/zh-Hant/{page.relative_to(simplified).as_posix()}": traditional(
            page.read_text(encoding="utf-8")
        )
        for page in sorted(simplified.rglob("*.json"))
    }
    out[RESOURCES] = resources((ROOT / RESOURCES).read_text(encoding="utf-8"))
    out[WORDS] = words((ROOT / WORDS).read_text(encoding="utf-8"))
    out[f"{PAGES}/zh-Hant.json"] = traditional(
        (ROOT / PAGES / "zh.json").read_text(encoding="utf-8")
    )
    return out


def main() -> None:
    """Write them."""
    for path, text in fresh().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
