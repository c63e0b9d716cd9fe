"""untwist detect --detector llm:NAME: a model is asked, and what it does not answer is unscored."""

import json

import pytest

from tests.detect.talker import answer
from untwist.engine import load_detector
from untwist.errors import ConfigError, ModelError
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL

LABEL = CANONICAL[7].value
TEXT = "I feel useless, so I am useless."


@pytest.fixture
def script(tmp_path):
    """Writes a file of answers and gives the detector that reads it."""

    def _script(*answers):
        file = tmp_path / "answers.jsonl"
        file.write_text("".join(json.dumps(a) + "\n" for a in answers), encoding="utf-8")
        return f"llm:scripted:{file}"

    return _script


@pytest.fixture
def rows(tmp_path):
    """Writes a file of messages."""

    def _rows(*texts):
        file = tmp_path / "in.jsonl"
        lines = [json.dumps({"id": f"m{n}", "text": text}) for n, text in enumerate(texts)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    return _rows


def read(out):
    return [json.loads(line) for line in out.splitlines()]


def test_a_person_is_shown_what_the_model_hears(run, script):
    shown = run("detect", "--detector", script(answer([(LABEL, "I am useless")])), TEXT)
    assert shown.code == 0
    assert "“I am useless”" in shown.out
    assert LABEL in shown.out


def test_rows_say_which_model_was_asked_and_what_it_heard(run, script, rows):
    model = script(answer([(LABEL, TEXT)], "severe", "low"), answer([]))
    done = run("detect", "--detector", model, "--shots", 2, "--input", rows(TEXT, "hello"))
    first, second = read(done.out)
    assert done.code == 0
    assert first["findings"] == [{"distortion": LABEL, "score": 1.0, "start": 0, "end": len(TEXT)}]
    assert (first["intensity"], first["risk"]) == ("severe", "low")
    assert first["detector"].startswith("llm:scripted-answers@1/detect@")
    assert first["detector"].endswith("/shots-2")
    assert second["findings"] == []


FAILURES = [
    ("I'm sorry, but I can't help with that.", "refused"),
    ({"error": "timeout"}, "timeout"),
]


@pytest.mark.parametrize(("said", "reason"), FAILURES)
def test_a_row_without_an_answer_is_marked_and_counted_and_the_rest_goes_on(
    run, script, rows, said, reason
):
    model, file = script(said, answer([])), rows(TEXT, "hello")
    done = run("detect", "--detector", model, "--input", file, "--keep-going")
    marked, other = read(done.out)
    assert done.code == 1
    assert set(marked) == {"id", "line", "error"}
    assert marked["error"].startswith(f"unscored ({reason}): ")
    assert other["findings"] == []
    assert "1 of 2 items failed" in done.err
    assert TEXT not in done.out + done.err


def test_without_keep_going_the_first_row_without_an_answer_ends_the_run(run, script, rows):
    model = script({"error": "timeout"}, answer([]))
    done = run("detect", "--detector", model, "--input", rows(TEXT, "hello"))
    assert done.code == 1
    assert done.out == ""
    assert "in.jsonl:1: unscored (timeout)" in done.err
    assert "--keep-going" in done.err


def test_an_unreadable_row_between_is_marked_in_its_place(run, script, tmp_path):
    file = tmp_path / "in.jsonl"
    rows = [{"id": "a", "text": "one"}, {"id": "b", "text": ""}, {"id": "c", "text": "two"}, {}]
    file.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    model = script(answer([]), answer([]))
    done = run("detect", "--detector", model, "--input", file, "--keep-going", "--workers", 3)
    assert [("error" in row, row["id"]) for row in read(done.out)][:3] == [
        (False, "a"),
        (True, "b"),
        (False, "c"),
    ]
    assert len(read(done.out)) == 4


def test_where_a_model_fails_on_words_of_danger_help_is_shown_all_the_same(run, script):
    done = run("detect", "--detector", script({"error": "server"}), "I want to die")
    assert done.code == 1
    assert "findahelpline.com" in done.out
    quiet = run("detect", "--detector", script({"error": "server"}), "I bought apples")
    assert quiet.out == ""
    assert quiet.err.count("\n") == 1


def test_what_is_in_the_cache_is_not_asked_again(run, script, rows, tmp_path):
    asked, options = script(answer([]), answer([], risk="medium")), ("--cache", tmp_path / "a.db")
    first = run("detect", "--detector", asked, "--input", rows(TEXT, "hello"), *options)
    # the same answers in the same order would fall to the other message
    again = run("detect", "--detector", asked, "--input", rows("hello", TEXT), *options)
    assert first.code == again.code == 0
    risks = [[row["risk"] for row in read(one.out)] for one in (first, again)]
    assert risks[0][1] == "medium"
    assert risks[1] == risks[0][::-1]
    assert risks[0][0] != risks[0][1]


def test_examples_come_from_a_file_and_never_from_a_test_part(run, script, tmp_path):
    file = tmp_path / "mine.jsonl"
    row = {"id": "a", "text": "It rained.", "labels": [], "risk": "none"}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    options = ("--json", "--shots", 1, "--examples", file, TEXT)
    (found,) = read(run("detect", "--detector", script(answer([])), *options).out)
    assert "/examples-" in found["detector"]
    for more, told in (({"split": "test"}, "test part"), ({"labels": None}, "annotated")):
        file.write_text(json.dumps({**row, **more}) + "\n", encoding="utf-8")
        done = run("detect", "--detector", script(answer([])), *options)
        assert done.code == 1
        assert told in done.err
        assert "rained" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--detector", "llm:x", "--engine", "ray", "--input", "nothing.jsonl"),
        ("--shots", 2, TEXT),
        ("--cache", "asked.db", TEXT),
    ],
)
def test_options_that_do_not_go_together_are_told(run, arguments):
    assert run("detect", *arguments).code == 2


def test_a_model_that_is_nowhere_is_told_in_one_line(run, monkeypatch):
    for name in ("URL", "MODEL", "CONFIG"):
        monkeypatch.delenv(f"UNTWIST_LLM_{name}", raising=False)
    for name in ("llm:big", "llm:"):
        done = run("detect", "--detector", name, TEXT)
        assert done.code == 1
        assert "UNTWIST_LLM_" in done.err
        assert done.err.count("\n") == 1
        with pytest.raises(ConfigError):
            load_detector(name)


def test_the_engine_takes_a_model_as_its_detector(script):
    detector = load_detector(script({"error": "refused"}))
    assert detector.reader is not None
    with pytest.raises(ModelError):
        detector.detect(Utterance(TEXT))


def test_a_judge_can_be_asked_and_what_it_declines_is_told(run, script, tmp_path):
    triples = tmp_path / "triples.jsonl"
    rows = [
        {
            "id": f"t{n}", "text": "x", "lang": "en", "labels": [LABEL], "intensity": "mild",
            "risk": "low", "strategy": "reality_testing", "reply": "One step.",
            "votes": [{"by": "v", "match": n % 2, "adequacy": 0, "risk": 1}], "written_by": "us",
        }
        for n in range(6)
    ]  # fmt: skip
    triples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    scale = {"why": "so", "score": 1}
    good = json.dumps({"match": scale, "adequacy": {**scale, "score": None}, "risk": scale})
    model = script(*[good] * 5, {"error": "timeout"})
    options = ("--folds", 2, "--out", tmp_path / "run", "--ask", model, triples)
    done = run("evaluate", "judge", *options)
    assert done.code == 0
    assert "1 of 6 replies are unscored: timeout 1" in done.err
    assert "llm:scripted-answers@1/judge_triple@" in done.out
    assert run("evaluate", "judge", "--ask", "fast", "--out", tmp_path / "x").code == 2
