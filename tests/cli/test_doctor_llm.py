"""untwist doctor --llm: whether an endpoint can do what it will be asked."""

import json

import pytest
from click.testing import CliRunner

from tests.servers.misbehaving import Misbehaving
from untwist.cli.main import cli

pytestmark = pytest.mark.loopback


def doctor(monkeypatch, server, *more):
    monkeypatch.setenv("UNTWIST_LLM_URL", server.url)
    monkeypatch.setenv("UNTWIST_LLM_KEY", "a-key")
    done = CliRunner().invoke(cli, ["doctor", "--json", "--llm", *more])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done, {row["check"]: row for row in rows}


def says(body, n):
    """JSON where a schema is asked for in words, a stream where one is wanted."""
    if "stream" in body:
        return None
    return '{"word": "tree", "number": 7}' if "JSON" in body["messages"][0]["content"] else "Hello."


def test_a_good_endpoint_passes_every_check(monkeypatch):
    with Misbehaving("stream", says=lambda b, n: says(b, n) if b else None) as server:
        done, rows = doctor(monkeypatch, server, "served-model")
    assert done.exit_code == 0, done.output
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert list(rows) == ["model", "models", "answer", "schema by field", "streaming", "schema"]
    assert "7 + 3 tokens" in rows["answer"]["message"]


def test_an_endpoint_that_cannot_keep_a_schema_fails_by_that(monkeypatch):
    monkeypatch.setenv("UNTWIST_LLM_MODEL", "served-model")
    with Misbehaving("ok") as server:
        done, rows = doctor(monkeypatch, server)
    assert done.exit_code == 1
    assert rows["answer"]["state"] == "ok"
    assert rows["schema by field"]["state"] == "note"
    assert rows["schema"]["state"] == "fail"
    assert "[not_json]" in rows["schema"]["message"]


def test_a_key_that_is_wrong_is_the_last_check(monkeypatch):
    with Misbehaving("key") as server:
        done, rows = doctor(monkeypatch, server, "absent")
    assert done.exit_code == 1
    assert list(rows) == ["model", "models", "answer"]
    assert "is the key right?" in rows["answer"]["message"]
    assert "not among the 2" in rows["models"]["message"]
    assert "a-key" not in done.output


def test_without_settings_one_line_says_what_to_set(monkeypatch):
    monkeypatch.delenv("UNTWIST_LLM_MODEL", raising=False)
    done = CliRunner().invoke(cli, ["doctor", "--llm"])
    assert done.exit_code == 1
    assert done.stderr == "Error: no model is named: set UNTWIST_LLM_MODEL, or name one\n"
