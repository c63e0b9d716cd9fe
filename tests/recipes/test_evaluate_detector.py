import json
import tomllib

import pytest

from tests.fakes import FakeDetector, FakeDetectorWithProbabilities
from tests.tiny_corpora import write_corpora
from untwist.errors import ConfigError, DataError, ModelError
from untwist.recipes.evaluate_detector import EvaluateDetector, run
from untwist.schema import Assessment
from untwist.taxonomy import Distortion, Risk

D = Distortion
KEYWORDS = {
    "废物": D.LABELING,
    "肯定完了": D.FORTUNE_TELLING,
    "failure": D.LABELING,
    "quiet": D.MAGNIFICATION,
}


@pytest.fixture
def evaluate(tmp_path):
    folder = write_corpora(tmp_path / "corpora")

    def go(detector, name="run", **changes):
        options = {"out": str(tmp_path / name), "folder": str(folder), "resamples": 20}
        path = run(EvaluateDetector(**(options | changes)), detector)
        return path, json.loads((path / "metrics.json").read_text(encoding="utf-8"))

    return go


def test_every_corpus_has_its_rows_the_published_one_only_its_test_part(evaluate):
    _, metrics = evaluate(FakeDetector(KEYWORDS))
    derived = "derived test part, grouped 6:2:2, seed 42"
    own = ", with the corpus' own labels"
    assert [(r["corpus"], r["part"]) for r in metrics["reports"]] == [
        ("socialcd", "published test part"),
        ("reframing", derived),
        ("reframing", derived + own),
        ("reframing", "all rows"),
        ("reframing", "all rows" + own),
        ("therapist-part", derived),
        ("therapist-part", "all rows"),
        ("therapist-whole", derived),
        ("therapist-whole", "all rows"),
        ("crosslincd", derived),
        ("crosslincd", "all rows"),
    ]
    sizes = [r["n"] for r in metrics["reports"] if r["part"] == "all rows"]
    assert sizes == [6, 4, 6, 5]
    assert all(0 < r["n"] < 6 for r in metrics["reports"] if r["part"] == derived)


def test_the_scores_are_those_of_the_findings(evaluate):
    _, metrics = evaluate(FakeDetector(KEYWORDS), corpora=("socialcd", "therapist-whole"))
    published, _, whole = metrics["reports"]
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
    _, metrics = evaluate(FakeDetectorWithProbabilities(KEYWORDS), corpora=("reframing",))
    narrow, wide = metrics["reports"][-2:]
    assert (len(narrow["classes"]), len(wide["classes"])) == (12, 14)
    # one text is marked with two such labels and nothing else
    assert (narrow["scores"]["support"], wide["scores"]["support"]) == (5, 7)
    # "failure" hits labeling: TP 1, FN 4 or 6
    assert narrow["scores"]["micro_f1"] == 2 / (2 + 4)
    assert wide["scores"]["micro_f1"] == 2 / (2 + 6)
    assert narrow["false_alarms"]["rows"] == wide["false_alarms"]["rows"] == 1
    assert wide["probabilities"] == "not offered"


def test_only_asked_rows_reach_the_detector_and_each_reaches_it_once(evaluate):
    detector = FakeDetector(KEYWORDS)
    evaluate(detector, corpora=("socialcd", "reframing"))
    assert len(detector.seen) == 3 + 6


def test_probabilities_are_used_only_where_they_are_offered(evaluate):
    _, without = evaluate(FakeDetector(KEYWORDS), "one")
    path, offered = evaluate(FakeDetectorWithProbabilities(KEYWORDS), "two")
    assert {r["probabilities"] for r in without["reports"]} == {"not offered"}
    narrow = [r for r in offered["reports"] if "own labels" not in r["part"]]
    assert all(0 < r["probabilities"]["brier"] < 0.5 for r in narrow)
    # three test rows, 12 labels; 2 of 3 gold found: (1·0.81 + 35·0.01)/36
    assert offered["reports"][0]["probabilities"]["brier"] == pytest.approx((0.81 + 0.35) / 36)
    shown = (path / "report.md").read_text(encoding="utf-8")
    assert "| socialcd | published test part | 3 |" in shown
    assert "| not offered |" not in shown.split("### reframing")[0].split("## Classes")[1]


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
    assert "1 texts unscored" in (path / "report.md").read_text(encoding="utf-8")


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


def test_the_run_folder_is_whole_and_equal_for_equal_runs(evaluate):
    first, _ = evaluate(FakeDetector(KEYWORDS), "one", corpora=("crosslincd",), command="c")
    second, _ = evaluate(FakeDetector(KEYWORDS), "two", corpora=("crosslincd",), command="c")
    names = {"config.toml", "manifest.json", "metrics.json", "report.md"}
    assert {f.name for f in first.iterdir()} == names
    for name in names - {"config.toml"}:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    config = tomllib.loads((first / "config.toml").read_text(encoding="utf-8"))
    assert config["corpora"] == ["crosslincd"]
    assert config["seed"] == 42
    inputs = json.loads((first / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert [name.rsplit("/", 1)[1] for name in inputs] == ["crosslincd_da_all.tsv"]


def test_refused_rows_are_counted_in_the_report(evaluate, tmp_path):
    evaluate(FakeDetector(KEYWORDS), "one", corpora=("crosslincd",))
    file = tmp_path / "corpora/crosslincd_da/crosslincd_da_all.tsv"
    with file.open("a", encoding="utf-8") as stream:
        stream.write("too\tfew\n")
    path, metrics = evaluate(FakeDetector(KEYWORDS), "two", corpora=("crosslincd",))
    assert metrics["refused"]["count"] == 1
    assert metrics["refused"]["rows"][0].startswith(f"{file}:7: ")
    assert "1 rows refused: 1 × 2 cells" in (path / "report.md").read_text(encoding="utf-8")


def test_an_unknown_corpus_is_named_with_the_nearest_one(evaluate, tmp_path):
    with pytest.raises(ConfigError, match='unknown corpus "reframe"; did you mean "reframing"'):
        evaluate(FakeDetector(KEYWORDS), corpora=("reframe",))
    with pytest.raises(ConfigError, match="at least one corpus"):
        evaluate(FakeDetector(KEYWORDS), corpora=())
    assert not (tmp_path / "run").exists()
