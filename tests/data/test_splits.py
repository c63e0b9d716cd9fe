from collections import Counter

import numpy as np
import pytest

from tests.tiny_corpora import write_corpora
from untwist.data import CORPORA, grouped, near_key, overlap, split
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL

SIX_TWO_TWO = {"train": 0.6, "validation": 0.2, "test": 0.2}
EMPTY = Labels(frozenset(), frozenset(CANONICAL))


def row(id, text, group=None, part=None, corpus="c"):
    return Dialogue(id, corpus, (Utterance(text),), (EMPTY,), group or f"{corpus}:{id}", part)


def numbered(n, **keys):
    return [row(f"{i:04d}", f"message number {i}", **keys) for i in range(n)]


def ids(parts):
    return {name: [d.id for d in members] for name, members in parts.items()}


def test_near_duplicates_have_equal_keys_whatever_the_spacing_width_case_or_script():
    assert near_key("Why,  me?!") == near_key("why me") == "whyme"
    assert near_key("我,很难过。") == near_key("我，很 难过") == near_key("我很難過")
    assert near_key("why you") != near_key("why me")
    assert near_key(" ?! ") == "?!"


def test_groups_are_closed_over_shared_groups_and_near_duplicates():
    rows = [
        row("1", "alpha", "g1"),
        row("2", "Alpha!", "g2"),
        row("3", "beta", "g2"),
        row("4", "gamma", "g3"),
    ]
    assert grouped(rows) == ["c:1", "c:1", "c:1", "c:4"]
    assert grouped(rows[::-1]) == ["c:4", "c:1", "c:1", "c:1"]


def test_equal_seeds_give_equal_parts_in_any_order_and_other_seeds_do_not():
    rows = [*numbered(200), *(row(f"x{i:03d}", f"extra {i}", f"g{i // 3}") for i in range(60))]
    first = ids(split(rows, SIX_TWO_TWO, 42))
    assert first == ids(split(rows[::-1], SIX_TWO_TWO, 42))
    assert first != ids(split(rows, SIX_TWO_TWO, 43))


def test_parts_are_disjoint_complete_and_of_the_asked_sizes():
    # 1,597 × (0.6, 0.2, 0.2) = 958.2, 319.4, 319.4
    parts = split(numbered(1597), SIX_TWO_TWO, 42)
    sizes = [len(members) for members in parts.values()]
    assert sum(sizes) == 1597
    assert sizes[0] in (958, 959)
    assert set(sizes[1:]) <= {319, 320}
    assert len({d.id for members in parts.values() for d in members}) == 1597


def test_no_group_and_no_near_duplicate_stands_on_two_sides():
    rows = [row(str(i), f"text {i % 70} {'!' * (i % 3)}", f"g{i // 3}") for i in range(210)]
    parts = split(rows, SIX_TWO_TWO, 1)
    sides = {}
    for part, members in parts.items():
        for d in members:
            sides.setdefault(d.group, set()).add(part)
            sides.setdefault(near_key(d.utterances[0].text), set()).add(part)
    assert max(map(len, sides.values())) == 1


def test_twins_of_two_corpora_stay_together(tmp_path):
    folder = write_corpora(tmp_path)
    both = [d for n in ("therapist-part", "therapist-whole") for d in CORPORA[n](folder, None)]
    parts = split(both, {"train": 0.5, "test": 0.5}, 3)
    groups = [{d.group for d in members} for members in parts.values()]
    assert all(groups)
    assert not groups[0] & groups[1]


def test_a_published_test_part_is_kept_and_validation_comes_out_of_train():
    rows = [
        *numbered(80, part="train"),
        *(row(f"t{i}", f"test {i}", part="test") for i in range(9)),
    ]
    parts = split(rows, SIX_TWO_TWO, 42)
    assert sorted(d.id for d in parts["test"]) == [f"t{i}" for i in range(9)]
    # 0.6 : 0.2 of 80 rows = 60 : 20
    assert Counter({k: len(v) for k, v in parts.items()}) == {
        "train": 60,
        "validation": 20,
        "test": 9,
    }


def test_a_published_split_may_be_set_aside_for_a_grouped_one():
    rows = [row("1", "same words", part="train"), row("2", "Same words!", part="test")]
    rows += numbered(8, part="train")
    kept = ids(split(rows, SIX_TWO_TWO, 5))
    assert kept["test"] == ["2"]
    regrouped = ids(split(rows, SIX_TWO_TWO, 5, published=False))
    assert len({name for name, members in regrouped.items() if {"1", "2"} & set(members)}) == 1
    assert all(regrouped.values())


def test_fractions_must_be_shares_and_published_parts_must_be_named():
    for bad in ({"a": 0.5}, {"a": 1.5, "b": -0.5}, {}):
        with pytest.raises(DataError, match="sum to 1"):
            split(numbered(3), bad, 1)
    with pytest.raises(DataError, match='publishes a part "dev"'):
        split(numbered(3, part="dev"), SIX_TWO_TWO, 1)


def test_overlap_counts_exact_near_and_excerpted_rows():
    a = [
        row("1", "exactly the same"),
        row("2", "nearly, the SAME words"),
        row("3", "only in a here"),
    ]
    b = [
        row("1", "exactly the same"),
        row("2", "nearly the same words!"),
        row("3", "before it: only in a here. and after it something else entirely"),
        row("4", "short"),
    ]
    report = overlap(a, b)
    assert (report.first.rows, report.first.exact, report.first.near) == (3, 1, 2)
    assert (report.second.rows, report.second.exact, report.second.near) == (4, 1, 2)
    assert report.pairs == (("1", "1"), ("2", "2"))
    assert report.first.gram_whole == 3
    assert (report.second.with_grams, report.second.gram_whole, report.second.gram_half) == (
        3,
        2,
        2,
    )


def test_the_gram_share_is_the_share_of_distinct_pieces():
    # "abcdefghij" has the pieces abcdefgh, bcdefghi, cdefghij; the other text has only the first.
    report = overlap([row("1", "abcdefghij")], [row("1", "abcdefgh xyz")])
    assert report.first.gram_mean == pytest.approx(1 / 3)
    # abcdefghxyz: 4 pieces, 1 shared
    assert report.second.gram_mean == pytest.approx(1 / 4)
    assert report.to_dict()["first"]["gram_half"] == 0


def test_short_texts_have_no_gram_share_but_still_match():
    report = overlap([row("1", "难过")], [row("1", "难过！")])
    assert report.first.gram_mean is None
    assert report.first.near == 1
    assert overlap([], []).first.rows == 0


def test_hundreds_of_texts_are_matched_row_by_row():
    rng = np.random.default_rng(0)
    words = ["".join(chr(c) for c in rng.integers(97, 123, 6)) for _ in range(500)]
    rows = [row(str(i), " ".join(rng.choice(words, 15))) for i in range(600)]
    report = overlap(rows, rows[:300])
    assert (report.first.near, report.second.near) == (300, 300)
    assert len(report.pairs) == 300
