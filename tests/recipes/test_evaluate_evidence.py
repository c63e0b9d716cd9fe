"""Evidence spans of a detector, from rows to a run folder; every number counted by hand."""

import numpy as np
import pytest

from tests.fakes import FakeDetector
from tests.recipes.tiny import metrics_of, read_rows, row, text_of, write_own
from tests.tiny_corpora import write_therapist
from untwist.data import Reading
from untwist.errors import ConfigError, DataError
from untwist.evaluate import check
from untwist.recipes import evidence_cells
from untwist.recipes.evaluate_evidence import EvaluateEvidence, run
from untwist.schema import Assessment, Finding
from untwist.taxonomy import Distortion, Risk

D = Distortion
SYSTEMS = ["detector", *evidence_cells.BASELINES]


def marked(id, text, *evidence, split="test", **more):
    """A row whose evidence is given as (label, words); words None for a label without a span."""
    spans = [
        {"distortion": d.value, "start": text.index(words), "end": text.index(words) + len(words)}
        for d, words in evidence
        if words
    ]
    return row(id, text, split, *(d for d, _ in evidence), evidence=spans, **more)


def rows_with_spans():
    return [
        row("a1", "Green tea", "train"),
        # found, five of the ten characters of the gold span
        marked("t1", "Rain. I am a dud", (D.LABELING, "I am a dud")),
        # found as marked
        marked("t2", "It will go wrong.", (D.FORTUNE_TELLING, "go wrong")),
        # missed
        marked("t3", "He hates my hat", (D.MIND_READING, "He hates")),
        # found, but nobody marked where
        marked("t4", "Surely a dud", (D.LABELING, None)),
        # no distortion, one is given
        marked("t5", "A dud of a bulb, a dud"),
        # nothing on both sides
        marked("t6", "Soup and bread"),
    ]


KEYWORDS = {"a dud": D.LABELING, "go wrong": D.FORTUNE_TELLING}


@pytest.fixture
def evaluate(tmp_path, no_pictures):
    def go(rows=None, detector=None, name="run", **changes):
        source = write_own(tmp_path, rows_with_spans() if rows is None else rows)
        options = {"out": str(tmp_path / name), "corpora": (source,), "resamples": 20} | changes
        path = run(EvaluateEvidence(**options), detector or FakeDetector(KEYWORDS))
        return path, metrics_of(path)

    return go


def test_every_label_of_both_sides_is_counted_where_it_belongs(evaluate):
    path, metrics = evaluate()
    check(metrics, "evidence")
    test, everything = metrics["lines"]
    assert test["part"] == "either split, test part"
    assert test["counts"] == {
        "texts": 6,
        "groups": 6,
        "unscored": 0,
        "gold": 4,
        "gold_spans": 3,
        "given": 4,
        "not_carried": 0,
        "both": 2,
        "without_span": 0,
        "unknown": 1,
        "missed": 1,
        "false": 1,
        "marked": 3,
        "undistorted": 2,
        "undistorted_marked": 1,
    }
    assert everything["part"] == "all rows"
    assert everything["counts"]["texts"] == 7
    assert (
        "| own, either split, test part | 6 | 6 | 0 | 4 | 3 | 4 | 2 | 0 | 1 | 1 | 1 |"
        in text_of(path)
    )


def values(metrics, kind, system="detector", line=0):
    return metrics["lines"][line]["scores"][kind][system]


def test_labels_of_both_sides_are_scored_by_hand(evaluate):
    _, metrics = evaluate()
    got = values(metrics, "same_label")
    # t1: "a dud" of "I am a dud"; t2: "go wrong" of "go wrong"
    assert (got["n"], got["groups"]) == (2, 2)
    assert got["values"] == pytest.approx(
        {
            "precision": 1,
            "recall": 13 / 18,
            "f1": 26 / 31,
            "mean_precision": 1,
            "mean_recall": (5 / 10 + 1) / 2,
            "mean_f1": (10 / 15 + 1) / 2,
            "exact": 1 / 2,
            "overlap": 1,
        }
    )
    assert got["intervals"]["recall"]["low"] == pytest.approx(0.5)


def test_missed_and_false_labels_pull_the_score_down(evaluate):
    _, metrics = evaluate()
    got = values(metrics, "all_labels")
    # and t3: 8 characters missed; t5: 5 characters where none are gold
    assert got["n"] == 4
    assert got["values"]["precision"] == pytest.approx(13 / 18)
    assert got["values"]["recall"] == pytest.approx(13 / 26)
    assert got["values"]["mean_f1"] == pytest.approx((10 / 15 + 1) / 4)


def test_the_union_of_a_text_is_scored_whatever_the_label(evaluate):
    text = "I am a dud and it will go wrong"
    rows = [
        row("a1", "Green tea", "train"),
        # one label is wrong, its span is right; the two gold spans overlap
        marked("t1", text, (D.BLAMING, "I am a dud"), (D.MAGNIFICATION, "a dud and it will")),
        marked("t2", "He hates me", (D.MIND_READING, "He hates me")),
    ]
    _, metrics = evaluate(rows)
    got = values(metrics, "any_label")
    # gold: "I am a dud and it will", 22 characters, and 11; given: "a dud" and "go wrong", 13
    assert got["n"] == 2
    assert got["values"]["recall"] == pytest.approx(5 / 33)
    assert got["values"]["precision"] == pytest.approx(5 / 13)
    same = values(metrics, "same_label")
    assert (same["n"], same["values"]["f1"]) == (0, None)


def test_baselines_mark_the_same_labels_of_the_same_texts(evaluate):
    _, metrics = evaluate()
    line = metrics["lines"][0]
    assert list(line["scores"]["same_label"]) == SYSTEMS
    whole = values(metrics, "same_label", "whole text")
    # "Rain. I am a dud" and "It will go wrong."
    assert (whole["values"]["recall"], whole["values"]["mean_recall"]) == (1, 1)
    assert whole["values"]["precision"] == pytest.approx(18 / 33)
    first = values(metrics, "same_label", "first sentence")["values"]
    assert first["recall"] == pytest.approx(8 / 18)
    assert first["precision"] == pytest.approx(8 / 22)
    longest = values(metrics, "same_label", "longest sentence")["values"]
    assert longest["precision"] == pytest.approx(18 / 27)
    assert longest["exact"] == 1 / 2
    assert {values(metrics, "any_label", name)["n"] for name in SYSTEMS} == {3}
    assert line["lengths"]["gold"]["mean"] == 9
    assert line["lengths"]["detector"]["mean"] == 6.5
    assert line["lengths"]["whole text"]["share"] == 1


def test_the_random_clause_is_a_clause_and_the_seed_decides_which():
    text = "One, two; three, four, five, six, seven"
    draw = evidence_cells.BASELINES["random clause"]
    found = {text[slice(*draw(text, np.random.default_rng(seed)))] for seed in range(60)}
    assert found == {"One", "two", "three", "four", "five", "six", "seven"}
    assert draw(text, np.random.default_rng(3)) == draw(text, np.random.default_rng(3))


def test_of_sentences_of_one_length_the_first_is_the_longest():
    rng = np.random.default_rng(0)
    assert evidence_cells.BASELINES["longest sentence"]("Abc. Abd. Ab.", rng) == (0, 4)


def test_equal_runs_leave_equal_numbers(evaluate):
    one, other = (evaluate(name=name, command="c")[1] for name in ("one", "other"))
    assert one == other
    assert evaluate(name="third", command="c", seed=1)[1] != one


def test_a_row_without_an_answer_misses_its_labels_and_is_listed(evaluate):
    _, metrics = evaluate(detector=FakeDetector(KEYWORDS, fails_on="go wrong"))
    counts = metrics["lines"][0]["counts"]
    assert (counts["unscored"], counts["both"], counts["missed"]) == (1, 1, 2)
    assert metrics["unscored"] == [{"corpus": "own", "id": "t2", "why": "ModelError: no answer"}]
    assert values(metrics, "all_labels")["values"]["recall"] == pytest.approx(5 / 26)


class Spanless(FakeDetector):
    """Gives labels, but says not where."""

    def detect(self, utterance, history=()):
        found = super().detect(utterance, history).findings
        bare = tuple(Finding(f.distortion, f.score) for f in found)
        return Assessment(utterance, bare, None, Risk.NONE, (), (), self.name)


def test_a_label_without_a_span_is_counted_and_finds_nothing(evaluate):
    _, metrics = evaluate(detector=Spanless(KEYWORDS))
    counts = metrics["lines"][0]["counts"]
    assert (counts["both"], counts["without_span"], counts["undistorted_marked"]) == (2, 2, 0)
    got = values(metrics, "same_label")["values"]
    assert (got["precision"], got["recall"], got["mean_f1"]) == (None, 0, 0)
    # a false label without a span marks nothing wrong
    assert values(metrics, "all_labels")["n"] == 3


class Stray(FakeDetector):
    """Marks what it is told to."""

    def __init__(self, start, end):
        super().__init__({})
        self.ends = (start, end)

    def detect(self, utterance, history=()):
        found = (Finding(D.LABELING, 1.0, *self.ends),)
        return Assessment(utterance, found, None, Risk.NONE, (), (), self.name)


@pytest.mark.parametrize(("ends", "why"), [((0, 999), "not within"), ((3, None), "one end only")])
def test_a_span_that_is_none_is_an_error_which_quotes_no_text(evaluate, ends, why):
    with pytest.raises(DataError, match=why) as caught:
        evaluate(detector=Stray(*ends))
    assert "row a1" in str(caught.value)
    assert "tea" not in str(caught.value).lower()


def test_space_that_a_detector_marks_costs_nothing(evaluate):
    rows = [row("a1", "Tea", "train"), marked("t1", " dud  ", (D.LABELING, "dud"))]
    _, metrics = evaluate(rows, Stray(0, 6), trained_on=("own:train",))
    assert values(metrics, "same_label")["values"]["exact"] == 1


def test_all_rows_are_scored_only_where_nothing_was_learnt(evaluate):
    _, metrics = evaluate(trained_on=("own:train",))
    assert [line["part"] for line in metrics["lines"]] == ["either split, test part"]
    _, metrics = evaluate(name="other", trained_on=("open:train",))
    assert len(metrics["lines"]) == 2


def test_a_detector_is_asked_about_no_row_that_is_not_scored(evaluate):
    detector = FakeDetector(KEYWORDS)
    evaluate(detector=detector, trained_on=("own:train",))
    assert "Green tea" not in detector.seen
    assert len(detector.seen) == 6


def test_two_languages_get_lines_of_their_own(evaluate):
    zh = marked("t7", "我是笨蛋。", (D.LABELING, "我是笨蛋"))
    path, metrics = evaluate(
        [*rows_with_spans(), zh], FakeDetector(KEYWORDS | {"笨蛋": D.LABELING})
    )
    assert [line["lang"] for line in metrics["lines"]] == [None, "en", "zh"] * 2
    chinese = values(metrics, "same_label", line=2)
    assert (chinese["n"], chinese["values"]["recall"]) == (1, 0.5)
    assert "own, all rows, zh" in text_of(path)


def test_the_therapist_corpus_lends_the_span_of_the_dominant_label_alone(tmp_path, no_pictures):
    write_therapist(tmp_path)
    words = {"She hates me": D.MIND_READING, "a failure": D.LABELING, "must": D.BLAMING}
    how = Reading(str(tmp_path), accept=("all",), unverified=True)
    config = EvaluateEvidence(str(tmp_path / "run"), ("therapist-whole",), how, resamples=20)
    run(config, FakeDetector(words))
    line = metrics_of(tmp_path / "run")["lines"][-1]
    counts = line["counts"]
    # the secondary label of row 12 has no span; blaming is none of the corpus' ten labels
    assert (counts["gold"], counts["gold_spans"]) == (5, 4)
    assert (counts["both"], counts["unknown"], counts["not_carried"]) == (1, 1, 1)
    assert line["scores"]["same_label"]["detector"]["values"]["recall"] == pytest.approx(12 / 16)


def test_the_history_of_a_turn_is_told():
    class Listening(FakeDetector):
        def __init__(self):
            super().__init__({})
            self.told = []

        def detect(self, utterance, history=()):
            self.told.append(len(history))
            return super().detect(utterance, history)

    rows = read_rows("open-dialogues")
    here = np.zeros(len(rows.labels), bool)
    here[:6] = True
    detector = Listening()
    evidence_cells.mark(detector, rows, here)
    assert detector.told == [len(history) for history in rows.histories[:6]]
    assert max(detector.told) > 0


def test_no_text_of_a_corpus_stands_in_the_run_folder(evaluate):
    path, _ = evaluate()
    for file in path.iterdir():
        assert "dud" not in file.read_text(encoding="utf-8")


def test_a_corpus_without_spans_or_without_rows_to_score_is_refused(tmp_path, evaluate):
    with pytest.raises(DataError, match="own has no evidence spans"):
        evaluate([row("t1", "I am a dud", "test", D.LABELING)])
    train = [marked("a1", "I am a dud", (D.LABELING, "a dud"), split="train")]
    with pytest.raises(DataError, match="own has no test part"):
        evaluate(train, trained_on=("own",))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "changes", [{"corpora": ()}, {"resamples": 0}, {"trained_on": ("own:most",)}]
)
def test_a_configuration_that_asks_for_nothing_is_refused(evaluate, changes):
    with pytest.raises(ConfigError):
        evaluate(**changes)


def test_pictures_are_drawn_where_they_can_be(tmp_path):
    source = write_own(tmp_path, rows_with_spans())
    path = run(EvaluateEvidence(str(tmp_path / "run"), (source,), resamples=5), FakeDetector({}))
    for name in ("same-label", "any-label"):
        assert (path / f"{name}.svg").stat().st_size
        assert f"{name}.svg" in text_of(path)
