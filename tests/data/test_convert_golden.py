"""One small set of rows per language, and what every format makes of it, letter for letter."""

import json
from pathlib import Path

import pytest

from tests.tiny_corpora import write_lines
from untwist.data.convert import read, to_row, write

GOLDEN = Path(__file__).parent / "golden_convert"
CASES = [
    (lang, format, task)
    for lang in ("en", "zh")
    for format in ("jsonl", "alpaca", "sharegpt", "messages", "label-studio", "hf")
    for task in ("detect", "dialogue")
]


def golden(lang):
    return json.loads((GOLDEN / f"{lang}.json").read_text(encoding="utf-8"))


def content(file):
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if file.suffix == ".json" else text


def made(lang, format, task, out):
    """Everything that one format makes of the rows of one language."""
    source = write_lines(out / "rows.jsonl", golden(lang)["rows"])
    dialogues = read(source, "jsonl")
    written = write(dialogues, out / "out", format, name="set", licence="cc0-1.0", task=task)
    return {"left_out": written.left_out, "files": {f.name: content(f) for f in written.files}}


@pytest.mark.parametrize(("lang", "format", "task"), CASES)
def test_every_format_is_written_as_it_always_was(tmp_path, lang, format, task):
    assert made(lang, format, task, tmp_path) == golden(lang)[f"{format} {task}"]


@pytest.mark.parametrize(
    ("lang", "format", "task"), [case for case in CASES if case[1] != "label-studio"]
)
def test_what_was_written_gives_the_rows_back(tmp_path, lang, format, task):
    source = write_lines(tmp_path / "rows.jsonl", golden(lang)["rows"])
    out = tmp_path / "out"
    written = write(read(source, "jsonl"), out, format, name="set", licence="other", task=task)
    read_back = list(read(out if format == "hf" else written.files[0], format))
    assert len(read_back) == written.rows
    whole = [to_row(d) for d in read_back if "#" not in d.id]
    ids = {row["id"] for row in whole}
    assert whole == [row for row in golden(lang)["rows"] if row["id"] in ids]
    # what is not whole is a turn of the one dialogue of several messages
    assert {d.group for d in read_back if "#" in d.id} <= {f"golden:{lang[0]}4"}
