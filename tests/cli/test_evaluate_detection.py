"""untwist evaluate detector, matrix, compare and leaderboard, as a stranger uses them."""

import csv
import json
from pathlib import Path

import pytest

from tests.tiny_corpora import write_corpora, write_lines
from untwist.cli.main import cli
from untwist.recipes import answers, evaluate_detector, publish

ROWS = [
    ("I always burn the toast", "overgeneralization"),
    ("She thinks my hat is silly", "mind_reading"),
    ("The train will be late and I will miss it all", "fortune_telling"),
    ("I am a bad cook", "labeling"),
    ("We had soup", "none"),
    ("He should know that", "should statements"),
    ("Nobody ever waves at me", "overgeneralization"),
    ("They all laugh at my shoes, I can tell", "mind_reading"),
    ("我就是个笨蛋", "标签化"),
    ("明天一定下雨", "先知错误"),
    ("今天吃了面", "无"),
    ("他肯定在笑我的帽子", "读心术"),
    ("每次都下雨", "过度概括"),
    ("我真是个懒虫", "标签化"),
    ("午后去散步", "无"),
    ("后天的比赛肯定输", "先知错误"),
]
COMMANDS = ("detector", "matrix", "compare", "leaderboard")


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """An empty folder with one table, nothing set, no pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTWIST_CORPORA", raising=False)
    monkeypatch.delenv("UNTWIST_ACCEPT_LICENCE", raising=False)
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    with Path("mine.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "labels"), *ROWS])


@pytest.fixture
def predicted(run):
    """Makes a file of predictions from the parts that `data split` wrote, as the guide says."""

    def _predicted(name, kind="labels", *parts):
        if not Path("mine").exists():
            run("data", "split", "mine.csv", "--texts", "--out", "mine")
        rows = [row for part in parts or ("test",) for row in read(f"mine/{part}.jsonl")]
        given = [{"id": row["id"], **answer(row["labels"], kind)} for row in rows]
        write_lines(Path(name), given)
        return name

    def answer(labels, kind):
        return {"labels": labels} if kind == "labels" else {kind: dict.fromkeys(labels, 0.7)}

    return _predicted


def read(name):
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def metrics(folder):
    return json.loads(Path(folder, "metrics.json").read_text(encoding="utf-8"))


def one_line(shown, code=1):
    assert shown.code == code
    last = shown.err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "Traceback" not in shown.err
    return last


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    shown = run("evaluate", command, "--help")
    assert shown.code == 0
    assert "Example" in shown.out
    assert f"untwist evaluate {command}" in shown.out


def test_every_option_of_these_commands_is_explained():
    group = cli.get_command(None, "evaluate")
    for name in COMMANDS:
        for option in group.commands[name].params:
            assert option.param_type_name == "argument" or option.help, (name, option.name)


# detector


def test_predictions_made_from_the_written_parts_are_scored_on_the_same_test_rows(run, predicted):
    asked = ("--predictions", predicted("p.jsonl"), "--system", "m@1", "--trained-on", "mine:train")
    shown = run("evaluate", "detector", "--corpora", "mine.csv", *asked, "--out", "e")
    assert shown.code == 0
    assert "| mine | grouped split, test part |" in shown.out
    assert "report.html" in shown.err
    (line, _) = read("e/leaderboard.jsonl")
    assert (line["system"], line["micro_f1"], line["split"]) == ("m@1", 1.0, "grouped")
    assert line["trained_on"] == ["mine:train"]
    assert line["command"] == (
        "untwist evaluate detector --predictions p.jsonl --system m@1 --corpora mine.csv "
        "--trained-on mine:train"
    )


def test_the_test_file_alone_is_a_corpus_whose_rows_are_all_test_rows(run, predicted):
    file = predicted("p.jsonl")
    asked = ("--corpora", "mine/test.jsonl", "--predictions", file, "--out", "e", "--json")
    shown = run("evaluate", "detector", *asked)
    assert shown.out == str(Path("e/metrics.json")) + "\n"
    assert read("e/leaderboard.jsonl")[0]["n"] == len(read("mine/test.jsonl"))


def test_probabilities_of_validation_and_test_get_one_threshold(run, predicted):
    file = predicted("p.jsonl", "probabilities", "validation", "test")
    asked = ("--corpora", "mine.csv", "--predictions", file, "--out", "e", "--json")
    assert run("evaluate", "detector", *asked).code == 0
    assert read("e/leaderboard.jsonl")[0]["thresholds_from"] == "validation"


def test_a_failed_run_leaves_no_folder_so_that_the_next_one_may_have_its_name(run, predicted):
    good = predicted("p.jsonl")
    bad = str(write_lines(Path("bad.jsonl"), [{"id": "99", "labels": []}]))
    asked = ("evaluate", "detector", "--corpora", "mine.csv", "--out", "e", "--json")
    assert "bad.jsonl:1" in one_line(run(*asked, "--predictions", bad))
    assert not Path("e").exists()
    assert run(*asked, "--predictions", good).code == 0
    assert "e is not empty" in one_line(run(*asked, "--predictions", good))


def test_an_interrupted_run_leaves_no_folder(run, monkeypatch):
    def stop(detector, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate_detector, "ask", stop)
    shown = run("evaluate", "detector", "--corpora", "mine.csv", "--out", "e")
    assert shown.code == 1
    assert "Aborted!" in shown.err
    assert not Path("e").exists()
    assert answers.ask is not stop


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('{"id": "99", "labels": []}', 'no row "99"'),
        ('{"id": "1", "labels": ["blargh"]}', "blaming"),
        ('{"id": "1"}', "give one"),
        ('{"id": "1", "probabilities": {"labeling": 2}}', "0 to 1"),
        ("nonsense", "not JSON"),
    ],
)
def test_a_wrong_prediction_is_shown_with_file_and_line(run, row, why):
    Path("p.jsonl").write_text('{"id": "2", "labels": []}\n' + row + "\n", encoding="utf-8")
    asked = ("--corpora", "mine.csv", "--predictions", "p.jsonl", "--out", "e")
    said = one_line(run("evaluate", "detector", *asked))
    assert "p.jsonl:2" in said
    assert why in said


def test_rows_without_an_answer_are_an_error_or_counted_as_asked(run, predicted):
    rows = read(predicted("p.jsonl"))
    write_lines(Path("p.jsonl"), rows[1:])
    asked = ("evaluate", "detector", "--corpora", "mine.csv", "--predictions", "p.jsonl")
    said = one_line(run(*asked, "--out", "e"))
    assert "--missing" in said
    assert "p.jsonl" in said
    assert run(*asked, "--missing", "--out", "e", "--json").code == 0
    grouped = [line for line in read("e/leaderboard.jsonl") if line["split"] == "grouped"]
    assert grouped[0]["unscored"] == 1
    assert "--missing" in grouped[0]["command"]


def test_a_file_of_predictions_that_is_not_there_or_is_a_folder_is_named(run):
    asked = ("evaluate", "detector", "--corpora", "mine.csv", "--out", "e", "--predictions")
    assert "nope.jsonl" in one_line(run(*asked, "nope.jsonl"))
    Path("folder").mkdir()
    assert "folder" in one_line(run(*asked, "folder"))
    assert not Path("e").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--corpora", ""),
        ("--corpora", " , "),
        ("--seed", "-1"),
        ("--system", "x"),
        ("--missing",),
        ("--detector", "mine.csv"),
        ("--detector", "fast", "--predictions", "p.jsonl"),
        ("--nonsense",),
    ],
)
def test_options_that_do_not_fit_together_are_wrong_usage(run, wrong):
    shown = run("evaluate", "detector", *wrong, "--out", "e")
    one_line(shown, 2)
    assert not Path("e").exists()


@pytest.mark.parametrize(
    ("corpora", "why"),
    [
        ("nope", "neither a file nor a corpus"),
        ("nope.csv", "no file nope.csv"),
        ("reframing", "no file"),
        ("socialcd", "--accept-licence socialcd"),
        ("mine.csv,mine.csv", "mine.csv"),
    ],
)
def test_a_corpus_that_cannot_be_read_is_one_clear_line(run, corpora, why):
    accept = () if corpora == "socialcd" else ("--accept-licence", "all")
    shown = run("evaluate", "detector", "--corpora", corpora, *accept, "--out", "e")
    assert why in one_line(shown)
    assert not Path("e").exists()


def test_a_table_without_labels_has_nothing_to_score(run):
    asked = ("--corpora", "mine.csv", "--label-column", "-", "--out", "e")
    assert "mine has no row" in one_line(run("evaluate", "detector", *asked))


def test_a_model_folder_that_is_not_there_is_named(run):
    asked = ("--corpora", "mine.csv", "--detector", "nowhere", "--out", "e")
    assert "nowhere" in one_line(run("evaluate", "detector", *asked))


def test_the_shipped_detector_says_what_it_learnt_from_and_refused_rows_are_told(run):
    with Path("mine.csv").open("a", encoding="utf-8") as file:
        file.write("one more,blargh\n")
    shown = run("evaluate", "detector", "--corpora", "mine.csv", "--out", "e", "--json")
    assert shown.code == 0
    assert '1 rows refused: 1 × unknown distortion "blargh"' in shown.err
    assert metrics("e")["refused"]["rows"][0].startswith("mine.csv:18: ")
    assert read("e/leaderboard.jsonl")[0]["trained_on"] == ["open:train", "open:validation"]


def test_a_table_in_another_encoding_needs_its_name_and_the_report_repeats_it(run, predicted):
    file = predicted("p.jsonl")
    text = Path("mine.csv").read_text(encoding="utf-8")
    Path("mine.csv").write_text(text, encoding="gb18030")
    asked = ("evaluate", "detector", "--corpora", "mine.csv", "--predictions", file, "--out", "e")
    assert "--encoding gb18030" in one_line(run(*asked))
    assert run(*asked, "--encoding", "gb18030", "--json").code == 0
    assert read("e/leaderboard.jsonl")[0]["command"].endswith("--encoding gb18030")


def test_public_corpora_are_scored_from_their_folder(run):
    write_corpora(Path("c"))
    asked = ("--folder", "c", "--unverified", "--accept-licence", "socialcd")
    shown = run("evaluate", "detector", "--corpora", "socialcd", *asked, "--out", "e", "--json")
    assert shown.code == 0
    command = read("e/leaderboard.jsonl")[0]["command"]
    assert command == (
        "untwist evaluate detector --corpora socialcd --accept-licence socialcd --unverified"
    )


# matrix and compare


def test_the_matrix_names_its_corpora_and_leaves_metrics(run):
    shown = run("evaluate", "matrix", "--corpora", "mine.csv", "--out", "m", "--json")
    assert shown.out == str(Path("m/metrics.json")) + "\n"
    cells = metrics("m")["cells"]
    assert {(cell["train"], cell["test"]) for cell in cells} == {("mine", "mine")}


@pytest.mark.parametrize(
    ("corpora", "code", "why"),
    [
        ("", 2, "--corpora names none"),
        ("mine.csv,mine.csv", 1, "mine.csv"),
        ("socialcd", 1, "--accept-licence socialcd"),
        ("nope.csv", 1, "no file nope.csv"),
    ],
)
def test_a_matrix_of_nothing_or_of_one_thing_twice_is_refused(run, corpora, code, why):
    shown = run("evaluate", "matrix", "--corpora", corpora, "--out", "m")
    assert why in one_line(shown, code)
    assert not Path("m").exists()


def test_two_files_of_predictions_are_compared_on_the_same_rows(run, predicted):
    good = predicted("good.jsonl", "labels", "train", "validation", "test")
    rows = [{"id": row["id"], "labels": []} for row in read(good)]
    bad = str(write_lines(Path("bad.jsonl"), rows))
    shown = run("evaluate", "compare", good, bad, "--corpus", "mine.csv", "--out", "q")
    assert shown.code == 0
    assert "| micro-F1 |" in shown.out
    assert shown.out.startswith("# good against bad")


def test_two_files_of_one_name_are_told_apart_by_their_folders(run, predicted):
    first = predicted("p.jsonl", "labels", "train", "validation", "test")
    second = str(write_lines(Path("other/p.jsonl"), read(first)))
    asked = ("--corpus", "mine.csv", "--out", "q")
    shown = run("evaluate", "compare", first, second, *asked)
    assert shown.out.startswith(f"# {first} against {second}")


def test_a_system_that_is_none_or_stands_alone_is_refused(run, predicted):
    file = predicted("p.jsonl")
    asked = ("--corpus", "mine.csv", "--out", "q")
    said = one_line(run("evaluate", "compare", file, "nope.jsonl", *asked))
    assert "neither a file of predictions nor a model folder" in said
    assert "name two" in one_line(run("evaluate", "compare", file, file, *asked), 2)
    said = one_line(run("evaluate", "compare", "fast", "mine.csv", *asked))
    assert "mine.csv:1: not JSON" in said
    assert not Path("q").exists()


# leaderboard


@pytest.fixture
def scored(run, predicted):
    asked = ("--predictions", predicted("p.jsonl"), "--system", "m@1", "--out", "e", "--json")
    assert run("evaluate", "detector", "--corpora", "mine.csv", *asked).code == 0
    return "e"


def test_a_run_is_added_once_however_often_it_is_asked(run, scored):
    shown = run("evaluate", "leaderboard", "board.jsonl", "--add", scored)
    assert "board.jsonl: 2 lines added" in shown.err
    assert "| m@1 |" in shown.out
    before = Path("board.jsonl").read_bytes()
    again = run("evaluate", "leaderboard", "board.jsonl", "--add", f"{scored}/leaderboard.jsonl")
    assert again.code == 0
    assert "0 lines added; 2 were there already" in again.err
    assert Path("board.jsonl").read_bytes() == before
    assert [p.name for p in Path().glob("board*")] == ["board.jsonl"]


def test_an_added_line_says_where_its_report_is(run, scored):
    asked = ("--add", scored, "--url", "https://example.org/report", "--json")
    shown = run("evaluate", "leaderboard", "board.jsonl", *asked)
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert {line["url"] for line in lines} == {"https://example.org/report"}


def test_another_report_of_the_same_system_needs_another_version(run, scored):
    run("evaluate", "leaderboard", "board.jsonl", "--add", scored)
    rows = [{**row, "report_sha256": "0" * 64} for row in read("board.jsonl")]
    write_lines(Path("other.jsonl"), rows)
    before = Path("board.jsonl").read_bytes()
    said = one_line(run("evaluate", "leaderboard", "board.jsonl", "--add", "other.jsonl"))
    assert "name another version" in said
    assert Path("board.jsonl").read_bytes() == before


def test_a_line_that_is_none_is_shown_with_its_file_and_line(run, scored):
    Path("bad.jsonl").write_text('{"system": "x"}\n', encoding="utf-8")
    said = one_line(run("evaluate", "leaderboard", "bad.jsonl"))
    assert "bad.jsonl" in said
    assert "line 1" in said
    one_line(run("evaluate", "leaderboard", "board.jsonl", "--add", "bad.jsonl"))
    assert not Path("board.jsonl").exists()


def test_a_leaderboard_that_is_missing_empty_or_a_folder_is_told(run, scored):
    assert "no file board.jsonl" in one_line(run("evaluate", "leaderboard", "board.jsonl"))
    Path("f").mkdir()
    assert "no file f" in one_line(run("evaluate", "leaderboard", "f"))
    lost = run("evaluate", "leaderboard", "board.jsonl", "--add", "f")
    assert "leaderboard.jsonl" in one_line(lost)
    assert "cannot write" in one_line(run("evaluate", "leaderboard", "no/b.jsonl", "--add", scored))
    Path("empty.jsonl").write_text("", encoding="utf-8")
    assert "holds no lines yet" in run("evaluate", "leaderboard", "empty.jsonl").err


@pytest.mark.parametrize("url", [("--url", "https://x.y"), ("--add", "e", "--url", "x y")])
def test_an_address_without_a_report_or_of_another_kind_is_wrong_usage(run, url):
    one_line(run("evaluate", "leaderboard", "board.jsonl", *url), 2)
