"""The open corpus that ships: complete, consistent, split by persona, without dangerous detail."""

import os
from collections import Counter, defaultdict

import pytest

from untwist.data import Part, corpora_of, find_leakage, load_open, loader_of, near_key
from untwist.safety import violations
from untwist.taxonomy import CANONICAL, Intensity, Risk

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
    assert len(pairs) <= 0.005 * len(rows)
