"""Why this strategy now: every sentence is tried out on the policy before it is said."""

import json
from importlib.resources import files

import pytest

from tests.conformance.conftest import assessment
from untwist.policy import MatrixPolicy, Ranked, Ranker, explanation_of
from untwist.policy.ranking import match
from untwist.safety import allowed
from untwist.schema import START, Session
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy
from untwist.text import LOCALES

D, S = Distortion, Strategy
_FEAR = assessment("it will all fall apart", Risk.LOW, Intensity.MODERATE, D.MAGNIFICATION)
_AFTER = Session(1, (S.REALITY_TESTING,), 0.0)


class _Rule:
    """Listens after a challenge and where a thought is mild; else takes gold."""

    def rank(self, heard, may, session=START):
        gold, listen = S.DECATASTROPHIZING, S.EMPATHIC_VALIDATION
        rests = bool(session.used) or heard.intensity is Intensity.MILD
        order = [listen, gold] if rests else [gold, listen]
        order += [s for s in Strategy if s not in order]
        return tuple(
            Ranked(s, 2.0 - at / 4, s in may, *match(s, heard)) for at, s in enumerate(order)
        )


def said(heard=_FEAR, session=START, locale="en", policy=None):
    return explanation_of(policy or _Rule(), heard, allowed(heard.risk), session, locale).lines


def test_it_says_what_the_strategy_is_for():
    first = said()[0]
    assert S.DECATASTROPHIZING.name_in("en") in first
    assert D.MAGNIFICATION.name_in("en") in first
    assert "best" in first
    assert "gentler" in said(session=_AFTER)[0]


def test_it_says_that_the_choice_hangs_on_the_conversation_only_where_it_does():
    lines = " ".join(said(session=_AFTER))
    assert "as a first message" in lines
    assert "does not press on" in lines
    alike = " ".join(said(session=_AFTER, policy=MatrixPolicy()))
    assert "makes no difference" in alike
    assert "as a first message" not in alike
    assert "first message" not in " ".join(said())


def test_it_says_what_a_milder_thought_would_have_changed_and_nothing_of_a_stronger_one():
    lines = [line for line in said() if "held differently" in line]
    assert len(lines) == 1
    assert Intensity.MILD.name_in("en") in lines[0]
    assert S.EMPATHIC_VALIDATION.name_in("en") in lines[0]


def test_other_strategies_stand_in_their_order_with_values_and_a_warning():
    lines = said()
    others = next(line for line in lines if line.startswith("Also allowed"))
    names = [S.EMPATHIC_VALIDATION, S.FINDING_THE_GRAY, S.EXAMINE_EVIDENCE]
    places = [others.index(name.name_in("en")) for name in names]
    assert places == sorted(places)
    assert "(1.75)" in others
    assert "say nothing about you" in lines[-1]
    closed = next(line for line in lines if "not open" in line)
    assert S.CRISIS_INTERVENTION.name_in("en") in closed


def test_a_policy_without_values_names_none():
    lines = " ".join(said(policy=MatrixPolicy()))
    assert "Also allowed" in lines
    assert "(" not in lines.split("Also allowed")[1].split(".")[0]
    assert "simulated" not in lines


def test_at_high_risk_it_says_nothing_but_that_safety_leaves_no_choice():
    crisis = assessment("it will all end", Risk.HIGH, Intensity.SEVERE, D.MAGNIFICATION)
    shown = explanation_of(_Rule(), crisis, allowed(Risk.HIGH))
    assert len(shown.lines) == 1
    assert "danger" in shown.lines[0]
    assert {one.strategy for one in shown.ranked} == set(Strategy)


def test_without_a_finding_no_thought_is_named():
    calm = assessment("we bought apples", distortion=None)
    assert "Nothing was heard" in said(calm, policy=MatrixPolicy())[0]


class _Always:
    """One strategy before all others."""

    def __init__(self, strategy):
        self.strategy = strategy

    def rank(self, heard, may, session=START):
        order = dict.fromkeys([self.strategy, *Strategy])
        return tuple(Ranked(s, None, s in may, *match(s, heard)) for s in order)


def test_listening_and_a_strategy_that_suits_nothing_are_told_apart():
    black_and_white = assessment("all or nothing", Risk.LOW, None, D.ALL_OR_NOTHING)
    assert "for you" in said(black_and_white, policy=_Always(S.EMPATHIC_VALIDATION))[0]
    assert "suits none" in said(black_and_white, policy=_Always(S.REATTRIBUTION))[0]


def test_the_three_scripts_have_the_same_sentences_with_the_same_gaps():
    texts = json.loads(files("untwist.policy").joinpath("explain.json").read_text("utf-8"))
    assert set(texts) == set(LOCALES)
    for key, sentence in texts["en"].items():
        for locale in LOCALES:
            other = texts[locale][key]
            gaps = {gap for gap in ("strategy", "distortion", "other", "level", "names", "value")
                    if f"{{{gap}}}" in sentence}  # fmt: skip
            assert gaps == {gap for gap in gaps if f"{{{gap}}}" in other}, key


@pytest.mark.parametrize("locale", LOCALES[1:])
def test_chinese_explanations_hold_no_english(locale):
    lines = "".join(said(session=_AFTER, locale=locale))
    assert not any("a" <= letter <= "z" for letter in lines)


def test_the_matrix_ranks_what_it_would_choose_first_and_the_forbidden_last():
    for intensity in (None, *Intensity):
        heard = assessment("x", Risk.LOW, intensity, D.LABELING)
        ranked = MatrixPolicy().rank(heard, allowed(Risk.LOW))
        chosen = MatrixPolicy().choose(heard, allowed(Risk.LOW))
        assert ranked[0].strategy is chosen.strategy
        assert ranked[0].grade == chosen.grade
        assert [one.allowed for one in ranked] == [True] * 9 + [False]
        assert {one.strategy for one in ranked} == set(Strategy)
    assert isinstance(MatrixPolicy(), Ranker)
