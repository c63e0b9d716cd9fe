"""Whatever is broken, danger gets the crisis reply and everybody else is told where help is."""

import itertools
import socket
import sqlite3
import time

import pytest

pytest.importorskip("fastapi")
from dataclasses import replace

from fastapi.testclient import TestClient

from tests.serve.talking import Talker
from untwist.engine import Engine
from untwist.errors import ArtifactError, ModelError, StoreError
from untwist.llm import Cache, CachedModel, ScriptedModel
from untwist.respond import GeneratedResponder, ScriptedResponder
from untwist.safety import help_block
from untwist.serve import floor, speaking, told, turns
from untwist.serve.app import create_app
from untwist.serve.settings import Limits, ServeSettings
from untwist.serve.store import open_store

DANGER = "I want to die tonight. I have decided."
DAILY = "I bought two apples"
PATHS = ("api", "begin", "talk", "v1")


@pytest.fixture(scope="module")
def hall():
    return Engine.default(conversation=True, region="GB")


@pytest.fixture
def served(tmp_path, hall):
    def start(engine=hall, **limits):
        store = open_store(f"sqlite:///{tmp_path}/floor.db")
        settings = ServeSettings(region="GB", limits=Limits(**limits))
        return TestClient(create_app(engine, settings, store), raise_server_exceptions=False)

    return start


def send(talker, path, text):
    """The same words by every way in which they can come."""
    client, head = talker.client, talker.head()
    if path == "v1":
        body = {"messages": [{"role": "user", "content": text}]}
        return client.post("/v1/chat/completions", json=body, headers=head)
    if path == "begin":
        return client.post("/begin", data={"text": text}, headers={"accept": "text/html"})
    if path == "talk":
        head["accept"] = "text/html"
        return client.post(f"/talk/{talker.talk}", data={"text": text}, headers=head)
    return talker.post(text)


def is_crisis(words):
    """The crisis reply of the place, and not only the block of its lines."""
    return "116 123" in words and "999" in words and "AI program" in words


class Broken:
    """A store of which calls fail from the moment that it is told to."""

    def __init__(self, store, *names, reason="busy"):
        self._store, self.names, self.reason = store, names, reason

    def __getattr__(self, name):
        if name in self.names or (self.names == ("*",) and name not in ("close", "clock")):
            return self._fail
        return getattr(self._store, name)

    def _fail(self, *_given, **_named):
        raise StoreError("it failed", self.reason)


class BrokenDetector:
    """A model file that is gone."""

    name = "broken@1"

    def detect(self, *_):
        raise ArtifactError("the model is gone")


def broken_socket(*_given, **_named):
    raise OSError("no network")


def _answers(client, parts):
    """The words for danger and for a daily message, with these parts broken."""
    with client:
        talkers = Talker(client), Talker(client)
        state = client.app.state.untwist
        if "database" in parts:
            object.__setattr__(state, "store", Broken(state.store, "*"))
            state.turns.store = state.store
        found = []
        for talker, text in zip(talkers, (DANGER, DAILY), strict=True):
            began = time.perf_counter()
            answer = talker.post(text)
            found.append((answer, time.perf_counter() - began))
        return found


COMBINATIONS = [
    parts
    for size in range(6)
    for parts in itertools.combinations(("llm", "model", "network", "database", "cache"), size)
]


@pytest.mark.parametrize("parts", COMBINATIONS, ids=lambda parts: "+".join(parts) or "nothing")
def test_the_level_and_the_lines_are_right_whatever_is_dead(
    served, hall, tmp_path, monkeypatch, parts
):
    """Row 21: every combination of a dead language model, model file, network, database, cache."""
    dead = ModelError("dead", reason="unreachable")
    good = "You bought two apples, and that is a start. What happened then?"
    model = ScriptedModel([dead] * 9 if "llm" in parts else [good] * 9)
    kept = Cache(tmp_path / "cache.db")
    if "cache" in parts:
        kept.close()
    responder = GeneratedResponder(
        CachedModel(model, kept), ScriptedResponder(True, "GB"), hall.guard
    )
    detector = BrokenDetector() if "model" in parts else hall.detector
    client = served(replace(hall, detector=detector, responder=responder))
    if "network" in parts:
        monkeypatch.setattr(socket, "create_connection", broken_socket)
        monkeypatch.setattr(socket, "getaddrinfo", broken_socket)
    (danger, seconds), (daily, _) = _answers(client, parts)
    if {"model", "database"} & set(parts):
        assert danger.status_code == daily.status_code == 503
        assert is_crisis(danger.json()["error"]["help"])
        assert daily.json()["error"]["help"] == help_block("en", "GB")
    else:
        assert danger.json()["decision"]["level"] == "high"
        assert is_crisis(danger.json()["turn"]["reply"]["text"])
        assert daily.json()["decision"]["level"] == "none"
        assert daily.json()["turn"]["reply"]["text"]
    assert seconds < 2
    kept.close()


def test_in_danger_somebody_is_answered_from_memory_in_a_twentieth_of_a_second(hall):
    from untwist.schema import Utterance

    speaks = floor.Floor(replace(hall, detector=BrokenDetector()), "GB")
    speaks.said(Utterance(DANGER, "en"))
    took = []
    for _ in range(40):
        began = time.process_time()
        assert is_crisis(speaks.said(Utterance(DANGER, "en")))
        took.append(time.process_time() - began)
    assert sorted(took)[38] < 0.05


STEPS = (
    (turns.Turns, "_known"),
    (turns.Turns, "_begun"),
    (turns.Turns, "post"),
    (turns.Turns, "_answered"),
    (turns.Turns, "finished"),
    (turns.Turns, "stateless"),
    (turns, "said_before"),
    (turns, "decision_of"),
    (turns, "facts_of"),
    (told, "language"),
    (speaking.Speaker, "hear"),
    (speaking.Speaker, "answer"),
    (Engine, "hear"),
    (Engine, "answer"),
    (Engine, "_choose"),
    (Engine, "_said"),
    (Engine, "_made"),
    (floor.Floor, "heard"),
    (floor, "screen"),
    (floor, "region_of"),
    (floor, "help_block"),
)


@pytest.mark.parametrize("error", [RuntimeError, OSError])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
def test_an_error_at_any_step_shows_where_help_is_and_is_never_taken_for_no_danger(
    served, monkeypatch, step, error
):
    """Row 22: each step of a turn raises, with every way of writing to it."""
    client = served(turn=0.8, whole=0.5)

    def fails(*_given, **_named):
        raise error("the canary")

    with client:
        talker = Talker(client)
        monkeypatch.setattr(*step, fails)
        answers = [send(talker, path, DANGER) for path in PATHS]
        monkeypatch.undo()
    for path, answer in zip(PATHS, answers, strict=True):
        said = answer.text
        assert "116 123" in said, (path, answer.status_code, said[:300])
        assert "canary" not in said
        if answer.status_code == 200 and path == "api":
            assert answer.json()["decision"]["level"] == "high"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("calls", "status"),
    [(("*",), 503), (("token",), 503), (("turns", "turn_by_key", "new_conversation"), 503)],
)
def test_a_store_that_cannot_even_say_who_asks_costs_nobody_the_crisis_reply(
    served, path, calls, status
):
    with served() as client:
        talker = Talker(client)
        # a cookie is looked up as a key is
        client.cookies.set("untwist", talker.key)
        state = client.app.state.untwist
        object.__setattr__(state, "store", Broken(state.store, *calls))
        state.turns.store = state.store
        answer = send(talker, path, DANGER)
    if answer.status_code != 200:
        assert answer.status_code in (status, 403), answer.text
    assert "116 123" in answer.text


def test_a_locked_database_is_waited_for_and_then_danger_is_answered_from_memory(served, tmp_path):
    """Row 6, with a shorter patience; the lock is another process's as far as SQLite can tell."""
    with served() as client:
        talker = Talker(client)
        client.app.state.untwist.store.database._patience = 0.3
        with sqlite3.connect(tmp_path / "floor.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            answer = talker.post(DANGER)
            assert time.monotonic() - began < 6
            other.execute("ROLLBACK")
        other.close()
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert is_crisis(answer.json()["error"]["help"])
        assert client.app.state.untwist.turns._tasks == set()
        assert talker.post(DANGER).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "a" * 19_000,
        "e" + "\u0301" * 15_000,
        "\u202e\u2066" * 4000 + "x",
        "x\x00y",
        "half \ud83d of it",
        "你" * 19_000,
        "\n" * 10_000 + "x",
        "<script>" * 2000,
    ],
    ids=["long", "marks", "bidi", "nul", "surrogate", "han", "lines", "tags"],
)
def test_odd_text_is_heard_to_its_very_end(served, text):
    """Row 24: danger at the end of the longest text that is taken."""
    with served() as client:
        talker = Talker(client)
        plain = talker.post(text)
        assert plain.status_code == 200, plain.text
        danger = Talker(client).post(text + "\n\n" + DANGER)
        assert danger.json()["decision"]["level"] == "high", danger.text[:300]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"text":' * 10_000 + b"1" + b"}" * 10_000,
        b"{" + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}",
        b'{"text": "\xff\xfe"}',
        b'{"text": "' + b"a" * 100_001 + b'"}',
        b'{"text": NaN}',
        b"\x1f\x8b\x08\x00zip",
        b"",
    ],
    ids=["deep", "deeper", "keys", "encoding", "longest", "nan", "zip", "nothing"],
)
def test_a_body_that_is_no_message_is_refused_with_help_and_quickly(served, body):
    with served() as client:
        talker = Talker(client)
        head = talker.head(content_type="application/json")
        began = time.process_time()
        answer = client.post(f"/api/sessions/{talker.talk}/messages", content=body, headers=head)
        assert time.process_time() - began < 1
        assert 400 <= answer.status_code < 500
        assert "116 123" in answer.json()["error"]["help"]


def test_one_key_for_two_messages_is_refused_and_danger_in_the_second_is_answered(served):
    with served() as client:
        talker = Talker(client)
        assert talker.post(DAILY, idempotency_key="k").status_code == 200
        other = talker.post(DANGER, idempotency_key="k")
        assert other.status_code == 409
        assert is_crisis(other.json()["error"]["help"])


def test_a_damaged_turn_that_was_left_keeps_no_other_from_its_reply(hall, tmp_path):
    now = [1_800_000_000.0]
    store = open_store(f"sqlite:///{tmp_path}/left.db", clock=lambda: now[0])
    person = store.new_person({}).result()[0].id
    for said in ({"message": 5}, {"message": {"text": DAILY, "lang": "en", "role": "user"}}):
        talk = store.new_conversation(person, {}).result().id
        store.begin_turn(person, talk, {**said, "decision": {}}, {}, "dead", 30).result()
    now[0] += 60
    with TestClient(create_app(hall, ServeSettings(), store)) as client:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            (turn,) = store.turns(person, talk).result()
            if turn.finished:
                break
            client.get("/healthz")
        assert turn.turn["reply"]["text"]
