import csv
import io
import json

import pytest

from untwist import safety
from untwist.respond import WORKSHEETS, open_protocols

KINDS = [kind.replace("_", "-") for kind in WORKSHEETS]


@pytest.fixture
def page(run, tmp_path):
    """A file with an empty thought record."""
    path = tmp_path / "page.jsonl"
    assert run("worksheet", "new", "thought-record", "--output", path).code == 0
    return path


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def question(protocol, step):
    found = open_protocols("en").named(protocol).step(step).ask.any
    return next(text for text in found if "{" not in text)


@pytest.mark.parametrize("name", ["new", "fill", "edit", "export"])
def test_every_command_shows_an_example(run, name):
    text = run("worksheet", name, "--help").out
    assert f"untwist worksheet {name}" in text
    assert "Example" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_worksheet_can_be_shown_at_once(run, tmp_path, kind):
    path = tmp_path / "page.jsonl"
    assert run("worksheet", "new", kind, "--output", path).code == 0
    assert rows(path.read_text(encoding="utf-8"))[0]["worksheet"] == kind.replace("-", "_")
    shown = run("worksheet", "export", path, "--blank")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("# ")


def test_a_new_worksheet_never_overwrites_a_file(run, page):
    before = page.read_bytes()
    done = run("worksheet", "new", "experiment", "--output", page)
    assert done.code == 1
    assert "exists already" in done.err
    assert page.read_bytes() == before


def test_fields_are_set_and_cleared_in_place(run, page):
    done = run(
        "worksheet", "edit", page, "--in-place",
        "--set", "situation=Nobody replied = silence", "--set", "belief_before=80%",
    )  # fmt: skip
    assert (done.code, done.out, done.err) == (0, "", "")
    row = rows(page.read_text(encoding="utf-8"))[0]
    assert (row["situation"], row["belief_before"]) == ("Nobody replied = silence", 80)
    run("worksheet", "edit", page, "--in-place", "--clear", "situation")
    row = rows(page.read_text(encoding="utf-8"))[0]
    assert (row["situation"], row["belief_before"]) == (None, 80)
    assert [p.name for p in page.parent.iterdir()] == ["page.jsonl"]


def test_an_edit_without_in_place_leaves_the_file_alone(run, page):
    before = page.read_bytes()
    done = run("worksheet", "edit", page, "--set", "situation=here")
    assert rows(done.out)[0]["situation"] == "here"
    assert page.read_bytes() == before
    refused = run("worksheet", "edit", page, "--set", "situation=here", "--output", page)
    assert (refused.code, page.read_bytes()) == (1, before)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("situaton=x", 'did you mean "situation"'),
        ("belief_before=800", "0 to 100"),
        ("distortion=laziness", "distortion is one of"),
    ],
)
def test_a_bad_change_is_one_line_and_changes_nothing(run, page, change, told):
    before = page.read_bytes()
    done = run("worksheet", "edit", page, "--in-place", "--set", change)
    assert done.code == 1
    assert told in done.err
    assert done.err.count("\n") == 1
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [(), ("--set", "situation"), ("--set", "plan=x", "--in-place", "--output", "y")]
)
def test_a_misused_edit_is_a_usage_error(run, page, arguments):
    assert run("worksheet", "edit", page, *arguments).code == 2


def test_who_writes_of_danger_is_shown_help_and_keeps_the_page(run, page):
    done = run("worksheet", "edit", page, "--in-place", "--set", "situation=I want to die")
    assert done.code == 0
    assert safety.help_block("en") in done.err
    assert rows(page.read_text(encoding="utf-8"))[0]["situation"] == "I want to die"
    calm = run("worksheet", "edit", page, "--in-place", "--set", "situation=I missed the bus")
    assert calm.err == ""


def test_one_of_several_worksheets_is_chosen_by_its_id(run, tmp_path):
    path = tmp_path / "pages.jsonl"
    records = [
        json.loads(run("worksheet", "new", "experiment", "--id", name).out) for name in ("a", "b")
    ]
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    several = run("worksheet", "edit", path, "--set", "plan=x")
    assert several.code == 1
    assert "--id" in several.err
    absent = run("worksheet", "edit", path, "--id", "c", "--set", "plan=x")
    assert 'no worksheet "c"' in absent.err
    done = run("worksheet", "edit", path, "--id", "b", "--set", "plan=x", "--in-place")
    assert done.code == 0
    found = rows(path.read_text(encoding="utf-8"))
    assert [(row["id"], row["plan"]) for row in found] == [("a", None), ("b", "x")]
    assert run("worksheet", "export", path, "--id", "b").out.count("# Small experiment") == 1


def test_a_conversation_fills_a_worksheet(run, tmp_path):
    talk = {
        "id": "t1",
        "text": "He praised me on Monday",
        "history": [
            {"role": "user", "content": "My boss must hate my work"},
            {"role": "assistant", "content": question("frame", "belief")},
            {"role": "user", "content": "80"},
            {"role": "assistant", "content": question("examine_evidence", "against")},
        ],
    }
    path, out = tmp_path / "talks.jsonl", tmp_path / "pages.jsonl"
    path.write_text(json.dumps(talk) + "\n", encoding="utf-8")
    assert run("worksheet", "fill", "--input", path, "--output", out).code == 0
    row = rows(out.read_text(encoding="utf-8"))[0]
    assert (row["id"], row["worksheet"]) == ("t1", "thought_record")
    assert (row["belief_before"], row["evidence_against"]) == (80, "He praised me on Monday")
    other = run("worksheet", "fill", "--input", path, "--kind", "experiment")
    assert rows(other.out)[0]["notes"] == [
        {"field": "evidence_against", "text": "He praised me on Monday"}
    ]


def test_an_unreadable_conversation_is_marked_and_counted(run, tmp_path):
    path = tmp_path / "talks.jsonl"
    path.write_text('{"id": "1", "text": "hello there"}\n{"id": "2"}\n', encoding="utf-8")
    assert run("worksheet", "fill", "--input", path).code == 1
    done = run("worksheet", "fill", "--input", path, "--keep-going")
    assert done.code == 1
    assert "error" in rows(done.out)[1]
    assert "1 of 2 items failed" in done.err


def test_an_archive_restores_every_worksheet(run, tmp_path, page):
    run("worksheet", "edit", page, "--in-place", "--set", "notes.worst=是的 | =1+1")
    out = tmp_path / "archive.jsonl"
    assert run("worksheet", "export", page, "--format", "json", "--output", out).code == 0
    assert out.read_bytes() == page.read_bytes()
    again = run("worksheet", "export", out, "--format", "json")
    assert again.out == out.read_text(encoding="utf-8")


def test_a_table_can_be_opened_by_a_spreadsheet_and_holds_no_formula(run, tmp_path, page):
    run("worksheet", "edit", page, "--in-place", "--set", "situation==HYPERLINK(1)")
    out = tmp_path / "page.csv"
    assert run("worksheet", "export", page, "--format", "csv", "--output", out).code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfid,")
    row = next(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    assert row["situation"] == "'=HYPERLINK(1)"


def test_pages_come_in_the_locale_that_is_asked_for(run, page):
    assert "# 想法记录" in run("worksheet", "export", page, "--locale", "zh").out
    assert "# 想法記錄" in run("worksheet", "export", page, "--locale", "zh-Hant").out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"worksheet": "diary"}\n', ":1: "),
        ('{"worksheet": "experiment"}\n{"worksheet": "experiment", "plan": 3}\n', ":2: plan"),
        ("no json\n", ":1: "),
        ("", "holds no worksheets"),
    ],
)
def test_a_file_that_holds_no_worksheets_is_refused_by_its_line(run, tmp_path, content, told):
    path = tmp_path / "page.jsonl"
    path.write_text(content, encoding="utf-8")
    done = run("worksheet", "export", path)
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_file_that_is_not_there_is_told_in_one_line(run, tmp_path):
    done = run("worksheet", "export", tmp_path / "nothing.jsonl")
    assert done.code == 1
    assert "cannot read" in done.err
