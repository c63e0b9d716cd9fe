import json

import numpy as np
import pytest

from tests.detect.talker import answer, message_in
from tests.fakes import FakeDetectorWithProbabilities
from tests.recipes.tiny import KEYWORDS, own_rows, read_rows, write_own
from tests.tiny_corpora import write_lines
from tests.tiny_more import write_cogbias
from untwist.data import Reading
from untwist.detect import PromptedDetector
from untwist.errors import DataError
from untwist.llm import ScriptedModel
from untwist.recipes.answers import ask, read_answers
from untwist.recipes.rows import COLUMN
from untwist.taxonomy import Distortion, Intensity, Risk

D = Distortion


@pytest.fixture
def rows(tmp_path):
    return read_rows(write_own(tmp_path))


@pytest.fixture
def read(tmp_path, rows):
    def go(*said):
        return read_answers(write_lines(tmp_path / "mine.jsonl", said), rows)

    return go


def labels(answers, place):
    return {d for d, column in COLUMN.items() if answers.predicted[place, column]}


def test_labels_are_read_by_slug_name_or_alias_in_any_language_and_order(read, rows):
    answers = read(
        {"id": "t2", "labels": ["Fortune telling", "labeling"]},
        {"id": "a1", "labels": ["贴标签"]},
        {"id": "t3", "labels": []},
    )
    place = rows.ids.index
    assert labels(answers, place("t2")) == {D.FORTUNE_TELLING, D.LABELING}
    assert labels(answers, place("a1")) == {D.LABELING}
    assert labels(answers, place("t3")) == set()
    # no label is an answer too
    assert [rows.ids[p] for p in np.flatnonzero(answers.scored)] == ["a1", "t2", "t3"]
    assert (answers.decided == answers.scored).all()
    assert answers.probabilities is None
    assert answers.failures == ()


def test_probabilities_are_read_by_name_and_a_label_without_one_has_0(read, rows):
    answers = read({"id": "v1", "probabilities": {"labeling": 0.25, "读心术": 1}})
    place = rows.ids.index("v1")
    given = answers.probabilities[place]
    assert given[COLUMN[D.LABELING]] == 0.25
    assert given[COLUMN[D.MIND_READING]] == 1
    assert given.sum() == 1.25
    assert answers.scored[place]
    assert not answers.decided.any()
    assert np.isnan(np.delete(answers.probabilities, place, axis=0)).all()


def test_levels_are_read_where_they_are_said(read, rows):
    answers = read({"id": "t1", "labels": [], "intensity": "mild", "risk": "high"})
    assert answers.levels[rows.ids.index("t1")] == (Intensity.MILD, Risk.HIGH)
    assert answers.levels[rows.ids.index("t2")] == (None, None)


def test_an_unscored_row_is_a_failure_with_its_reason_and_not_scored(read, rows):
    answers = read({"id": "t1", "unscored": "it refused"}, {"id": "t2", "labels": []})
    assert answers.failures == ({"corpus": "own", "id": "t1", "why": "it refused"},)
    assert [rows.ids[p] for p in np.flatnonzero(answers.scored)] == ["t2"]


BAD = {
    "an unknown id": ({"id": "x9", "labels": []}, 'own has no row "x9": give the ids'),
    "no id": ({"labels": []}, 'no "id": give the ids of the corpus'),
    "an unknown label": ({"id": "t1", "labels": ["gloom"]}, '"gloom"'),
    "an unknown label with a probability": (
        {"id": "t1", "probabilities": {"gloom": 0.5}},
        '"gloom"',
    ),
    "labels that are no list": ({"id": "t1", "labels": "labeling"}, "no list of strings"),
    "a label that is no string": ({"id": "t1", "labels": [1]}, "no list of strings"),
    "probabilities that are a list": ({"id": "t1", "probabilities": [0.5]}, "no object"),
    "a probability above 1": (
        {"id": "t1", "probabilities": {"labeling": 1.01}},
        'of "labeling" is no number from 0 to 1',
    ),
    "a probability below 0": ({"id": "t1", "probabilities": {"labeling": -0.1}}, "from 0 to 1"),
    "a probability that is no number": (
        {"id": "t1", "probabilities": {"labeling": float("nan")}},
        "from 0 to 1",
    ),
    "a probability in words": ({"id": "t1", "probabilities": {"labeling": "high"}}, "from 0 to 1"),
    "a probability that is true": ({"id": "t1", "probabilities": {"labeling": True}}, "0 to 1"),
    "nothing at all": ({"id": "t1"}, 'no "labels", no "probabilities" and no "unscored"'),
    "levels alone": ({"id": "t1", "risk": "low"}, 'no "labels", no "probabilities"'),
    "an unknown level": ({"id": "t1", "labels": [], "risk": "huge"}, "risk"),
    "unscored without a reason": ({"id": "t1", "unscored": False}, "no string that says why"),
    "unscored with an empty reason": ({"id": "t1", "unscored": " "}, "no string that says why"),
    "unscored and answered": (
        {"id": "t1", "unscored": "late", "labels": ["labeling"]},
        "unscored, and answered as well: give one",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_row_that_cannot_be_read_is_named_with_file_and_line(read, tmp_path, kind):
    bad, why = BAD[kind]
    with pytest.raises(DataError) as error:
        read({"id": "t2", "labels": []}, bad)
    assert str(error.value).startswith(f"{tmp_path / 'mine.jsonl'}:2: ")
    assert why in str(error.value)


def test_an_id_on_two_lines_is_refused_with_both(read):
    with pytest.raises(DataError, match=r'mine\.jsonl:3: id "t1" is on line 1 too: keep one'):
        read({"id": "t1", "labels": []}, {"id": "t2", "labels": []}, {"id": "t1", "labels": []})


def test_a_line_that_is_no_json_is_named(tmp_path, rows):
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"id": "t1", "labels": []}) + "\nlabels: none\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"mine\.jsonl:2: not JSON"):
        read_answers(file, rows)
    with pytest.raises(DataError, match=r"cannot read .*nowhere\.jsonl"):
        read_answers(tmp_path / "nowhere.jsonl", rows)


def test_an_id_may_be_a_number_as_in_a_table_without_ids(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("text,labels\nI fail,labeling\nApples,none\n", encoding="utf-8")
    rows = read_rows(str(file))
    answers = read_answers(write_lines(tmp_path / "said.jsonl", [{"id": 2, "labels": []}]), rows)
    assert answers.scored.tolist() == [False, True]


def test_a_turn_of_a_dialogue_is_named_by_dialogue_and_place(tmp_path):
    write_cogbias(tmp_path)
    rows = read_rows("cogbias", Reading(str(tmp_path), ("all",), unverified=True))
    assert rows.ids == ("1/3", "2/1", "3/1", "3/3")
    assert [len(h) for h in rows.histories] == [2, 0, 0, 2]
    said = [{"id": "3/1", "labels": ["personalization"]}, {"id": "1/3", "labels": []}]
    answers = read_answers(write_lines(tmp_path / "mine.jsonl", said), rows)
    assert answers.scored.tolist() == [True, False, True, False]
    assert labels(answers, 2) == {D.PERSONALIZATION}
    with pytest.raises(DataError, match='cogbias has no row "3"'):
        read_answers(write_lines(tmp_path / "two.jsonl", [{"id": "3", "labels": []}]), rows)


def test_a_file_with_one_id_in_two_corpora_cannot_be_answered_by_id(tmp_path):
    rows = [r | {"corpus": name} for name in ("one", "other") for r in own_rows()]
    with pytest.raises(DataError, match="own has one id on two rows"):
        read_answers(write_lines(tmp_path / "mine.jsonl", []), read_rows(write_own(tmp_path, rows)))


def test_labels_on_some_of_the_asked_rows_are_refused_and_on_all_or_none_are_not(read, rows):
    answers = read(
        {"id": "t1", "labels": []},
        {"id": "t2", "probabilities": {}},
        {"id": "t3", "unscored": "late"},
    )
    at = {id: np.array([other == id for other in rows.ids]) for id in rows.ids}
    assert answers.labelled(at["t1"])
    assert not answers.labelled(at["t2"])
    assert answers.labelled(at["t1"] | at["t3"]), "an unscored row needs no label"
    with pytest.raises(DataError, match="1 of 2 rows have labels"):
        answers.labelled(at["t1"] | at["t2"])
    assert answers.graded(at["t2"] | at["t3"])
    assert not answers.graded(at["t1"] | at["t2"])


def test_a_detector_is_asked_for_labels_levels_and_probabilities(rows):
    answers = ask(FakeDetectorWithProbabilities(KEYWORDS, fails_on="apples"), rows)
    t2, t3 = rows.ids.index("t2"), rows.ids.index("t3")
    assert labels(answers, t2) == {D.FORTUNE_TELLING}
    assert answers.probabilities[t2, COLUMN[D.FORTUNE_TELLING]] == 0.9
    # a label that one corpus alone has is none that a detector knows
    assert answers.probabilities[t2, COLUMN[D.COMPARING]] == 0
    assert answers.levels[t2] == (None, Risk.NONE)
    assert (answers.scored[t3], answers.decided[t3]) == (False, False)
    assert np.isnan(answers.probabilities[t3]).all()
    assert answers.scored.sum() == len(rows.ids) - 1


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_language_model_is_asked_once_for_each_row_and_what_it_declines_is_unscored(
    rows, concurrency
):
    declined = rows.utterances[2].text

    def says(request):
        if message_in(request) == declined:
            return "I'm sorry, but I can't help with that."
        return answer([(D.LABELING.value, "x")], risk="low")

    model = ScriptedModel(says)
    answers = ask(PromptedDetector(model, concurrency=concurrency), rows)
    n = len(rows.utterances)
    unscored = [place for place, one in enumerate(rows.utterances) if one.text == declined]
    assert [place for place in range(n) if not answers.scored[place]] == unscored
    assert all(labels(answers, p) == {D.LABELING} for p in range(n) if p not in unscored)
    assert len(model.requests) == n
    assert len(answers.failures) == len(unscored)
    assert "ParseError" in answers.failures[0]["why"]
    assert answers.probabilities is None
