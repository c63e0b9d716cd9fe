from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tests.tiny_corpora import write_corpora
from untwist.data import folds, group_parts, grouped, loader_of, near_key, row_parts
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL

EMPTY = Labels(frozenset(), frozenset(CANONICAL))


def row(id, text, group=None, part=None, corpus="c"):
    return Dialogue(id, corpus, (Utterance(text),), (EMPTY,), group or f"{corpus}:{id}", part)


def numbered(n, **keys):
    return [row(f"{i:04d}", f"message number {i}", **keys) for i in range(n)]


def places(parts, name):
    return {place for place, part in enumerate(parts) if part == name}


def test_near_duplicates_have_equal_keys_whatever_the_spacing_width_case_or_script():
    assert near_key("Why,  me?!") == near_key("why me") == "whyme"
    assert near_key("我,很难过。") == near_key("我，很 难过") == near_key("我很難過")
    assert near_key("why you") != near_key("why me")
    assert near_key(" ?! ") == "?!"


def test_groups_are_closed_over_shared_groups_near_duplicates_and_links():
    rows = [
        row("1", "alpha", "g1"),
        row("2", "Alpha!", "g2"),
        row("3", "beta", "g2"),
        row("4", "gamma", "g3"),
        row("5", "delta", "g4"),
    ]
    assert grouped(rows) == ["c:1", "c:1", "c:1", "c:4", "c:5"]
    assert grouped(rows[::-1]) == ["c:5", "c:4", "c:1", "c:1", "c:1"]
    links = [("c:3", "c:5"), ("c:4", "c:none")]
    assert grouped(rows, links) == ["c:1", "c:1", "c:1", "c:4", "c:1"]


@pytest.mark.parametrize("n", [698, 2530, 5697])
def test_the_row_split_is_the_one_that_scikit_learn_draws_with_seed_42(n):
    parts = row_parts(numbered(n))
    rest, test = train_test_split(range(n), test_size=0.2, random_state=42)
    train, validation = train_test_split(rest, test_size=0.25, random_state=42)
    assert places(parts, "test") == set(test)
    assert places(parts, "validation") == set(validation)
    assert places(parts, "train") == set(train)


def test_the_row_splits_have_the_sizes_of_crosslincd_table_1():
    # D_r 698, D_t2 2,530: 20 %, then 25 % of the rest; D_t1 1,597: 40 %, then half of it
    assert Counter(row_parts(numbered(698))) == {"train": 418, "validation": 140, "test": 140}
    assert Counter(row_parts(numbered(2530))) == {"train": 1518, "validation": 506, "test": 506}
    part = Counter(row_parts(numbered(1597), (0.4, 0.5)))
    assert part == {"train": 958, "validation": 319, "test": 320}


def test_the_two_cuts_of_d_t1_are_those_of_scikit_learn():
    parts = row_parts(numbered(1597), (0.4, 0.5))
    _, away = train_test_split(range(1597), test_size=0.4, random_state=42)
    validation, test = train_test_split(away, test_size=0.5, random_state=42)
    assert places(parts, "test") == set(test)
    assert places(parts, "validation") == set(validation)


def test_a_published_test_part_is_kept_and_validation_comes_out_of_train():
    # D_s: 2,725 published for training; ceil(0.25 × 2,725) = 682
    rows = [*numbered(2725, part="train"), *(row(f"t{i}", f"t {i}", part="test") for i in range(9))]
    parts = row_parts(rows)
    assert parts[2725:] == ["test"] * 9
    assert Counter(parts) == {"train": 2043, "validation": 682, "test": 9}


def test_published_validation_parts_are_kept_under_one_name():
    names = ("train", "val", "valid", "dev", "test")
    rows = [row(name, name, part=name) for name in names]
    assert row_parts(rows) == ["train", "validation", "validation", "validation", "test"]


def test_a_part_named_only_here_and_there_is_an_error():
    with pytest.raises(DataError, match="every row a split, or none"):
        row_parts([row("1", "a", part="train"), row("2", "b")])


def test_equal_seeds_give_equal_groups_in_any_order_and_other_seeds_do_not():
    rows = [*numbered(200), *(row(f"x{i:03d}", f"extra {i}", f"g{i // 3}") for i in range(60))]

    def sides(dialogues, seed):
        parts = group_parts({"c": dialogues}, seed=seed)["c"]
        return {d.id: part for d, part in zip(dialogues, parts, strict=True)}

    assert sides(rows, 42) == sides(rows[::-1], 42)
    assert sides(rows, 42) != sides(rows, 43)


def test_grouped_parts_have_the_asked_sizes_in_every_corpus_at_once():
    # 0.6, 0.2, 0.2 of 1,500 and of 200 rows
    rows = {"big": numbered(1500, corpus="big")}
    rows["small"] = [row(f"s{i}", f"small {i}", corpus="small") for i in range(200)]
    parts = group_parts(rows)
    for name, n in (("big", 1500), ("small", 200)):
        sizes = Counter(parts[name])
        assert sum(sizes.values()) == n
        for part, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
            assert abs(sizes[part] - share * n) <= 1


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_no_group_and_no_near_duplicate_ever_stands_on_two_sides(pairs, seed):
    rows = [
        row(str(i), f"text {text} {'!' * (i % 3)}", f"g{group}", corpus="ab"[i % 2])
        for i, (text, group) in enumerate(pairs)
    ]
    corpora = {name: [d for d in rows if d.corpus == name] for name in "ab"}
    parts = group_parts(corpora, seed=seed)
    sides = {}
    for name, dialogues in corpora.items():
        for d, part in zip(dialogues, parts[name], strict=True):
            sides.setdefault(d.group, set()).add(part)
            sides.setdefault(near_key(d.utterances[0].text), set()).add(part)
    assert max(map(len, sides.values())) == 1


def test_twins_of_two_corpora_stay_together(tmp_path):
    folder = write_corpora(tmp_path)
    names = ("therapist-part", "therapist-whole")
    rows = {name: list(loader_of(name)(folder, None)) for name in names}
    parts = group_parts(rows, seed=3)
    sides = {d.group: part for d, part in zip(rows[names[1]], parts[names[1]], strict=True)}
    for d, part in zip(rows[names[0]], parts[names[0]], strict=True):
        assert sides[d.group] == part


def test_links_keep_rows_together_that_nothing_else_joins():
    rows = numbered(100)
    links = [(f"c:{i:04d}", f"c:{i + 1:04d}") for i in range(0, 20)]
    parts = group_parts({"c": rows}, links)["c"]
    assert len(set(parts[:21])) == 1


def test_clean_published_parts_are_kept_by_group_and_leaking_ones_are_drawn_anew():
    clean = [*numbered(80, part="train"), *(row(f"t{i}", f"t {i}", part="test") for i in range(20))]
    parts = group_parts({"c": clean})["c"]
    assert parts[80:] == ["test"] * 20
    # 0.6 : 0.2 of 80 rows = 60 : 20
    assert Counter(parts[:80]) == {"train": 60, "validation": 20}
    leaking = [*clean, row("copy", "T 3!", part="train")]
    drawn = group_parts({"c": leaking})["c"]
    assert drawn[80 + 3] == drawn[-1]


def test_of_two_clean_corpora_that_share_a_group_the_first_keeps_its_part():
    one = [
        row("1", "same words", part="test", corpus="a"),
        row("2", "other", part="train", corpus="a"),
    ]
    two = [
        row("1", "Same words!", part="train", corpus="b"),
        row("2", "else", part="test", corpus="b"),
    ]
    parts = group_parts({"a": one, "b": two})
    assert parts["a"][0] == "test"
    assert parts["b"][0] == "test"


def test_shares_must_sum_to_one():
    for bad in ({"a": 0.5}, {"a": 1.5, "b": -0.5}, {}):
        with pytest.raises(DataError, match="sum to 1"):
            group_parts({"c": numbered(3)}, shares=bad)


def test_folds_are_of_equal_size_and_keep_groups_together():
    rows = [row(str(i), f"text {i}", f"g{i // 2}") for i in range(200)]
    own = folds(rows, 5)
    assert Counter(own) == dict.fromkeys(range(5), 40)
    assert all(own[i] == own[i + 1] for i in range(0, 200, 2))
    assert folds(rows, 5) == own
    with pytest.raises(DataError, match="cannot make 7 folds"):
        folds(rows[:6], 7)


def test_the_seed_of_the_row_split_changes_it():
    rows = numbered(50)
    assert not np.array_equal(row_parts(rows), row_parts(rows, seed=7))
