"""untwist questionnaire: asked one by one, scored from given answers, and danger in an answer."""

import json

import pytest

CALM = "0\n1\n0\n2\n1\n0\n0\n1\n0\n"


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_nine_answers_and_the_last_question_give_the_sum(run):
    shown = run("questionnaire", "phq-9", stdin=CALM + "1\n")
    assert shown.code == 0
    assert "9/9 Thoughts that you would be better off dead" in shown.out
    assert "Sum: 5 of 27." in shown.out
    assert "called mild" in shown.out
    assert "Somewhat difficult" in shown.out
    assert "not a person" in shown.out


def test_the_difficulty_is_not_asked_when_nothing_troubled(run):
    shown = run("questionnaire", "gad-7", "--locale", "zh", stdin="0\n" * 7)
    assert "总分：0（满分 21）" in shown.out
    assert "有多困难" not in shown.out


def test_enter_leaves_a_question_out_and_back_goes_back(run):
    shown = run("questionnaire", "gad-7", stdin="3\n/back\n1\n\n1\n1\n1\n1\n1\n\n")
    assert "between 6 and 9 of 21, since question 2 was left out" in shown.out


def test_what_is_no_answer_is_asked_again(run):
    shown = run("questionnaire", "gad-7", stdin="often\n7\nSeveral days\n" + "0\n" * 6 + "0\n")
    assert shown.out.count("Give 0 to 3") == 2
    assert "Sum: 1 of 21." in shown.out


@pytest.mark.parametrize("end", ["", "/quit\n"])
def test_who_stops_halfway_gets_no_sum(run, end):
    shown = run("questionnaire", "phq-9", stdin="3\n3\n" + end)
    assert shown.code == 0
    assert "Sum" not in shown.out
    assert "Nothing was stored" in shown.out


def test_the_ninth_answer_above_zero_opens_the_crisis_reply_and_the_talk_goes_on(run):
    answers = "0\n" * 8 + "1\n"
    shown = run("questionnaire", "phq-9", "--region", "US", stdin=answers + "yes\n/quit\n")
    after = shown.out.split("9/9", 1)[1]
    assert shown.code == 0
    assert "988" in after
    assert "Sum" not in shown.out
    assert "how difficult" not in shown.out
    first, second = after.split("/quit.", 1)
    assert "?" in first
    assert "911" in second or "988" in second


def test_the_talk_after_the_ninth_question_knows_what_was_heard(run):
    shown = run("questionnaire", "phq-9", stdin="0\n" * 8 + "2\n/why\n")
    assert "may speak of danger" in shown.out


def test_danger_in_other_words_is_answered_before_the_next_question(run):
    shown = run("questionnaire", "gad-7", "--locale", "zh", "--region", "CN", stdin="0\n我想自杀\n")
    assert "12356" in shown.out
    assert "3/7" not in shown.out
    assert "总分" not in shown.out


def test_danger_at_the_last_question_leaves_no_sum_behind(run):
    shown = run("questionnaire", "phq-9", "--region", "US", stdin=CALM + "I want to die\n")
    assert "988" in shown.out
    assert "Sum" not in shown.out


def test_given_answers_are_scored_in_words_or_as_a_row(run):
    assert "Sum: 8 of 27." in run("questionnaire", "phq-9", "--answers", "1,1,1,1,1,1,1,1,0").out
    (row,) = rows(run("questionnaire", "phq-9", "--answers", "1,1,1,1,1,1,1,-,0", "--json").out)
    assert row["total"] is None
    assert row["missing"] == [8]
    assert row["estimate"] == 8
    assert row["safety"] is None


def test_given_answers_open_the_safety_path_first(run):
    shown = run("questionnaire", "phq-9", "--answers", "0,0,0,0,0,0,0,0,1", "--region", "CN").out
    assert shown.index("12356") < shown.index("Sum: 1 of 27.")
    assert "minimal" not in shown


def test_a_file_is_scored_row_by_row_and_a_bad_row_is_marked(run, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given = [
        {"id": "a", "answers": [1] * 9, "difficulty": 1},
        {"id": "b", "answers": [1] * 8},
        {"id": "c", "answers": [None] * 9},
        {"id": "d", "answers": [0] * 7, "questionnaire": "gad-7"},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    shown = run("questionnaire", "phq-9", "--input", source, "--output", target, "--keep-going")
    first, second, third, fourth = rows(target.read_text(encoding="utf-8"))
    assert shown.code == 1
    assert (first["id"], first["total"], first["difficulty"]) == ("a", 9, 1)
    assert "findahelpline.com" in first["safety"]
    assert "9 questions" in second["error"]
    assert third["total"] is None
    assert "gad-7" in fourth["error"]
    stopped = run("questionnaire", "phq-9", "--input", source)
    assert stopped.code == 1
    assert f"{source}:2:" in stopped.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("phq-9", "--answers", "1,2"), 1, "9 questions"),
        (("phq-9", "--answers", "1,1,1,1,x,1,1,1,1"), 1, "0 to 3"),
        (("phq-9", "--answers", "1,1,1,1,7,1,1,1,1"), 1, "question 5"),
        (("phq-9", "--region", "ZZ"), 1, "known ones"),
        (("phq-9", "--json"), 2, "--answers"),
        (("bdi",), 2, "phq-9"),
    ],
)
def test_a_mistake_is_one_line(run, arguments, code, said):
    shown = run("questionnaire", *arguments, stdin="")
    assert shown.code == code
    assert said in shown.err
    assert "Traceback" not in shown.err
