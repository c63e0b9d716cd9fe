"""Worksheets, opinions, shares and trends over the REST API."""

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from untwist.engine import Engine
from untwist.serve.app import create_app
from untwist.serve.settings import ServeSettings
from untwist.serve.store import open_store


@pytest.fixture
def store(tmp_path):
    return open_store(f"sqlite:///{tmp_path}/u.db")


@pytest.fixture
def client(store):
    app = create_app(Engine.default(conversation=True), ServeSettings(), store)
    with TestClient(app) as opened:
        key = opened.post("/api/people", json={}).json()["key"]
        opened.headers["authorization"] = f"Bearer {key}"
        yield opened


@pytest.fixture
def talk(client):
    name = client.post("/api/sessions", json={}).json()["id"]
    for text in ("I failed one exam, so I'm a total failure", "It was yesterday, at school"):
        assert client.post(f"/api/sessions/{name}/messages", json={"text": text}).is_success
    return name


SHEET = {"worksheet": "thought_record", "situation": "a canary", "belief_before": 80}


def test_a_conversation_fills_a_worksheet_and_what_was_changed_by_hand_stays(client, talk):
    made = client.post(f"/api/sessions/{talk}/worksheet").json()
    assert made["sheet"]["automatic_thought"]
    own = {**made["sheet"], "automatic_thought": "my own words"}
    path = f"/api/worksheets/{made['id']}"
    assert client.put(path, json={"sheet": own}, headers={"if-match": '"1"'}).status_code == 200
    client.post(f"/api/sessions/{talk}/messages", json={"text": "eighty"})
    again = client.post(f"/api/sessions/{talk}/worksheet").json()
    assert again["id"] == made["id"]
    assert again["sheet"]["automatic_thought"] == "my own words"
    log = client.get(f"{path}/history").json()
    assert [one["version"] for one in log] == list(range(1, len(log) + 1))


def test_danger_in_a_worksheet_is_heard_and_help_comes_with_the_answer(client, store):
    calm = client.post("/api/worksheets", json={"sheet": SHEET}).json()
    assert calm["help"] is None
    dark = {**SHEET, "automatic_thought": "I want to die"}
    made = client.post("/api/worksheets", json={"sheet": dark}).json()
    assert "findahelpline" in made["help"]
    path = f"/api/worksheets/{calm['id']}"
    assert "findahelpline" in client.put(path, json={"sheet": dark}).json()["help"]
    assert made["sheet"]["automatic_thought"] == "I want to die"
    assert [one.kind for one in store.trail().result()] == ["safety", "safety"]


def test_two_editors_notice_each_other(client):
    made = client.post("/api/worksheets", json={"sheet": SHEET}).json()
    path, head = f"/api/worksheets/{made['id']}", {"if-match": '"1"'}
    assert client.put(path, json={"sheet": SHEET}, headers=head).status_code == 200
    assert client.put(path, json={"sheet": SHEET}, headers=head).status_code == 409


@pytest.mark.parametrize(
    "sheet",
    [{}, {"worksheet": "odd"}, {**SHEET, "odd": 1}, {**SHEET, "belief_before": 101}],
)
def test_what_is_no_worksheet_is_refused(client, sheet):
    assert client.post("/api/worksheets", json={"sheet": sheet}).status_code == 422


def test_files_of_a_worksheet_hold_what_was_written_and_no_formula(client):
    sheet = {**SHEET, "small_step": "=HYPERLINK(1)"}
    made = client.post("/api/worksheets", json={"sheet": sheet}).json()
    path = f"/api/worksheets/{made['id']}/file"
    assert "a canary" in client.get(path).text
    table = client.get(path, params={"form": "csv"}).text
    assert "'=HYPERLINK" in table
    assert "a canary" in client.get("/api/worksheets.csv").text


def test_the_person_decides_on_labels_and_trends_follow(client, talk):
    turn = client.get(f"/api/sessions/{talk}").json()["log"][0]
    heard = turn["turn"]["assessment"]["findings"][0]["distortion"]
    assert client.get("/api/trends").json()["distortions"][heard] >= 1
    path = f"/api/turns/{turn['id']}/opinion"
    assert client.put(path, json={"distortion": heard, "opinion": "reject"}).status_code == 200
    assert heard not in client.get("/api/trends").json()["distortions"]
    assert client.put(path, json={"distortion": heard, "opinion": "blaming"}).status_code == 200
    assert client.get("/api/trends").json()["distortions"]["blaming"] == 1
    absent = {"distortion": "mental_filter", "opinion": "reject"}
    assert client.put(path, json=absent).status_code == 422


def test_a_rating_is_kept_once_for_each_turn(client, talk):
    turn = client.get(f"/api/sessions/{talk}").json()["log"][0]["id"]
    for helpful in (1, -1):
        assert client.post("/api/ratings", json={"turn": turn, "helpful": helpful}).is_success
    kept = client.get("/api/export").json()["records"]
    assert [one["body"]["helpful"] for one in kept if one["kind"] == "rating"] == [-1]


def test_a_clinician_sees_what_is_shared_until_it_is_withdrawn(client, talk, store):
    made = client.post("/api/worksheets", json={"sheet": {**SHEET, "belief_after": 30}}).json()
    share = client.post("/api/shares", json={"kinds": ["worksheets"], "label": "me"}).json()
    own = client.headers.pop("authorization")
    taken = client.post("/api/clinician/accept", json={"invitation": share["invitation"]}).json()
    again = client.post("/api/clinician/accept", json={"invitation": share["invitation"]})
    assert again.status_code == 404
    head = {"authorization": f"Bearer {taken['key']}"}
    base = f"/api/clinician/people/{taken['share']}"
    rows = client.get(f"{base}/records", headers=head).json()
    assert made["id"] in [one["id"] for one in rows]
    assert client.get(f"{base}/records/{made['id']}/history", headers=head).status_code == 200
    assert client.get(f"{base}/summary", headers=head).json()["belief_change"] == [-50]
    assert client.get(f"{base}/sessions", headers=head).status_code == 403
    assert client.get("/api/worksheets", headers=head).status_code == 403
    task = {"kind": "worksheet", "name": "cost_benefit"}
    assert client.post(f"{base}/assignments", json=task, headers=head).status_code == 201
    assert "read" in [entry.kind for entry in store.trail().result()]
    mine = {"authorization": own}
    assert client.delete(f"/api/shares/{share['id']}", headers=mine).status_code == 204
    assert client.get(f"{base}/records", headers=head).status_code == 404
    assert client.get("/api/clinician/people", headers=head).json() == []


def test_a_guessed_invitation_leaves_nobody_behind(client, store):
    client.headers.pop("authorization")
    guess = {"invitation": "x" * 43}
    assert client.post("/api/clinician/accept", json=guess).status_code == 404
    assert len(store.tokens(None).result()) == 1


def test_erasing_oneself_leaves_nothing_and_forgets_the_browser(client, talk, tmp_path):
    client.post("/api/worksheets", json={"sheet": SHEET})
    answer = client.delete("/api/me")
    assert answer.status_code == 204
    assert "storage" in answer.headers["clear-site-data"]
    assert client.get("/api/me").status_code == 401
    assert b"canary" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_an_export_over_the_wire_comes_back_without_loss(client, talk):
    client.post("/api/worksheets", json={"sheet": SHEET})
    archive = client.get("/api/export").json()
    client.delete("/api/me")
    client.headers.pop("authorization")
    key = client.post("/api/people", json={}).json()["key"]
    client.headers["authorization"] = f"Bearer {key}"
    assert client.post("/api/import", json=archive).json()["conversations"] == 1
    assert client.get("/api/export").json() == archive
    assert client.post("/api/import", json={"format": "odd"}).status_code == 422
