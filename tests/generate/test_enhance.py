"""What a policy is told of a dialogue whose replies are written anew."""

import pytest

from untwist.engine import Engine
from untwist.generate.enhance import seeker_turns
from untwist.policy import session_of
from untwist.schema import Assessment, Choice, Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy

SAID = ("I never do it well.", "Always the same.", "Still I fail.", "A little better today.")
LEVELS = dict(zip(SAID, (*Intensity, Intensity.MILD), strict=True))
REPLY = Strategy.REALITY_TESTING


class Hears:
    """One distortion in everything, as strongly as the table says."""

    name = "hears@1"

    def detect(self, utterance, history=()):
        findings = (Finding(Distortion.LABELING, 0.9),)
        level = LEVELS[utterance.text]
        return Assessment(utterance, findings, level, Risk.NONE, (), (), self.name)


class InTurn:
    """Another strategy each time, and a memory of what it was told."""

    name = "in-turn@1"

    def __init__(self):
        self.seen = []

    def choose(self, assessment, allowed, session):
        order = [s for s in Strategy if s in allowed]
        self.seen.append(session)
        return Choice(order[len(session.used)], None, "validation", self.name)


def talk(helper=None):
    said = [(text, role) for text in SAID for role in ("user", "assistant")]
    utterances = tuple(
        Utterance(text if role == "user" else "I hear you.", "en", None, role)
        for text, role in said
    )
    labels = tuple(None if role == "user" else helper for _, role in said)
    return Dialogue("d", "made", utterances, labels, "d")


@pytest.fixture
def policy():
    return InTurn()


def test_the_policy_is_told_what_it_would_be_told_in_service(policy):
    turns = list(seeker_turns([talk()], policy, Hears(), session_of))
    service = InTurn()
    engine, past, history = Engine(Hears(), service), [], []
    for text in SAID:
        past.append(engine.turn(Utterance(text, "en"), history, past))
        reply = past[-1].reply
        history += [Utterance(text, "en"), Utterance(reply.text, reply.lang, role="assistant")]
    assert policy.seen == service.seen
    assert policy.seen[-1].response is not None
    assert [t.choice.strategy for t in turns] == [t.choice.strategy for t in past]


def test_a_strategy_that_people_saw_in_a_reply_is_the_one_that_was_used(policy):
    judged = Labels(None, frozenset(CANONICAL), strategy=REPLY)
    list(seeker_turns([talk(judged)], policy, Hears(), session_of))
    assert [session.used for session in policy.seen] == [(REPLY,) * n for n in range(4)]


def test_every_dialogue_begins_anew(policy):
    list(seeker_turns([talk(), talk()], policy, Hears(), session_of))
    assert policy.seen[:4] == policy.seen[4:]
