"""A made-up corpus in which every distortion occurs, and policies whose values are known."""

from pathlib import Path

import numpy as np

from tests.tiny_corpora import write_lines
from untwist.data import Reading, Refusals
from untwist.embed import StaticEncoder
from untwist.policy import LearnedPolicy, StateEncoder
from untwist.policy.network import Network
from untwist.recipes.rows import load_each
from untwist.schema import Assessment
from untwist.taxonomy import CANONICAL, LANGS, Risk, Strategy

ENCODER = StateEncoder(StaticEncoder(64))
A = {s.action_id: place for place, s in enumerate(Strategy)}
LETTERS = {"en": "bcdfghklmnprstvwz", "zh": "山水木火土金日月天地人口手足耳目"}


def words(number, lang):
    """A text that is near no other."""
    rng = np.random.default_rng([number, LANGS.index(lang)])
    drawn = rng.choice(list(LETTERS[lang]), (6, 5))
    return " ".join("".join(word) for word in drawn)


def corpus_rows(high=1):
    """A part has, by language, each distortion once, one calm message, and `high` at high risk."""
    found = []
    for part in ("train", "test"):
        for lang in LANGS:
            kinds = [([d.value], "moderate", "low") for d in CANONICAL]
            kinds += [([], None, "none")] + [(["labeling"], "severe", "high")] * high
            for labels, intensity, risk in kinds:
                n = len(found)
                found.append(
                    {"id": f"r{n}", "text": words(n, lang), "lang": lang, "split": part,
                     "labels": labels, "intensity": intensity, "risk": risk}
                )  # fmt: skip
    return found


def write_corpus(folder: Path, rows=None, name="own.jsonl") -> str:
    return str(write_lines(folder / name, corpus_rows() if rows is None else rows))


def load(source):
    return load_each([source], Reading(), Refusals())


def constant(folder: Path, name="toy@1", **values) -> str:
    """A policy with the same values whatever is said; those not named are 0."""
    network = Network.fresh((ENCODER.size, len(Strategy)), np.random.default_rng(0))
    network.flat[:] = 0
    network.layers[0][1][[A[action] for action in values]] = list(values.values())
    LearnedPolicy(name, network, ENCODER).save(folder, "# made up\n")
    return str(folder)


class Deaf:
    """A detector that hears nothing at all."""

    name = "deaf@1"

    def detect(self, utterance, history=()):
        return Assessment(utterance, (), None, Risk.NONE, (), (), self.name)
