"""The question for names alone: what is asked for, what is read, what is refused."""

import pytest

from untwist.data.convert.wording import answer
from untwist.errors import DataError, ParseError
from untwist.llm.prompts import Named, Names
from untwist.taxonomy import CANONICAL, LANGS, Distortion

D = Distortion
TWO = frozenset({D.LABELING, D.BLAMING})


@pytest.mark.parametrize("lang", LANGS)
def test_only_the_labels_that_are_asked_for_stand_in_the_question(lang):
    system = Names(lang, TWO).messages("x")[0]["content"]
    assert {d for d in D if d.name_in(lang) in system} == TWO


@pytest.mark.parametrize("lang", LANGS)
def test_the_answer_of_a_detection_row_is_read_back(lang):
    prompt = Names(lang, frozenset(CANONICAL))
    assert prompt.parse(answer(TWO, lang)) == Named((D.LABELING, D.BLAMING))
    assert prompt.parse(answer(frozenset(), lang)) == Named(())


def test_names_are_read_from_the_last_line_and_reasons_from_those_before():
    said = "She is late.\nLabeling: a word for the whole person.\n**Blaming, labeling.**"
    read = Names("en", TWO, reasons=True).parse(said)
    assert read.distortions == (D.LABELING, D.BLAMING)
    assert read.reasons.startswith("She is late.\nLabeling")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        ("a sad thought", "parse"),
        ("Labeling, sadness", "parse"),
        ("Mind reading", "parse"),
        ("I'm sorry, but I can't help with that", "refused"),
    ],
)
def test_what_names_nothing_that_was_asked_for_is_unscored_and_never_none(said, reason):
    with pytest.raises(ParseError) as caught:
        Names("en", TWO).parse(said)
    assert caught.value.reason == reason
    assert caught.value.raw == said
    assert "sad" not in str(caught.value)


def test_nothing_asked_for_and_a_label_that_is_not_asked_for_are_errors():
    with pytest.raises(DataError, match="no label"):
        Names("en", frozenset())
    with pytest.raises(DataError, match="not asked for"):
        Names("en", TWO).render(Named((D.COMPARING,)))
