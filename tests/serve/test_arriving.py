"""An archive that is damaged, or made by hand to do harm, is refused whole."""

import copy
import json

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from tests.serve.talking import Talker
from untwist.errors import DataError
from untwist.serve import arriving
from untwist.serve.app import create_app
from untwist.serve.settings import ServeSettings
from untwist.serve.store import open_store


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from untwist.engine import Engine

    folder = tmp_path_factory.mktemp("arriving")
    store = open_store(f"sqlite:///{folder}/a.db")
    app = create_app(Engine.default(conversation=True), ServeSettings(), store)
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def archive(served):
    talker = Talker(served)
    turn = talker.post("I failed one exam, so I'm a total failure").json()["id"]
    head = talker.head()
    served.post(f"/api/sessions/{talker.talk}/worksheet", json={}, headers=head)
    rating = {"turn": turn, "helpful": 1}
    assert served.post("/api/ratings", json=rating, headers=head).status_code < 300
    answers = {"answers": [0] * 9, "locale": "en"}
    served.post("/api/questionnaires/phq-9", json=answers, headers=head)
    found = served.get("/api/export", headers=head).json()
    assert {one["kind"] for one in found["records"]} >= {"worksheet", "rating"}
    return found


def leaves(value, path=()):
    """The ways to every value in an archive."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*path, name))


def changed(archive, path, value):
    found = copy.deepcopy(archive)
    spot = found
    for name in path[:-1]:
        spot = spot[name]
    spot[path[-1]] = value
    return found


def test_an_archive_of_ours_comes_back(archive):
    assert arriving.read(archive) == archive


@pytest.mark.parametrize("value", [5, "x" * 2000, None, [], {"a": 1}, 1e300, -1, True])
def test_whatever_is_changed_in_it_the_pages_can_be_shown_afterwards(served, archive, value):
    """Every value in turn is replaced; one that is taken must not break what shows it."""
    taken = 0
    for path in leaves(archive):
        bad = changed(archive, path, value)
        try:
            arriving.read(bad)
        except DataError:
            continue
        taken += 1
        if taken % 3:
            # a sample: each takes a person of its own
            continue
        talker = Talker(served)
        answer = served.post(
            "/api/import",
            content=json.dumps(bad),
            headers=talker.head(content_type="application/json"),
        )
        assert answer.status_code in (200, 422), (path, answer.text)
        head = {"accept": "text/html", "cookie": f"untwist={talker.key}"}
        mine = served.get("/api/sessions", headers=talker.head()).json()["sessions"]
        pages = [f"/talk/{one['id']}" for one in mine]
        for page in (*pages, "/", "/history", "/trends", "/record", "/settings", "/help"):
            shown = served.get(page, headers=head)
            assert shown.status_code == 200, (path, page)


@pytest.mark.parametrize("region", ["ZZ", "zz", "U", "<b>"])
def test_a_region_without_lines_cannot_be_set(served, region):
    head = Talker(served).head()
    assert served.patch("/api/me", json={"region": region}, headers=head).status_code == 422
    assert served.post("/api/people", json={"region": region}).status_code == 422
    assert served.patch("/api/me", json={"region": ""}, headers=head).status_code == 200
