"""A passphrase before the pages: it closes everything but help, and cannot be guessed quickly."""

import pytest

pytest.importorskip("fastapi")
from tests.serve.browsing import Person
from untwist.serve import lock

SECRET = "four calm grey stones"
THOUGHT = "I failed one exam"


@pytest.fixture
def person(server):
    somebody = Person(server)
    somebody.talk = somebody.begin()
    somebody.key = somebody.csrf
    somebody.post("/settings/lock", passphrase=SECRET)
    return somebody


def tried(person, words):
    person.last = person.client.post("/unlock", data={"csrf": person.key, "passphrase": words})
    return person.last.status_code


def test_after_quiet_minutes_pages_and_api_are_closed_and_help_is_not(person, clock):
    assert THOUGHT in person.get(f"/talk/{person.talk}")
    clock.now += lock.QUIET + 1
    for path in ("/", f"/talk/{person.talk}", "/record", "/history", "/export.json", "/settings"):
        assert THOUGHT not in person.get(path, 403)
    assert person.client.get("/api/sessions").status_code == 403
    assert "findahelpline" in person.get("/help")
    assert "findahelpline" in person.get("/history", 403)


def test_every_page_that_is_looked_at_keeps_the_pages_open(person, clock):
    for _ in range(4):
        clock.now += lock.QUIET - 10
        person.get("/history")


def test_leaving_closes_the_pages_at_once(person):
    person.client.post("/away", data={"csrf": person.key})
    person.get("/history", 403)


def test_the_passphrase_opens_and_another_does_not(person, clock):
    clock.now += lock.QUIET + 1
    assert tried(person, "wrong") == 403
    person.get("/history", 403)
    assert tried(person, SECRET) == 200
    assert THOUGHT in person.get("/history")


def test_after_five_wrong_ones_even_the_right_one_has_to_wait(person, clock):
    clock.now += lock.QUIET + 1
    assert [tried(person, "wrong") for _ in range(5)] == [403] * 5
    assert tried(person, SECRET) == 429
    clock.now += 61
    assert tried(person, "wrong") == 403
    clock.now += 61
    assert tried(person, SECRET) == 429
    clock.now += 60
    assert tried(person, SECRET) == 200
    assert tried(person, "wrong") == 403
    assert tried(person, SECRET) == 200


def test_a_forged_cookie_opens_nothing(person, clock):
    clock.now += lock.QUIET + 1
    person.client.cookies.set(lock.COOKIE, f"{int(clock.now + 500)}.{'0' * 64}")
    person.get("/history", 403)


def test_nothing_of_the_passphrase_is_shown(person):
    head = {"authorization": ""}
    told = person.client.get("/api/me", headers=head).text
    assert lock.KEY not in told
    assert SECRET not in told


def test_whoever_forgot_it_can_erase_everything_and_begin_anew(person, clock):
    clock.now += lock.QUIET + 1
    assert "Erased" in person.client.post("/erase", data={"csrf": person.key}).text
    assert "What is on your mind" in person.get("/")
