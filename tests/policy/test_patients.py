"""Simulated people one at a time: who they are, and that a failing model never becomes words."""

import numpy as np
import pytest

from tests.fakes import FakeChat
from tests.policy import tiny
from untwist.errors import DataError, ModelError
from untwist.llm.prompts import LEAVES
from untwist.policy.dynamics import Dynamics
from untwist.policy.patients import (
    ParametricPatient,
    Persona,
    PromptedPatient,
    ReplayedPatient,
    instructions,
    personas,
)
from untwist.schema import Reply, Utterance
from untwist.taxonomy import LANGS, Distortion, Intensity, Risk, Strategy

D, S = Distortion, Strategy
_PERSONA = Persona("C", "en", (D.LABELING,), Intensity.MODERATE)


def reply(strategy=S.EMPATHIC_VALIDATION):
    return Reply("I hear you.", "en", strategy, (), "made-up")


def chance(seed=0):
    return np.random.default_rng(seed)


def test_personas_come_in_the_mix_of_the_seeker_groups():
    made = personas(8000, chance())
    shares = [np.mean([p.group == g for p in made]) for g in "ABCDE"]
    assert shares == pytest.approx(Dynamics().mix, abs=0.02)
    by_group = {g: [p for p in made if p.group == g] for g in "ABCDE"}
    assert all(p.distortions == () and p.intensity is None for p in by_group["A"])
    assert all(p.intensity is Intensity.MILD for p in by_group["B"] if p.distortions)
    assert all(p.intensity is Intensity.SEVERE for p in by_group["D"])
    hidden = np.mean([p.hidden for p in by_group["E"]])
    assert hidden == pytest.approx(Dynamics().hidden, abs=0.05)
    assert not any(p.hidden for g in "ABCD" for p in by_group[g])
    assert {p.lang for p in made} == set(LANGS)
    assert {p.lang for p in personas(20, chance(), lang="zh")} == {"zh"}


@pytest.mark.parametrize(
    "values", [{"group": "F"}, {"group": "AB"}, {"group": "A", "intensity": Intensity.MILD},
               {"group": "B", "distortions": (D.LABELING,)}]
)  # fmt: skip
def test_a_persona_that_contradicts_itself_is_refused(values):
    with pytest.raises(DataError):
        Persona(lang="en", **values)


@pytest.mark.parametrize("lang", LANGS)
def test_instructions_say_thought_trust_and_danger_in_the_persons_language(lang):
    told = instructions(Persona("C", lang, (D.LABELING,), Intensity.MODERATE, 0.9))
    assert D.LABELING.definition_in(lang) in told
    assert Intensity.MODERATE.definition_in(lang) in told
    assert LEAVES in told
    assert told != instructions(Persona("C", lang, (D.LABELING,), Intensity.MODERATE, 0.1))
    danger = [
        instructions(Persona(g, lang, (D.LABELING,), Intensity.SEVERE, hidden=h))
        for g, h in (("D", False), ("E", False), ("E", True))
    ]
    assert len(set(danger)) == 3


def test_a_prompted_person_says_what_the_model_says_and_leaves_when_it_leaves():
    model = FakeChat(["I am no good at this.", "Maybe.", LEAVES])
    person = PromptedPatient(model, _PERSONA)
    assert person.begin(chance()) == Utterance("I am no good at this.", "en")
    assert person.respond(reply(), chance()).text == "Maybe."
    assert person.respond(reply(), chance()) is None
    assert person.respond(reply(), chance()) is None
    assert len(model.seen) == 3
    roles = [message["role"] for message in model.seen[-1]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert model.seen[-1][-1]["content"] == "I hear you."


def test_a_prompted_person_leaves_after_the_last_turn():
    person = PromptedPatient(FakeChat(["one", "two", "three"]), _PERSONA, turns=2)
    person.begin(chance())
    assert person.respond(reply(), chance()).text == "two"
    assert person.respond(reply(), chance()) is None


@pytest.mark.parametrize("answer", [ModelError("no answer came"), "   ", LEAVES])
def test_a_model_that_fails_stops_and_no_words_are_made_up(answer):
    with pytest.raises(ModelError):
        PromptedPatient(FakeChat([answer]), _PERSONA).begin(chance())
    if answer != LEAVES:
        person = PromptedPatient(FakeChat(["one", answer]), _PERSONA)
        person.begin(chance())
        with pytest.raises(ModelError):
            person.respond(reply(), chance())


def test_equal_chance_asks_a_model_with_equal_seeds():
    seeds = []
    for seed in (1, 1, 2):
        model = FakeChat(["one"])
        PromptedPatient(model, _PERSONA).begin(chance(seed))
        seeds.append(model.options[0]["seed"])
    assert seeds[0] == seeds[1] != seeds[2]


def test_a_replayed_person_says_what_was_said_whatever_it_is_answered():
    said = [Utterance("one"), Utterance("hm", role="assistant"), Utterance("two")]
    person = ReplayedPatient(said)
    assert person.begin(chance()).text == "one"
    assert person.respond(reply(S.CRISIS_INTERVENTION), chance()).text == "two"
    assert person.respond(reply(), chance()) is None
    with pytest.raises(DataError, match="no message of the person"):
        ReplayedPatient(said[1:2])


def test_a_parametric_person_answers_to_what_is_done():
    def talk(strategy):
        person = ParametricPatient(tiny.pool(), lang="en")
        rng = chance(3)
        words, ends = [], 0
        for _ in range(30):
            words.append(person.begin(rng).text)
            while said := person.respond(reply(strategy), rng):
                words.append(said.text)
            ends += bool(person.outcome.resolved[0])
        return words, ends

    listened, pushed = talk(S.EMPATHIC_VALIDATION), talk(S.COST_BENEFIT)
    assert listened[0] != pushed[0]
    assert listened[1] > pushed[1]


def test_a_parametric_person_in_danger_who_is_helped_is_with_a_human():
    certain = Dynamics(mix=(0, 0, 0, 0, 1), hidden=0.0)
    person = ParametricPatient(tiny.pool(), certain)
    rng = chance()
    first = person.begin(rng)
    heard = {a.utterance: a.risk for a in tiny.pool().assessments}
    assert heard[first] is Risk.HIGH
    assert person.respond(reply(S.CRISIS_INTERVENTION), rng) is None
    assert person.outcome.handed[0]
