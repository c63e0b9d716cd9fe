import json

import pytest

from tests.tiny_corpora import write_risk_corpora
from tests.tiny_more import write_more_corpora
from untwist.data import Refusals, loader_of, stats_of
from untwist.data.stats import own_words
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

D = Distortion
EVERY = frozenset(CANONICAL)
NARROW = frozenset({D.LABELING, D.BLAMING})


def labelled(*found, carried=EVERY, **more):
    return Labels(frozenset(found), carried, **more)


def talk(id, *turns, group=None):
    """Turns are pairs of text and labels; every second one is the other side's."""
    said = [
        Utterance(text, role="assistant" if place % 2 else "user")
        for place, (text, _) in enumerate(turns)
    ]
    return Dialogue(id, "c", tuple(said), tuple(labels for _, labels in turns), group or id)


ROWS = (
    talk("1", ("abcd", labelled(D.LABELING, D.BLAMING, intensity=Intensity.MILD))),
    talk("2", ("我难过", labelled(risk=Risk.LOW)), group="g"),
    talk(
        "3",
        ("ab", labelled(D.LABELING, carried=NARROW, risk=Risk.LOW)),
        ("what is it?", None),
        ("123456", None),
        group="g",
    ),
)


def test_rows_groups_languages_and_lengths_are_counted_by_hand():
    found = stats_of("c", ROWS)
    assert (found.corpus, found.rows, found.groups) == ("c", 3, 2)
    # the other side's words do not count
    assert found.langs == {"en": 2, "zh": 1, None: 1}
    assert found.chars == (4 + 3 + 2 + 6) / 4


def test_labels_are_counted_over_judged_utterances_alone():
    found = stats_of("c", ROWS)
    assert (found.judged, found.labels, found.undistorted) == (3, 3 / 3, 1)
    assert found.distortions[D.LABELING] == 2
    assert found.distortions[D.BLAMING] == 1
    # carried by the first two rows, and never given
    assert found.distortions[D.MIND_READING] == 0
    assert D.COMPARING not in found.distortions


def test_a_label_that_no_row_can_carry_has_no_count():
    found = stats_of("c", ROWS[2:])
    assert found.distortions == {D.LABELING: 1, D.BLAMING: 0}


def test_levels_are_counted_where_they_are_known():
    found = stats_of("c", ROWS)
    assert found.intensity == {"mild": 1}
    assert found.risk == {"low": 2}


def test_the_shape_of_dialogues_is_counted_by_hand():
    turns = stats_of("c", ROWS).turns
    assert (turns.dialogues, turns.utterances, turns.seeker, turns.counsellor) == (3, 5, 4, 1)
    assert (turns.annotated_dialogues, turns.annotated, turns.labels) == (3, 3, 3)
    unjudged = stats_of("c", (talk("4", ("ab", None)), *ROWS)).turns
    assert (unjudged.dialogues, unjudged.annotated_dialogues) == (4, 3)


def test_parts_are_counted_by_split():
    parts = {"published": ["train", "test", "train"], "grouped": ["test"] * 3}
    found = stats_of("c", ROWS, parts)
    assert found.parts == {"published": {"train": 2, "test": 1}, "grouped": {"test": 3}}
    assert stats_of("c", ROWS).parts == {}


def test_nothing_is_not_known_and_never_0():
    found = stats_of("c", ())
    assert (found.rows, found.judged, found.chars, found.labels) == (0, 0, None, None)
    assert found.distortions == {}


def test_the_values_can_be_written_as_json():
    values = json.loads(json.dumps(stats_of("c", ROWS, {"published": ["train"] * 3}).to_dict()))
    assert values["langs"] == {"en": 2, "zh": 1, "neither": 1}
    assert values["distortions"]["labeling"] == 2
    assert values["turns"]["seeker"] == 4


@pytest.fixture
def load(tmp_path):
    write_more_corpora(tmp_path)
    write_risk_corpora(tmp_path)
    return lambda name: list(loader_of(name)(tmp_path, Refusals()))


def test_what_is_distorted_and_not_how_is_counted_apart(load):
    found = stats_of("cogdis", load("cogdis"))
    # the third one is known to have no label
    assert (found.rows, found.distorted, found.judged, found.undistorted) == (3, 2, 1, 1)
    assert found.labels == 0
    assert sum(found.distortions.values()) == 0


def test_words_of_the_corpus_itself_are_counted(load):
    rows = load("sos_1k")
    found = stats_of("sos_1k", rows)
    assert found.own == {"low": 3, "4": 1, "0": 1, "high": 1, "7": 1, "6": 1}
    assert own_words(rows[0].labels[0]) == ("4", "low")
    assert own_words(labelled()) == ()
    beliefs = stats_of("b", load("cbt-bench-core-major"))
    assert sum(beliefs.own.values()) == 3
    assert beliefs.judged == 0
