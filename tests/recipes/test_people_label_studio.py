"""The same rounds on a real Label Studio, which the test starts offline and stops again.

It is no dependency: install it in an environment of its own (pip install label-studio) and name its
program in UNTWIST_LABEL_STUDIO, or put it on the path.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.recipes.people_scenario import (
    CHAINS,
    TRIPLES,
    chain_say,
    check_final,
    every_page,
    small_round,
    triple_say,
    whole_round,
)
from untwist.data.labelstudio import Server
from untwist.errors import ConfigError
from untwist.recipes import people, people_votes
from untwist.taxonomy import LANGS

pytestmark = [pytest.mark.slow, pytest.mark.loopback]
TOKEN = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = os.environ.get("UNTWIST_LABEL_STUDIO") or shutil.which("label-studio")
SECONDS = 400
"""How long a first start may take on a busy machine; idle it is half a minute."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(folder):
    plain = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return plain | {
        "HOME": str(folder), "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "COLLECT_ANALYTICS": "False", "LATEST_VERSION_CHECK": "False", "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "", "OMP_NUM_THREADS": "1",
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("no Label Studio: name its program in UNTWIST_LABEL_STUDIO")
    folder, port = tmp_path_factory.mktemp("label-studio"), free_port()
    command = [
        PROGRAM, "start", "--no-browser", "--port", str(port), "--internal-host", "127.0.0.1",
        "--username", "owner@example.org", "--password", "of-no-use-1", "--user-token", TOKEN,
        "--enable-legacy-api-token",
    ]  # fmt: skip
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["nice", "-n", "10", *command], cwd=folder, env=environment(folder), stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def wait_for(address, process, log):
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with opener.open(address, timeout=5) as answer:
                assert answer.status == 200
                return
        except (URLError, OSError):
            time.sleep(1)
    pytest.fail("Label Studio did not start: " + log.read_text(errors="replace")[-2000:])


@pytest.fixture(scope="module")
def server(url):
    return Server(url, TOKEN)


@pytest.fixture(scope="module")
def annotators(server):
    """Three accounts; the order is not that of their numbers."""
    made = []
    for name in ("ada", "bo", "chen"):
        account = {"email": f"{name}@example.org", "username": name, "password": "of-no-use-2"}
        made.append(server._call("POST", "/api/users/", account)["id"])
    return (made[1], made[0], made[2])


def test_a_whole_round_on_a_real_server(server, annotators, tmp_path):
    check_final(whole_round(server, annotators, tmp_path))


def test_chains_on_a_real_server(server, annotators, tmp_path):
    settled = small_round(server, annotators, tmp_path, "chains", CHAINS, chain_say)
    rows = people_votes.agreed_rows(settled)
    assert [row["chain"] for row in rows] == ["two 0", "one 1 😀", None, "one 3 😀"]


def test_triples_on_a_real_server(server, annotators, tmp_path):
    settled = small_round(server, annotators, tmp_path, "triples", TRIPLES, triple_say)
    assert settled.counts()["disputes"] == {"adequacy": 2}


def test_every_page_is_accepted_and_comes_back_as_it_was(server):
    for lang in LANGS:
        for xml in every_page(lang):
            number = server.create("A page", xml)
            assert server.config(number).strip() == xml.strip()


def test_annotators_see_predictions_only_where_that_was_asked_for(server):
    for wanted in (False, True):
        (number,) = people.open_projects(server, "A page", "turns", "en", predictions=wanted)
        found = server._call("GET", f"/api/projects/{number}/")
        assert found["show_collab_predictions"] is wanted


def test_a_personal_token_does_as_well(server, url):
    number = server.create("A page", every_page("en")[0])
    personal = server._call("POST", "/api/token/", {})["token"]
    assert Server(url, personal).export(number) == []


def test_what_the_server_refuses_is_one_line(server, url):
    with pytest.raises(ConfigError, match="refuses the token"):
        Server(url, "0" * 40).export(1)
    with pytest.raises(ConfigError, match="no such project"):
        server.export(9999)
    with pytest.raises(ConfigError, match="label_config"):
        server.create("A page", "<View><Choices/></View>")
