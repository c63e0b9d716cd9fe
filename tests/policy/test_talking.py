"""Simulated people who answer what they are asked."""

import json
from importlib.resources import files

import numpy as np
import pytest

from tests.policy.test_patients import S, reply
from untwist.errors import DataError
from untwist.policy.talking import MANNERS, TalkingPatient
from untwist.recipes.evaluate_conversation import EvaluateConversation, _pool
from untwist.recipes.rows import quiet
from untwist.respond import open_protocols
from untwist.schema import Reply, Step


@pytest.fixture(scope="module")
def pool():
    return _pool(EvaluateConversation(out="unused"), quiet)


def asks(name, branch=None):
    step = Step("frame", name, S.EMPATHIC_VALIDATION, None, None, branch)
    return Reply("Well?", "en", S.EMPATHIC_VALIDATION, ("validation",), "made-up", step)


def talk(patient, seed, answer):
    rng = np.random.default_rng(seed)
    said = [patient.begin(rng)]
    while (message := patient.respond(answer, rng)) is not None:
        said.append(message)
    return [one.text for one in said]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_person_stays_for_so_many_messages_and_equal_chance_gives_equal_words(pool, lang):
    one, two = (talk(TalkingPatient(pool, lang, turns=20), 3, asks("settle")) for _ in range(2))
    assert one == two
    assert len(one) == 20


def test_a_question_is_answered_from_its_own_list_more_often_than_not(pool):
    words = json.loads(files("untwist").joinpath("policy/talk/en.json").read_text(encoding="utf-8"))
    hits = total = 0
    for seed in range(30):
        said = talk(TalkingPatient(pool, "en", turns=10, manner="plain"), seed, asks("worst"))[1:]
        hits += sum(text in words["steps"]["worst"] for text in said)
        total += len(said)
    assert hits / total > 0.5


def test_whoever_never_knows_says_so_nearly_always(pool):
    words = json.loads(files("untwist").joinpath("policy/talk/en.json").read_text(encoding="utf-8"))
    said = talk(TalkingPatient(pool, "en", turns=40, manner="unknown"), 5, asks("worst"))[1:]
    assert sum(text in words["words"]["unknown"] for text in said) > len(said) * 0.7


def test_the_shares_of_the_manners_make_one():
    assert sum(MANNERS.values()) == pytest.approx(1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_step_of_the_shipped_protocols_has_answers(lang):
    raw = files("untwist").joinpath(f"policy/talk/{lang}.json").read_text(encoding="utf-8")
    known = open_protocols(lang)
    asked = {s.id for p in (known.frame, *known.own.values()) for s in p.steps}
    rated = {"belief", "belief_after", "emotion_after"}
    assert asked - rated == set(json.loads(raw)["steps"])


def test_a_conversation_that_has_not_begun_cannot_be_answered(pool):
    with pytest.raises(DataError, match="begin"):
        TalkingPatient(pool, "en").respond(reply(), np.random.default_rng(0))
