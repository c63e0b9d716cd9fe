"""What every Patient must do."""

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.schema import Reply, Utterance
from untwist.taxonomy import Strategy


def reply(strategy):
    return Reply("I hear you.", "en", strategy, (), "made-up")


def talk(person, seed, strategies=tuple(Strategy)):
    """All that is said; at most forty messages."""
    rng = np.random.default_rng(seed)
    said = [person.begin(rng)]
    for turn in range(40):
        said.append(person.respond(reply(strategies[turn % len(strategies)]), rng))
        if said[-1] is None:
            break
    return said


def test_the_person_writes_first_and_what_is_written_is_the_persons(patient):
    said = talk(patient(), 0)
    assert all(isinstance(one, Utterance) and one.role == "user" for one in said if one)
    assert said[0] is not None


def test_a_conversation_ends_and_then_stays_ended(patient):
    person = patient()
    assert talk(person, 1, (Strategy.EMPATHIC_VALIDATION, Strategy.REALITY_TESTING))[-1] is None
    for _ in range(3):
        again = person.respond(reply(Strategy.EMPATHIC_VALIDATION), np.random.default_rng(0))
        assert again is None


def test_equal_chance_and_equal_replies_give_equal_words(patient):
    assert talk(patient(), 2) == talk(patient(), 2)


def test_answering_before_the_beginning_is_an_error(patient):
    with pytest.raises(DataError, match="not begun"):
        patient().respond(reply(Strategy.EMPATHIC_VALIDATION), np.random.default_rng(0))


def test_a_new_beginning_is_a_new_conversation(patient):
    person = patient()
    talk(person, 3)
    assert isinstance(person.begin(np.random.default_rng(4)), Utterance)
    assert talk(person, 3)[0] is not None
