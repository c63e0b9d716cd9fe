import json

import pytest

from tests.evaluate.test_report import report
from untwist.errors import DataError
from untwist.evaluate import (
    Entry,
    entry_of,
    floor_of,
    leaderboard_markdown,
    leaderboard_tables,
    read_leaderboard,
)


def entry(**changes):
    given = {
        "system": "fake 1",
        "corpus": "tiny",
        "split": "published",
        "part": "test",
        "n": 100,
        "micro_f1": 0.5,
        "micro_f1_interval": (0.4, 0.6),
        "macro_f1": 0.4,
        "macro_f1_interval": (0.3, 0.5),
        "over_pathologising": 0.25,
        "unscored": 2,
        "thresholds_from": "validation",
        "trained_on": ("tiny:train", "other"),
        "command": "make it",
        "revision": "0123456789abcdef",
        "report_sha256": "ab" * 32,
        "url": "https://example.org/report",
    }
    return Entry(**(given | changes))


def write(path, *entries):
    lines = [json.dumps(e.to_dict() if isinstance(e, Entry) else e) for e in entries]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


FACTS = {"split": "published", "part": "test", "trained_on": ["tiny:train"]}


def test_the_line_of_a_report_is_its_numbers():
    one = report()
    got = entry_of(one, thresholds_from="fixed", revision="abc", **FACTS)
    assert (got.system, got.corpus, got.n, got.unscored) == ("fake 1", "tiny", 4, 0)
    assert (got.micro_f1, got.over_pathologising) == (6 / 8, 1.0)
    interval = one.intervals["micro_f1"]
    assert got.micro_f1_interval == (interval.low, interval.high)
    assert got.macro_f1 == one.scores.macro_f1.value
    assert (got.report_sha256, got.command) == (one.sha256, "make it")
    assert entry_of(one, thresholds_from="fixed", system="mine", **FACTS).system == "mine"


def test_the_floor_has_a_line_of_its_own():
    got = floor_of(report(), **FACTS)
    # both labels everywhere: TP 4 FP 4
    assert (got.system, got.micro_f1) == ("best constant", 8 / 12)
    assert (got.micro_f1_interval, got.thresholds_from) == (None, "fixed")


def test_thresholds_chosen_on_the_scored_rows_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"oracle thresholds .* are no result"):
        entry_of(report(), thresholds_from="oracle", **FACTS)
    line = {**entry().to_dict(), "thresholds_from": "oracle"}
    with pytest.raises(DataError, match=r'thresholds_from must be one of \["validation", "fixed"'):
        read_leaderboard(write(tmp_path / "board.jsonl", line))


def test_a_report_without_a_score_cannot_be_ranked():
    nothing = report(mask=[[False] * 3] * 4)
    with pytest.raises(DataError, match="no micro-F1: it cannot be ranked"):
        entry_of(nothing, thresholds_from="fixed", **FACTS)


def test_a_file_reads_back_sorted(tmp_path):
    low, high = entry(system="low", micro_f1=0.3), entry(system="high", micro_f1=0.7)
    elsewhere = entry(corpus="another")
    path = write(tmp_path / "board.jsonl", low, elsewhere, high)
    assert read_leaderboard(path) == (elsewhere, high, low)


def test_blank_lines_are_no_entries_and_a_line_separator_is_no_line_end(tmp_path):
    path = tmp_path / "board.jsonl"
    odd = entry(command="one\u2028two")
    line = json.dumps(odd.to_dict(), ensure_ascii=False)
    path.write_text(f"\n{line}\n\n", encoding="utf-8")
    assert read_leaderboard(path) == (odd,)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("micro_f1", 1.5, "micro_f1 must be at most 1"),
        ("n", 0, "n must be at least 1"),
        ("split", "own", "split must be one of"),
        ("report_sha256", "abc", "report_sha256 must match"),
        ("url", "ftp://example.org", "url must match"),
        ("trained_on", ["tiny:half"], r"trained_on\[0\] must match"),
        ("micro_f1_interval", [0.6, 0.4], "lower end first"),
        ("micro_f1_interval", [0.6], "must have at least 2"),
        ("unscored", 101, "101 rows unscored of 100"),
        ("schema", "untwist/leaderboard-entry@2", "schema must be"),
        ("extra", 1, "'extra' was unexpected"),
    ],
)
def test_a_line_that_is_no_entry_is_named_with_file_and_line(field, value, message, tmp_path):
    line = {**entry(system="other").to_dict(), field: value}
    path = write(tmp_path / "board.jsonl", entry(), line)
    with pytest.raises(DataError, match=rf"board\.jsonl, line 2: .*{message}"):
        read_leaderboard(path)


@pytest.mark.parametrize("line", ["{", "[]", "NaN", '{"micro_f1": NaN}'])
def test_a_line_that_is_no_json_is_named_too(line, tmp_path):
    path = tmp_path / "board.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"board\.jsonl, line 1: "):
        read_leaderboard(path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*FileNotFoundError"):
        read_leaderboard(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="give UTF-8"):
        read_leaderboard(tmp_path / "bytes.jsonl")


def test_the_same_system_on_the_same_rows_twice_is_refused(tmp_path):
    path = write(tmp_path / "board.jsonl", entry(), entry(split="grouped"), entry(micro_f1=0.9))
    with pytest.raises(DataError, match="line 3 repeats line 1"):
        read_leaderboard(path)


@pytest.mark.parametrize(
    ("part", "trained_on", "seen"),
    [
        ("test", (), False),
        ("test", ("tiny:train", "tiny:validation"), False),
        ("test", ("other", "tiny2", "other:test"), False),
        ("test", ("tiny:test",), True),
        ("test", ("tiny:all",), True),
        ("test", ("tiny",), True),
        ("all", ("tiny:train",), True),
        ("all", ("other",), False),
    ],
)
def test_training_on_scored_rows_is_told_from_what_was_trained_on(part, trained_on, seen):
    assert entry(part=part, trained_on=trained_on).trained_on_scored_rows is seen


def test_who_was_trained_on_the_scored_rows_says_so_and_stands_last():
    leaky = entry(system="leaky", micro_f1=0.99, trained_on=("tiny",))
    text = leaderboard_markdown([leaky, entry()])
    lines = [line for line in text.splitlines() if line.startswith(("| fake", "| leaky"))]
    assert lines[0].startswith("| fake 1 | 0.500 [0.400, 0.600] | 0.400 [0.300, 0.500] | 0.250 |")
    assert lines[1].startswith("| leaky | 0.990")
    assert "| tiny (trained on the scored rows) |" in lines[1]
    assert "trained on the scored rows" not in lines[0]


def test_there_is_one_table_for_each_set_of_rows_best_first():
    entries = [
        entry(system="a", micro_f1=0.3),
        entry(system="b", micro_f1=0.6),
        entry(system="best constant", micro_f1=0.45, micro_f1_interval=None, trained_on=()),
        entry(split="grouped"),
        entry(part="all", trained_on=()),
        entry(corpus="another"),
    ]
    tables = leaderboard_tables(entries)
    assert [table.title for table in tables] == [
        "another, published split, test rows",
        "tiny, grouped split, test rows",
        "tiny, published split, all rows",
        "tiny, published split, test rows",
    ]
    assert [row[0] for row in tables[-1].rows] == ["b", "best constant", "a"]
    assert tables[-1].rows[1][1] == "0.450"
    assert leaderboard_markdown([]) == ""


def test_what_is_not_known_is_a_dash():
    (table,) = leaderboard_tables(
        [entry(macro_f1=None, macro_f1_interval=None, over_pathologising=None, url=None)]
    )
    shown = dict(zip(table.header, table.rows[0], strict=True))
    assert shown["macro-F1 (mean)"] == shown["over-pathologising"] == shown["link"] == "–"
