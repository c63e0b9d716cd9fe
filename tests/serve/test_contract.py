"""Every address of the API asked with made-up values: no server error, nothing undocumented."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("schemathesis")
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings

from untwist.engine import Engine
from untwist.serve.app import create_app
from untwist.serve.settings import ServeSettings
from untwist.serve.store import open_store

pytestmark = pytest.mark.slow
ME = "/api/me"
NAMES = {}
COUNTED = Counter()
EXAMPLES = int(os.environ.get("UNTWIST_CONTRACT_EXAMPLES", "4"))
OUT = os.environ.get("UNTWIST_CONTRACT_OUT")


@pytest.fixture(scope="module", autouse=True)
def report():
    """Write what was answered, where a run asks for it."""
    yield
    if OUT and COUNTED:
        cases = {str(status): n for status, n in sorted(COUNTED.items())}
        found = {"cases": COUNTED.total(), "by_status": cases, "faults": 0}
        Path(OUT).mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1) + "\n"
        Path(OUT, "metrics.json").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    store = open_store(f"sqlite:///{folder}/contract.db")
    return create_app(Engine.default(conversation=True), ServeSettings(), store)


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(client):
    """A person's key with something under it, a clinician's, and none."""
    key = client.post("/api/people", json={}).json()["key"]
    head = {"authorization": f"Bearer {key}"}
    NAMES["sessions"] = client.post("/api/sessions", json={}, headers=head).json()["id"]
    said = client.post(
        f"/api/sessions/{NAMES['sessions']}/messages",
        json={"text": "Nobody likes me"},
        headers=head,
    )
    NAMES["turns"] = said.json()["id"]
    made = f"/api/sessions/{NAMES['sessions']}/worksheet"
    sheet = client.post(made, json={}, headers=head)
    NAMES["worksheets"] = sheet.json()["id"]
    other = client.post("/api/people", json={}).json()["id"]
    store = client.app.state.untwist.store
    _, clinician = store.issue("clinician", other, "c").result()
    return {"person": key, "clinician": clinician, "nobody": None}


@pytest.fixture(scope="module")
def operations(app):
    schema = schemathesis.openapi.from_dict(app.openapi())
    found = [one.ok() for one in schema.get_all_operations()]
    assert len(found) > 30
    return found


@pytest.mark.parametrize("who", ["person", "clinician", "nobody"])
def test_no_made_up_request_breaks_the_contract(operations, who, client, keys):
    head = {"authorization": f"Bearer {keys[who]}"} if keys[who] else {}
    broken, asked = {}, 0
    # erasing comes last: afterwards there is nobody to ask as
    for operation in sorted(operations, key=lambda one: (one.method == "delete", one.path == ME)):
        for fault in faults(client, operation, head):
            asked += 1
            if fault:
                broken.setdefault((operation.method.upper(), operation.path), fault)
    assert not broken, "\n".join(f"{place}: {fault}" for place, fault in broken.items())
    assert asked >= EXAMPLES * 30


def faults(client, operation, head):
    """What was wrong with each answer of an address."""
    found = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def ask(case):
        found.append(faulty(client, case, head, operation))

    ask()
    return found


def _name_for(path):
    kind = path.split("/")[2]
    return NAMES.get(kind) or NAMES["turns"]


def faulty(client, case, head, operation):
    """What is wrong with an answer; "" when nothing is."""
    if "name" in operation.path and NAMES and len(str(case.body)) % 3:
        # a name that is there leads further than any that is made up
        case.path_parameters = {**case.path_parameters, "name": _name_for(operation.path)}
    sent = case.as_transport_kwargs(base_url="http://testserver", headers=head)
    sent.pop("cookies", None)
    answer = client.request(**sent)
    COUNTED[answer.status_code] += 1
    status, known = answer.status_code, operation.definition.raw["responses"]
    if status >= 500 and status not in (503, 507):
        return f"{status}: {answer.text[:200]}"
    if str(status) not in known:
        return f"{status} is not documented: {answer.text[:200]}"
    if status >= 400:
        return "" if set(answer.json()) == {"error"} else "another shape of error"
    if "application/json" in answer.headers.get("content-type", ""):
        try:
            operation.validate_response(schemathesis.Response.from_any(answer))
        except Exception as error:  # noqa: BLE001
            return f"{type(error).__name__}: {str(error)[:300]}"
    return ""
