"""Commands around the server, as an operator types them."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("fastapi")

from tests.serve.test_store import FACTS, SAID
from untwist.cli.main import cli
from untwist.serve.store import new_id, open_store


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="untwist")


@pytest.fixture
def url(sqlite_url):
    return sqlite_url


@pytest.fixture
def person(url):
    store = open_store(url)
    made = store.new_person({}).result()[0].id
    talk = store.new_conversation(made, {"title": "canary"}).result().id
    store.begin_turn(made, talk, SAID, FACTS, new_id(), 30).result()
    store.close()
    return made


def test_what_was_exported_comes_back_under_a_new_key(url, person, tmp_path):
    assert run("export", tmp_path / "mine.json", "--db", url).exit_code == 0
    assert run("store", "erase", "--person", person, "--db", url).exit_code == 0
    done = run("import", tmp_path / "mine.json", "--db", url)
    assert done.exit_code == 0
    store = open_store(url)
    token = store.token(done.stdout.strip()).result()
    assert [one.about["title"] for one in store.conversations(token.person).result()] == ["canary"]
    store.close()


def test_nothing_is_overwritten_and_nothing_half_is_left(url, person, tmp_path):
    (tmp_path / "there").write_text("mine")
    for words in (
        ("export", tmp_path / "there"),
        ("store", "backup", tmp_path / "there"),
        ("import", tmp_path / "there"),
        ("import", tmp_path / "absent"),
    ):
        done = run(*words, "--db", url)
        assert done.exit_code == 1
        assert done.stderr.count("\n") == 1
    assert (tmp_path / "there").read_text() == "mine"
    store = open_store(url)
    assert store.people().result() == [person]
    store.close()


def test_a_backup_opens_as_a_database(url, person, tmp_path):
    assert run("store", "backup", tmp_path / "copy.db", "--db", url).exit_code == 0
    copied = open_store(f"sqlite:///{tmp_path}/copy.db")
    assert copied.people().result() == [person]
    copied.close()


def test_a_database_is_sealed_checked_and_opened_with_its_key_alone(url, person, tmp_path):
    pytest.importorskip("cryptography")
    (tmp_path / "key").write_text(run("store", "key").stdout)
    sealed = ("--db", url, "--key-file", tmp_path / "key")
    assert run("store", "reseal", *sealed).exit_code == 0
    assert b"canary" not in (tmp_path / "untwist.db").read_bytes()
    assert json.loads(run("store", "check", "--json", *sealed).stdout)["trail_breaks_at"] is None
    without = run("store", "check", "--db", url)
    assert without.exit_code == 1
    assert "key" in without.stderr


def test_an_operators_token_is_shown_once_listed_and_revoked(url):
    secret = run("store", "token", "--label", "metrics", "--db", url).stdout.strip()
    (row,) = run("store", "tokens", "--json", "--db", url).stdout.splitlines()
    assert secret not in row
    assert json.loads(row)["label"] == "metrics"
    assert run("store", "revoke", json.loads(row)["id"], "--db", url).exit_code == 0
    assert run("store", "tokens", "--db", url).stdout == ""


def test_the_trail_and_the_referrals_are_printed_without_a_text(url, person):
    (row,) = run("store", "audit", "--db", url).stdout.splitlines()
    assert json.loads(row)["kind"] == "safety"
    assert "canary" not in row
    assert run("store", "referrals", "--db", url).stdout == "month,region,lang,count\n"


def test_people_who_stayed_away_are_erased_for_good(url, person, tmp_path):
    assert run("store", "retire", "--days", "0.0000000001", "--db", url).exit_code == 0
    assert b"canary" not in (tmp_path / "untwist.db").read_bytes()


@pytest.mark.parametrize(
    "words",
    [("serve", "--host", "0.0.0.0"), ("serve", "--db", "nonsense"), ("serve", "--region", "XX")],
)
def test_a_server_that_would_do_harm_does_not_start(words):
    done = run(*words)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
