"""untwist data, as a researcher uses it for the first time: what is asked, and every slip."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_corpora import write_corpora, write_lines, write_risk_corpora
from tests.tiny_more import write_more_corpora
from untwist.cli.sources import show_progress, width_of
from untwist.data import known_corpora
from untwist.recipes import publish

OURS = ("--unverified", "--accept-licence", "all")
EN = [
    ("I always burn the toast", "overgeneralization"),
    ("She thinks my hat is silly", "mind_reading"),
    ("The train will be late and I will miss it all", "fortune_telling"),
    ("I am a bad cook; I always was", "labeling;overgeneralization"),
    ("We had soup", "none"),
    ("He should know that", "should statements"),
]
ZH = [("我就是个笨蛋", "标签化"), ("明天一定下雨", "先知错误"), ("今天吃了面", "无"),
      ("他肯定在笑我的帽子", "读心术")]  # fmt: skip
COMMANDS = ("list", "show", "check", "stats", "split", "overlap", "convert")


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """An empty folder, nothing set, and no pictures, which take most of the time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTWIST_CORPORA", raising=False)
    monkeypatch.delenv("UNTWIST_ACCEPT_LICENCE", raising=False)
    monkeypatch.setattr(publish, "find_spec", lambda name: None)


def table(name, rows, header=("text", "labels"), encoding="utf-8", delimiter=",", end="\n"):
    with Path(name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    return name


def lines(name, rows):
    write_lines(Path(name), rows)
    return name


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def one_line(shown, code=1):
    assert shown.code == code
    last = shown.err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "Traceback" not in shown.err
    return last


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_group_has_help_with_an_example(run, command):
    shown = run("data", command, "--help")
    assert shown.code == 0
    assert "Example" in shown.out
    assert f"untwist data {command}" in shown.out


# list and show


def test_the_list_names_every_corpus_and_fits_a_hundred_columns(run):
    write_corpora(Path("c"))
    shown = run("data", "list", "--folder", "c").out.splitlines()
    assert [line.split()[0] for line in shown[1:]] == list(known_corpora())
    assert max(map(width_of, shown)) <= 100


def test_the_list_says_what_is_there_missing_partly_there_other_or_shipped(run):
    write_corpora(Path("c"))
    Path("c/socialcd_3k/socialcd_3k_test.tsv").unlink()
    rows = {row["name"]: row for row in objects(run("data", "list", "--json", "--folder", "c").out)}
    said = {name: row["at_hand"] for name, row in rows.items()}
    assert said["open"] == "shipped"
    assert said["socialcd"] == "1 of 2"
    assert said["reframing"] == "differs"
    assert said["sos_1k"] == "missing"
    assert [file["state"] for file in rows["socialcd"]["files"]] == ["differs", "missing"]


def test_without_a_folder_the_list_says_how_to_name_one(run):
    shown = run("data", "list")
    assert shown.code == 0
    assert "--folder" in shown.err
    assert one_line(run("data", "list", "--folder", "nowhere")).startswith("Error: no folder")


def test_the_folder_can_be_set_once(run, monkeypatch):
    write_corpora(Path("c"))
    monkeypatch.setenv("UNTWIST_CORPORA", "c")
    monkeypatch.setenv("UNTWIST_ACCEPT_LICENCE", "reframing socialcd")
    shown = run("data", "check", "reframing", "socialcd", "--unverified")
    assert "reframing: differs, 6 rows, 0 refused" in shown.out
    assert "socialcd: differs, 8 rows, 0 refused" in shown.out


def test_the_card_of_a_corpus_has_its_headings_parts_files_and_the_next_command(run):
    shown = run("data", "show", "socialcd").out
    for heading in ("Source", "Licence", "Language", "Labels", "Splits", "Known faults", "Size"):
        assert f"\n{heading} " in shown
    assert "published: train 2,043, validation 682, test 682" in shown
    assert "socialcd_3k/socialcd_3k_train.tsv: missing" in shown
    assert "untwist data check socialcd --accept-licence socialcd" in shown
    assert max(map(width_of, shown.splitlines())) <= 100


@pytest.mark.parametrize("name", list(known_corpora()))
def test_every_corpus_has_a_card(run, name):
    (card,) = objects(run("data", "show", name, "--json").out)
    assert card["name"] == name
    assert len(card["headings"]) == 7


def test_rows_of_a_corpus_are_shown_only_when_its_licence_is_accepted(run):
    write_corpora(Path("c"))
    ask = ("data", "show", "reframing", "--rows", "1", "--folder", "c", "--unverified")
    assert "--accept-licence reframing" in one_line(run(*ask))
    shown = run(*ask, "--accept-licence", "reframing")
    assert json.loads(shown.out.splitlines()[-1])["corpus"] == "reframing"


def test_an_unknown_corpus_is_answered_with_the_nearest_one(run):
    assert 'did you mean "socialcd"' in one_line(run("data", "show", "socalcd"))
    table("mine.csv", EN)
    assert "untwist data stats mine.csv" in one_line(run("data", "show", "mine.csv"))
    accepted = run("data", "check", "open", "--accept-licence", "reframng")
    assert 'did you mean "reframing"' in one_line(accepted)


# check: the public corpora


def test_a_whole_corpus_is_ok_and_the_exit_code_is_0(run):
    shown = run("data", "check", "open")
    assert shown.code == 0
    assert shown.out.startswith("open: ok, ")
    assert shown.err == ""


@pytest.mark.slow
def test_without_a_name_all_that_are_at_hand_are_checked_and_the_others_named(run):
    write_corpora(Path("c"))
    write_risk_corpora(Path("c"))
    write_more_corpora(Path("c"))
    shown = run("data", "check", "--folder", "c", *OURS, "--json")
    rows = objects(shown.out)
    assert [row["corpus"] for row in rows] == [n for n in known_corpora() if n != "c2d2"]
    assert [row["state"] for row in rows] == [*["ok"] * 3, *["differs"] * 18]
    assert all(row["rows"] for row in rows)
    assert one_line(shown).startswith("Error: 18 of 21 are not as they should be")
    few = run("data", "check", "--folder", "c/cogdis_zh", *OURS)
    assert [line.split(":")[0] for line in few.out.splitlines()[2:4]] == ["open-parallel", "cogdis"]
    assert "no known file at hand: socialcd, reframing" in few.err


def test_a_changed_byte_is_noticed_and_the_file_is_read_only_when_asked(run):
    write_corpora(Path("c"))
    ask = ("data", "check", "reframing", "--folder", "c", "--accept-licence", "reframing")
    shown = run(*ask)
    assert "thinking_traps_all.jsonl: differs" in shown.out
    assert "c/cognitive_reframing/thinking_traps_all.jsonl: its sha256" in one_line(shown)
    assert "--unverified" in shown.err
    read = run(*ask, "--unverified")
    assert read.code == 1
    assert "the parts that ship may not fit" in one_line(read)
    assert read.out.startswith("reframing: differs, 6 rows, 0 refused")


def test_a_licence_that_was_not_accepted_is_asked_for_once(run):
    write_corpora(Path("c"))
    one = run("data", "check", "reframing", "--folder", "c")
    assert "CC BY-NC-ND 4.0" in one_line(one)
    assert "--accept-licence reframing" in one.err
    every = run("data", "check", "--folder", "c")
    assert "reframing: licence not accepted, not read" in every.out
    assert "--accept-licence NAME" in one_line(every)
    assert every.err.count("CC BY") == 0


def test_a_missing_file_is_named_with_the_place_where_it_can_be_had(run):
    write_corpora(Path("c"))
    Path("c/socialcd_3k/socialcd_3k_test.tsv").unlink()
    shown = run("data", "check", "socialcd", "--folder", "c", *OURS)
    assert "socialcd: missing, not read" in shown.out
    assert "socialcd_3k/socialcd_3k_test.tsv" in one_line(shown)
    assert "HongzhiQ" in shown.err


def test_a_corpus_that_lies_elsewhere_is_named_with_its_place(run):
    write_corpora(Path("c"))
    for place in ("c", "c/socialcd_3k"):
        shown = run("data", "check", f"socialcd={place}", *OURS)
        assert f"socialcd={place}: differs, 8 rows" in shown.out
    file = "c/socialcd_3k/socialcd_3k_test.tsv"
    assert "3 rows" in run("data", "check", f"socialcd={file}", *OURS).out


# check: texts of one's own


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv", "mine.tab"])
def test_a_table_of_ones_own_in_two_languages_is_read(run, name):
    table(name, EN + ZH, delimiter="," if name.endswith("csv") else "\t")
    assert run("data", "check", name).out == f"{name}: ok, 10 rows, 0 refused\n"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(run):
    table("bom.csv", EN + ZH, encoding="utf-8-sig", end="\r\n")
    assert "ok, 10 rows, 0 refused" in run("data", "check", "bom.csv").out


def test_a_quoted_cell_may_span_lines_and_the_next_fault_has_its_true_line(run):
    table("q.csv", [("one\ntwo, three", "none"), ('she said "no"', "labeling"), ("x", "blargh")])
    shown = run("data", "check", "q.csv", "--show-refused")
    assert "q.csv: ok, 2 rows, 1 refused" in shown.out
    assert "q.csv:5: unknown distortion" in shown.out


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_another_encoding_is_named_before_any_row_is_misread(run, encoding):
    table("other.csv", ZH, encoding=encoding)
    said = one_line(run("data", "check", "other.csv"))
    assert f"--encoding {encoding}" in said
    assert "other.csv:" in said
    shown = run("data", "check", "other.csv", "--encoding", encoding)
    assert shown.out == "other.csv: ok, 4 rows, 0 refused\n"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_json_lines_in_another_encoding_are_refused_as_a_whole(run, encoding):
    rows = "".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t, _ in ZH * 3)
    Path("o.jsonl").write_text(rows, encoding=encoding)
    said = one_line(run("data", "check", "o.jsonl"))
    assert f"o.jsonl:1: not UTF-8; it reads as {encoding.upper()}: save it as UTF-8" in said


def test_an_unknown_encoding_is_answered_with_known_ones(run):
    table("mine.csv", EN)
    assert "gb18030" in one_line(run("data", "check", "mine.csv", "--encoding", "nope"))


def test_a_missing_column_is_named_with_those_that_are_there(run):
    table("o.csv", EN, header=("Sentence", "Label"))
    said = one_line(run("data", "check", "o.csv"))
    assert "o.csv:1" in said
    assert "nearest to text: Sentence" in said
    named = ("--text-column", "Sentence", "--label-column", "Label")
    assert run("data", "check", "o.csv", *named).code == 0
    table("n.csv", [(text,) for text, _ in EN], header=("text",))
    assert run("data", "check", "n.csv", "--label-column", "-").code == 0


def test_the_text_column_cannot_be_the_label_column_whose_names_are_quoted(run):
    table("mine.csv", EN)
    shown = run("data", "check", "mine.csv", "--label-column", "text")
    one_line(shown)
    assert "toast" not in shown.err + shown.out


def test_refused_rows_are_counted_by_reason_with_the_first_place_and_listed_when_asked(run):
    table("u.csv", [*EN, ("x", "blargh"), ("y", "blargh"), ("", "none")])
    shown = run("data", "check", "u.csv")
    assert "u.csv: ok, 6 rows, 3 refused" in shown.out
    assert '2 × unknown distortion "blargh"' in shown.out
    assert "(u.csv:8)" in shown.out
    assert "mend the refused rows" in one_line(shown)
    listed = run("data", "check", "u.csv", "--show-refused").out
    assert "u.csv:8: " in listed
    assert "u.csv:9: " in listed
    assert "u.csv:10: " in listed


def test_a_thousand_reasons_do_not_fill_the_screen(run):
    table("u.csv", [(f"text {n}", f"name {n}") for n in range(99)])
    shown = run("data", "check", "u.csv").out
    assert "94 × other reasons" in shown
    assert len(shown.splitlines()) < 10


def test_an_id_that_occurs_twice_is_shown_with_both_places(run):
    table("d.csv", [("a", *EN[0]), ("b", *EN[1]), ("a", *EN[2])], header=("id", "text", "labels"))
    shown = run("data", "check", "d.csv", "--id-column", "id", "--show-refused")
    assert 'd.csv:4: id "a" is at d.csv:2 too' in shown.out
    assert shown.code == 1


def test_broken_json_lines_are_refused_one_by_one(run):
    lines("m.jsonl", [{"id": "a", "text": "x", "labels": []}])
    with Path("m.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "b", "text"\n[1]\n{"id": "a", "text": "again"}\n')
    shown = run("data", "check", "m.jsonl", "--json", "--show-refused")
    (row,) = objects(shown.out)
    assert (row["rows"], row["refused"]) == (1, 3)
    assert [place.split(":")[1] for place in row["refusals"]] == ["2", "3", "4"]
    one_line(shown)


@pytest.mark.parametrize("name", ["e.jsonl", "e.csv"])
def test_a_file_without_rows_is_not_called_ok(run, name):
    Path(name).write_text("text,labels\n" if name.endswith("csv") else "", encoding="utf-8")
    shown = run("data", "check", name)
    assert f"{name} holds no rows" in one_line(shown)
    Path("really.csv").write_text("", encoding="utf-8")
    assert "really.csv:1" in one_line(run("data", "check", "really.csv"))


def test_a_folder_where_a_file_belongs_and_a_file_that_is_not_there_are_told_apart(run):
    Path("f").mkdir()
    assert "f is a folder" in one_line(run("data", "check", "f"))
    assert "no file f/mine.csv" in one_line(run("data", "check", "f/mine.csv"))
    assert "neither a file nor a corpus" in one_line(run("data", "check", "nope"))


def test_one_bad_file_does_not_hide_the_others(run):
    table("mine.csv", EN)
    table("gb.csv", ZH, encoding="gb18030")
    shown = run("data", "check", "gb.csv", "mine.csv", "nope")
    assert "gb.csv: not readable" in shown.out
    assert "mine.csv: ok, 6 rows" in shown.out
    assert "gb.csv:2: not UTF-8" in shown.err
    assert "2 of 3" in one_line(shown)


# check: a split of one's own


def parts_of_ids(train, test, header=("id", "text", "labels")):
    table("train.csv", train, header)
    table("test.csv", test, header)
    return ("data", "check", "--parts", "train=train.csv", "--parts", "test=test.csv")


def test_a_test_id_in_train_is_shown_with_both_files_and_lines(run):
    ask = parts_of_ids([("a", *EN[0]), ("b", *EN[1])], [("c", *EN[2]), ("b", *EN[3])])
    shown = run(*ask)
    assert "train=train.csv: ok, 2 rows" in shown.out
    assert 'id "b" is at train.csv:3 too' in shown.out
    assert "(test.csv:3)" in shown.out
    one_line(shown)


def test_a_clean_split_is_ok(run):
    ask = parts_of_ids([("a", *EN[0]), ("b", *EN[1])], [("c", *EN[2])])
    shown = run(*ask)
    assert shown.code == 0
    assert shown.err == ""


def test_a_test_id_in_train_is_found_in_json_lines_too(run):
    lines("train.jsonl", [{"id": "a", "text": "one", "labels": []}, {"text": "two"}])
    lines("test.jsonl", [{"text": "three"}, {"text": "four"}, {"id": "a", "text": "five"}])
    ask = ("--parts", "train=train.jsonl", "--parts", "test=test.jsonl")
    shown = run("data", "check", *ask, "--json", "--show-refused")
    train, test = objects(shown.out)
    assert (train["state"], train["rows"], test["rows"]) == ("ok", 2, 2)
    assert test["refusals"][0].startswith('test.jsonl:3: id "a" is at train.jsonl:1 too')
    assert shown.code == 1


def test_a_test_text_in_train_is_told_whatever_its_spacing(run):
    ask = parts_of_ids([("a", "We had soup!", "none")], [("b", "we  had soup", "none")])
    shown = run(*ask)
    assert "1 texts of test are in train too" in shown.err
    assert "untwist data overlap test.csv train.csv" in shown.err


def test_rows_without_ids_are_said_not_to_be_compared(run):
    ask = parts_of_ids(EN[:2], EN[2:], header=("text", "labels"))
    assert "--id-column" in run(*ask).err


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("train=train.csv",), "name two or more"),
        (("train", "test=test.csv"), "PART=FILE"),
        (("train=train.csv", "train=test.csv"), "names train twice"),
        (("train=train.csv", "test=train.csv"), "names train.csv twice"),
    ],
)
def test_parts_that_make_no_split_are_wrong_usage(run, given, why):
    parts_of_ids([("a", *EN[0])], [("b", *EN[1])])
    shown = run("data", "check", *(word for part in given for word in ("--parts", part)))
    assert why in one_line(shown, 2)
    assert run("data", "check", "open", "--parts", "a=b").code == 2


def test_parts_of_two_kinds_or_without_a_file_are_one_clear_line(run):
    parts_of_ids([("a", *EN[0])], [("b", *EN[1])])
    lines("test.jsonl", [{"text": "three"}])
    mixed = run("data", "check", "--parts", "train=train.csv", "--parts", "test=test.jsonl")
    assert "all of one kind" in one_line(mixed)
    for lost in ("lost.csv", "lost.jsonl"):
        train = "train.csv" if lost.endswith("csv") else "test.jsonl"
        shown = run("data", "check", "--parts", f"train={train}", "--parts", f"test={lost}")
        assert f"no file {lost}" in one_line(shown)


# stats and overlap


def test_stats_leave_a_run_folder_that_names_the_command_and_not_the_place(run):
    write_corpora(Path("c"))
    table("mine.csv", EN)
    options = ("--folder", "c", "--accept-licence", "all", "--unverified", "--text-column", "text")
    shown = run("data", "stats", "mine.csv", "reframing", *options, "--out", "st", "--json")
    assert shown.out == str(Path("st/metrics.json")) + "\n"
    metrics = json.loads(Path("st/metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"] == (
        "untwist data stats mine.csv reframing --accept-licence all --unverified --text-column text"
    )
    assert metrics["corpora"]["mine"]["rows"] == 6


def test_without_a_name_the_report_says_which_corpora_were_at_hand(run):
    write_corpora(Path("c"))
    Path("c/socialcd_3k/socialcd_3k_test.tsv").unlink()
    shown = run("data", "stats", "--folder", "c", *OURS, "--out", "st", "--json")
    assert "socialcd is left out: a file of it is missing" in shown.err
    metrics = json.loads(Path("st/metrics.json").read_text(encoding="utf-8"))
    named = "untwist data stats open open-dialogues open-parallel reframing therapist-part"
    assert named in metrics["command"]


def test_stats_print_their_report_and_count_what_was_refused(run):
    table("u.csv", [*EN, ("x", "blargh")])
    shown = run("data", "stats", "u.csv", "--out", "st", "--show-refused")
    assert shown.code == 0
    assert "| u | 6 |" in shown.out
    assert "u.csv:8: unknown distortion" in shown.err


@pytest.mark.parametrize("command", ["stats", "overlap"])
def test_two_sources_of_one_name_are_not_counted_as_one(run, command):
    table("mine.csv", EN)
    lines("mine.jsonl", [{"id": "a", "text": "x"}])
    shown = run("data", command, "mine.csv", "mine.jsonl", "--out", "st")
    assert "mine.jsonl" in one_line(shown)
    assert not Path("st").exists()


@pytest.mark.parametrize("command", ["stats", "overlap"])
def test_a_run_folder_in_use_is_left_alone(run, command):
    table("mine.csv", EN)
    Path("st").mkdir()
    Path("st/notes.txt").write_text("mine", encoding="utf-8")
    assert "st is not empty" in one_line(run("data", command, "mine.csv", "--out", "st"))
    assert [file.name for file in Path("st").iterdir()] == ["notes.txt"]
    assert "mine.csv" in one_line(run("data", command, "mine.csv", "--out", "mine.csv"))


def test_overlap_finds_the_texts_that_two_files_share(run):
    table("train.csv", EN[:4])
    table("test.csv", [("we HAD soup!", "none"), ("I always burn  the toast", "none")])
    shown = run("data", "overlap", "train.csv", "test.csv", "--out", "ov")
    assert "| test | 2 | train | 0 | 1 |" in shown.out
    assert run("data", "overlap", "train.csv", "--pairs", "-1", "--out", "o2").code == 2


# split


def test_a_split_is_written_in_the_order_of_the_file(run):
    table("mine.csv", EN + ZH)
    shown = run("data", "split", "mine.csv", "--out", "new/parts.jsonl", "--json")
    (said,) = objects(shown.out)
    assert said["parts"] == {"train": 6, "validation": 2, "test": 2}
    rows = objects(Path("new/parts.jsonl").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 11)]
    again = run("data", "split", "mine.csv", "--out", "new/parts.jsonl")
    assert "is there already" in one_line(again)


def test_texts_keep_their_part_so_that_a_file_read_alone_is_not_cut_again(run):
    table("mine.csv", EN + ZH)
    assert run("data", "split", "mine.csv", "--texts", "--out", "mine").code == 0
    assert sorted(p.name for p in Path("mine").iterdir()) == [
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    shown = run("data", "split", "mine/test.jsonl", "--out", "again.jsonl", "--json")
    assert json.loads(shown.out)["parts"] == {"test": 2}


def test_folds_are_as_many_as_asked(run):
    table("mine.csv", EN + ZH)
    shown = run("data", "split", "mine.csv", "--folds", "3", "--out", "f.jsonl", "--json")
    assert list(json.loads(shown.out)["parts"]) == ["fold0", "fold1", "fold2"]
    assert "99 folds" in one_line(run("data", "split", "mine.csv", "--folds", "99", "--out", "g"))
    for wrong in (("--folds", "1"), ("--folds", "3", "--mode", "published"), ("--seed", "-1")):
        assert run("data", "split", "mine.csv", *wrong, "--out", "h").code == 2


def test_a_published_part_is_kept(run):
    rows = [(*row, "train" if place % 3 else "test") for place, row in enumerate(EN + ZH)]
    table("mine.csv", rows, header=("text", "labels", "part"))
    asked = ("--split-column", "part", "--mode", "published", "--out", "p.jsonl")
    assert run("data", "split", "mine.csv", *asked).code == 0
    parts = [row["part"] for row in objects(Path("p.jsonl").read_text(encoding="utf-8"))]
    assert [part == "test" for part in parts] == [place % 3 == 0 for place in range(10)]


def test_nothing_to_split_is_said(run):
    Path("e.jsonl").write_text("", encoding="utf-8")
    assert "no row to split" in one_line(run("data", "split", "e.jsonl", "--out", "p.jsonl"))
    assert not Path("p.jsonl").exists()


@pytest.mark.parametrize("out", ["mine.csv/parts.jsonl", "/proc/parts.jsonl"])
@pytest.mark.parametrize("texts", [(), ("--texts",)])
def test_an_output_that_cannot_be_written_is_named(run, out, texts):
    table("mine.csv", EN)
    assert out in one_line(run("data", "split", "mine.csv", *texts, "--out", out))


# convert


@pytest.mark.parametrize("form", ["jsonl", "alpaca", "sharegpt", "messages", "hf"])
def test_every_format_comes_back_as_it_was(run, form):
    table("mine.csv", EN + ZH)
    run("data", "convert", "mine.csv", "--to", "jsonl", "--out", "before")
    there = run(
        "data", "convert", "mine.csv", "--to", form, "--licence", "cc0-1.0", "--out", "there",
        "--json",
    )  # fmt: skip
    said = json.loads(there.out)
    assert (said["rows"], said["refused"]) == (10, 0)
    source = "there" if form == "hf" else "there/mine.jsonl"
    back = run(
        "data", "convert", source, "--from", form, "--to", "jsonl", "--name", "mine",
        "--out", "back",
    )  # fmt: skip
    assert back.code == 0
    before, after = (Path(p, "mine.jsonl").read_text(encoding="utf-8") for p in ("before", "back"))
    assert objects(after) == objects(before)


def test_label_studio_tasks_come_back_once_they_are_annotated(run):
    table("mine.csv", EN)
    asked = ("--to", "label-studio", "--predictions", "--out", "ls")
    assert run("data", "convert", "mine.csv", *asked).code == 0
    back = ("--from", "label-studio", "--to", "jsonl", "--out", "back")
    assert "export annotated tasks" in one_line(run("data", "convert", "ls/mine.json", *back))
    tasks = json.loads(Path("ls/mine.json").read_text(encoding="utf-8"))
    for task in tasks:
        given = task.pop("predictions")[0]["result"]
        task["annotations"] = [{"completed_by": 1, "result": given}]
    Path("export.json").write_text(json.dumps(tasks), encoding="utf-8")
    assert run("data", "convert", "export.json", *back).code == 0
    rows = objects(Path("back/export.jsonl").read_text(encoding="utf-8"))
    assert [set(row["labels"]) for row in rows][:2] == [{"overgeneralization"}, {"mind_reading"}]


def test_the_wrong_format_is_told_with_the_refused_rows(run):
    table("mine.csv", EN)
    asked = ("--from", "alpaca", "--to", "jsonl", "--out", "z")
    shown = run("data", "convert", "mine.csv", *asked)
    assert "7 rows refused" in shown.err
    assert "give --from the format that the file is in" in one_line(shown)


def test_what_a_format_leaves_out_is_counted(run):
    table("mine.csv", EN)
    shown = run("data", "convert", "mine.csv", "--to", "label-studio", "--out", "ls")
    assert "left out: 6 × labels" in shown.err


def test_a_card_needs_a_licence_and_says_so_before_anything_is_written(run):
    table("mine.csv", EN)
    shown = run("data", "convert", "mine.csv", "--to", "hf", "--out", "hf")
    assert "--licence" in one_line(shown, 2)
    assert not Path("hf").exists()


def test_a_file_name_with_a_blank_makes_a_name_without_one(run):
    table("my data.csv", EN)
    shown = run("data", "convert", "my data.csv", "--to", "jsonl", "--out", "z")
    assert shown.out == str(Path("z/my-data.jsonl")) + "\n"


def test_no_file_is_overwritten(run):
    table("mine.csv", EN)
    asked = ("data", "convert", "mine.csv", "--to", "alpaca", "--out", "z")
    assert run(*asked).code == 0
    before = Path("z/mine.jsonl").read_bytes()
    one_line(run(*asked))
    assert Path("z/mine.jsonl").read_bytes() == before
    onto = run("data", "convert", "mine.csv", "--to", "jsonl", "--out", "mine.csv")
    assert "a file stands where a folder belongs" in one_line(onto)


# long work


def test_progress_is_shown_on_a_terminal_only(monkeypatch, capsys):
    show_progress("reading", 1, 4)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show_progress("reading", 2, 4)
    show_progress("reading", 4, 4)
    shown = capsys.readouterr().err
    assert "reading [###############---------------] 2/4" in shown
    assert shown.endswith("4/4   \n")


def test_an_interrupted_run_leaves_no_folder_behind(run, monkeypatch):
    from untwist.recipes import data_overlap

    def stop(parts):
        raise KeyboardInterrupt

    table("mine.csv", EN)
    monkeypatch.setattr(data_overlap, "find_leakage", stop)
    shown = run("data", "overlap", "mine.csv", "--out", "ov")
    assert shown.code == 1
    assert "Aborted!" in shown.err
    assert not Path("ov").exists()


@pytest.mark.slow
def test_a_program_reads_json_from_a_pipe(tmp_path):
    command = f"{sys.executable} -m untwist data list --json | head -2"
    done = subprocess.run(command, shell=True, capture_output=True, check=False, cwd=tmp_path)
    rows = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [row["name"] for row in rows] == ["open", "open-dialogues"]
    assert b"Traceback" not in done.stderr
