"""PHQ-9 and GAD-7: the words, the sums, the bands, what was left out, and the ninth question."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from untwist import safety
from untwist.errors import ConfigError, DataError
from untwist.respond import (
    CRISIS_PARTS,
    Instrument,
    ReplyGuard,
    Score,
    choice_of,
    instrument_of,
    open_questionnaire,
    questionnaire_words,
    safety_turn,
    score_text,
)
from untwist.schema import Turn, Utterance
from untwist.taxonomy import Risk, Strategy
from untwist.text import LOCALES, language

ROOT = Path(__file__).parents[2]

PHQ, GAD = Instrument.PHQ_9, Instrument.GAD_7


def phq(*answers, difficulty=None):
    return Score(PHQ, answers, difficulty)


def names(score):
    return [band.name for band in score.bands]


def reaching(instrument, total):
    """Answers whose sum is this one, with 0 to the last question as long as that is possible."""
    count = len(open_questionnaire(instrument, "en").items)
    answers = []
    for _ in range(count):
        answers.append(min(3, total))
        total -= answers[-1]
    return Score(instrument, tuple(answers))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("instrument", "count"), [(PHQ, 9), (GAD, 7)])
def test_every_locale_has_every_question_and_four_answers(instrument, count, locale):
    form = open_questionnaire(instrument, locale)
    assert len(form.items) == count
    assert len(set(form.items)) == count
    assert len(form.choices) == len(form.difficulty_choices) == 4
    wanted = "en" if locale == "en" else "zh"
    texts = [*form.items, *form.choices, form.intro, form.difficulty]
    assert [t for t in texts if language(t) != wanted] == []
    assert "Spitzer" in form.source


def test_the_english_wording_is_the_published_one():
    form = open_questionnaire(PHQ, "en")
    assert form.items[0] == "Little interest or pleasure in doing things"
    assert form.items[8].startswith("Thoughts that you would be better off dead or of hurting")
    assert form.choices == (
        "Not at all", "Several days", "More than half the days", "Nearly every day"
    )  # fmt: skip
    assert open_questionnaire(GAD, "en").items[3] == "Trouble relaxing"


@pytest.mark.parametrize(
    ("instrument", "total", "band"),
    [
        (PHQ, 0, "minimal"), (PHQ, 4, "minimal"), (PHQ, 5, "mild"), (PHQ, 9, "mild"),
        (PHQ, 10, "moderate"), (PHQ, 14, "moderate"), (PHQ, 15, "moderately_severe"),
        (PHQ, 19, "moderately_severe"), (PHQ, 20, "severe"), (PHQ, 27, "severe"),
        (GAD, 0, "minimal"), (GAD, 4, "minimal"), (GAD, 5, "mild"), (GAD, 9, "mild"),
        (GAD, 10, "moderate"), (GAD, 14, "moderate"), (GAD, 15, "severe"), (GAD, 21, "severe"),
    ],
)  # fmt: skip
def test_the_published_cut_points_part_the_bands(instrument, total, band):
    score = reaching(instrument, total)
    assert score.total == total
    assert names(score) == [band]


@pytest.mark.parametrize("instrument", [PHQ, GAD])
def test_every_sum_lies_in_exactly_one_band(instrument):
    most = 3 * len(open_questionnaire(instrument, "en").items)
    assert [len(reaching(instrument, total).bands) for total in range(most + 1)] == [1] * (most + 1)


def test_a_question_that_was_left_out_is_unknown_and_never_zero():
    score = phq(1, None, 2, 0, 3, 1, 0, 1, 0)
    assert score.total is None
    assert score.missing == (2,)
    assert score.span == (8, 11)
    assert names(score) == ["mild", "moderate"]
    assert phq(1, 0, 2, 0, 3, 1, 0, 1, 0).total == 8


def test_a_band_that_is_certain_all_the_same_is_the_only_one():
    assert names(phq(1, None, 1, 1, 1, 1, 0, 1, 0)) == ["mild"]
    assert names(phq(3, 3, 3, 3, 3, 3, 3, None, None)) == ["severe"]


def test_nothing_answered_says_nothing():
    score = phq(*[None] * 9)
    assert score.total is score.estimate is None
    assert score.span == (0, 27)
    assert len(score.bands) == 5


@pytest.mark.parametrize(
    ("answers", "estimate"),
    [
        ((1, 1, 1, 1, 1, 1, 1, 1, None), 9),
        ((2, 1, 1, 1, 1, 1, 1, None, None), 10),
        ((1, 1, 1, 1, 0, 0, 0, 0, None), 5),
        ((1, 1, 1, 1, 1, 1, None, None, None), None),
        ((1, 1, 1, 1, 1, 1, 1, 1, 1), None),
    ],
)
def test_one_or_two_missing_answers_can_be_estimated_three_cannot(answers, estimate):
    assert phq(*answers).estimate == estimate


def test_gad_7_has_no_estimate_as_no_source_for_one_was_confirmed():
    assert Score(GAD, (1, 1, 1, 1, 1, 1, None)).estimate is None


@pytest.mark.parametrize(
    "answers", [(0,) * 8, (0,) * 10, (0,) * 8 + (4,), (0,) * 8 + (-1,), (0,) * 8 + (True,),
                (0,) * 8 + (1.0,), (0,) * 8 + ("1",)],
)  # fmt: skip
def test_what_is_no_answer_is_refused_and_never_becomes_one(answers):
    with pytest.raises(DataError, match="phq-9"):
        Score(PHQ, answers)
    with pytest.raises(DataError, match="difficulty"):
        phq(*[0] * 9, difficulty=4)


def test_only_the_ninth_question_of_the_phq_9_opens_the_safety_path():
    assert not phq(3, 3, 3, 3, 3, 3, 3, 3, 0).opens_safety
    assert not phq(3, 3, 3, 3, 3, 3, 3, 3, None).opens_safety
    assert [phq(*[0] * 8, answer).opens_safety for answer in (1, 2, 3)] == [True] * 3
    assert not Score(GAD, (3,) * 7).opens_safety
    assert safety_turn(phq(*[3] * 8, 0), "en") is None
    assert safety_turn(Score(GAD, (3,) * 7), "en") is None


@pytest.mark.parametrize("region", [None, *safety.regions()])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_safety_path_is_the_crisis_contract_with_the_contacts_of_the_region(locale, region):
    turn = safety_turn(phq(*[0] * 8, 1), locale, region)
    assert turn.reply.parts == CRISIS_PARTS
    assert turn.choice.strategy is Strategy.CRISIS_INTERVENTION
    assert turn.assessment.risk is Risk.HIGH
    assert turn.verdict.passed
    assert ReplyGuard().check(turn.reply, turn.assessment).rules == ()
    assert any(line.contact in turn.reply.text for line in safety.lines(region))
    assert len(re.findall("[?？]", turn.reply.text)) == 1
    assert Turn.from_dict(turn.to_dict()) == turn


def test_an_unknown_region_is_an_error_and_no_guess():
    with pytest.raises(ConfigError):
        safety_turn(phq(*[0] * 8, 1), "en", "ZZ")


@pytest.mark.parametrize(("locale", "yes"), [("en", "yes"), ("zh", "是的"), ("zh-Hant", "是的")])
def test_a_bare_yes_to_the_question_of_the_safety_path_is_high(locale, yes):
    turn = safety_turn(phq(*[0] * 8, 2), locale)
    spoken = [turn.assessment.utterance, Utterance(turn.reply.text, role="assistant")]
    assert safety.screen(yes, spoken).level is Risk.HIGH


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sum_is_told_with_what_it_does_not_mean(locale):
    text = score_text(phq(2, 2, 2, 2, 2, 2, 0, 0, 0), locale)
    assert "12" in text
    assert open_questionnaire(PHQ, locale).bands["moderate"] in text
    assert questionnaire_words(locale)["meaning"] in text


@pytest.mark.parametrize("locale", LOCALES)
def test_no_band_is_named_where_the_safety_path_opens(locale):
    form = open_questionnaire(PHQ, locale)
    text = score_text(phq(*[0] * 8, 1), locale)
    assert questionnaire_words(locale)["counts"] in text
    assert questionnaire_words(locale)["bands"].partition("{")[0] not in text
    assert form.bands["minimal"] not in text


@pytest.mark.parametrize("locale", LOCALES)
def test_whoever_leaves_out_the_ninth_question_is_told_who_to_turn_to(locale):
    left_out, answered = phq(*[1] * 8, None), phq(*[1] * 8, 0)
    help_ = safety.help_block(locale, "CN")
    assert help_ in score_text(left_out, locale, "CN")
    assert help_ not in score_text(answered, locale, "CN")
    assert help_ not in score_text(Score(GAD, (1,) * 6 + (None,)), locale, "CN")


@pytest.mark.parametrize("locale", LOCALES)
def test_missing_questions_are_named_in_the_text(locale):
    text = score_text(phq(1, None, 1, 1, None, 1, 1, 1, 0), locale)
    assert re.search(r"2(?:, |、)5", text)
    assert str(phq(1, None, 1, 1, None, 1, 1, 1, 0).estimate) in text


@pytest.mark.parametrize("locale", LOCALES)
def test_the_words_around_the_questions_claim_nothing(locale):
    lang = "en" if locale == "en" else "zh"
    texts = "\n\n".join([*questionnaire_words(locale).values(), score_text(phq(*[3] * 9), locale)])
    assert safety.find_claims(texts) == ()
    words = questionnaire_words(locale)
    broken = [
        (name, risk)
        for name, text in words.items()
        for risk in (Risk.LOW, Risk.MEDIUM)
        if safety.violations(text, lang, risk)
    ]
    assert broken == []


def test_an_answer_is_given_as_a_figure_or_in_the_words_of_a_choice():
    english, chinese = (open_questionnaire(PHQ, code).choices for code in ("en", "zh"))
    assert [choice_of(t, english) for t in ("0", " 3 ", "several days", "Nearly every day.")] == [
        0, 3, 1, 3
    ]  # fmt: skip
    assert [choice_of(t, chinese) for t in ("好几天", "１", "几乎每天。")] == [1, 1, 3]
    assert [choice_of(t, english) for t in ("4", "-1", "days", "", "10")] == [None] * 5


def test_an_error_never_quotes_what_was_written():
    for row in (
        {"questionnaire": "phq-9", "answers": ["my secret", *[0] * 8]},
        {"questionnaire": "phq-9", "answers": [0] * 9, "difficulty": "my secret"},
        {"questionnaire": "my secret", "answers": [0] * 9},
    ):
        with pytest.raises(DataError) as refused:
            Score.from_dict(row)
        assert "secret" not in str(refused.value)


def test_a_score_is_read_back_from_what_it_writes():
    score = phq(1, None, 2, 0, 3, 1, 0, 1, 0, difficulty=2)
    assert Score.from_dict(json.loads(json.dumps(score.to_dict()))) == score


@pytest.mark.parametrize(
    "row",
    [
        {"questionnaire": "phq-9"},
        {"questionnaire": "phq-9", "answers": "000000000"},
        {"questionnaire": "bdi", "answers": [0] * 21},
        {"answers": [0] * 9},
    ],
)
def test_a_row_that_is_no_score_is_refused(row):
    with pytest.raises(DataError):
        Score.from_dict(row)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(DataError, match="phq-9, gad-7"):
        instrument_of("phq9")


@pytest.mark.parametrize("page", ["docs/guides/questionnaires.md", "docs/zh/questionnaires.md"])
def test_the_guide_shows_bands_and_code_that_hold(page, capsys):
    text = (ROOT / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(block, page, "exec"), {})
    assert "5" in capsys.readouterr().out
    for place, instrument in enumerate((PHQ, GAD), 1):
        most = 3 * len(open_questionnaire(instrument, "en").items)
        bands = Score(instrument, (None,) * (most // 3)).bands
        shown = {
            row[0]: row[place]
            for row in re.findall(r"\| `(\w+)` \| ([^|]*?) ?\| ([^|]*?) ?\|", text)
        }
        for band in bands:
            assert shown[band.name] == f"{band.low}–{band.high}"
