"""The texts are data: what an editor may do, and what they are told when it goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from tests.respond.build import chosen, heard
from untwist.errors import ArtifactError, DataError
from untwist.respond import ScriptedResponder, open_book
from untwist.taxonomy import Distortion


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scripts"
    shutil.copytree(Path(str(files("untwist").joinpath("respond", "scripts"))), place)
    return place


def edit(folder: Path, name: str, change: Callable[[dict], None]) -> None:
    path = folder / "en" / f"{name}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def test_a_variant_is_added_by_editing_data_only(folder):
    new = "A clinician wrote this sentence about labels."
    edit(folder, "distortions", lambda d: d["labeling"]["key_thought"].append(new))
    responder = ScriptedResponder(scripts=folder)
    replies = [
        responder.reply(chosen(Distortion.LABELING), heard(f"Message {n}", Distortion.LABELING), ())
        for n in "abcdefghijklmnopqrstuvwxyz"
    ]
    assert any(new in reply.text for reply in replies)


def test_a_conversation_step_is_added_by_editing_data_only(folder):
    new = {"part": "challenge", "texts": ["Who would tell this story differently?"]}
    edit(folder, "strategies", lambda d: d["reattribution"]["steps"].append(new))
    marks = [mark.text for mark in open_book("en", folder).marks]
    assert new["texts"][0] in marks


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("strategies", lambda d: d.pop("reattribution"), "reattribution"),
        ("strategies", lambda d: d["reattribution"].pop("challenge"), "challenge"),
        ("strategies", lambda d: d["reattribution"]["challenge"].pop(), "at least 4"),
        ("strategies", lambda d: d["reattribution"]["challenge"].append(" "), "not empty"),
        ("strategies", lambda d: d["reattribution"]["challenge"].append("Hi {name}"), "slot"),
        ("strategies", lambda d: d["reattribution"]["challenge"].append("Hi {"), "slot"),
        ("strategies", lambda d: d["reattribution"]["steps"][0].update(part="tea"), "tea"),
        ("distortions", lambda d: d["blaming"]["challenge"].update(tea=["a"]), "tea"),
        ("distortions", lambda d: d["blaming"].update(validation="x"), "list"),
        ("moods", lambda d: d.update(short_limit="8"), "short_limit"),
        ("crisis", lambda d: d["acuity"].pop("medical"), "medical"),
        ("crisis", lambda d: d.update(urgent=["tea"]), "tea"),
        ("conversation", lambda d: d["stay"].append(d["stay"][0]), "twice"),
    ],
)
def test_a_wrong_text_is_reported_with_its_place_in_one_line(folder, name, change, words):
    edit(folder, name, change)
    with pytest.raises(DataError) as error:
        ScriptedResponder(scripts=folder)
    message = str(error.value)
    assert f"en/{name}.json" in message
    assert words in message
    assert "\n" not in message


def test_an_absent_file_is_reported_in_one_line(folder):
    (folder / "en" / "tone.json").unlink()
    with pytest.raises(ArtifactError, match=r"tone\.json cannot be read"):
        ScriptedResponder(scripts=folder)


def test_a_broken_file_is_reported_in_one_line(folder):
    (folder / "zh" / "tone.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"tone\.json is not valid JSON"):
        ScriptedResponder(scripts=folder, locale="zh")
