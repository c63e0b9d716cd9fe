"""The fast detector's other ways of reading and of learning."""

from dataclasses import replace

import numpy as np
import pytest

from tests.detect import tiny
from untwist.detect import FastConfig, FastDetector, fit, linear
from untwist.embed import Space
from untwist.errors import ArtifactError, ConfigError
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, Distortion

WIDE = replace(tiny.CONFIG, bits=18, gap=4, apart=True, hinge=True, l2=1e-3)
ASKED = [e.utterance for e in tiny.examples()]
BLAMING = CANONICAL.index(Distortion.BLAMING)
LABELING = CANONICAL.index(Distortion.LABELING)


@pytest.fixture(scope="module")
def wide():
    return fit(tiny.examples(), WIDE, 0, "wide-v1")


def test_what_is_read_is_kept_with_the_weights(wide, tmp_path):
    wide.save(tmp_path / "wide", "card")
    back = FastDetector.load(tmp_path / "wide")
    assert back.space == Space(18, 4, True)
    assert np.array_equal(wide.probabilities(ASKED), back.probabilities(ASKED))


def test_kinds_that_are_scaled_apart_hear_the_obvious_and_show_where(wide):
    likely = wide.probabilities(ASKED).max(axis=1)
    gold = np.array([bool(e.labels.distortions) for e in tiny.examples()])
    assert likely[gold].min() > likely[~gold].max()
    text = "The train was late, I am such a loser"
    finding = wide.detect(Utterance(text)).findings[0]
    assert text[finding.start : finding.end] == "I am such a loser"


def test_weights_that_do_not_fit_their_rows_are_refused(wide, tmp_path):
    short = replace(wide, weights=replace(wide.weights, rows=wide.weights.rows[:-1]))
    short.save(tmp_path / "wide", "card")
    with pytest.raises(ArtifactError, match="table of shape"):
        FastDetector.load(tmp_path / "wide")


@pytest.mark.parametrize("wrong", [{"bits": 30}, {"gap": -1}, {"alpha": 1.5}, {"alpha": -0.1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"bits|alpha"):
        replace(tiny.CONFIG, **wrong)


PLAIN = replace(tiny.CONFIG, folds=0)


def test_without_folds_scores_are_the_solvers_and_every_threshold_is_a_half():
    made = fit(tiny.examples(), PLAIN, 0, "plain-v1")
    assert all((rule.labels == 0.5).all() for rule in made.rules)
    pieces = ["the train was late, i am such a loser"]
    logit = linear.logits(pieces, made.weights, made.space)[0] + made.weights.bias[0]
    expected = 1 / (1 + np.exp(-logit[: len(CANONICAL)]))
    given = made.probabilities([Utterance(pieces[0], "en")])[0]
    np.testing.assert_allclose(given, expected, atol=1e-4)


def test_what_starts_from_a_detector_stays_near_it_the_more_the_higher_the_penalty():
    start = fit(tiny.examples(), PLAIN, 0, "start-v1")
    turned = [
        replace(e, labels=replace(e.labels, distortions=swapped, evidence=()))
        for e in tiny.examples()
        for swapped in [frozenset({Distortion.LABELING}) - e.labels.distortions]
    ]
    near, far = (
        fit(turned, replace(PLAIN, l2=l2), 0, "next", start=start).weights for l2 in (1.0, 1e-6)
    )
    rows = start.weights.rows
    assert np.abs(near.at(rows) - start.weights.at(rows)).max() < 0.3
    assert np.abs(far.at(rows) - start.weights.at(rows)).max() > 1


def test_an_ngram_that_only_the_start_knows_keeps_its_weight():
    start = fit(tiny.examples(), PLAIN, 0, "start-v1")
    english = [e for e in tiny.examples() if e.utterance.text.isascii()]
    after = fit(english, PLAIN, 0, "next", start=start)
    rows = np.setdiff1d(start.weights.rows, _rows_of([e.utterance.text for e in english]))
    assert len(rows)
    np.testing.assert_array_equal(after.weights.at(rows), start.weights.at(rows))


def _rows_of(texts):
    from untwist.embed import extract

    return np.unique(np.concatenate([g.row for g in extract([t.lower() for t in texts]).grams]))


def test_a_start_that_reads_other_ngrams_is_refused(wide):
    with pytest.raises(ConfigError, match="make them one"):
        fit(tiny.examples(), PLAIN, 0, "next", start=wide)


def _taught(alpha):
    """Every text's teacher is sure of blaming, which no label names, and of nothing else."""
    word = np.zeros(len(CANONICAL), np.float32)
    word[BLAMING] = 1
    examples = [replace(e, teacher=word) for e in tiny.examples()]
    return fit(examples, replace(PLAIN, alpha=alpha), 0, "student").probabilities(ASKED)


def test_a_student_learns_the_labels_the_teachers_word_or_a_mixture_of_both():
    labels, both, teacher = _taught(0.0), _taught(0.5), _taught(1.0)
    gold = np.array([Distortion.LABELING in e.labels.distortions for e in tiny.examples()])
    alone = fit(tiny.examples(), PLAIN, 0, "alone").probabilities(ASKED)
    np.testing.assert_array_equal(labels, alone)
    assert teacher[:, BLAMING].min() > 0.9
    assert teacher[:, LABELING].max() < 0.1
    assert np.abs(both[:, BLAMING] - 0.5).max() < 0.1
    assert labels[gold, LABELING].min() > both[gold, LABELING].max() > 0.3


def test_a_teacher_cannot_be_learnt_from_with_the_hinge_loss():
    taught = [replace(e, teacher=np.zeros(12, np.float32)) for e in tiny.examples()]
    with pytest.raises(ConfigError, match="hinge to false"):
        fit(taught, replace(PLAIN, hinge=True), 0, "x")


def test_the_loss_of_a_soft_target_is_the_bernoulli_cross_entropy_and_has_its_slope():
    gold, share = np.array([[0.25]], np.float32), np.ones((1, 1), np.float32)
    loss, slope = linear._logistic(np.zeros((1, 1), np.float32), gold, share)
    # -(0.25 log 0.5 + 0.75 log 0.5) = log 2; slope 0.5 - 0.25
    assert loss == pytest.approx(np.log(2), abs=1e-6)
    assert slope[0, 0] == pytest.approx(0.25)


def test_only_settings_that_are_named_exist():
    with pytest.raises(TypeError):
        FastConfig(spread=1.0)


def test_each_language_has_its_own_rule_and_one_that_was_not_learnt_has_that_of_both():
    config = replace(tiny.CONFIG, over_pathologising=1.0)
    en = [e for e in tiny.examples() if e.utterance.text.isascii()]
    made = fit(en, config, 0, "english-v1")
    assert np.array_equal(made.rules[0].labels, made.rules[1].labels)
    # the Chinese texts lose half of their labels: what is heard there is less often right
    turned = [
        replace(e, labels=replace(e.labels, distortions=frozenset(), evidence=()))
        if i % 2 and not e.utterance.text.isascii() else e
        for i, e in enumerate(tiny.examples())
    ]  # fmt: skip
    mixed = fit(turned, config, 0, "mixed-v1")
    assert not np.array_equal(mixed.rules[0].labels, mixed.rules[1].labels)


def test_a_text_is_given_labels_by_the_rule_of_its_language():
    deaf = replace(tiny.detector().rules[1], labels=np.ones(12, np.float32), sure=1.0)
    half = replace(tiny.detector(), rules=(tiny.detector().rules[0], deaf))
    en, zh = (
        Utterance("The train was late, I am such a loser"),
        Utterance("车迟到了，我就是个废物"),
    )
    assert [bool(a.findings) for a in half.detect_many([en, zh, en])] == [True, False, True]
    assert tiny.detector().detect(zh).findings
