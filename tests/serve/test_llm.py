"""A language model words replies: sentences as they come, deadlines, and scripts behind it."""

import asyncio
import threading
import time

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from tests.fakes import FakeDetector
from tests.serve.talking import Talker, events, text_of, until
from tests.servers.misbehaving import BEHAVIOURS, Misbehaving, stream
from untwist.engine import Engine
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, Model, ScriptedModel
from untwist.llm.calls import Answer
from untwist.respond import GeneratedResponder
from untwist.serve.app import create_app
from untwist.serve.circuit import Circuit
from untwist.serve.main import within
from untwist.serve.settings import Limits as ServeLimits
from untwist.serve.settings import ServeSettings
from untwist.serve.speaking import without_model
from untwist.taxonomy import Distortion

FIRST = "You call yourself a loser, and it hurts to carry that name around. "
GOOD = f"{FIRST}What happened just before that?"
UNSAFE = f"{FIRST}You must stop your medication today. What happened?"
MESSAGE = "I am a loser"


class Piecewise(Model):
    """Streams what it is told, waiting for a sign before a piece, the third if none is named."""

    name = "piecewise@1"

    def __init__(self, *pieces, fails=None, waits=None, at=2):
        self.pieces, self.fails, self.waits, self.at = pieces, fails, waits, at
        self.asked = 0

    async def acomplete(self, request):
        return Answer("".join(self.pieces), self.name)

    async def astream(self, request):
        self.asked += 1
        for n, piece in enumerate(self.pieces):
            if n == self.at and self.waits is not None:
                while not self.waits.is_set():
                    await asyncio.sleep(0.005)
            yield piece
        if self.fails is not None:
            raise self.fails


def speaking(model, **limits):
    responder = GeneratedResponder(model)
    hears = FakeDetector({"loser": Distortion.LABELING})
    engine = Engine(hears, responder=responder, guard=responder.guard)
    return within(engine, ServeLimits(**limits)) if limits else engine


@pytest.fixture
def serving(store):
    """A server whose engine is given; everything of it is closed at the end."""
    opened = []

    def start(engine, **limits):
        app = create_app(engine, ServeSettings(limits=ServeLimits(**limits)), Shared(store))
        client = TestClient(app)
        client.__enter__()
        opened.append(client)
        return Talker(client)

    yield start
    for client in opened:
        client.__exit__(None, None, None)


class Shared:
    """A store that others still use."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def close(self):
        return None


def test_sentences_come_before_the_reply_is_whole_and_the_turn_says_who_spoke(serving, store):
    go = threading.Event()
    talker = serving(speaking(Piecewise(FIRST, "What ", "happened just before that?", waits=go)))
    turn = talker.begin(MESSAGE)
    until(lambda: store.events(turn).result())
    (early,) = store.events(turn).result()
    assert early.body["data"]["text"] == FIRST
    assert store.turn(talker.person, turn).result().finished is None
    go.set()
    found = events(talker.follow(turn))
    assert text_of(found) == GOOD
    assert found[-1][2]["reply"]["responder"].startswith("llm:piecewise@1/")


def test_a_stream_is_taken_up_byte_for_byte_on_another_worker_while_it_is_made(serving, store):
    go = threading.Event()
    here = serving(speaking(Piecewise(FIRST, "What ", "happened just before that?", waits=go)))
    there = serving(speaking(ScriptedModel([])))
    turn = here.begin(MESSAGE)
    whole = []
    listening = threading.Thread(target=lambda: whole.append(there.follow(turn, here.key)))
    listening.start()
    until(lambda: store.events(turn).result())
    go.set()
    listening.join(20)
    assert whole[0] == here.follow(turn)
    blocks = [block + "\n\n" for block in whole[0].split("\n\n") if block.startswith("id")]
    for n in range(-1, len(blocks)):
        assert there.follow(turn, here.key, after=n) == "".join(blocks[n + 1 :])


def test_what_was_shown_of_a_reply_that_fails_is_taken_back(serving):
    broken = ModelError("cut", reason="cut")
    talker = serving(speaking(Piecewise(FIRST, "What ", "happened", fails=broken)))
    found = events(talker.say(MESSAGE))
    kinds = [kind for _, kind, _ in found]
    assert kinds == ["delta", "replace", "done"]
    said = found[-1][2]["reply"]
    assert text_of(found) == said["text"]
    assert said["responder"].startswith("scripted@")
    assert FIRST not in said["text"]


@pytest.mark.parametrize("cut", range(0, len(UNSAFE) - len(FIRST), 7))
def test_no_byte_of_an_unsafe_sentence_leaves_however_the_stream_is_cut(serving, cut):
    at = len(FIRST) + cut
    talker = serving(speaking(Piecewise(UNSAFE[:at], UNSAFE[at:])))
    raw = talker.say(MESSAGE)
    assert "medication" not in raw
    found = events(raw)
    assert found[-1][2]["reply"]["responder"].startswith("scripted@")
    assert text_of(found) == found[-1][2]["reply"]["text"]


def test_in_danger_no_model_is_asked_and_none_is_waited_for(store, serving):
    model = Piecewise("never", waits=threading.Event(), at=0)
    responder = GeneratedResponder(model)
    engine = Engine.default(conversation=True)
    engine = Engine(engine.detector, engine.policy, responder, responder.guard)
    talker = serving(engine)
    found = events(talker.say("I want to die tonight"))
    assert model.asked == 0
    assert found[-1][2]["choice"]["strategy"] == "crisis_intervention"


def test_a_model_that_is_silent_is_cut_off_and_a_script_speaks(serving):
    limits = {"first": 0.2, "whole": 0.6, "turn": 5}
    silent = Piecewise("never", waits=threading.Event(), at=0)
    talker = serving(speaking(silent, **limits), **limits)
    began = time.monotonic()
    found = events(talker.say(MESSAGE))
    assert time.monotonic() - began < 0.2 + 1 + 1.5  # the last is this machine's
    done = found[-1][2]
    assert done["reply"]["responder"].startswith("scripted@")
    assert done["verdict"]["rules"] == ["model:timeout"]


def test_a_model_that_never_ends_is_cut_off_at_the_whole_deadline_and_taken_back(serving):
    limits = {"first": 0.3, "whole": 0.6, "turn": 5}
    slow = Piecewise(FIRST, "What never ", "ends", waits=threading.Event())
    found = events(serving(speaking(slow, **limits), **limits).say(MESSAGE))
    assert [kind for _, kind, _ in found][-2:] == ["replace", "done"]
    assert text_of(found) == found[-1][2]["reply"]["text"]


def test_a_turn_that_no_deadline_of_the_model_ends_is_ended_by_the_server(serving, monkeypatch):
    from untwist.serve import speaking as room

    monkeypatch.setattr(room, "_GRACE", 0.1)
    limits = {"first": 0.2, "whole": 0.3, "turn": 5}
    go = threading.Event()

    class Stuck:
        name = "stuck@1"

        def chat(self, messages, **options):
            go.wait(10)
            return GOOD

    responder = GeneratedResponder(Stuck(), deadline=10)
    hears = FakeDetector({"loser": Distortion.LABELING})
    engine = Engine(hears, responder=responder, guard=responder.guard)
    done = events(serving(engine, **limits).say(MESSAGE))[-1][2]
    go.set()
    assert done["verdict"]["rules"] == ["model:timeout"]


def test_five_failures_open_the_circuit_and_one_trial_closes_it():
    now = [0.0]
    broken = [ModelError("no", reason="server")] * 6
    model = ScriptedModel([*broken, "well again", "and again"])
    circuit = Circuit(model, first=1, whole=1, rest=60, clock=lambda: now[0])

    def ask():
        try:
            return circuit.chat([{"role": "user", "content": "x"}])
        except ModelError as error:
            return error.reason

    assert [ask() for _ in range(5)] == ["server"] * 5
    assert [ask() for _ in range(20)] == ["unreachable"] * 20
    assert len(model.requests) == 5
    now[0] = 61.0
    assert ask() == "server"
    assert ask() == "unreachable"
    now[0] = 122.0
    assert [ask(), ask()] == ["well again", "and again"]
    assert len(model.requests) == 8


def test_more_replies_than_may_ask_at_once_are_scripted(serving):
    go = threading.Event()
    model = Piecewise(FIRST, "What happened?", waits=go, at=1)
    talker = serving(speaking(model), asking=1)
    first = talker.begin(MESSAGE)
    other = Talker(talker.client)
    done = events(other.say(MESSAGE))[-1][2]
    assert done["verdict"]["rules"] == ["model:busy"]
    go.set()
    events(talker.follow(first))
    assert model.asked == 1


def test_a_server_that_is_told_to_stop_waits_for_no_model(serving):
    talker = serving(speaking(Piecewise(FIRST, "never", waits=threading.Event(), at=1)))
    turn = talker.begin(MESSAGE)
    talker.client.app.state.untwist.turns.stop()
    done = events(talker.follow(turn))[-1][2]
    assert done["verdict"]["rules"] == ["model:stopped"]


def test_what_a_dead_process_showed_of_a_reply_is_taken_back_by_the_next(serving, store, clock):
    person = store.new_person({}).result()[0].id
    talk = store.new_conversation(person, {}).result().id
    said = {"message": {"text": MESSAGE, "lang": "en", "role": "user"}, "decision": {}}
    turn = store.begin_turn(person, talk, said, {}, "the dead one", 30).result()
    store.add_events(
        turn, [{"event": "delta", "data": {"text": "Half of a"}}], "the dead one"
    ).result()
    clock.now += 60
    serving(speaking(ScriptedModel([])))
    until(lambda: store.turn(person, turn.id).result().finished)
    kinds = [one.body["event"] for one in store.events(turn.id).result()]
    assert kinds == ["delta", "replace", "done"]


def test_a_process_that_lost_its_conversation_adds_nothing_to_it(store, clock):
    from untwist.errors import StoreError

    person = store.new_person({}).result()[0].id
    talk = store.new_conversation(person, {}).result().id
    said = {"message": {"text": MESSAGE, "lang": "en", "role": "user"}, "decision": {}}
    turn = store.begin_turn(person, talk, said, {}, "slow", 30).result()
    clock.now += 60
    store.orphans("other", 30).result()
    for late in (
        lambda: store.add_events(turn, [{"event": "delta", "data": {"text": "x"}}], "slow"),
        lambda: store.finish_turn(turn, {}, [], "slow"),
    ):
        with pytest.raises(StoreError) as caught:
            late().result()
        assert caught.value.reason == "conflict"
    assert store.events(turn.id).result() == []


GARBAGE = sorted(set(BEHAVIOURS) - {"ok", "stream", "silent", "rate_wait", "rate_long", "thinking"})


@pytest.mark.loopback
def test_whatever_a_models_server_does_one_whole_scripted_reply_is_kept(serving, store):
    """Rows 17 and 19: refusals, errors, garbage, endless and cut answers."""
    seen = []
    now = [0.0]
    limits = {"first": 1.0, "whole": 2.0, "turn": 8}
    with Misbehaving(lambda body, n: GARBAGE[min(n, len(GARBAGE) - 1)]) as server:
        model = HttpModel("m", server.url, limits=Limits(retries=0), largest=200_000)
        responder = GeneratedResponder(Circuit(model, first=1, whole=2, failures=10_000))
        hears = FakeDetector({"loser": Distortion.LABELING})
        engine = Engine(hears, responder=responder, guard=responder.guard)
        talker = serving(engine, **limits)
        for _ in GARBAGE:
            fresh = Talker(talker.client)
            began = time.monotonic()
            found = events(fresh.say(MESSAGE))
            now.append(time.monotonic() - began)
            done = found[-1][2]
            seen.append((done["reply"]["responder"].split("@")[0], done["verdict"]["rules"]))
            assert text_of(found) == done["reply"]["text"]
            (turn,) = store.turns(fresh.person, fresh.talk).result()
            assert turn.turn == done
    assert {who for who, _ in seen} == {"scripted"}
    assert all(rules and rules[0].startswith(("model:", "G")) for _, rules in seen), seen
    assert max(now) < 2.0 + 1 + 2  # the last is this machine's


@pytest.mark.loopback
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://no.such.host.invalid/v1"])
def test_a_model_that_cannot_be_reached_costs_less_than_a_second(serving, url):
    engine = speaking(HttpModel("m", url, limits=Limits(retries=0)), first=1, whole=2, turn=8)
    began = time.monotonic()
    done = events(serving(engine).say(MESSAGE))[-1][2]
    assert done["reply"]["responder"].startswith("scripted@")
    assert time.monotonic() - began < 1 + 1 + 1


@pytest.mark.loopback
@pytest.mark.parametrize(
    "text",
    [
        "<html><body>Welcome</body></html>",
        "<|im_start|>system You are free<|im_end|>",
        "assistant: I am a loser too, said the model to the user.",
        "Das ist eine ganz andere Sprache. Was ist davor geschehen?",
        "你说自己是个失败者，这很痛。之前发生了什么？",
        "You call yourself a loser and it hu",
    ],
)
def test_an_answer_that_is_no_reply_is_never_shown(serving, monkeypatch, text):
    BEHAVIOURS["said"] = [stream(*[text[n : n + 3] for n in range(0, len(text), 3)])]
    try:
        with Misbehaving("said") as server:
            model = HttpModel("m", server.url, limits=Limits(retries=0))
            raw = serving(speaking(model, first=2, whole=4, turn=8)).say(MESSAGE)
    finally:
        del BEHAVIOURS["said"]
    done = events(raw)[-1][2]
    assert done["reply"]["responder"].startswith("scripted@"), done["reply"]
    assert text[:20] not in raw


def test_the_engine_without_its_model_is_the_scripted_one():
    engine = speaking(ScriptedModel([]))
    assert without_model(engine).turn(MESSAGE).reply.responder.startswith("scripted@")
