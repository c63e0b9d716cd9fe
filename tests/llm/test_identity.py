"""Which models may share kept answers: the same model behind the same URL, and no other."""

from types import SimpleNamespace

import pytest

from untwist.errors import ModelError
from untwist.llm import (
    Answer,
    Cache,
    CachedModel,
    HttpModel,
    Request,
    ScriptedModel,
    key_of,
    local,
    open_model,
)

ASK = Request(({"role": "user", "content": "q"},))
HERE, THERE = "http://127.0.0.1:8000/v1", "http://127.0.0.1:8001/v1"


class OtherWay:
    """A transport that is not the own one."""


def key(model):
    return key_of(model.identity, ASK)


def test_one_name_behind_two_urls_is_two_models():
    assert key(HttpModel("m", HERE)) != key(HttpModel("m", THERE))
    assert key(HttpModel("m", HERE)) != key(HttpModel("m", HERE.replace("http", "https")))
    assert key(HttpModel("m", HERE)) != key(HttpModel("m", HERE, transport=OtherWay()))


def test_the_same_model_and_url_is_one_whatever_its_key_and_section():
    assert key(HttpModel("m", HERE, "one-key")) == key(HttpModel("m", HERE + "/", "another"))
    assert "one-key" not in HttpModel("m", HERE, "one-key").identity


def test_sections_that_name_one_model_on_two_servers_share_no_answer(tmp_path):
    file = tmp_path / "models.toml"
    urls = {"a": HERE, "b": THERE, "c": HERE}
    lines = [f'[models.{name}]\nurl = "{url}"\nmodel = "m"\n' for name, url in urls.items()]
    file.write_text("".join(lines), encoding="utf-8")
    a, b, c = (key(open_model(name, {}, file)) for name in "abc")
    assert a != b
    assert a == c


def test_scripts_of_one_file_name_share_no_answer(tmp_path):
    said = []
    with Cache(tmp_path / "cache") as cache:
        for word in ("first", "second", "second"):
            folder = tmp_path / word
            folder.mkdir(exist_ok=True)
            (folder / "x.jsonl").write_text(f'"{word}"\n', encoding="utf-8")
            model = CachedModel(open_model(f"scripted:{folder / 'x.jsonl'}"), cache)
            answer = model.complete(ASK)
            said.append((answer.text, answer.cached))
    assert said == [("first", False), ("second", False), ("second", True)]


@pytest.mark.parametrize("other", [Answer("one", "n"), ModelError("one"), "two"])
def test_whatever_a_script_holds_tells_it_from_others(other):
    assert ScriptedModel(["one"]).identity != ScriptedModel([other]).identity
    assert ScriptedModel([other]).identity == ScriptedModel([other]).identity


def test_folders_of_one_name_and_one_that_was_trained_anew_are_different_models(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(local, "import_module", lambda name: SimpleNamespace())

    def identity(folder):
        return local.LocalModel(str(folder), loaded=SimpleNamespace()).identity

    first, second = tmp_path / "1" / "m", tmp_path / "2" / "m"
    for folder in (first, second):
        folder.mkdir(parents=True)
    before = identity(first)
    assert before == identity(first) != identity(second)
    (first / "config.json").write_text("{}", encoding="utf-8")
    assert identity(first) != before
