import json
import os
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.convert_values import conversations, message, only, singles, talk
from tests.tiny_corpora import write_lines
from untwist.data import Refusals, RiskLabels, known_corpora, load_jsonl, loader_of
from untwist.data.convert import to_row, write_jsonl
from untwist.errors import DataError
from untwist.schema import Dialogue, Finding, Labels
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Risk

D = Distortion
few = settings(max_examples=40, deadline=None)


@few
@given(st.lists(singles() | conversations(), max_size=4))
def test_what_is_written_is_read_back_the_same(tmp_path_factory, dialogues):
    file = tmp_path_factory.mktemp("rows") / "x.jsonl"
    dialogues = only(*dialogues)
    assert write_jsonl(dialogues, file) == len(dialogues)
    assert list(load_jsonl(file)) == dialogues


def test_a_single_message_has_the_form_that_single_messages_have():
    text = "I failed once, I always fail."
    dialogue = message(
        text,
        [D.OVERGENERALIZATION],
        intensity=Intensity.MODERATE,
        risk=Risk.LOW,
        evidence=(Finding(D.OVERGENERALIZATION, 1.0, 15, 28),),
    )
    assert to_row(dialogue) == {
        "id": "m1",
        "corpus": "mine",
        "text": text,
        "lang": "en",
        "labels": [D.OVERGENERALIZATION.value],
        "evidence": [{"distortion": D.OVERGENERALIZATION.value, "start": 15, "end": 28}],
        "intensity": "moderate",
        "risk": "low",
    }


def test_carried_is_written_only_where_it_is_not_the_canonical_twelve():
    dialogue = message("我真没用", [D.LABELING])
    assert "carried" not in to_row(dialogue)
    narrow = Labels(frozenset({D.LABELING}), frozenset({D.LABELING, D.BLAMING}))
    row = to_row(replace(dialogue, labels=(narrow,)))
    assert row["carried"] == [D.LABELING.value, D.BLAMING.value]


def test_labels_that_say_nothing_are_not_taken_for_missing_ones(tmp_path):
    dialogue = replace(message("hello there"), labels=(Labels(None, frozenset(CANONICAL)),))
    write_jsonl([dialogue], tmp_path / "x.jsonl")
    assert list(load_jsonl(tmp_path / "x.jsonl")) == [dialogue]


def test_a_kind_of_danger_alone_is_an_annotation(tmp_path):
    file = write_lines(tmp_path / "x.jsonl", [{"id": "a", "text": "hm", "acuity": ["medical"]}])
    (dialogue,) = load_jsonl(file)
    assert dialogue.labels[0].acuity == (Acuity.MEDICAL,)


def test_a_corpus_keeps_its_own_words(tmp_path):
    labels = RiskLabels(None, frozenset(), risk=Risk.HIGH, own=("level 3",))
    dialogue = replace(message("hello there"), labels=(labels,))
    assert to_row(dialogue)["own"] == ["level 3"]
    write_jsonl([dialogue], tmp_path / "x.jsonl")
    (read,) = load_jsonl(tmp_path / "x.jsonl")
    assert read.labels == (Labels(None, frozenset(), risk=Risk.HIGH),)


def test_one_id_may_stand_in_two_corpora_but_not_twice_in_one(tmp_path):
    one = message("first of them")
    other = replace(one, corpus="theirs", group="theirs:m1")
    assert write_jsonl([one, other], tmp_path / "both.jsonl") == 2
    assert list(load_jsonl(tmp_path / "both.jsonl")) == [one, other]
    with pytest.raises(DataError, match="mine m1 occurs twice"):
        write_jsonl([one, one], tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()


def test_nothing_is_overwritten(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text("mine\n", encoding="utf-8")
    with pytest.raises(DataError, match="is there already"):
        write_jsonl([message("hello there")], file)
    assert file.read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"utterances": (), "labels": ()}, "empty one"),
        ({"group": " "}, "group is empty"),
        ({"labels": (Labels(frozenset({D.COMPARING}), frozenset(CANONICAL)),)}, "not among those"),
        (
            {
                "labels": (
                    Labels(
                        frozenset({D.LABELING}),
                        frozenset(CANONICAL),
                        evidence=(Finding(D.LABELING, 0.5, 0, 2),),
                    ),
                )
            },
            "a score other than 1",
        ),
    ],
)
def test_what_would_not_come_back_is_not_written(tmp_path, change, reason):
    dialogue = replace(message("hello there"), **change)
    with pytest.raises(DataError, match=f"mine m1: .*{reason}"):
        write_jsonl([message("good one", id="m0"), dialogue], tmp_path / "x.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_row_of_several_messages_has_labels_of_its_own_for_each(tmp_path):
    row = {
        "id": "d1",
        "corpus": "theirs",
        "split": "test",
        "messages": [
            {
                "role": "user",
                "content": "He hates me.",
                "id": "u1",
                "labels": [D.MIND_READING.value],
            },
            {"role": "assistant", "content": "How do you know?"},
            {"role": "user", "content": "我不知道", "lang": "zh", "labels": [], "carried": []},
        ],
    }
    (dialogue,) = load_jsonl(write_lines(tmp_path / "x.jsonl", [row]))
    assert [u.role for u in dialogue.utterances] == ["user", "assistant", "user"]
    assert [u.id for u in dialogue.utterances] == ["u1", None, None]
    first, second, third = dialogue.labels
    assert first.distortions == {D.MIND_READING}
    assert second is None
    assert (third.distortions, third.carried) == (frozenset(), frozenset())
    assert (dialogue.corpus, dialogue.group, dialogue.split) == ("theirs", "theirs:d1", "test")


SAID = {"role": "user", "content": "hello there"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": []}, "an empty one"),
        ({"messages": "hello"}, "messages is no list"),
        ({"messages": ["hello"]}, "message 1 is str"),
        ({"messages": [SAID], "labels": []}, '"labels" beside "messages"'),
        ({"messages": [SAID], "text": "x"}, '"text" beside "messages"'),
        ({"messages": [SAID, SAID | {"role": "system"}]}, "message 2: role is neither"),
        ({"messages": [SAID | {"content": None}]}, "message 1: content is NoneType"),
        ({"messages": [{"role": "user"}]}, "message 1: content is empty"),
        ({"messages": [SAID | {"lang": "fr"}]}, "message 1: lang is neither"),
        ({"messages": [SAID | {"lang": ["en"]}]}, "message 1: lang is neither"),
        ({"messages": [SAID | {"labels": ["gloom"]}]}, "message 1: unknown distortion"),
        ({"messages": [SAID | {"labels": ["blaming"], "carried": []}]}, "not among those"),
        ({"text": "hello", "corpus": 3}, "corpus is int"),
        ({"text": "hello", "carried": "all"}, "carried is no list"),
        ({"text": "hello", "evidence": [{"distortion": "blaming"}]}, "not among the labels"),
    ],
)
def test_a_broken_row_is_refused_with_its_line_and_reason(tmp_path, row, reason):
    refusals = Refusals()
    file = write_lines(tmp_path / "x.jsonl", [{"id": "ok", "text": "fine"}, {"id": "a"} | row])
    assert [d.id for d in load_jsonl(file, refusals)] == ["ok"]
    (refusal,) = refusals
    assert refusal.line == 2
    assert reason in refusal.reason


def test_a_dialogue_may_begin_with_either_and_end_with_either(tmp_path):
    dialogue = talk(("assistant", "hi"), ("user", "one"), ("user", "two"))
    assert isinstance(dialogue, Dialogue)
    write_jsonl([dialogue], tmp_path / "x.jsonl")
    assert json.loads((tmp_path / "x.jsonl").read_text(encoding="utf-8"))["messages"] == [
        {"role": "assistant", "content": "hi", "lang": "en"},
        {"role": "user", "content": "one", "lang": "en"},
        {"role": "user", "content": "two", "lang": "en"},
    ]
    assert list(load_jsonl(tmp_path / "x.jsonl")) == [dialogue]


def plain(dialogue):
    """With labels as every corpus has them, without a corpus' own."""
    labels = [j and Labels(*(getattr(j, f.name) for f in fields(Labels))) for j in dialogue.labels]
    return replace(dialogue, labels=tuple(labels))


@pytest.mark.corpora
@pytest.mark.parametrize("name", [name for name in known_corpora() if name != "c2d2"])
def test_every_public_corpus_goes_through_our_rows_unchanged(tmp_path, name):
    loader = loader_of(name)
    dialogues = list(loader(os.environ["UNTWIST_CORPORA"], Refusals()))
    assert write_jsonl(dialogues, tmp_path / "x.jsonl") == len(dialogues) > 0
    assert list(load_jsonl(tmp_path / "x.jsonl")) == list(map(plain, dialogues))
