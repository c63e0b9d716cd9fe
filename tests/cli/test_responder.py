"""untwist reply and chat with a language model that finds the words."""

import json
from dataclasses import replace

import pytest

from tests.fakes import FakeStream
from untwist.cli import chat
from untwist.engine import Engine
from untwist.respond import GeneratedResponder

GOOD = "You wrote that nobody spoke to you. What happened just before that?"
MESSAGE = "Nobody spoke to me at the party, they all hate me"


@pytest.fixture
def script(tmp_path):
    def written(*answers):
        file = tmp_path / "answers.jsonl"
        file.write_text("".join(json.dumps(a) + "\n" for a in answers), encoding="utf-8")
        return f"llm:scripted:{file}"

    return written


def test_reply_says_the_models_words(run, script):
    assert run("reply", "--responder", script(GOOD), MESSAGE).out.strip() == GOOD


def test_reply_tells_who_spoke_and_why(run, script):
    done = run("reply", "--json", "--responder", script("You must rest. What else?"), MESSAGE)
    row = json.loads(done.out)
    assert row["replaced"]
    assert "G10" in row["verdict"]["rules"]
    assert row["reply"]["responder"].startswith("scripted@")
    assert row["versions"]["responder"].startswith("llm:")


def test_a_responder_that_there_is_none_of_is_one_line(run):
    done = run("reply", "--responder", "gpt", MESSAGE)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "llm:NAME" in done.err


def test_a_model_that_nobody_configured_is_one_line(run, monkeypatch):
    monkeypatch.delenv("UNTWIST_LLM_URL", raising=False)
    done = run("chat", "--responder", "llm:big", stdin="/quit\n")
    assert done.code == 1
    assert "UNTWIST_LLM_URL" in done.err


def test_chat_says_where_words_go_and_why_says_whose_they_are(run, script):
    lines = f"{MESSAGE}\n/why\nThey left the room early\n/why\n/quit\n"
    done = run("chat", "--responder", script(GOOD, "You must rest."), stdin=lines)
    assert done.out.count("what you write goes to it") == 1
    assert done.out.count("你写的内容会发给它") == 1
    assert GOOD in done.out
    assert "words: llm:scripted-answers@1" in done.out
    assert "words: prepared, since the model's were held back (G10" in done.out


def test_a_scripted_chat_says_nothing_of_models(run):
    done = run("chat", stdin=f"{MESSAGE}\n/why\n/quit\n")
    assert "goes to it" not in done.out
    assert "words:" not in done.out


def test_on_a_terminal_sentences_are_shown_and_taken_back_where_they_must_be():
    good = "You wrote that nobody spoke to you all evening. What happened just before that?"
    broken = "They left the room, you wrote, and you stayed behind. I promise it ends. And then?"
    said, shown = [], []
    hall = replace(Engine.default(), responder=GeneratedResponder(FakeStream([good, broken])))
    talk = chat.Talk(hall, said.append, show=shown.append)
    talk.hear(MESSAGE)
    assert "".join(shown) == good
    assert said == [""]
    shown.clear()
    talk.hear("They left the room early")
    assert shown == ["They left the room, you wrote, and you stayed behind. "]
    assert "taken back" in said[1]
    assert said[2] == talk.turns[1].reply.text == talk.history[-1].text
