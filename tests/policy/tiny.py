"""A made-up pool of messages: every distortion at every intensity, in both languages."""

from functools import cache

import numpy as np

from untwist.embed import StaticEncoder
from untwist.policy.env import VectorCounseling, World
from untwist.policy.network import Network
from untwist.policy.pool import Pool, as_labelled
from untwist.policy.reward import ACTIONS
from untwist.policy.state import StateEncoder
from untwist.schema import Labels, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Intensity, Risk

SIZE = 64
WORDS = {"en": "message number {}", "zh": "第{}句话"}


def utterance(number, lang="en"):
    return Utterance(WORDS[lang].format(number), lang, str(number))


def labels(*distortions, intensity=None, risk=Risk.LOW):
    if distortions and intensity is None:
        intensity = Intensity.MODERATE
    return Labels(frozenset(distortions), frozenset(CANONICAL), intensity, risk)


def encoder():
    return StateEncoder(StaticEncoder(SIZE))


def rows():
    """Pairs of a message and its labels."""
    found = []
    for lang in LANGS:
        for risk in (Risk.NONE, Risk.LOW, Risk.MEDIUM):
            found.append((lang, labels(risk=risk)))
            found += [
                (lang, labels(d, intensity=i, risk=risk)) for d in CANONICAL for i in Intensity
            ]
        found.append((lang, labels(CANONICAL[0], intensity=Intensity.SEVERE, risk=Risk.HIGH)))
    return [(utterance(at, lang), one) for at, (lang, one) in enumerate(found)]


@cache
def pool():
    pairs = rows()
    heard = [as_labelled(u, one) for u, one in pairs]
    return Pool.of(heard, [one for _, one in pairs], encoder())


def world(**settings):
    return World(pool(), **settings)


def environment(n=64, seed=0, **settings):
    return VectorCounseling(world(**settings), n, seed)


def network(seed=0):
    return Network.fresh((encoder().size, 8, len(ACTIONS)), np.random.default_rng(seed))
