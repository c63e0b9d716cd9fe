"""What the public risk corpora share with each other and with our own data, as counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations

from untwist.data import RiskLabels, load_open, near_key, shipped_cases, sos_1k, sos_4k
from untwist.schema import Dialogue, Json

_LONG = 8
"""Shorter keys coincide by chance."""
_WISH, _HIGH = 4, 6
"""Levels from which there is a wish to die, and a high risk by the source's own rule."""


def shared(dialogues: Mapping[str, Sequence[Dialogue]]) -> Json:
    """Repeated texts within each corpus, texts shared by two, and texts shared with our own data.

    "near" compares letters and digits after normalisation; texts of fewer than eight of them are
    not compared with our own data, because everyday phrases coincide.
    """
    keys = {name: [near_key(text) for text in _texts(rows)] for name, rows in dialogues.items()}
    exact = {name: [text.strip() for text in _texts(rows)] for name, rows in dialogues.items()}
    ours = _ours()
    return {
        "within": {
            name: {"exact": _repeated(exact[name]), "near": _repeated(keys[name])} for name in keys
        },
        "between": [
            {
                "corpora": [one, other],
                "exact": len({*exact[one]} & {*exact[other]}),
                "near": len({*keys[one]} & {*keys[other]}),
            }
            for one, other in combinations(keys, 2)
        ],
        "with_ours": {
            name: {
                what: len({key for key in keys[name] if len(key) >= _LONG} & texts)
                for what, texts in ours.items()
            }
            for name in keys
        },
    }


def departures(dialogues: Mapping[str, Sequence[Dialogue]]) -> Json:
    """Where the labels of SOS-1K contradict their own rule, and those of SOS-4K."""
    found: Json = {}
    first = dialogues.get(sos_1k.CORPUS, ())
    if first:
        own = [_own(d) for d in first]
        found["sos_1k"] = {
            "high below level 6": sum(o[1] == "high" and int(o[0]) < _HIGH for o in own),
            "low at level 6 or more": sum(o[1] == "low" and int(o[0]) >= _HIGH for o in own),
            "n": len(own),
        }
    second: dict[str, list[Dialogue]] = {}
    for dialogue in dialogues.get(sos_4k.CORPUS, ()):
        second.setdefault(dialogue.utterances[0].text.strip(), []).append(dialogue)
    twins = [(d, second[t]) for d in first if (t := d.utterances[0].text.strip()) in second]
    if twins:
        levels = [(int(_own(a)[0]), {int(_own(b)[0]) for b in others}) for a, others in twins]
        found["sos_1k and sos_4k"] = {
            "shared": len(twins),
            "other level": sum(others != {level} for level, others in levels),
            "other side of level 4": sum(
                any((level >= _WISH) != (other >= _WISH) for other in others)
                for level, others in levels
            ),
            "test of sos_1k in train of sos_4k": sum(
                a.split == "test" and any(b.split == "train" for b in others) for a, others in twins
            ),
        }
    return found


@cache
def _ours() -> dict[str, frozenset[str]]:
    """Keys of the texts that ship."""
    return {
        "labelled cases": frozenset(near_key(case.utterance.text) for case in shipped_cases()),
        "open corpus": frozenset(near_key(text) for text in _texts(load_open())),
    }


def _texts(dialogues: Iterable[Dialogue]) -> Iterable[str]:
    return (utterance.text for dialogue in dialogues for utterance in dialogue.utterances)


def _repeated(keys: Sequence[str]) -> int:
    return sum(n - 1 for n in Counter(keys).values())


def _own(dialogue: Dialogue) -> tuple[str, ...]:
    labels = dialogue.labels[0]
    return labels.own if isinstance(labels, RiskLabels) else ()
