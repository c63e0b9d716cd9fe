"""What the store promises, on SQLite, sealed SQLite and PostgreSQL alike."""

import sqlite3
import threading

import pytest

from untwist.errors import ConfigError, DataError, StoreError
from untwist.serve.store import Codec, new_id, new_key, open_store, read_keys
from untwist.serve.store.store import backup

SAID = {"message": {"text": "the canary sings 金丝雀", "lang": "en"}, "decision": {"level": "none"}}
FACTS = {"level": "none", "rules": []}
REPLY = {
    "assessment": {
        "utterance": {"id": None, "text": "x", "lang": "en", "role": "user"},
        "findings": [],
        "intensity": None,
        "risk": "none",
        "acuity": [],
        "reasons": [],
        "detector": "d",
    },
    "choice": {
        "strategy": "empathic_validation",
        "target": None,
        "grade": "validation",
        "policy": "p",
    },
    "reply": {
        "text": "An Answer.",
        "lang": "en",
        "strategy": "empathic_validation",
        "parts": ["validation"],
        "responder": "r",
    },
    "verdict": {"verdict": "pass", "rules": []},
    "replaced": False,
    "versions": {},
}


def begun(store, person, talk, key=None, holder=None):
    return store.begin_turn(person, talk, SAID, FACTS, holder or new_id(), 30, key).result()


@pytest.fixture
def person(store):
    return store.new_person({"lang": "en"}).result()[0].id


@pytest.fixture
def talk(store, person):
    return store.new_conversation(person, {"title": "one"}).result().id


def test_a_message_and_its_decision_are_found_again_with_the_reply(store, person, talk):
    holder = new_id()
    turn = begun(store, person, talk, holder=holder)
    store.finish_turn(turn, REPLY, [{"event": "done", "data": {}}], holder).result()
    (kept,) = store.turns(person, talk).result()
    assert kept.said == SAID
    assert kept.turn == REPLY
    assert kept.seq == 0
    assert [one.body["event"] for one in store.events(turn.id).result()] == ["done"]
    assert store.conversation(person, talk).result().turns == 1


def test_the_same_key_finds_the_same_turn(store, person, talk):
    first = begun(store, person, talk, key="k")
    again = [begun(store, person, talk, key="k") for _ in range(50)]
    assert {one.id for one in again} == {first.id}
    assert len(store.turns(person, talk).result()) == 1


def test_a_conversation_is_one_turns_at_a_time_until_the_hold_runs_out(store, person, talk, clock):
    assert begun(store, person, talk) is not None
    assert begun(store, person, talk) is None
    clock.now += 31
    assert begun(store, person, talk).seq == 1


def test_fifty_posts_at_once_get_numbers_without_a_gap(store, person, talk):
    done = []

    def post():
        holder = new_id()
        while (turn := begun(store, person, talk, holder=holder)) is None:
            pass
        store.finish_turn(turn, REPLY, [], holder).result()
        done.append(turn.seq)

    threads = [threading.Thread(target=post) for _ in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(done) == list(range(50))
    assert [turn.seq for turn in store.turns(person, talk).result()] == list(range(50))


def test_a_turn_is_finished_once(store, person, talk):
    holder = new_id()
    turn = begun(store, person, talk, holder=holder)
    store.finish_turn(turn, REPLY, [], holder).result()
    with pytest.raises(StoreError) as caught:
        store.finish_turn(turn, REPLY, [], holder).result()
    assert caught.value.reason == "conflict"


def test_a_turn_that_a_dead_process_left_is_found_and_taken_by_one(store, person, talk, clock):
    left = begun(store, person, talk)
    assert store.orphans(new_id(), 30).result() == []
    clock.now += 31
    (found,) = store.orphans(new_id(), 30).result()
    assert found.id == left.id
    assert store.orphans(new_id(), 30).result() == []


def test_what_is_anothers_is_not_there(store, person, talk):
    other = store.new_person({}).result()[0].id
    turn = begun(store, person, talk)
    record = store.add_record(person, "plan", {"a": 1}).result()
    for ask in (
        lambda: store.conversation(other, talk),
        lambda: store.turns(other, talk),
        lambda: store.turn(other, turn.id),
        lambda: store.record(other, record.id),
        lambda: store.record_history(other, record.id),
        lambda: store.change_record(other, record.id, {}),
        lambda: store.delete_record(other, record.id),
        lambda: store.delete_conversation(other, talk),
        lambda: store.describe(other, talk, {}),
        lambda: store.begin_turn(other, talk, SAID, FACTS, new_id(), 30),
        lambda: store.add_record(other, "plan", {}, conversation=talk),
    ):
        with pytest.raises(StoreError) as caught:
            ask().result()
        assert caught.value.reason == "gone"


def test_a_record_keeps_the_log_of_its_changes_and_notices_a_second_editor(store, person):
    record = store.add_record(person, "plan", {"a": 1}).result()
    changed = store.change_record(person, record.id, {"a": 2}, version=1).result()
    assert changed.version == 2
    with pytest.raises(StoreError) as caught:
        store.change_record(person, record.id, {"a": 3}, version=1).result()
    assert caught.value.reason == "conflict"
    log = store.record_history(person, record.id).result()
    assert [(one["version"], one["body"]) for one in log] == [(1, {"a": 1}), (2, {"a": 2})]
    store.delete_record(person, record.id).result()
    assert store.records(person).result() == []


def test_words_are_found_in_what_either_said(store, person, talk):
    holder = new_id()
    store.finish_turn(begun(store, person, talk, holder=holder), REPLY, [], holder).result()
    for words in ("CANARY", "金丝", "an answer"):
        assert [one.id for one in store.search(person, words).result()] == [talk]
    assert store.search(person, "absent").result() == []


def test_an_export_restores_without_loss_and_twice_changes_nothing(store, person, talk):
    holder = new_id()
    store.finish_turn(begun(store, person, talk, holder=holder), REPLY, [], holder).result()
    record = store.add_record(person, "plan", {"a": 1}, conversation=talk).result()
    store.change_record(person, record.id, {"a": 2}).result()
    archive = store.export(person).result()
    store.erase(person).result()
    again = store.new_person({}).result()[0].id
    assert store.restore(again, archive).result().conversations == 1
    assert store.export(again).result() == archive
    assert store.restore(again, archive).result().known == 2
    assert store.export(again).result() == archive


def test_a_damaged_archive_restores_nothing(store, person, talk):
    begun(store, person, talk)
    archive = store.export(person).result()
    archive["records"] = [{"id": new_id()}]
    other = store.new_person({"lang": "zh"}).result()[0].id
    with pytest.raises(DataError):
        store.restore(other, archive).result()
    assert store.conversations(other).result() == []
    assert store.person(other).result().settings == {"lang": "zh"}


def test_an_archive_taken_in_beside_its_owner_gets_names_of_its_own(store, person, talk):
    begun(store, person, talk)
    archive = store.export(person).result()
    other = store.new_person({}).result()[0].id
    store.restore(other, archive).result()
    (mine,) = store.conversations(other).result()
    assert mine.id != talk
    assert len(store.turns(other, mine.id).result()) == 1
    assert len(store.turns(person, talk).result()) == 1


def test_a_token_ends_with_its_time_and_when_it_is_revoked(store, person, clock):
    token, secret = store.issue("person", person, "phone", clock.now + 60).result()
    assert store.token(secret).result() == token
    clock.now += 61
    assert store.token(secret).result() is None
    lasting, secret = store.issue("person", person).result()
    store.revoke(lasting.id, person).result()
    assert store.token(secret).result() is None
    assert store.token("guess").result() is None


def test_an_invitation_is_taken_once_and_withdrawn_at_once(store, person, clock):
    doctor = store.new_person({}, "clinician").result()[0].id
    grant, secret = store.invite(person, {"kinds": ["plan"]}, clock.now + 100).result()
    with pytest.raises(StoreError):
        store.accept(secret, person).result()
    assert store.accept(secret, doctor).result().person == person
    with pytest.raises(StoreError):
        store.accept(secret, doctor).result()
    assert [one.id for one in store.granted(doctor).result()] == [grant.id]
    store.withdraw(person, grant.id).result()
    assert store.granted(doctor).result() == []


def test_a_share_ends_with_its_time(store, person, clock):
    doctor = store.new_person({}, "clinician").result()[0].id
    _, secret = store.invite(person, {}, clock.now + 100).result()
    store.accept(secret, doctor).result()
    clock.now += 101
    assert store.granted(doctor).result() == []


def test_the_trail_holds_until_a_byte_is_changed(store, person, talk):
    for _ in range(3):
        store.note("read", person, {"what": "records"}).result()
    begun(store, person, talk)
    assert store.trail_break().result() is None
    kinds = [entry.kind for entry in store.trail().result()]
    assert kinds == ["read", "read", "read", "safety"]

    def forge(connection):
        from sqlalchemy import text

        connection.execute(text("UPDATE audit SET facts = '{}' WHERE n = 2"))

    store.database.write(forge).result()
    assert store.trail_break().result() == 2


def test_no_text_and_no_name_stands_in_the_trail(store, person, talk):
    begun(store, person, talk)
    store.export(person).result()
    for entry in store.trail().result():
        assert person not in repr(entry)
        assert "canary" not in repr(entry)


def test_retention_erases_those_who_stayed_away(store, person, talk, clock):
    begun(store, person, talk)
    clock.now += 10 * 86_400
    fresh = store.new_person({}).result()[0].id
    assert store.retire(9).result() == 1
    with pytest.raises(StoreError):
        store.person(person).result()
    assert store.person(fresh).result().id == fresh


def test_referrals_are_counted_by_month_region_and_language(store):
    for _ in range(3):
        store.count_referral("US", "en").result()
    store.count_referral("CN", "zh").result()
    assert store.referral_counts().result() == [
        ("2027-01", "CN", "zh", 1),
        ("2027-01", "US", "en", 3),
    ]


def test_work_that_raises_undoes_itself_and_nothing_else(store, person):
    waiting = threading.Event()
    store.database.write(lambda _: waiting.wait(5))
    good = store.add_record(person, "plan", {"good": True})
    bad = store.change_record(person, new_id(), {})
    better = store.add_record(person, "plan", {"better": True})
    waiting.set()
    good.result(), better.result()
    with pytest.raises(StoreError):
        bad.result()
    assert len(store.records(person).result()) == 2


# --- SQLite alone -----------------------------------------------------------------------------


def bytes_in(folder):
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_nothing_of_an_erased_person_is_left_in_any_file(tmp_path, sqlite_url):
    store = open_store(sqlite_url)
    person = store.new_person({}).result()[0].id
    talk = store.new_conversation(person, {}).result().id
    holder = new_id()
    turn = begun(store, person, talk, holder=holder)
    store.finish_turn(turn, REPLY, [{"event": "x", "data": "canary"}], holder).result()
    store.add_record(person, "plan", {"words": "canary"}).result()
    assert b"canary" in bytes_in(tmp_path)
    store.erase(person).result()
    store.scrub()
    assert b"canary" not in bytes_in(tmp_path)
    store.close()
    assert b"canary" not in bytes_in(tmp_path)


def test_a_sealed_store_shows_no_text_and_opens_with_its_key_alone(tmp_path, sqlite_url):
    pytest.importorskip("cryptography")
    old, new = bytes(range(32)), bytes(range(1, 33))
    store = open_store(sqlite_url, [old])
    person = store.new_person({}).result()[0].id
    talk = store.new_conversation(person, {"title": "canary"}).result().id
    begun(store, person, talk)
    assert b"canary" not in bytes_in(tmp_path)
    store.close()
    for keys in ([], [new]):
        closed = open_store(sqlite_url, keys)
        with pytest.raises(StoreError) as caught:
            closed.turns(person, talk).result()
        assert caught.value.reason == "key"
        closed.close()
    rotated = open_store(sqlite_url, [new, old])
    assert rotated.reseal().result() == 3
    assert rotated.reseal().result() == 0
    rotated.close()
    opened = open_store(sqlite_url, [new])
    assert opened.turns(person, talk).result()[0].said == SAID
    opened.close()


def test_a_sealed_value_that_is_moved_is_refused():
    pytest.importorskip("cryptography")
    codec = Codec((bytes(32),))
    data = codec.encode({"a": 1}, "turns:x:body")
    assert codec.decode(data, "turns:x:body") == {"a": 1}
    for place, value in (("turns:y:body", data), ("turns:x:body", data[:-1] + b"\0")):
        with pytest.raises(StoreError) as caught:
            codec.decode(value, place)
        assert caught.value.reason == "corrupt"


def test_a_key_file_holds_a_key_a_line(tmp_path):
    pytest.importorskip("cryptography")
    file = tmp_path / "keys"
    file.write_text(f"{new_key()}\n{new_key()}\n")
    assert len(Codec(read_keys([file])).keys) == 2
    file.write_text("short\n")
    with pytest.raises(ConfigError):
        Codec(read_keys([file]))
    with pytest.raises(ConfigError):
        read_keys([tmp_path / "absent"])


def test_a_file_of_a_newer_program_is_refused_and_left_alone(tmp_path, sqlite_url):
    open_store(sqlite_url).close()
    file = tmp_path / "untwist.db"
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = file.read_bytes()
    with pytest.raises(StoreError) as caught:
        open_store(sqlite_url)
    assert caught.value.reason == "version"
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, sqlite_url):
    file = tmp_path / "untwist.db"
    file.write_bytes(b"not a database at all" * 400)
    before = file.read_bytes()
    with pytest.raises(StoreError) as caught:
        open_store(sqlite_url)
    assert caught.value.reason == "corrupt"
    assert file.read_bytes() == before


def test_a_backup_under_load_is_whole(tmp_path, sqlite_url):
    store = open_store(sqlite_url)
    person = store.new_person({}).result()[0].id
    for n in range(20):
        store.add_record(person, "plan", {"n": n}).result()
    writing = [store.add_record(person, "plan", {"n": n}) for n in range(20, 200)]
    backup(tmp_path / "untwist.db", tmp_path / "copy.db")
    for one in writing:
        one.result()
    store.close()
    copied = open_store(f"sqlite:///{tmp_path}/copy.db")
    assert len(copied.records(person).result()) >= 20
    copied.close()


def test_a_lock_held_by_another_process_ends_in_busy_and_then_in_work(tmp_path, sqlite_url):
    from untwist.serve.store.database import Database
    from untwist.serve.store.store import Store

    open_store(sqlite_url).close()
    store = Store(Database(sqlite_url, patience=0.2))
    other = sqlite3.connect(tmp_path / "untwist.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError) as caught:
        store.new_person({}).result()
    assert caught.value.retryable
    other.execute("COMMIT")
    other.close()
    assert store.new_person({}).result()[0].settings == {}
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense", "oddbase://x/y"])
def test_an_address_that_cannot_be_used_is_named_without_its_password(url):
    with pytest.raises(ConfigError):
        open_store(url)


def test_the_layout_that_is_written_is_the_last_step_of_the_migrations():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from untwist.serve.store import migrate, upgrading

    settings = Config()
    settings.set_main_option("script_location", str(upgrading._folder()))
    assert ScriptDirectory.from_config(settings).get_current_head() == migrate.NEWEST


class Crash(RuntimeError):
    """The process ends here."""


@pytest.mark.parametrize("step", range(24))
def test_a_crash_between_any_two_steps_leaves_message_and_decision_together_or_neither(
    store, person, talk, clock, step
):
    """Each statement of keeping a message and its reply in turn is the last one that was sent."""
    from sqlalchemy import event

    sent = []

    def crash(_connection, _cursor, statement, *_rest):
        sent.append(statement)
        if len(sent) == step + 1:
            raise Crash

    engine, holder = store.database.engine, new_id()
    event.listen(engine, "before_cursor_execute", crash)
    try:
        turn = begun(store, person, talk, holder=holder)
        store.add_events(turn, [{"event": "delta", "data": {"text": "An "}}], holder).result()
        store.finish_turn(turn, REPLY, [{"event": "done", "data": {}}], holder).result()
    except Crash:
        pass
    finally:
        event.remove(engine, "before_cursor_execute", crash)
    kept = store.turns(person, talk).result()
    assert [one.kind for one in store.trail().result()].count("safety") == len(kept)
    assert store.trail_break().result() is None
    assert [one.seq for one in kept] == list(range(store.conversation(person, talk).result().turns))
    for one in kept:
        last = [event.body["event"] for event in store.events(one.id).result()][-1:]
        assert (one.finished is None) == (last != ["done"])
    # the next process finds what has no reply, and nothing else
    clock.now += 31
    left = store.orphans(new_id(), 30).result()
    assert [one.id for one in left] == [one.id for one in kept if one.finished is None]
