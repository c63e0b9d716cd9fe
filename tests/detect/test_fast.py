"""The fast detector: training, saving, evidence, long texts, and both languages."""

import numpy as np
import pytest

from tests.detect.tiny import CONFIG, detector, examples
from untwist.artifacts import shipped
from untwist.detect import Example, FastConfig, FastDetector, fit, linear
from untwist.detect.evidence import best_clauses, clauses
from untwist.detect.windows import windows
from untwist.embed import BITS, extract
from untwist.errors import ArtifactError, ConfigError, DataError
from untwist.schema import Utterance
from untwist.taxonomy import Distortion, Intensity, Risk
from untwist.text import MAX_CHARS, normalize


def _heard(text):
    return {f.distortion for f in detector().detect(Utterance(text)).findings}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The train was late, it is a total catastrophe", Distortion.MAGNIFICATION),
        ("The train was late, I am such a loser", Distortion.LABELING),
        ("车迟到了，我就是个废物", Distortion.LABELING),
        ("车遲到了，我就是個廢物", Distortion.LABELING),
        ("The train was late, I am SUCH A ＬＯＳＥＲ", Distortion.LABELING),
    ],
)
def test_a_learnt_signal_is_heard_in_new_texts(text, label):
    assert _heard(text) == {label}


@pytest.mark.parametrize("text", ["The train was late, so I waited", "车迟到了，等了一会儿", "?!"])
def test_nothing_is_heard_where_nothing_was_learnt(text):
    assessment = detector().detect(Utterance(text))
    assert assessment.findings == ()
    assert assessment.intensity is None


def test_the_evidence_is_the_clause_that_carries_the_signal():
    text = "The train was late, I am such a loser"
    finding = detector().detect(Utterance(text)).findings[0]
    assert text[finding.start : finding.end] == "I am such a loser"
    wide = "The train was late, I\u200b am such a ＬＯＳＥＲ."
    finding = detector().detect(Utterance(wide)).findings[0]
    assert wide[finding.start : finding.end] == "I\u200b am such a ＬＯＳＥＲ"


def test_one_sentence_is_heard_in_a_long_letter():
    filler = "We went to the shop and bought bread and had tea. " * 30
    assert Distortion.LABELING in _heard(filler + "I am such a loser. " + filler)


def test_intensity_is_judged_only_where_something_was_found():
    assessment = detector().detect(Utterance("The train was late, I am such a loser"))
    assert assessment.intensity is Intensity.SEVERE


def test_risk_is_never_below_the_screen():
    assert detector().detect(Utterance("I want to die")).risk is Risk.HIGH


def test_many_texts_are_answered_like_one_text():
    texts = [e.utterance for e in examples()] * 10
    together = list(detector().detect_many(iter(texts)))
    assert len(together) == len(texts)
    for i in (0, 255, 256, 419):
        alone = detector().detect(texts[i])
        assert [f.distortion for f in alone.findings] == [
            f.distortion for f in together[i].findings
        ]
        for a, b in zip(alone.findings, together[i].findings, strict=True):
            assert (a.start, a.end) == (b.start, b.end)
            assert abs(a.score - b.score) < 1e-5


def test_probabilities_have_a_row_per_text_and_a_column_per_label():
    chance = detector().probabilities([e.utterance for e in examples()])
    assert chance.shape == (len(examples()), 12)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert detector().probabilities([]).shape == (0, 12)


def test_training_twice_gives_equal_bytes(tmp_path):
    for name in ("first", "second"):
        fit(examples(), CONFIG, 0, "tiny-v1").save(tmp_path / name, "# card\n")
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


def test_the_order_of_labels_in_memory_does_not_change_training():
    again = fit(tuple(examples()), CONFIG, 0, "tiny-v1")
    assert again.weights.table.tobytes() == detector().weights.table.tobytes()


def test_a_saved_detector_answers_as_before(tmp_path):
    detector().save(tmp_path / "d", "# card\n")
    loaded = FastDetector.load(tmp_path / "d")
    text = Utterance("The train was late, I am such a loser")
    assert loaded.detect(text) == detector().detect(text)


def test_a_model_with_an_unknown_label_is_refused(tmp_path):
    detector().save(tmp_path / "d", "# card\n")
    config = tmp_path / "d" / "config.json"
    text = config.read_text(encoding="utf-8").replace('"labeling"', '"labelling2"')
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match="labelling2"):
        FastDetector.load(tmp_path / "d")


def test_training_rows_are_scored_as_they_are_at_run_time():
    pieces = [normalize(e.utterance.text).text for e in examples()]
    batch = extract(pieces)
    matrix = linear.design(
        *linear.pairs(batch, BITS), linear.emphasis(batch, BITS), len(pieces), 1, BITS
    )
    weights = np.random.default_rng(0).normal(size=(len(matrix.features), 18)).astype(np.float32)
    idf = matrix.idf[:, None]
    table = np.concatenate([weights * idf, idf**2], axis=1)
    np.testing.assert_allclose(
        linear.logits(
            pieces, linear.Weights(matrix.features, table, np.zeros((2, 18), np.float32))
        ),
        linear.product(matrix, weights),
        rtol=1e-3,
        atol=1e-3,
    )


@pytest.mark.parametrize(
    "settings", [{"folds": 1}, {"balance": 2.0}, {"l2": 0.0}, {"over_pathologising": 0.0}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError):
        FastConfig(**settings)


def test_too_few_groups_are_an_error_and_not_a_bad_model():
    with pytest.raises(DataError, match="groups of texts for 2 folds"):
        fit([Example(e.utterance, e.labels, "same") for e in examples()], CONFIG, 0, "x")
    with pytest.raises(DataError, match="no training texts"):
        fit([], CONFIG, 0, "x")


def test_a_text_of_a_million_characters_is_read():
    text = "It rained and we stayed in and read. " * 27_027
    assert len(text) <= MAX_CHARS
    assert detector().detect(Utterance(text)).utterance.text == text


@pytest.mark.parametrize("longest", [20, 50, 400])
def test_windows_cover_every_sentence_and_keep_to_their_length(longest):
    text = "One short. " + "x" * 130 + ". Another one here! 中文也可以。好"
    spans = windows(text, longest)
    assert all(b - a <= longest for a, b in spans)
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())


def test_clauses_and_their_neighbours():
    text = "It rained, I am a fool, a total fool. Bye"
    assert [text[a:b] for a, b in clauses(text)] == [
        "It rained", "I am a fool", "a total fool", "Bye"
    ]  # fmt: skip
    share = np.zeros(len(text), np.float32)
    share[11:22], share[24:36] = 1.0, 0.5
    start, end = best_clauses(text, share)
    assert text[start:end] == "I am a fool, a total fool"
    assert clauses("...") == [(0, 3)]


def test_the_shipped_detector_loads_and_knows_its_name():
    assert FastDetector.load(shipped("detector-fast-v2")).name == "detector-fast-v2"
