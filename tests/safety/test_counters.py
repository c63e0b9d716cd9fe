import csv
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import ConfigError, DataError
from untwist.safety import (
    Referrals,
    read_referrals,
    region_codes,
    report_csv,
    report_markdown,
    write_referrals,
)
from untwist.safety.counters import FORMAT, Cell

NOW = datetime(2026, 11, 20, 23, 59, 59, 123, tzinfo=UTC)
ROW = {"month": "2026-11", "region": "US", "lang": "en", "count": 2}


def some(count=7, **more):
    return Referrals().add(NOW, "US", "en", count).merged(*more.values())


def test_one_more_referral_is_a_new_value():
    before = Referrals().add(NOW, "US", "en")
    after = before.add(NOW, "US", "en").add(NOW, None, "zh")
    assert [c.count for c in before.cells] == [1]
    assert after.cells == (Cell("2026-11", "*", "zh", 1), Cell("2026-11", "US", "en", 2))


def test_only_the_month_of_a_time_is_kept():
    text = json.dumps(some().to_dict())
    assert "2026-11" in text
    assert not any(part in text for part in ("-20", "23", "59", "123"))


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "text": "I want to die"}, {**ROW, "user": "anna"}, {**ROW, "id": 1},
        {k: v for k, v in ROW.items() if k != "lang"}, {**ROW, "month": "2026-11-20"},
        {**ROW, "month": "2026-13"}, {**ROW, "month": 202611}, {**ROW, "month": "anna@x.example"},
        {**ROW, "region": "anna"}, {**ROW, "region": "us"}, {**ROW, "region": None},
        {**ROW, "region": ["US"]}, {**ROW, "lang": "my name is Anna"}, {**ROW, "lang": "fr"},
        {**ROW, "count": 0}, {**ROW, "count": -1}, {**ROW, "count": 1.5}, {**ROW, "count": True},
        {**ROW, "count": "2"}, {**ROW, "count": None}, "text", None, [],
    ],
)  # fmt: skip
def test_nothing_but_month_region_language_and_count_gets_in(row, tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps({"format": FORMAT, "counts": [row]}), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_referrals(file)
    assert not any(word in str(caught.value) for word in ("anna", "Anna", "die"))


@pytest.mark.parametrize(
    "data",
    [
        {"format": FORMAT, "counts": [], "note": "x"}, {"counts": []}, {"format": FORMAT},
        {"format": "other@1", "counts": []}, {"format": FORMAT, "counts": {}}, [], "x", 3,
        {"format": FORMAT, "counts": [ROW, ROW]},
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(data, tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DataError, match=r"c\.json"):
        read_referrals(file)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_file_is_refused_and_left_as_it_is(raw, tmp_path):
    file = tmp_path / "c.json"
    file.write_bytes(raw)
    with pytest.raises(DataError):
        read_referrals(file)
    assert file.read_bytes() == raw


def test_an_unknown_region_or_language_cannot_be_counted():
    for region, lang in (("Anna", "en"), ("US", "fr")):
        with pytest.raises(DataError):
            Referrals().add(NOW, region, lang)
    with pytest.raises(ConfigError, match="aware"):
        Referrals().add(datetime(2026, 1, 1), "US", "en")  # noqa: DTZ001


cells = st.tuples(
    st.sampled_from(["2026-01", "2026-12", "2027-03"]),
    st.sampled_from([*region_codes(), "*"]),
    st.sampled_from(["en", "zh"]),
    st.integers(1, 50),
)


@given(st.lists(cells, max_size=20), st.lists(cells, max_size=20))
def test_adding_up_keeps_every_count_in_any_order(left, right):
    one, other = (
        Referrals().merged(*(Referrals((Cell(*row),)) for row in rows)) for rows in (left, right)
    )
    both = one.merged(other)
    assert both == other.merged(one)
    assert sum(c.count for c in both.cells) == sum(row[3] for row in (*left, *right))
    assert Referrals.from_dict(json.loads(json.dumps(both.to_dict()))) == both


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "c.json"
    write_referrals(file, some(1))
    before = file.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write_referrals(file, some(2))
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def test_what_was_written_is_read_back_and_a_missing_file_holds_nothing(tmp_path):
    file = tmp_path / "c.json"
    assert read_referrals(file) == Referrals()
    write_referrals(file, some(3))
    assert read_referrals(file) == some(3)
    assert set(json.loads(file.read_text(encoding="utf-8"))["counts"][0]) == set(ROW)


def test_a_file_in_a_folder_that_is_not_there_is_named():
    with pytest.raises(DataError, match="nowhere"):
        write_referrals(Path("/nowhere/c.json"), some())


def test_small_counts_are_hidden_in_the_report_and_cannot_be_told_from_the_sum():
    counts = some(7).add(NOW, "GB", "en", 4)
    rows = list(csv.DictReader(io.StringIO(report_csv(counts))))
    assert [(r["region"], r["count"]) for r in rows] == [("GB", "<5"), ("US", "7")]
    page = report_markdown(counts)
    assert "| 2026-11 | GB | en | <5 |" in page
    assert "at least 8" in page
    assert "11." not in page


def test_all_counts_can_be_shown_where_a_law_asks_for_them():
    counts = some(7).add(NOW, "GB", "en", 4)
    page = report_markdown(counts, smallest=1)
    assert "Sum: 11." in page
    assert "<" not in page
    with pytest.raises(ConfigError, match="smallest"):
        report_csv(counts, smallest=0)


def test_a_year_is_cut_out():
    counts = some().add(datetime(2027, 1, 1, tzinfo=UTC), "US", "en", 9)
    assert {c.month for c in counts.of_year(2027).cells} == {"2027-01"}
