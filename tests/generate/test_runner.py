"""Many items at once: each finished once, failures counted, order kept, and resumed."""

import json
from collections import Counter

import pytest

from tests.generate.fakes import Doubling, items
from untwist.errors import ConfigError, DataError, ModelError, ParseError
from untwist.generate import Item, Journal, Rejected, Result, run, write_rows


@pytest.fixture
def place(tmp_path):
    return tmp_path / "run.journal"


def test_every_item_is_done_once_and_read_in_the_order_of_the_input(place):
    work = Doubling(rounds=3)
    with Journal(place) as journal:
        summary = run(items(100), work, journal, concurrency=7)
        entries = list(journal.entries("done"))
    assert summary.ok
    assert summary.done == 100
    assert [e.value["twice"] for e in entries] == [2 * k for k in range(100)]
    assert Counter(work.seen) == Counter(f"i{k}" for k in range(100))
    assert work.most == 7


def test_what_is_summed_is_every_number_of_the_provenance(place):
    with Journal(place) as journal:
        assert run(items(10), Doubling(), journal).totals == {"cost": 5.0}


def test_a_failed_item_is_counted_with_its_reason_and_is_no_row(place):
    fails = {
        "i1": ModelError("late", reason="timeout"),
        "i2": ParseError("odd", raw="words of a model"),
        "i3": Rejected("unsafe", reason="wording", provenance={"cost": 0.25}),
        "i4": DataError("no text"),
        "i5": ModelError("no reason given"),
        "i6": ModelError("late", reason="timeout"),
    }
    with Journal(place) as journal:
        summary = run(items(8), Doubling(fails), journal)
        made = [e.id for e in journal.entries("done")]
        failed = {e.id: e for e in journal.entries("failed")}
    assert made == ["i0", "i7"]
    assert summary.failed == {"timeout": 2, "parse": 1, "wording": 1, "data": 1, "model": 1}
    assert not summary.ok
    assert summary.line().startswith("2 done, 6 failed (timeout 2, data 1,")
    assert failed["i3"].provenance == {"cost": 0.25}
    assert failed["i2"].value is None
    assert b"words of a model" not in place.read_bytes()


def test_a_second_run_does_nothing_again(place):
    for again, skipped in (((), 6), (("timeout",), 5), (("all",), 4)):
        place.unlink(missing_ok=True)
        fails = {
            "i1": ModelError("late", reason="timeout"),
            "i2": ModelError("odd", reason="empty"),
        }
        with Journal(place) as journal:
            run(items(6), Doubling(fails), journal)
        second = Doubling()
        with Journal(place) as journal:
            summary = run(items(6), second, journal, again=again)
        assert summary.skipped == skipped
        assert len(second.seen) == 6 - skipped
        assert summary.done == 4 + len(second.seen)


def test_a_spent_budget_stops_the_run_and_leaves_the_rest_unfinished(place):
    spent = {f"i{k}": ModelError("spent", reason="budget") for k in range(4, 20)}
    with Journal(place) as journal:
        first = run(items(20), Doubling(spent), journal, concurrency=2)
        assert (first.done, first.failed, first.stopped) == (4, {}, "budget")
        assert not first.ok
        rest = Doubling()
        second = run(items(20), rest, journal, concurrency=2)
    assert second.ok
    assert len(rest.seen) == 16


def test_a_server_that_is_gone_stops_the_run_after_so_many_failures_in_a_row(place):
    gone = {f"i{k}": ModelError("gone", reason="unreachable") for k in range(3, 100)}
    with Journal(place) as journal:
        summary = run(items(100), Doubling(gone), journal, concurrency=1, patience=5)
    assert summary.failed == {"unreachable": 5}
    assert summary.done == 3
    assert "5 failures in a row (unreachable)" in summary.line()


def test_a_wrong_setting_ends_the_run_and_what_was_done_stays(place):
    fails = {"i3": ConfigError("no such model")}
    with Journal(place) as journal, pytest.raises(ConfigError, match="no such model"):
        run(items(9), Doubling(fails), journal, concurrency=1)
    with Journal(place) as journal:
        assert [e.id for e in journal.entries()] == ["i0", "i1", "i2"]


def test_a_fault_of_the_program_is_not_counted_as_an_item(place):
    with Journal(place) as journal, pytest.raises(ZeroDivisionError):
        run(items(9), Doubling({"i3": ZeroDivisionError()}), journal)


def test_two_items_with_one_id_are_refused(place):
    twice = [*items(3), Item("i1", {"n": 9})]
    for concurrency in (1, 8):
        place.unlink(missing_ok=True)
        with Journal(place) as journal, pytest.raises(DataError, match="share"):
            run(twice, Doubling(rounds=5), journal, concurrency=concurrency)


@pytest.mark.parametrize(
    "changed", [[Item("i0", {"n": 5})], [Item("new", {"n": 0})], items(3)[::-1]]
)
def test_another_input_is_noticed(place, changed):
    with Journal(place) as journal:
        run(items(3), Doubling(), journal)
        with pytest.raises(DataError, match="not what it was"):
            run(changed, Doubling(), journal)


def test_a_longer_input_goes_on_where_the_shorter_ended(place):
    with Journal(place) as journal:
        run(items(3), Doubling(), journal)
        more = Doubling()
        assert run(items(5), more, journal).done == 5
    assert more.seen == ["i3", "i4"]


def test_items_are_read_only_as_they_are_needed(place):
    read = []

    def endless():
        for item in iter(lambda: Item(f"i{len(read)}", {"n": 0}), None):
            read.append(item.id)
            yield item

    stop = {"i10": ModelError("spent", reason="budget")}
    with Journal(place) as journal:
        run(endless(), Doubling(stop), journal, concurrency=4)
    assert len(read) < 20


def test_the_watcher_sees_every_entry_as_it_is_kept(place):
    seen = []
    with Journal(place) as journal:
        run(items(5), Doubling({"i2": DataError("odd")}), journal, watch=seen.append)
    assert sorted((e.id, e.status) for e in seen)[2] == ("i2", "failed")
    assert len(seen) == 5


def test_a_journal_of_another_run_is_refused(place):
    with Journal(place, {"model": "a", "seed": 1}) as journal:
        run(items(1), Doubling(), journal)
    with pytest.raises(ConfigError, match="seed differ"):
        Journal(place, {"model": "a", "seed": 2})
    with Journal(place, {"model": "a", "seed": 1}) as journal:
        assert journal.counts()[0] == 1


def test_a_journal_has_one_writer(place):
    with Journal(place) as journal:
        run(items(1), Doubling(), journal)
        with pytest.raises(ConfigError, match="in use"):
            Journal(place)


def test_a_done_entry_is_never_replaced(place):
    with Journal(place) as journal:
        run(items(1), Doubling(), journal)
        (entry,) = journal.entries()
        with pytest.raises(DataError, match="finished already"):
            journal.put(entry)


def test_a_file_that_is_no_journal_is_told(tmp_path):
    odd = tmp_path / "odd"
    odd.write_text("not a database, but long enough to be looked at " * 40, encoding="utf-8")
    with pytest.raises(DataError, match="no journal"):
        Journal(odd)
    with pytest.raises(DataError, match="folder"):
        Journal(tmp_path / "none" / "run.journal")


def test_a_result_that_is_no_json_ends_the_run(place):
    async def odd(item):
        return Result({"x": float("nan")})

    with Journal(place) as journal, pytest.raises(DataError, match="not JSON"):
        run(items(1), odd, journal)


def test_rows_are_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.jsonl"
    assert write_rows(target, [{"a": "一"}, {"a": 2}]) == 2
    assert json.loads(target.read_text("utf-8").splitlines()[0]) == {"a": "一"}

    def broken():
        yield {"a": 3}
        raise DataError("half way")

    with pytest.raises(DataError, match="half way"):
        write_rows(target, broken())
    assert target.read_text("utf-8").count("\n") == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_job_is_opened_here_and_ray_asks_for_one(place):
    class Job:
        def open(self):
            return Doubling()

    with Journal(place) as journal:
        assert run(items(2), Job(), journal).done == 2
        with pytest.raises(ConfigError, match="job"):
            run(items(2), Doubling(), journal, engine="ray")
        with pytest.raises(ConfigError, match="at least 1"):
            run(items(2), Doubling(), journal, concurrency=0)
