"""The guide to encoders says what the recipe reads."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from untwist.detect import EncoderConfig, presets
from untwist.recipes import train_encoder

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/guides/detectors.md", ROOT / "docs/zh/detectors.md"]


def _blocks(page, kind):
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_both_languages_show_the_same_code():
    english, chinese = ([_blocks(page, kind) for kind in ("sh", "toml", "text")] for page in PAGES)
    assert english == chinese
    assert all(english)


@pytest.mark.parametrize("page", PAGES, ids=["en", "zh"])
def test_every_preset_is_named_and_every_key_exists(page):
    text = page.read_text(encoding="utf-8")
    assert [name for name in presets() if f"`{name}`" not in text] == []
    listed = re.findall(r"^- `(\w+)", text, re.MULTILINE)
    assert set(listed) <= {f.name for f in fields(EncoderConfig)}
    assert len(listed) == 7


def test_the_run_that_is_shown_can_be_read(tmp_path):
    run, student = _blocks(PAGES[0], "toml")
    (tmp_path / "encoder.toml").write_text(run, encoding="utf-8")
    config = train_encoder.read(tmp_path / "encoder.toml")
    assert (config.encoder.heads, config.encoder.precision) == ("per_corpus", "bf16")
    whole = f'name = "student-v1"\nout = "out"\n{student}'
    (tmp_path / "student.toml").write_text(whole, encoding="utf-8")
    assert train_encoder.read(tmp_path / "student.toml").teacher == "runs/teacher/detector"
