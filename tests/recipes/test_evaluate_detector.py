import json
import tomllib

import numpy as np
import pytest

from tests.fakes import FakeDetector, FakeDetectorWithProbabilities
from tests.recipes.tiny import KEYWORDS as OWN_KEYWORDS
from tests.recipes.tiny import metrics_of, own_rows, row, text_of, write_own
from tests.tiny_corpora import write_corpora, write_lines
from tests.tiny_more import write_cogbias
from untwist.data import Reading
from untwist.errors import ConfigError, DataError, ModelError
from untwist.evaluate import read_leaderboard
from untwist.recipes.evaluate_detector import OWN, TOGETHER, EvaluateDetector, run
from untwist.schema import Assessment
from untwist.taxonomy import CANONICAL, Distortion, Risk

D = Distortion
KEYWORDS = {
    "废物": D.LABELING,
    "肯定完了": D.FORTUNE_TELLING,
    "failure": D.LABELING,
    "quiet": D.MAGNIFICATION,
}


@pytest.fixture
def evaluate(tmp_path, no_pictures):
    folder = write_corpora(tmp_path / "corpora")
    reading = Reading(str(folder), ("all",), unverified=True)

    def go(detector, name="run", **changes):
        options = {"out": str(tmp_path / name), "reading": reading, "resamples": 20}
        path = run(EvaluateDetector(**(options | changes)), detector)
        return path, metrics_of(path)

    return go


@pytest.fixture
def own(tmp_path):
    return write_own(tmp_path)


def lines_of(metrics):
    """Part and source of the threshold, without the threshold itself."""
    return [(r["part"], r["thresholds"].split(":")[0]) for r in metrics["reports"]]


VALIDATION = "one for all labels, from the validation part"


def test_every_corpus_is_scored_by_both_splits_and_whole(evaluate):
    detector = FakeDetector(KEYWORDS)
    _, metrics = evaluate(detector, corpora=("socialcd", "reframing", "crosslincd"))
    published, grouped = "published split, test part", "grouped split, test part"
    own = ", with the corpus' own labels"
    assert [(r["corpus"], r["part"], r["n"]) for r in metrics["reports"]] == [
        ("socialcd", published, 3),
        ("socialcd", grouped, 1),
        ("socialcd", "all rows", 8),
        ("reframing", published, 2),
        ("reframing", published + own, 2),
        ("reframing", grouped, 1),
        ("reframing", grouped + own, 1),
        ("reframing", "all rows", 6),
        ("reframing", "all rows" + own, 6),
        # both splits have the same test row
        ("crosslincd", "either split, test part", 1),
        ("crosslincd", "all rows", 5),
    ]
    assert {r["thresholds"] for r in metrics["reports"]} == {OWN}
    # each row reaches the detector once
    assert len(detector.seen) == 8 + 6 + 5


def test_the_scores_are_those_of_the_findings(evaluate):
    _, metrics = evaluate(FakeDetector(KEYWORDS), corpora=("socialcd", "therapist-whole"))
    published, whole = metrics["reports"][0], metrics["reports"][-1]
    # three test rows: labeling hit, fortune-telling hit, mind reading missed
    assert published["scores"]["micro_f1"] == 4 / 5
    assert published["false_alarms"]["over_pathologising"] is None
    # the floor is taken from the five training rows, where this label stands and not in test
    assert D.OVERGENERALIZATION.value in published["baselines"][0]["labels"]
    assert published["baselines_from"] == "all other rows of the corpus"
    # 5 gold labels; "failure" hits one; "quiet" alarms on one of two undistorted questions
    assert whole["scores"]["micro_f1"] == 2 / (2 + 1 + 4)
    assert whole["false_alarms"]["rows"] == 2
    assert whole["false_alarms"]["over_pathologising"] == 1 / 2


def test_labels_of_one_corpus_alone_are_scored_apart(evaluate):
    _, metrics = evaluate(FakeDetector(KEYWORDS), corpora=("reframing",))
    narrow, wide = metrics["reports"][-2:]
    assert (len(narrow["classes"]), len(wide["classes"])) == (12, 14)
    # one text is marked with two such labels and nothing else
    assert (narrow["scores"]["support"], wide["scores"]["support"]) == (5, 7)
    # "failure" hits labeling: TP 1, FN 4 or 6
    assert narrow["scores"]["micro_f1"] == 2 / (2 + 4)
    assert wide["scores"]["micro_f1"] == 2 / (2 + 6)
    assert narrow["false_alarms"]["rows"] == wide["false_alarms"]["rows"] == 1


def test_probabilities_are_used_only_where_they_are_offered(evaluate):
    _, without = evaluate(FakeDetector(KEYWORDS), "one", corpora=("socialcd",))
    path, offered = evaluate(FakeDetectorWithProbabilities(KEYWORDS), "two", corpora=("socialcd",))
    assert {r["probabilities"] for r in without["reports"]} == {"not offered"}
    assert all(0 < r["probabilities"]["brier"] < 0.5 for r in offered["reports"])
    # three test rows, 12 labels; 2 of 3 gold found: (1·0.81 + 35·0.01)/36
    assert offered["reports"][0]["probabilities"]["brier"] == pytest.approx((0.81 + 0.35) / 36)
    assert (list(without["calibration"]), list(offered["calibration"])) == (
        [],
        ["socialcd, grouped split, test part"],
    )
    shown = text_of(path)
    assert "| socialcd | published split, test part | the system's own | 3 |" in shown
    assert "| not offered |" not in shown


def test_probabilities_that_are_none_are_an_error_and_never_left_out_in_silence(evaluate):
    class Broken(FakeDetectorWithProbabilities):
        def probabilities(self, utterances):
            given = super().probabilities(utterances)
            given[0, 0] = self.value
            return given

    detector = Broken(KEYWORDS)
    for place, detector.value in enumerate((np.nan, 1.5, -0.1)):
        with pytest.raises(DataError, match="a probability that is no number from 0 to 1"):
            evaluate(detector, f"run{place}", corpora=("crosslincd",))


def test_a_text_without_an_answer_is_unscored_listed_and_the_rest_goes_on(evaluate):
    detector = FakeDetectorWithProbabilities(KEYWORDS, fails_on="面试")
    path, metrics = evaluate(detector, corpora=("crosslincd",))
    (failure,) = metrics["unscored"]
    assert failure == {"corpus": "crosslincd", "id": "4", "why": "ModelError: no answer"}
    whole = metrics["reports"][-1]
    assert (whole["n"], whole["unscored"]) == (5, 1)
    # gold 5 labels; two hit, the unscored one and two others missed (labeling and personalization)
    assert whole["scores"]["micro_recall"] == 2 / 5
    assert whole["probabilities"]["cells"] == 4 * 12
    assert "1 unscored" in text_of(path)


def test_a_detector_that_answers_nothing_has_every_label_missed(evaluate):
    _, metrics = evaluate(Silent(KEYWORDS), corpora=("crosslincd",))
    whole = metrics["reports"][-1]
    assert (whole["n"], whole["unscored"]) == (5, 5)
    assert whole["scores"]["micro_f1"] == 0


class Silent(FakeDetector):
    def detect(self, utterance, history=()):
        raise ModelError("no answer")


class ReadsAhead(FakeDetector):
    """Takes all texts before it answers the first, and fails on any bad one."""

    def detect_many(self, utterances):
        batch = list(utterances)
        if any("面试" in u.text for u in batch):
            raise ModelError("bad batch")
        yield from super().detect_many(batch)


def test_a_detector_that_reads_ahead_loses_only_the_bad_text(evaluate):
    detector = ReadsAhead(KEYWORDS, fails_on="面试")
    _, metrics = evaluate(detector, corpora=("crosslincd",))
    assert [f["id"] for f in metrics["unscored"]] == ["4"]


class Reversed(FakeDetector):
    def detect_many(self, utterances):
        yield from reversed(list(super().detect_many(utterances)))


class StopsEarly(FakeDetector):
    def detect_many(self, utterances):
        yield self.detect(next(iter(utterances)))


class NeverStops(FakeDetector):
    def detect_many(self, utterances):
        for utterance in [*utterances, *utterances]:
            yield self.detect(utterance)
        yield Assessment(utterance, (), None, Risk.NONE, (), (), self.name)


@pytest.mark.parametrize("kind", [Reversed, StopsEarly, NeverStops])
def test_a_detector_that_breaks_the_socket_is_found_out(evaluate, kind):
    with pytest.raises(DataError, match=r"fake-detector 1 (answers out of order|stopped after 1)"):
        evaluate(kind(KEYWORDS), corpora=("crosslincd",))


def test_probabilities_of_another_shape_are_found_out(evaluate):
    class Wide(FakeDetectorWithProbabilities):
        def probabilities(self, utterances):
            return np.zeros((len(utterances), 13))

    with pytest.raises(DataError, match=r"fake-detector 1 gives probabilities of shape \(5, 13\)"):
        evaluate(Wide(KEYWORDS), corpora=("crosslincd",))


def test_a_turn_of_a_dialogue_is_heard_with_what_came_before(tmp_path, no_pictures):
    heard = {}

    class Listens(FakeDetector):
        def detect(self, utterance, history=()):
            heard[utterance.id] = [u.role for u in history]
            return super().detect(utterance, history)

    folder = tmp_path / "corpora"
    write_cogbias(folder)
    config = EvaluateDetector(
        out=str(tmp_path / "run"),
        corpora=("cogbias",),
        reading=Reading(str(folder), ("cogbias",), unverified=True),
        resamples=20,
    )
    metrics = metrics_of(run(config, Listens({"完了": D.MAGNIFICATION})))
    talk = ["user", "assistant"]
    assert heard == {"1/3": talk, "2/1": [], "3/1": [], "3/3": talk}
    whole = metrics["reports"][-1]
    assert (whole["part"], whole["n"]) == ("all rows", 4)
    # four labels in the three dialogues, and one of them is heard
    assert whole["scores"]["micro_recall"] == 1 / 4


def test_the_run_folder_is_whole_and_equal_for_equal_runs(evaluate):
    first, _ = evaluate(FakeDetector(KEYWORDS), "one", corpora=("crosslincd",), command="c")
    second, _ = evaluate(FakeDetector(KEYWORDS), "two", corpora=("crosslincd",), command="c")
    names = {
        "config.toml",
        "manifest.json",
        "metrics.json",
        "leaderboard.jsonl",
        "report.md",
        "report.html",
    }
    assert {f.name for f in first.iterdir()} == names
    for name in names - {"config.toml"}:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    config = tomllib.loads(text_of(first, "config.toml"))
    assert config["corpora"] == ["crosslincd"]
    assert config["seed"] == 42
    assert config["reading"]["unverified"] is True
    inputs = json.loads(text_of(first, "manifest.json"))["inputs"]
    assert [name.rsplit("/", 1)[1] for name in inputs] == ["crosslincd_da_all.tsv"]


def test_refused_rows_are_counted_in_the_report(evaluate, tmp_path):
    file = tmp_path / "corpora/crosslincd_da/crosslincd_da_all.tsv"
    with file.open("a", encoding="utf-8") as stream:
        stream.write("too\tfew\n")
    path, metrics = evaluate(FakeDetector(KEYWORDS), "two", corpora=("crosslincd",))
    assert metrics["refused"]["count"] == 1
    assert metrics["refused"]["rows"][0].startswith(f"{file}:7: ")
    assert "1 rows refused" in text_of(path)


@pytest.mark.slow
def test_pictures_are_drawn_of_scores_classes_and_calibration(tmp_path, own):
    config = EvaluateDetector(str(tmp_path / "run"), (own,), resamples=20)
    path = run(config, FakeDetectorWithProbabilities(OWN_KEYWORDS))
    drawn = {f.stem for f in path.iterdir() if f.suffix == ".svg"}
    assert drawn == {"micro-f1", "macro-f1", "classes-own", "calibration-1"}
    assert {f.stem for f in path.iterdir() if f.suffix == ".png"} == drawn
    report = text_of(path)
    assert all(f"]({name}.svg)" in report for name in drawn)


def test_an_unknown_corpus_is_named_with_the_nearest_one_and_leaves_nothing(evaluate, tmp_path):
    with pytest.raises(DataError, match=r'"reframe" is neither a file .* mean "reframing"'):
        evaluate(FakeDetector(KEYWORDS), corpora=("reframe",))
    with pytest.raises(ConfigError, match="at least one corpus"):
        evaluate(FakeDetector(KEYWORDS), corpora=())
    assert not (tmp_path / "run").exists()


def test_two_corpora_of_one_name_are_refused(evaluate, tmp_path, own):
    other = write_own(tmp_path / "elsewhere")
    with pytest.raises(DataError, match='"own" is there already'):
        evaluate(FakeDetector(KEYWORDS), corpora=(own, other))
    assert not (tmp_path / "run").exists()


def test_a_detector_or_a_file_of_predictions_and_never_both(evaluate, own):
    for detector, predictions in ((None, ""), (FakeDetector({}), "mine.jsonl")):
        with pytest.raises(ConfigError, match="one of them"):
            evaluate(detector, corpora=(own,), predictions=predictions)
    with pytest.raises(ConfigError, match="for one corpus"):
        evaluate(None, predictions="mine.jsonl", corpora=(own, "socialcd"))


def test_a_threshold_comes_from_validation_and_no_test_label_changes_it(tmp_path, no_pictures):
    class Graded(FakeDetectorWithProbabilities):
        """Surer of labeling than of fortune-telling."""

        def probabilities(self, utterances):
            given = super().probabilities(utterances)
            return np.where(given > 0.5, [0.9 if d is D.LABELING else 0.7 for d in CANONICAL], 0.1)

    def tuned(name, rows):
        file = write_own(tmp_path / name, rows)
        config = EvaluateDetector(str(tmp_path / name / "run"), (file,), resamples=20)
        metrics = metrics_of(run(config, Graded(OWN_KEYWORDS)))
        assert lines_of(metrics) == [
            ("either split, test part", OWN),
            ("either split, test part", VALIDATION),
            ("either split, test part", TOGETHER),
            ("all rows", OWN),
        ]
        return metrics["reports"][1]

    plain = tuned("plain", own_rows())
    assert plain["thresholds"] == f"{VALIDATION}: 0.7000"
    others = [r | {"labels": ["blaming"]} if r["split"] == "test" else r for r in own_rows()]
    changed = tuned("changed", others)
    assert changed["thresholds"] == plain["thresholds"]
    assert changed["scores"]["micro_f1"] == 0 < plain["scores"]["micro_f1"]
    assert changed["probabilities"]["oracle_threshold"] != 0.7
    others = [r | {"labels": ["blaming"]} if r["id"] == "v2" else r for r in own_rows()]
    surer = tuned("surer", others)["thresholds"]
    assert surer == f"{VALIDATION}: 0.9000"


def test_what_a_system_learnt_from_is_not_offered_as_untouched(tmp_path, own, no_pictures):
    def lines(trained_on):
        out = str(tmp_path / "-".join(trained_on or ("none",)).replace(":", "_"))
        config = EvaluateDetector(out, (own,), trained_on=trained_on, resamples=20)
        path = run(config, FakeDetectorWithProbabilities(OWN_KEYWORDS))
        return lines_of(metrics_of(path))

    test, whole = ("either split, test part", OWN), ("all rows", OWN)
    tuned = ("either split, test part", VALIDATION)
    each = ("either split, test part", TOGETHER)
    assert lines(("another",)) == [test, tuned, each, whole]
    assert lines(("own:train",)) == [test, tuned, each]
    assert lines(("own:train", "own:validation")) == [test]
    assert lines(("own",)) == [test]


def test_a_part_that_there_is_not_is_refused_as_training_data(evaluate):
    with pytest.raises(ConfigError, match='trained on "own:tain"'):
        evaluate(FakeDetector(KEYWORDS), corpora=("open",), trained_on=("own:tain",))


def test_the_leaderboard_lines_say_where_thresholds_come_from(tmp_path, own, no_pictures):
    config = EvaluateDetector(
        str(tmp_path / "run"), (own,), trained_on=("own:train",), resamples=20, system="mine 2"
    )
    path = run(config, FakeDetectorWithProbabilities(OWN_KEYWORDS))
    found = {
        (e.system, e.split, e.part, e.thresholds_from, e.trained_on)
        for e in read_leaderboard(path / "leaderboard.jsonl")
    }
    learnt = ("own:train",)
    assert found == {
        ("mine 2", "published", "test", "fixed", learnt),
        ("mine 2 (threshold from validation)", "published", "test", "validation", learnt),
        ("mine 2 (thresholds from validation)", "published", "test", "validation", learnt),
        ("best constant", "published", "test", "fixed", ("own:train", "own:validation")),
    }


def test_a_file_with_a_space_in_its_name_has_a_line_on_the_leaderboard(tmp_path, no_pictures):
    file = write_own(tmp_path, name="my own: rows.jsonl")
    config = EvaluateDetector(str(tmp_path / "run"), (file,), resamples=20)
    path = run(config, FakeDetector(OWN_KEYWORDS))
    entries = read_leaderboard(path / "leaderboard.jsonl")
    assert {e.corpus for e in entries} == {"my-own-rows"}


def test_intensity_and_risk_are_scored_where_both_sides_say_them(tmp_path, no_pictures):
    rows = [
        row("t1", "I am a failure", "test", D.LABELING, intensity="severe", risk="high"),
        row("t2", "It will go wrong", "test", D.FORTUNE_TELLING, intensity="mild", risk="high"),
        row("t3", "Apples", "test", intensity=None, risk="none"),
        row("a1", "Pears", "train"),
    ]
    said = [
        {"id": "t1", "labels": ["labeling"], "intensity": "severe", "risk": "high"},
        {"id": "t2", "labels": [], "intensity": "severe", "risk": "low"},
        {"id": "t3", "labels": [], "risk": "none"},
    ]
    config = EvaluateDetector(
        str(tmp_path / "run"),
        (write_own(tmp_path, rows),),
        predictions=str(write_lines(tmp_path / "mine.jsonl", said)),
        resamples=20,
    )
    path = run(config)
    intensity, risk = metrics_of(path)["levels"]
    assert (intensity["n"], intensity["accuracy"]["hits"]) == (2, 1)
    assert (risk["n"], risk["accuracy"]["hits"]) == (3, 2)
    assert risk["missed_high_risk"]["hits"] == 1
    assert risk["missed_high_risk"]["of"] == 2
    assert "| own | either split, test part | risk | 3 | 0 |" in text_of(path)


def predicted(tmp_path, own, said, **more):
    file = write_lines(tmp_path / "mine.jsonl", said)
    config = EvaluateDetector(
        str(tmp_path / "run"), (own,), predictions=str(file), resamples=20, **more
    )
    return metrics_of(run(config))


TEST = ("t1", "t2", "t3", "t4")


def test_a_file_of_labels_is_scored_on_the_test_rows_alone(tmp_path, own, no_pictures):
    said = [{"id": id, "labels": ["labeling"]} for id in TEST]
    metrics = predicted(tmp_path, own, said)
    assert lines_of(metrics) == [("either split, test part", OWN)]
    (report,) = metrics["reports"]
    assert report["detector"] == "mine"
    # two of four labels hit, and two false ones
    assert report["scores"]["micro_f1"] == 2 * 2 / (2 * 2 + 2 + 2)
    assert report["false_alarms"]["over_pathologising"] == 1


def test_a_file_of_probabilities_gets_its_threshold_from_the_validation_rows(
    tmp_path, own, no_pictures
):
    said = [
        {"id": "v1", "probabilities": {"labeling": 0.6, "blaming": 0.4}},
        {"id": "v2", "probabilities": {"fortune_telling": 0.5}},
        *({"id": id, "probabilities": {"labeling": 0.5}} for id in TEST),
    ]
    report, together = predicted(tmp_path, own, said)["reports"]
    assert report["thresholds"] == f"{VALIDATION}: 0.5000"
    assert together["thresholds"] == TOGETHER
    assert report["scores"]["micro_f1"] == 0.5
    assert report["probabilities"]["cells"] == 4 * 12


def test_labels_without_probabilities_are_never_cut_at_a_threshold(tmp_path, own, no_pictures):
    said = [{"id": id, "probabilities": {"labeling": 0.6}} for id in ("v1", "v2", "t1", "t2")]
    said += [{"id": id} for id in ("t3", "t4")]
    said = [s | {"labels": ["labeling"]} if s["id"] in TEST else s for s in said]
    metrics = predicted(tmp_path, own, said)
    assert lines_of(metrics) == [("either split, test part", OWN)]
    assert metrics["reports"][0]["probabilities"] == "not offered"


def test_labels_on_some_test_rows_and_probabilities_on_others_are_refused(tmp_path, own):
    said = [{"id": "t1", "labels": []}]
    said += [{"id": id, "probabilities": {"labeling": 0.6}} for id in TEST[1:]]
    with pytest.raises(DataError, match="1 of 4 rows have labels, the others probabilities alone"):
        predicted(tmp_path, own, said)


def test_probabilities_of_the_test_rows_alone_have_no_threshold_and_are_not_scored(tmp_path, own):
    said = [{"id": id, "probabilities": {"labeling": 0.6}} for id in TEST]
    with pytest.raises(DataError, match="own: nothing to score: give labels"):
        predicted(tmp_path, own, said)


def test_a_test_row_that_is_not_answered_is_an_error_and_leaves_no_folder(tmp_path, own):
    said = [{"id": id, "labels": []} for id in TEST[:2]]
    with pytest.raises(DataError, match=r"mine\.jsonl: 2 test rows of own have no answer: mark"):
        predicted(tmp_path, own, said)
    assert not (tmp_path / "run").exists()


def test_missing_rows_count_as_unscored_when_that_is_asked_for(tmp_path, own, no_pictures):
    said = [{"id": "t1", "labels": ["labeling"]}, {"id": "t2", "unscored": "no answer"}]
    metrics = predicted(tmp_path, own, said, missing=True, system="model@1")
    (report,) = metrics["reports"]
    assert (report["detector"], report["n"], report["unscored"]) == ("model@1", 4, 3)
    # t1 is right, the three labels of t2 and t4 are missed
    assert report["scores"]["micro_f1"] == 2 / (2 + 3)
    # the undistorted row has no answer
    assert report["false_alarms"]["rows"] == 0
    assert [(f["id"], f["why"]) for f in metrics["unscored"]] == [("t2", "no answer")]


def test_a_corpus_without_a_test_part_says_so(tmp_path):
    rows = [r for r in own_rows() if r["split"] != "test"]
    file = write_own(tmp_path, rows)
    with pytest.raises(DataError, match="own has no test part"):
        predicted(tmp_path, file, [{"id": "v1", "labels": []}])
