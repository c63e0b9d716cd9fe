"""The second reader of risk: it may raise what the rules say, and never take anything away."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from untwist.detect import RiskConfig, RiskExample, RiskReader, fit_risk
from untwist.detect.reading import cut
from untwist.detect.risk import HEADS, STEPS, signs
from untwist.detect.train_risk import targets
from untwist.errors import ArtifactError, ConfigError, DataError, SafetyError
from untwist.safety import screen
from untwist.schema import Screening, Utterance
from untwist.taxonomy import Acuity, Risk

CONFIG = RiskConfig(folds=2, steps=25, min_texts=1)
HIGH, CALM = frozenset({Risk.HIGH}), frozenset({Risk.NONE})
PLACES = ("garden", "market", "station", "library", "harbour", "office")


@cache
def examples():
    """Messages in which "zorbing" stands for danger and "knitting" for none, by four writers."""
    rows = []
    for i, place in enumerate(PLACES * 4):
        writer = f"w{i % 4}"
        rows += [
            RiskExample(
                f"i keep zorbing at the {place} {i}", HIGH, frozenset({Acuity.PASSIVE}), writer
            ),
            RiskExample(f"i keep knitting at the {place} {i}", CALM, frozenset(), writer),
            RiskExample(f"我总在{i}号想着滚球", HIGH, frozenset({Acuity.ACTIVE}), writer),
            RiskExample(f"我总在{i}号想着织布", CALM, frozenset(), writer),
        ]
    return tuple(rows)


@cache
def reader():
    return fit_risk(examples(), CONFIG, 0, "tiny-reader")


def heard(text, own=None):
    return reader().read(text, own or screen(text))


def test_what_sounds_like_its_lessons_is_raised_and_names_the_reader():
    said = heard("i keep zorbing at the museum")
    assert said.level is Risk.HIGH
    assert said.reasons == ("tiny-reader",)
    assert Acuity.PASSIVE in said.acuity
    assert Acuity.ACTIVE in heard("我总在九号想着滚球").acuity


def test_what_sounds_harmless_is_left_alone():
    assert heard("i keep knitting at the museum").level < Risk.MEDIUM


def test_nothing_that_the_rules_said_is_taken_away():
    own = screen("I want to die", (), lambda text, own: Screening(Risk.NONE))
    assert own.level is Risk.HIGH
    assert own.acuity == screen("I want to die").acuity
    assert own.reasons == screen("I want to die").reasons


def test_harmless_text_before_or_after_a_sentence_cannot_hide_it():
    sentence = "i keep zorbing at the museum."
    alone = cut([sentence]).texts
    for text in (
        f"hello there. {sentence}",
        f"{sentence} thanks for reading.",
        f"hi! {sentence} ok?",
    ):
        assert set(alone) <= set(cut([text]).texts)


def test_a_conversation_keeps_what_the_reader_raised():
    first = Utterance("i keep zorbing at the museum")
    after = screen("i keep knitting at the garden", (first,), reader().read)
    assert after.level is Risk.MEDIUM
    assert "fold-sticky" in after.reasons


def test_a_reader_that_fails_is_an_error_and_never_no_risk():
    def failing(text, own):
        raise ZeroDivisionError

    with pytest.raises(SafetyError, match="help block"):
        screen("hello", (), failing)
    broken = replace(reader(), cuts=None)
    with pytest.raises(SafetyError, match="help block"):
        broken.raise_many(["hello there, you"], [Screening(Risk.NONE)])


def test_many_messages_are_read_as_each_by_itself():
    texts = [e.text for e in examples()[:20]]
    owns = [screen(text) for text in texts]
    assert reader().read_many(texts, owns) == [
        reader().read(text, own) for text, own in zip(texts, owns, strict=True)
    ]
    assert reader().read_many([], []) == []


def test_what_the_rules_said_can_only_add():
    text = "i keep walking at the museum"
    plain, _ = reader().reading.chances([text], [frozenset()])
    for kind in reader().reading.told:
        told, _ = reader().reading.chances([text], [{kind}])
        assert (told >= plain).all()
    assert signs(Screening(Risk.HIGH, (), ("en-plan-03", "en-plan-04"))) == {"en-plan"}


@pytest.mark.slow
def test_equal_examples_give_equal_bytes():
    again = fit_risk(examples(), CONFIG, 0, "tiny-reader")
    first, second = reader().reading.tensors(), again.reading.tensors()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert again.cuts.tobytes() == reader().cuts.tobytes()


def test_a_saved_reader_reads_as_before(tmp_path):
    reader().save(tmp_path / "r", "# card\n")
    again = RiskReader.load(tmp_path / "r")
    texts = [e.text for e in examples()]
    silence = [frozenset()] * len(texts)
    before = reader().reading.chances(texts, silence)[0]
    after = again.reading.chances(texts, silence)[0]
    np.testing.assert_allclose(before, after, atol=0.02)


def test_a_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ArtifactError):
        RiskReader.load(tmp_path)
    reader().save(tmp_path / "r", "# card\n")
    config = tmp_path / "r" / "config.json"
    text = config.read_text(encoding="utf-8").replace("risk>=high", "risk>=highest")
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match="other questions"):
        RiskReader.load(tmp_path / "r")


def test_a_step_is_known_only_where_all_accepted_levels_agree():
    either = RiskExample("x", frozenset({Risk.HIGH, Risk.MEDIUM}), frozenset(), "w")
    gold, mask = targets([either])
    # at least low and at least medium hold for both levels; high holds for one of them only
    assert gold[0, : len(STEPS)].tolist() == [1, 1, 0]
    assert mask[0, : len(STEPS)].tolist() == [1, 1, 0]
    assert gold.shape == (1, len(HEADS))


@pytest.mark.parametrize("settings", [{"folds": 1}, {"false_high": (0.0, 0.1)}, {"l2": 0.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError):
        RiskConfig(**settings)


def test_too_few_writers_or_no_texts_at_all_are_refused():
    with pytest.raises(DataError, match="no labelled"):
        fit_risk([], CONFIG, 0, "x")
    with pytest.raises(DataError, match="writers"):
        fit_risk([replace(e, group="one") for e in examples()], CONFIG, 0, "x")
