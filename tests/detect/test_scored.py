"""What a detector makes of scores, wherever they come from: here from a made-up model of words."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from untwist.detect.decisions import SHARED, Decisions
from untwist.detect.outputs import NONE, Outputs
from untwist.detect.scored import ScoredDetector
from untwist.detect.tokens import padded
from untwist.errors import ConfigError
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, Distortion, Intensity

OUTPUTS = Outputs(("labeling", "blaming", NONE), intensity=True)
LOSER, THEIRS, VERY = 1, 2, 3
WORDS = {"loser": LOSER, "theirs": THEIRS, "very": VERY}
LOGIT = {"absent": -2.0, "there": 2.0}


@dataclass(frozen=True)
class _Words:
    """A token a word, at most `longest` of them."""

    longest: int = 10
    pad: int = 0

    def ids(self, texts):
        return [[WORDS.get(w.strip(",."), 9) for w in t.split()][: self.longest] for t in texts]

    def windows(self, text):
        if len(text.split()) <= self.longest:
            return [(0, len(text))]
        cut = text.index(".") + 1
        return [(0, cut), (cut + 1, len(text))]


def _score(ids, mask):
    """Two heads; the second hears blaming at twice the logit."""
    real = np.where(mask > 0, ids, 0)
    there = [(real == token).any(axis=1) for token in (LOSER, THEIRS)]
    very = (real == VERY).any(axis=1)
    columns = [*there, ~(there[0] | there[1]), there[0] | there[1], very]
    logits = np.where(np.stack(columns, 1), LOGIT["there"], LOGIT["absent"]).astype(np.float32)
    return np.stack([logits, logits * [1, 2, 1, 1, 1]], 1).astype(np.float32)


def _detector(heads=("one", "two"), carried=None, **changes):
    shape = (len(heads), OUTPUTS.count)
    known = np.ones(shape, bool) if carried is None else np.array(carried, bool)
    decisions = Decisions(OUTPUTS, heads, known, np.full(shape, 0.5, np.float32))
    score = _score if len(heads) == 2 else lambda ids, mask: _score(ids, mask)[:, :1]
    return ScoredDetector("made-up", replace(decisions, **changes), _Words(), score, {})


def _found(detector, text):
    return {f.distortion: f for f in detector.detect(Utterance(text)).findings}


def test_evidence_is_the_clause_without_which_the_score_falls():
    text = "I went home, I am a loser, it was late"
    found = _found(_detector(), text)[Distortion.LABELING]
    assert text[found.start : found.end] == "I am a loser"


def test_a_long_text_is_read_to_its_end_and_the_evidence_stands_in_its_own_window():
    text = "We had tea at home today. But then, I am a loser"
    found = _found(_detector(), text)[Distortion.LABELING]
    assert text[found.start : found.end] == "I am a loser"
    assert _found(_detector(windows=False), text) == {}


def test_two_heads_are_heard_by_their_mean_and_each_by_itself():
    logistic = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    both, text = _detector(), ["it is all theirs"]
    column = both.outputs.index("blaming")
    mean = (logistic(2.0) + logistic(4.0)) / 2
    assert both.predict_proba(text)[0, column] == pytest.approx(mean, abs=1e-6)
    assert both.by("two").predict_proba(text)[0, column] == pytest.approx(logistic(4.0), abs=1e-6)
    assert both.by("one").predict_proba(text)[0, column] == pytest.approx(logistic(2.0), abs=1e-6)


def test_a_head_that_is_not_there_is_an_error_that_names_the_others():
    with pytest.raises(ConfigError, match="one, two"):
        _detector().by("three")


def test_what_no_head_has_learnt_is_not_a_number_and_never_heard():
    carried = [[1, 0, 1, 1, 1], [1, 0, 1, 1, 1]]
    detector = _detector(carried=carried)
    chance = detector.predict_proba(["it is all theirs"])
    assert np.isnan(chance[0]).tolist() == [False, True, False, False, False]
    assert _found(detector, "it is all theirs") == {}
    assert detector.probabilities([Utterance("theirs")]).tolist() == [
        [pytest.approx(1 / (1 + np.exp(2))) if d is Distortion.LABELING else 0.0 for d in CANONICAL]
    ]


def test_a_label_that_one_head_knows_is_that_heads_word_alone():
    detector = _detector(carried=[[1, 1, 1, 1, 1], [1, 0, 1, 1, 1]])
    column = detector.outputs.index("blaming")
    assert detector.predict_proba(["theirs"])[0, column] == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_label_is_heard_at_its_threshold_exactly():
    detector = _detector((SHARED,))
    chance = detector.predict_proba(["loser"])[0]
    cut = np.full((1, OUTPUTS.count), chance[0], np.float32)
    assert Distortion.LABELING in _found(_detector((SHARED,), thresholds=cut), "loser")
    above = np.nextafter(cut, np.float32(1))
    assert _found(_detector((SHARED,), thresholds=above), "loser") == {}


def test_a_single_label_model_hears_the_likeliest_or_none():
    single = {"single": True, "carried": np.array([[1, 1, 1, 0, 0]], bool)}
    detector = _detector((SHARED,), **single)
    chance = detector.predict_proba(["a loser", "a cat"])
    assert np.nansum(chance, axis=1) == pytest.approx([1.0, 1.0])
    assert list(_found(detector, "a loser")) == [Distortion.LABELING]
    assert _found(detector, "a cat") == {}


def test_intensity_climbs_the_steps_without_a_gap_and_is_unknown_where_it_was_not_learnt():
    heard = _detector().detect(Utterance("very much a loser"))
    assert heard.intensity is Intensity.SEVERE
    assert _detector().detect(Utterance("a loser")).intensity is Intensity.MODERATE
    assert _detector().detect(Utterance("very much a cat")).intensity is None
    mute = _detector(carried=[[1, 1, 1, 0, 0]] * 2)
    assert mute.judges_intensity is False
    answer = mute.detect(Utterance("very much a loser"))
    assert (len(answer.findings), answer.intensity) == (1, None)


def test_answers_do_not_hang_on_what_else_is_in_the_batch():
    texts = ["I am a loser", "it is all theirs, all of it is", "tea", "very much a loser"]
    detector = _detector()
    together = detector.predict_proba(texts)
    alone = [detector.predict_proba([text])[0] for text in texts]
    assert np.array_equal(together, np.stack(alone))
    many = list(detector.detect_many(Utterance(text) for text in texts))
    assert many == [detector.detect(Utterance(text)) for text in texts]


def test_no_texts_give_no_rows():
    assert _detector().predict_proba([]).shape == (0, OUTPUTS.count)
    assert _detector().probabilities([]).shape == (0, len(CANONICAL))


def test_padding_is_marked():
    ids, mask = padded([[4, 5, 6], [7]], 1)
    assert ids.tolist() == [[4, 5, 6], [7, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
