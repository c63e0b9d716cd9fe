"""The words: complete in both languages, and the papers' tables as they are printed."""

import pytest

from untwist.errors import DataError
from untwist.taxonomy import (
    CANONICAL,
    CORPUS_ONLY,
    LANGS,
    Distortion,
    Intensity,
    Risk,
    Strategy,
    matrix,
    parse,
    row,
    taxonomies,
    taxonomy,
)

D, S = Distortion, Strategy


@pytest.mark.parametrize("lang", LANGS)
def test_every_word_has_a_name_and_a_definition_in_both_languages(lang):
    for d in D:
        assert d.name_in(lang)
        assert d.definition_in(lang)
        assert d.example_in(lang)
    for s in S:
        assert s.name_in(lang)
        assert s.speaker_in(lang)
    for level in (*Intensity, *Risk):
        assert level.name_in(lang)


def test_names_are_unique_within_a_language():
    for lang in LANGS:
        for kind in (D, S, Risk, Intensity):
            names = [member.name_in(lang) for member in kind]
            assert len(set(names)) == len(names)


def test_the_canonical_set_is_the_twelve_without_the_corpus_only_labels():
    assert len(CANONICAL) == 12
    assert not set(CANONICAL) & CORPUS_ONLY
    assert set(CANONICAL) | CORPUS_ONLY == set(D)


def test_action_ids_run_from_a0_to_a9_in_order():
    assert [s.action_id for s in S] == [f"A{i}" for i in range(10)]


@pytest.mark.parametrize(
    ("distortion", "gold", "silver"),
    [  # CoPoLLM (2026), Table 8
        (D.ALL_OR_NOTHING, "A1", {"A8", "A2"}),
        (D.OVERGENERALIZATION, "A2", {"A0", "A1"}),
        (D.MAGNIFICATION, "A4", {"A0", "A2"}),
        (D.MIND_READING, "A3", {"A0", "A8"}),
        (D.EMOTIONAL_REASONING, "A8", {"A0", "A3"}),
        (D.SHOULD_STATEMENTS, "A5", {"A0", "A7"}),
        (D.PERSONALIZATION, "A6", {"A0", "A3"}),
        (D.LABELING, "A7", {"A0", "A5"}),
    ],
)
def test_the_matrix_is_table_8(distortion, gold, silver):
    assert row(distortion).gold.action_id == gold
    assert {s.action_id for s in row(distortion).silver} == silver
    assert row(distortion).source == "CoPoLLM Table 8"


def test_every_canonical_label_has_a_row_that_never_names_crisis_intervention():
    assert set(matrix()) == set(CANONICAL)
    for match in matrix().values():
        assert S.CRISIS_INTERVENTION not in (match.gold, *match.silver)
        assert match.gold not in match.silver


def test_a_corpus_only_label_has_no_strategy():
    with pytest.raises(DataError, match="corpus label"):
        row(D.NEGATIVE_EMOTION)


def test_levels_compare_by_rank_and_not_by_spelling():
    assert Risk.NONE < Risk.LOW < Risk.MEDIUM < Risk.HIGH
    assert max(Risk.LOW, Risk.HIGH, Risk.MEDIUM) is Risk.HIGH
    assert Intensity.MILD < Intensity.MODERATE < Intensity.SEVERE
    assert Risk.HIGH >= Risk.HIGH
    with pytest.raises(TypeError):
        _ = Risk.LOW < Intensity.SEVERE


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("untwist-12", 12),
        ("socialcd-12", 12),
        ("c2d2-7", 7),
        ("reframing-14", 13),
        ("therapist-10", 10),
        ("aligned-12", 12),
        ("beck-8", 8),
        ("cbtqa-6", 12),
        ("worksheet-10", 12),
        ("patternreframe-10", 10),
        ("cbt-bench-10", 10),
    ],
)
def test_each_taxonomy_carries_as_many_of_our_labels_as_its_source_has(name, size):
    # reframing-14: all but mental filter, two spellings of "comparing" counted once
    assert len(taxonomy(name).covered) == size


def test_a_taxonomy_says_what_it_cannot_represent_and_merges_only_when_asked():
    beck = taxonomy("beck-8")
    assert beck.to(D.FORTUNE_TELLING) == ()
    assert beck.to(D.FORTUNE_TELLING, merge=True) == ("灾难化",)
    assert beck.to(D.MAGNIFICATION) == ("灾难化",)
    assert beck.to(D.BLAMING, merge=True) == ()


def test_one_foreign_label_may_stand_for_two_of_ours():
    meant = taxonomy("worksheet-10").from_label("Jumping to conclusions")
    assert set(meant) == {D.MIND_READING, D.FORTUNE_TELLING}


def test_every_foreign_label_goes_there_and_back():
    for t in taxonomies().values():
        for label in t.labels:
            for d in t.from_label(label):
                assert label in t.to(d)


def test_an_unknown_taxonomy_or_label_is_answered_with_what_there_is():
    with pytest.raises(DataError, match="beck-8@1"):
        taxonomy("beck-9")
    with pytest.raises(DataError, match='did you mean "标签化"'):
        taxonomy("beck-8").from_label("标签")


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("Mind Reading", D.MIND_READING),
        ("非此即彼", D.ALL_OR_NOTHING),
        ("catastrophizing", D.MAGNIFICATION),
        (" labeling ", D.LABELING),
    ],
)
def test_a_label_is_known_by_any_of_its_names(spelling, meant):
    assert parse(spelling) is meant


def test_an_unknown_label_names_the_nearest_slug():
    with pytest.raises(DataError, match='did you mean "mind_reading"'):
        parse("mindreding")
