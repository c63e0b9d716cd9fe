"""Invented tasks and answers for the tests of labelling."""

from collections import Counter

from hypothesis import reject
from hypothesis import strategies as st

from tests.data.convert_values import conversations, only, singles, spans, texts, words
from untwist.data import Triple, Vote
from untwist.data.labelstudio import (
    ChainAnswer,
    ChainItem,
    TripleAnswer,
    TurnAnswer,
    chain_task,
    item_of,
    triple_task,
    turn_tasks,
)
from untwist.data.labelstudio.places import in_characters
from untwist.data.labelstudio.turns import result_of
from untwist.errors import DataError
from untwist.schema import Labels, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy

langs = st.sampled_from(["en", "zh"])
numbers = st.integers(1, 40).map(str)


@st.composite
def turn_answers(draw, text):
    found = draw(st.frozensets(st.sampled_from(CANONICAL), max_size=3))
    evidence = tuple(draw(spans(text, found))) if found else ()
    intensity = draw(st.sampled_from([None, *Intensity])) if found else None
    risk = draw(st.sampled_from([None, *Risk]))
    labels = Labels(found, frozenset(CANONICAL), intensity, risk, (), evidence)
    answer = TurnAnswer(labels, draw(st.just("") | texts))
    try:
        in_characters(result_of(answer, text, "en"), text)
    except DataError:
        # beside an emoji some spans fit in two ways, which is refused and tested on its own
        reject()
    return answer


chain_answers = st.builds(ChainAnswer, st.sampled_from([None, 0, 1]), st.just("") | texts)
triple_answers = st.builds(
    TripleAnswer,
    st.sampled_from([0, 1]),
    st.sampled_from([-1, 0, 1]),
    st.sampled_from([0, 1]),
    st.just("") | texts,
)


@st.composite
def chain_items(draw):
    labels = draw(st.frozensets(st.sampled_from(CANONICAL), max_size=3))
    utterance = Utterance(draw(texts))
    candidates = (draw(texts), draw(texts))
    return ChainItem(draw(words), utterance.text, utterance.lang, labels, candidates)


@st.composite
def triples(draw):
    id, lang = draw(words), draw(langs)
    return Triple(
        id,
        lang,
        draw(words),
        Utterance(draw(texts), lang, id),
        draw(st.frozensets(st.sampled_from(CANONICAL), max_size=3)),
        draw(st.sampled_from([None, *Intensity])),
        draw(st.sampled_from(list(Risk))),
        draw(st.sampled_from(list(Strategy))),
        draw(texts),
        draw(st.sampled_from([(), (Vote("9", 1, None, 0),)])),
        draw(st.sampled_from([{}, {"x": 0.5, "y": None}])),
        "invented",
    )


@st.composite
def tasks(draw, lang="en"):
    """Tasks of one page with different names, and how to draw an answer to each."""
    page = draw(st.sampled_from(["turns", "chains", "triples"]))
    if page == "turns":
        talks = only(*draw(st.lists(singles() | conversations(), min_size=1, max_size=3)))
        talks = [d for d in talks if any(u.role == "user" for u in d.utterances)]
        made = [task for d in talks for task in turn_tasks(d, lang, Counter())]
    elif page == "chains":
        made = [chain_task(item, lang) for item in draw(st.lists(chain_items(), max_size=3))]
    else:
        made = [triple_task(triple, lang) for triple in draw(st.lists(triples(), max_size=3))]
    return page, list({item_of(task["data"]): task for task in made}.values())


def answers_to(page, data):
    if page == "turns":
        return turn_answers(data["text"])
    return chain_answers if page == "chains" else triple_answers


def annotation(result, by):
    return {"id": 5, "completed_by": int(by), "was_cancelled": False, "result": result}
