"""The REST API in process: a whole conversation, streams, keys, limits and failures."""

import json

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from untwist.engine import Engine
from untwist.errors import StoreError
from untwist.serve.app import create_app
from untwist.serve.settings import Limits, ServeSettings
from untwist.serve.store import new_id

MESSAGE = {"text": "I failed one exam and it's the end of the world"}


@pytest.fixture(scope="module")
def engine():
    return Engine.default(conversation=True)


@pytest.fixture
def app(engine, store):
    return create_app(engine, ServeSettings(limits=Limits(heartbeat=0.5)), store)


@pytest.fixture
def client(app):
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def key(client):
    return client.post("/api/people", json={}).json()["key"]


@pytest.fixture
def asked(client, key):
    client.headers["authorization"] = f"Bearer {key}"
    return client


@pytest.fixture
def talk(asked):
    return asked.post("/api/sessions", json={"title": "one"}).json()["id"]


def events(text):
    found = []
    for block in text.strip().split("\n\n"):
        rows = dict(row.split(": ", 1) for row in block.split("\n") if not row.startswith(":"))
        if rows:
            found.append((rows["id"], rows["event"], json.loads(rows["data"])))
    return found


def test_a_message_gets_a_reply_and_both_are_kept(asked, talk):
    answer = asked.post(f"/api/sessions/{talk}/messages", json=MESSAGE)
    assert answer.status_code == 200
    said = answer.json()["turn"]["reply"]["text"]
    assert said
    kept = asked.get(f"/api/sessions/{talk}").json()
    assert kept["turns"] == 1
    assert kept["log"][0]["turn"]["reply"]["text"] == said
    assert kept["log"][0]["decision"]["level"] in ("none", "low", "medium", "high")


def test_a_stream_ends_with_done_and_its_pieces_are_the_reply(asked, talk):
    path, accept = f"/api/sessions/{talk}/messages", {"accept": "text/event-stream"}
    answer = asked.post(path, json=MESSAGE, headers=accept)
    assert answer.headers["x-accel-buffering"] == "no"
    found = events(answer.text)
    assert found[-1][1] == "done"
    text = "".join(data["text"] for _, kind, data in found if kind == "delta")
    assert text == found[-1][2]["reply"]["text"]


def test_a_stream_is_taken_up_after_any_event_byte_for_byte(asked, talk):
    path, accept = f"/api/sessions/{talk}/messages", {"accept": "text/event-stream"}
    whole = asked.post(path, json=MESSAGE, headers=accept).text
    blocks = [block + "\n\n" for block in whole.split("\n\n") if block]
    turn = events(whole)[0][0].split(".")[0]
    for n in range(len(blocks)):
        resumed = asked.get(f"/api/turns/{turn}/events", headers={"last-event-id": f"{turn}.{n}"})
        assert resumed.text == "".join(blocks[n + 1 :])
    assert asked.get(f"/api/turns/{turn}/events").text == whole


def test_the_same_key_sent_fifty_times_makes_one_turn(asked, talk):
    head = {"idempotency-key": "abc"}
    said = [
        asked.post(f"/api/sessions/{talk}/messages", json=MESSAGE, headers=head).json()["id"]
        for _ in range(50)
    ]
    assert len(set(said)) == 1
    assert asked.get(f"/api/sessions/{talk}").json()["turns"] == 1


def test_danger_gets_the_crisis_reply_and_is_counted(asked, talk, store):
    answer = asked.post(f"/api/sessions/{talk}/messages", json={"text": "I want to die tonight"})
    assert answer.json()["decision"]["level"] == "high"
    assert answer.json()["turn"]["choice"]["strategy"] == "crisis_intervention"
    assert sum(row[3] for row in store.referral_counts().result()) == 1
    assert [entry.kind for entry in store.trail().result()].count("safety") == 1


@pytest.mark.parametrize(("reason", "status"), [("busy", 503), ("full", 507), ("corrupt", 503)])
def test_a_store_that_fails_costs_nobody_the_crisis_reply(app, reason, status):
    class Broken:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def begin_turn(self, *_given, **_named):
            raise StoreError("it failed", reason)

    with TestClient(app) as client:
        key = client.post("/api/people", json={}).json()["key"]
        client.headers["authorization"] = f"Bearer {key}"
        talk = client.post("/api/sessions", json={}).json()["id"]
        turns = app.state.untwist.turns
        turns.store = Broken(turns.store)
        for text, part in (
            ("I want to die tonight", "end your life"),
            ("I bought two apples", "findahelpline"),
        ):
            answer = client.post(f"/api/sessions/{talk}/messages", json={"text": text})
            assert answer.status_code == status
            assert part in answer.json()["error"]["help"] or "helpline" in answer.text
        if status == 503:
            assert int(answer.headers["retry-after"]) > 0


def test_every_error_has_the_one_shape(client, asked, talk):
    absent = new_id()
    for answer, status in (
        (client.get("/nowhere"), 404),
        (client.put("/healthz"), 405),
        (client.get("/api/sessions", headers={"authorization": "Bearer ut-x"}), 401),
        (client.get(f"/api/sessions/{absent}"), 404),
        (client.get("/api/sessions/short"), 422),
        (client.post("/api/sessions", json={"odd": 1}), 422),
        (
            client.post(
                "/api/sessions", content=b"{", headers={"content-type": "application/json"}
            ),
            422,
        ),
        (client.post(f"/api/sessions/{talk}/messages", json={"text": ""}), 422),
        (client.post(f"/api/sessions/{talk}/messages", json={"text": "a" * 20_001}), 413),
        (client.post("/api/sessions", content=b"x" * 300_000), 413),
    ):
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"error"}
        assert {"code", "message"} <= set(answer.json()["error"])
        assert answer.headers["cache-control"] == "no-store"


def test_what_was_written_stands_in_no_error(asked, talk):
    answer = asked.post(f"/api/sessions/{talk}/messages", json={"text": {"canary": "canary"}})
    assert answer.status_code == 422
    assert "canary" not in answer.text.replace("body.text", "")


def test_what_is_anothers_is_not_there(client, asked, talk):
    other = client.post("/api/people", json={}).json()["key"]
    head = {"authorization": f"Bearer {other}"}
    turn = asked.post(f"/api/sessions/{talk}/messages", json=MESSAGE).json()["id"]
    for method, path in (
        ("GET", f"/api/sessions/{talk}"),
        ("DELETE", f"/api/sessions/{talk}"),
        ("GET", f"/api/turns/{turn}"),
        ("GET", f"/api/turns/{turn}/events"),
    ):
        assert client.request(method, path, headers=head).status_code == 404
    assert (
        client.post(f"/api/sessions/{talk}/messages", json=MESSAGE, headers=head).status_code == 404
    )


def test_a_cookie_from_another_site_changes_nothing(client, key):
    client.cookies.set("untwist", key)
    for head in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {}):
        assert client.post("/api/sessions", json={}, headers=head).status_code == 403


def test_every_answer_tells_the_browser_to_run_nothing_foreign(client):
    for path in ("/healthz", "/nowhere"):
        head = client.get(path).headers
        assert "default-src 'none'" in head["content-security-policy"]
        assert "unsafe" not in head["content-security-policy"]
        assert head["x-content-type-options"] == "nosniff"


def test_the_operator_sees_counts_without_a_text(asked, talk):
    asked.post(f"/api/sessions/{talk}/messages", json={"text": "canary canary"})
    page = asked.get("/metrics").text
    assert "untwist_turns_total" in page
    assert "canary" not in page


def test_a_server_is_ready_only_with_its_store(app, store):
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/healthz").status_code == 200


def test_a_reply_that_a_dead_process_left_is_made_at_the_next_start(engine, store, clock):
    person = store.new_person({}).result()[0].id
    talk = store.new_conversation(person, {}).result().id
    said = {"message": {"text": "nobody likes me", "lang": "en", "role": "user"}, "decision": {}}
    store.begin_turn(person, talk, said, {}, new_id(), 30).result()
    clock.now += 60
    app = create_app(engine, ServeSettings(), store)
    with TestClient(app) as client:
        for _ in range(5000):
            (turn,) = store.turns(person, talk).result()
            if turn.turn:
                break
            client.get("/healthz")
        assert turn.turn["reply"]["text"]


@pytest.mark.parametrize(
    "given",
    [
        {"host": "0.0.0.0"},
        {"public": True},
        {"public": True, "origin": "http://x.example"},
        {"port": 70_000},
        {"region": "XX"},
        {"locale": "fr"},
        {"retention_days": -1},
        {"minors": "maybe"},
    ],
)
def test_settings_that_would_do_harm_are_refused(given):
    from untwist.errors import ConfigError

    with pytest.raises(ConfigError):
        ServeSettings(**given)


def test_a_public_server_makes_people_for_its_operator_alone(engine, store):
    app = create_app(engine, ServeSettings(public=True, origin="https://x.example"), store)
    with TestClient(app) as client:
        assert client.post("/api/people", json={}).status_code == 401
        assert client.get("/metrics").status_code == 401
        _, secret = store.issue("operator", None, "me").result()
        head = {"authorization": f"Bearer {secret}"}
        assert client.post("/api/people", json={}, headers=head).status_code == 201
        assert client.get("/metrics", headers=head).status_code == 200
