"""The open corpus that ships: complete, consistent, split by persona, without dangerous detail."""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from untwist.data import Part, corpora_of, find_leakage, load_open, loader_of, near_key
from untwist.data.open import files_in
from untwist.safety import violations
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy

_READ = {"en-2410", "en-2793", "zh-2025", "zh-2230"}
"""Texts that a rule for replies stops at and that were read: none says anything of a means."""


@pytest.fixture(scope="module")
def rows():
    return [(d, d.utterances[0], d.labels[0]) for d in load_open()]


@pytest.fixture(scope="module")
def by_lang(rows):
    found = defaultdict(list)
    for d, u, labels in rows:
        found[u.lang].append((d, u, labels))
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_language_has_every_label_level_and_undistorted_texts(by_lang, lang):
    items = by_lang[lang]
    assert len(items) >= 400
    counts = Counter(d for _, _, labels in items for d in labels.distortions)
    assert set(counts) == set(CANONICAL)
    assert min(counts.values()) >= 40
    undistorted = sum(not labels.distortions for _, _, labels in items) / len(items)
    assert 0.25 <= undistorted <= 0.45
    assert {labels.intensity for _, _, labels in items} == {*Intensity, None}
    assert {labels.risk for _, _, labels in items} == set(Risk)


def test_intensity_is_judged_exactly_where_there_is_a_distortion(rows):
    for d, _, labels in rows:
        assert (labels.intensity is None) == (not labels.distortions), d.id


def test_high_risk_always_names_its_acuity(rows):
    assert [d.id for d, _, labels in rows if labels.risk is Risk.HIGH and not labels.acuity] == []


def test_every_label_has_evidence_that_lies_in_the_text(rows):
    for d, u, labels in rows:
        assert {f.distortion for f in labels.evidence} == labels.distortions, d.id
        for f in labels.evidence:
            assert u.text[f.start : f.end].strip(), d.id


def test_ids_and_texts_are_unique(rows):
    assert len({d.id for d, _, _ in rows}) == len(rows)
    keys = Counter(near_key(u.text) for _, u, _ in rows)
    assert [k for k, n in keys.items() if n > 1] == []


def test_a_persona_is_on_one_side_of_the_split(rows):
    sides = defaultdict(set)
    for d, _, _ in rows:
        sides[d.group].add(d.split)
    assert [g for g, s in sides.items() if len(s) > 1] == []
    assert {s for side in sides.values() for s in side} == {"train", "test"}


def test_no_text_of_high_risk_names_a_means(rows):
    # everyday texts may speak of kitchens and prescriptions; a text of danger may not
    risky = [(d, u) for d, u, labels in rows if labels.risk is Risk.HIGH]
    assert len(risky) > 200
    found = {d.id for d, u in risky if "R01" in violations(u.text, u.lang, Risk.NONE)}
    assert found <= _READ, "read these texts: do they name or hint at a means or a way?"


@pytest.mark.corpora
@pytest.mark.parametrize(
    "name", [n for n in corpora_of("distortions") if n not in ("open", "c2d2")]
)
def test_nothing_is_shared_with_a_public_corpus(rows, name):
    folder = os.environ.get("UNTWIST_CORPORA")
    if not folder:
        pytest.skip("set UNTWIST_CORPORA to the folder with the public corpora")
    text_of = {d.id: u.text for d, u, _ in rows}
    theirs = Part(name, list(loader_of(name)(folder, None)))
    report = find_leakage([Part("ours", [d for d, _, _ in rows]), theirs])
    pairs = [(p.first, p.second) for p in report.leak("ours", name).pairs]
    # a few short everyday phrases coincide; a long text that does would be a leak
    assert [ours for ours, _ in pairs if len(near_key(text_of[ours])) > 24] == []
    assert len({ours for ours, _ in pairs}) <= 0.005 * len(rows)


@pytest.fixture(scope="module")
def dialogues():
    return list(loader_of("open-dialogues")("", None))


@pytest.fixture(scope="module")
def pairs():
    found = defaultdict(dict)
    for d in loader_of("open-parallel")("", None):
        found[d.group][d.utterances[0].lang] = (d.utterances[0], d.labels[0])
    return found


def test_there_are_dialogues_of_both_languages_and_every_turn_of_the_person_is_labelled(dialogues):
    langs = Counter(d.utterances[0].lang for d in dialogues)
    assert langs == {"en": 160, "zh": 160}
    for d in dialogues:
        assert 6 <= len(d.utterances) <= 16, d.id
        assert [u.role for u in d.utterances] == [
            ("user", "assistant")[i % 2] for i in range(len(d.utterances))
        ], d.id
        for u, labels in zip(d.utterances, d.labels, strict=True):
            judged = labels.distortions is not None and labels.risk is not None
            assert judged == (u.role == "user"), d.id
            assert (labels.strategy is not None) == (u.role == "assistant"), d.id


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_dialogues_have_every_label_level_and_strategy(dialogues, lang):
    own = [d for d in dialogues if d.utterances[0].lang == lang]
    given = [labels for d in own for labels in d.labels]
    counts = Counter(d for labels in given for d in labels.distortions or ())
    assert set(counts) == set(CANONICAL)
    assert min(counts.values()) >= 15
    assert {labels.risk for labels in given} == {None, *Risk}
    assert {labels.strategy for labels in given} == {None, *Strategy}
    without = sum(not any(labels.distortions for labels in d.labels) for d in own)
    assert 0.1 <= without / len(own) <= 0.3


def test_what_helpers_say_in_the_dialogues_keeps_the_wording_rules(dialogues):
    broken = {
        d.id: found
        for d in dialogues
        for u, labels in zip(d.utterances, d.labels, strict=True)
        if u.role == "assistant"
        and (found := {*violations(u.text, u.lang, _level(labels))} & _NEVER)
    }
    assert set(broken) <= _READ_REPLIES, "read these replies: do they name or hint at a means?"


_READ_REPLIES = {"en-d078", "en-d084", "en-d117", "en-d120", "en-d135", "zh-d074"}
"""Replies that a rule stops at and that were read: none says anything of a means."""
_NEVER = frozenset({"R01", "R02"})
"""Means and ways, and secrecy about danger: never in any text of ours."""


def _level(labels):
    return Risk.HIGH if labels.strategy is Strategy.CRISIS_INTERVENTION else Risk.NONE


def test_a_parallel_pair_says_one_thought_with_one_set_of_labels_in_both_languages(pairs):
    assert len(pairs) == 400
    for group, two in pairs.items():
        assert set(two) == {"en", "zh"}, group
        (_, en), (_, zh) = two["en"], two["zh"]
        assert (en.distortions, en.intensity, en.risk, en.acuity) == (
            zh.distortions,
            zh.intensity,
            zh.risk,
            zh.acuity,
        ), group
        for u, labels in two.values():
            assert {f.distortion for f in labels.evidence} == labels.distortions, group
            assert all(u.text[f.start : f.end].strip() for f in labels.evidence), group


def test_no_text_stands_twice_in_the_whole_of_the_open_corpus(rows, dialogues, pairs):
    keys = Counter(near_key(u.text) for _, u, _ in rows)
    keys.update(near_key(u.text) for two in pairs.values() for u, _ in two.values())
    keys.update(k for d in dialogues for u in d.utterances if len(k := near_key(u.text)) > 12)
    assert [k for k, n in keys.items() if n > 1] == []


def test_every_distortion_below_high_risk_has_a_challenge_and_every_message_a_strategy(rows):
    for d, _, labels in rows:
        wanted = set() if labels.risk is Risk.HIGH else set(labels.distortions)
        assert {distortion for distortion, _ in labels.challenges} == wanted, d.id
        assert (labels.strategy is Strategy.CRISIS_INTERVENTION) == (labels.risk is Risk.HIGH), d.id


@pytest.mark.slow
def test_challenges_are_short_different_and_name_no_means(rows):
    words = [(d.id, text) for d, _, labels in rows for _, text in labels.challenges]
    assert len(words) > 9_000
    assert len({text for _, text in words}) == len(words)
    for id, text in words:
        size = len(text.split()) if id.startswith("en") else len(text)
        assert 8 <= size <= (40 if id.startswith("en") else 70), id
    assert [id for id, text in words if _NEVER & {*violations(text, id[:2], Risk.NONE)}] == []


def test_the_second_labelling_is_of_messages_that_are_there(rows):
    names = {d.id for d, _, _ in rows}
    folder = Path(next(files_in(None, ("open/second.jsonl",))))
    second = [json.loads(line) for line in folder.read_text(encoding="utf-8").splitlines()]
    assert len({one["id"] for one in second}) == len(second) == 1_560
    assert {one["id"] for one in second} <= names
