"""Messages by what went before them."""

from pathlib import Path

import pytest

from tests.recipes.test_policy_rows import DIALOGUE, said
from tests.recipes.tiny_policy import A, Deaf, constant, load, write_corpus
from untwist.policy import LearnedPolicy, MatrixPolicy
from untwist.recipes.policy_choices import Chance, gold_scene, label_lines, predicted_scene
from untwist.recipes.policy_players import Entrant, LearnedPlayer, PlainPlayer
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.rows import quiet

SINGLE = {"id": "s", "split": "test", "text": "Everything I touch breaks", "lang": "en",
          "labels": ["overgeneralization"], "intensity": "moderate", "risk": "low"}  # fmt: skip


@pytest.fixture
def scene(tmp_path):
    """First: d1/1 and s; after validation: d1/3; after a challenge: d1/5."""
    return gold_scene(policy_rows(load(write_corpus(tmp_path, [DIALOGUE, SINGLE])), ["test"]))


def learned(tmp_path, **values):
    folder = Path(constant(tmp_path / "p", **values))
    return Entrant(LearnedPlayer(LearnedPolicy.load(folder)), 1)


def test_messages_are_told_apart_by_what_went_before_them(scene):
    found = {
        name: [one.utterance.text for one in part.assessments]
        for name, part in scene.by_session().items()
    }
    assert found == {
        "found as first message": ["I am no good at all", "Everything I touch breaks"],
        "found after validation": ["Nobody stays with me"],
        "found after a challenge": ["Perhaps you are right"],
    }


def test_messages_after_a_strategy_that_is_not_known_are_a_part_of_their_own(tmp_path):
    bare = [message for message in DIALOGUE["messages"] if message["role"] == "user"]
    rows = policy_rows(load(write_corpus(tmp_path, [{**DIALOGUE, "messages": bare}])), ["test"])
    parts = gold_scene(rows).by_session()
    assert {name: len(part.assessments) for name, part in parts.items()} == {
        "found as first message": 1,
        "found after an unknown strategy": 2,
    }


def test_the_parts_are_scored_by_their_own_labels(scene, tmp_path):
    # behaviour vs. identity is gold for labeling: two of three matched messages
    lines = label_lines([scene], [learned(tmp_path, A7=1.0)], Chance(0, 5), quiet)
    gold = {
        line.session: (line.scores.n, line.scores.totals["gold"].value)
        for line in lines
        if line.shield
    }
    assert gold == {
        "as found": (4, pytest.approx(2 / 3)),
        "after listening": (4, pytest.approx(2 / 3)),
        "found as first message": (2, 0.5),
        "found after validation": (1, 1.0),
        "found after a challenge": (1, None),
    }


def test_policies_that_read_no_session_are_scored_as_found_alone(scene):
    lines = label_lines([scene], [Entrant(PlainPlayer(MatrixPolicy()), 1)], Chance(0, 5), quiet)
    assert {line.session for line in lines} == {"as found"}


def test_a_detectors_labels_are_seen_and_the_gold_ones_judge(scene):
    heard = predicted_scene(scene, Deaf(), quiet)
    matrix = PlainPlayer(MatrixPolicy())
    assert heard.chosen(matrix, True).tolist() == [A["A0"]] * 4
    assert (heard.states.labels == scene.states.labels).all()
    assert scene.chosen(matrix, True).tolist() == [A["A7"], A["A0"], A["A0"], A["A2"]]


def test_a_line_said_in_a_dialogue_is_not_counted_as_first(tmp_path):
    more = {**DIALOGUE, "messages": [said("We had soup", labels=[], risk="none", lang="en"),
                                     *DIALOGUE["messages"]]}  # fmt: skip
    rows = policy_rows(load(write_corpus(tmp_path, [more])), ["test"])
    first = gold_scene(rows).by_session()["found as first message"]
    assert [one.utterance.text for one in first.assessments] == ["We had soup"]
