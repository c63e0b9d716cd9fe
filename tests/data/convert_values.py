"""Invented dialogues for the tests of the converters."""

from hypothesis import strategies as st

from untwist.schema import Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Risk, Strategy

PIECES = [
    "I always fail",
    "明天肯定完了",
    " 😀",
    "\n",
    "\u2028",
    '"',
    "\r\n",
    "ok. ",
    "é",
    "他们",
    "、",
]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(str.strip)
words = st.text("ab#é中0", min_size=1, max_size=4)


@st.composite
def labels(draw, text):
    if draw(st.integers(0, 3)) == 0:
        return None
    carried = draw(st.sampled_from([frozenset(CANONICAL), frozenset(Distortion), frozenset()]))
    some = frozenset() if not carried else draw(st.frozensets(st.sampled_from(sorted(carried))))
    found = draw(st.sampled_from([None, frozenset(), some]))
    return Labels(
        found,
        carried,
        draw(st.sampled_from([None, *Intensity])) if found else None,
        draw(st.sampled_from([None, *Risk])),
        tuple(draw(st.lists(st.sampled_from(list(Acuity)), max_size=2))),
        tuple(draw(spans(text, found))) if found else (),
        draw(st.sampled_from([None, *Strategy])),
        tuple((d, draw(texts)) for d in Distortion if d in found and draw(st.booleans()))
        if found
        else (),
    )


@st.composite
def spans(draw, text, found):
    made = []
    for distortion in draw(st.lists(st.sampled_from(sorted(found)), max_size=2)):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        made.append(Finding(distortion, 1.0, start, end))
    return made


@st.composite
def singles(draw):
    """One message of the person, named as its dialogue."""
    id, corpus, text = draw(words), draw(words | st.just("jsonl")), draw(texts)
    utterance = Utterance(text, draw(st.sampled_from([None, "en", "zh"])), id)
    group = draw(st.just(f"{corpus}:{id}") | words)
    split = draw(st.none() | st.sampled_from(["train", "dev", "test"]))
    return Dialogue(id, corpus, (utterance,), (draw(labels(text)),), group, split)


@st.composite
def conversations(draw):
    """Any order of speakers, with names of their own or none."""
    id, corpus = draw(words), draw(words | st.just("jsonl"))
    utterances, judged = [], []
    for role in draw(st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=6)):
        text = draw(texts)
        lang = draw(st.sampled_from([None, "en", "zh"]))
        utterances.append(Utterance(text, lang, draw(st.none() | words), role))
        judged.append(draw(labels(text)))
    group = draw(st.just(f"{corpus}:{id}") | words)
    split = draw(st.none() | words)
    return Dialogue(id, corpus, tuple(utterances), tuple(judged), group, split)


def only(*dialogues):
    """The same dialogues with ids that occur once."""
    return list({(d.corpus, d.id): d for d in dialogues}.values())


def message(text, distortions=None, id="m1", role="user", **changes):
    """A dialogue of one message; `distortions` None means not annotated."""
    judged = None
    if distortions is not None:
        judged = Labels(frozenset(distortions), frozenset(CANONICAL), **changes)
    return Dialogue(id, "mine", (Utterance(text, id=id, role=role),), (judged,), f"mine:{id}")


def talk(*turns, id="t1"):
    """A dialogue of ("user" or "assistant", text) pairs without labels."""
    said = tuple(Utterance(text, role=role) for role, text in turns)
    return Dialogue(id, "mine", said, (None,) * len(said), f"mine:{id}")
