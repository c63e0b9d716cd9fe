import itertools
import json
import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.data import known_corpora, loader_of, near
from untwist.data.leakage import Pair, Part, Repeats, find_leakage, markdown
from untwist.data.near import GRAM, find_kin
from untwist.data.splits import near_key
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL

CARRIED = frozenset(CANONICAL)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
FOUND = ("exact", "near", "contained", "similar", "leaked")


def row(id, *texts, labels=None, corpus="c"):
    return Dialogue(id, corpus, tuple(map(Utterance, texts)), (labels,) * len(texts), id)


def labelled(*distortions, evidence=()):
    return Labels(frozenset(distortions), CARRIED, evidence=evidence)


def part(name, *texts):
    return Part(name, [row(f"{name}{n}", text) for n, text in enumerate(texts)])


def counts(leak):
    return tuple(getattr(leak, name) for name in FOUND)


def of(first, second, **settings):
    report = find_leakage([part("a", *first), part("b", *second)], **settings)
    return report.leak("a", "b"), report.leak("b", "a")


def test_a_text_as_written_is_exact_and_a_changed_spacing_is_near():
    there, back = of(["I failed.", "i  FAILED", "no"], ["I failed.", "I failed!"])
    assert counts(there) == (1, 2, 0, 0, 2)
    assert counts(back) == (1, 2, 0, 0, 2)
    assert there.pairs == (
        Pair("a0", "b0", "exact", 1.0),
        Pair("a0", "b1", "near", 1.0),
        Pair("a1", "b0", "near", 1.0),
        Pair("a1", "b1", "near", 1.0),
    )


@pytest.mark.parametrize(
    "text",
    ["我,很难过 3 次。", "我，很难过３次", "我 很 难 过 3次", "我很難過3次", "「我很难过」3次！！"],
)
def test_width_script_and_punctuation_are_undone_in_chinese(text):
    assert counts(of([text], ["我,很难过3次!"])[0]) == (0, 1, 0, 0, 1)


def test_an_excerpt_is_contained_and_its_source_is_not():
    # 12 letters have 5 pieces, 36 have 29, and all 5 are among them.
    there, back = of([LETTERS[10:22]], [LETTERS])
    assert counts(there) == (0, 0, 1, 0, 1)
    assert counts(back) == (0, 0, 0, 0, 0)
    assert there.pairs == (Pair("a0", "b0", "contained", 1.0),)
    assert back.pairs == ()


@pytest.mark.parametrize(("kept", "found"), [(11, 1), (10, 0)])
def test_four_of_five_pieces_are_contained_and_three_of_five_are_not(kept, found):
    # 12 letters have 5 pieces; the first 11 of them have 4, the first 10 have 3.
    there, _ = of([LETTERS[:12]], [LETTERS[:kept] + "一二三四五六七八九十百千"])
    assert counts(there) == (0, 0, found, 0, found)
    assert [pair.share for pair in there.pairs] == [0.8] * found


@pytest.mark.parametrize(("kept", "similar"), [(14, 1), (13, 0)])
def test_seven_of_ten_pieces_in_common_are_similar_and_six_are_not(kept, similar):
    # 17 letters have 10 pieces; the first 14 of them have 7, the first 13 have 6.
    there, back = of([LETTERS[:17]], [LETTERS[:kept]])
    assert counts(there) == (0, 0, 0, similar, similar)
    assert counts(back) == (0, 0, 1, similar, 1)
    jaccard = [pair.share for pair in there.pairs if pair.kind == "similar"]
    assert jaccard == [0.7] * similar


def test_the_shares_are_the_callers():
    first, second = [LETTERS[:13]], [LETTERS[:17]]
    assert of(first, second, similar=0.6)[0].similar == 1
    assert of([LETTERS[:12]], [LETTERS[:10]], contained=0.6)[0].contained == 1
    assert of([LETTERS[:12]], [LETTERS[:11]], contained=0.9)[0].contained == 0
    # 13 shared letters have 6 pieces, and both texts have 10: 6 / 14.
    other = [LETTERS[:13] + "一二三四"]
    assert counts(of(second, other, contained=1, similar=0.4)[0]) == (0, 0, 0, 1, 1)


def test_a_pair_that_is_contained_and_similar_stands_once_as_each():
    there, _ = of([LETTERS[:30]], [LETTERS[:31]])
    assert counts(there) == (0, 0, 1, 1, 1)
    assert there.pairs == (
        Pair("a0", "b0", "contained", 1.0),
        Pair("a0", "b0", "similar", 23 / 24),
    )


def test_a_near_row_is_not_counted_again_but_its_other_pairs_are_kept():
    there, _ = of([LETTERS[:20]], [LETTERS[:20].upper(), LETTERS])
    assert counts(there) == (0, 1, 0, 0, 1)
    assert [(pair.second, pair.kind) for pair in there.pairs] == [
        ("b0", "near"),
        ("b1", "contained"),
    ]


def test_a_text_too_short_for_a_piece_is_only_exact_or_near():
    there, _ = of([LETTERS[: GRAM - 1], "好的", "?!"], [LETTERS, "好的。", "好的吧", "?!"])
    assert counts(there) == (1, 2, 0, 0, 2)
    assert counts(of([LETTERS[:GRAM]], [LETTERS])[0]) == (0, 0, 1, 0, 1)


def test_a_dialogue_is_all_that_is_said_in_it():
    one, other = row("1", LETTERS[:18], LETTERS[18:]), row("2", LETTERS)
    leak = find_leakage([Part("a", [one]), Part("b", [other])]).leak("a", "b")
    assert counts(leak) == (0, 1, 0, 0, 1)


def test_repeats_within_a_part_are_counted_by_text_and_by_row():
    rows = [
        row("1", "same words", labels=labelled(CANONICAL[0])),
        row("2", "same words", labels=labelled(CANONICAL[1])),
        row("3", "Same words!", labels=labelled(CANONICAL[0])),
        row("4", "twice", labels=labelled(CANONICAL[0])),
        row("5", "twice", labels=labelled(CANONICAL[0])),
        row("6", "once", labels=labelled(CANONICAL[0])),
    ]
    within = find_leakage([Part("a", rows)]).within[0]
    assert within.exact == Repeats(texts=2, rows=4, relabelled=1)
    assert within.near == Repeats(texts=2, rows=5, relabelled=1)
    assert counts(within.leak) == (4, 5, 0, 0, 5)
    # 3 rows of one key make 6 ordered pairs, 2 make 2.
    assert len(within.leak.pairs) == 8
    assert all(pair.first != pair.second for pair in within.leak.pairs)


def test_evidence_and_missing_labels_do_not_make_labels_different():
    span = Finding(CANONICAL[0], 1.0, 0, 4)
    rows = [
        row("1", "same words", labels=labelled(CANONICAL[0], evidence=(span,))),
        row("2", "same words", labels=labelled(CANONICAL[0])),
        row("3", "same words"),
    ]
    assert find_leakage([Part("a", rows)]).within[0].exact == Repeats(1, 3, 0)
    undistorted = row("4", "same words", labels=labelled())
    assert find_leakage([Part("a", [*rows, undistorted])]).within[0].exact == Repeats(1, 4, 1)


def test_excerpts_within_a_part_are_found_and_a_row_is_not_its_own():
    leak = find_leakage([part("a", LETTERS, LETTERS[:20], "alone in the world")]).within[0].leak
    assert counts(leak) == (0, 0, 1, 0, 1)
    assert leak.pairs == (Pair("a1", "a0", "contained", 1.0),)


def test_ids_in_both_parts_are_told_when_they_are_of_one_corpus():
    first = Part("a", [row("1", "x"), row("2", "y"), row("2", "z")])
    second = Part("b", [row("2", "other"), row("1", "another", corpus="d")])
    report = find_leakage([first, second])
    assert report.leak("a", "b").ids == report.leak("b", "a").ids == ("2",)
    assert [within.leak.ids for within in report.within] == [("2",), ()]


def test_empty_parts_leak_nothing_and_have_no_share():
    report = find_leakage([Part("a", []), part("b", "x"), part("c", "x")])
    assert counts(report.leak("a", "b")) == counts(report.leak("b", "a")) == (0, 0, 0, 0, 0)
    assert "| a | 0 | – | – | – |" in markdown(report)
    assert find_leakage([]).parts == ()
    assert markdown(find_leakage([]))


def test_names_shares_and_limits_are_checked():
    with pytest.raises(DataError, match='two parts are named "a"'):
        find_leakage([part("a"), part("a")])
    with pytest.raises(DataError, match="give two of a"):
        find_leakage([part("a")]).leak("a", "b")
    for wrong in ({"contained": 0}, {"contained": 1.1}, {"similar": 0}, {"similar": 2}):
        with pytest.raises(ConfigError, match=f"{next(iter(wrong))} is a share"):
            find_leakage([part("a", "x")], **wrong)
    with pytest.raises(ConfigError, match="at least 2, not 1"):
        find_leakage([part("a", "x")], common=1)
    with pytest.raises(ConfigError, match="share of pieces"):
        find_kin(["x"], 0, 2)


def test_pieces_of_too_many_texts_are_passed_over_and_told():
    # One piece that ten texts share is all that the excerpt has.
    texts = [LETTERS[:8] + letter * 2 + str(n) * 2 for n, letter in enumerate("ABCDEFGHIJ")]
    parts = [part("a", LETTERS[:8], LETTERS[:8].upper()), part("b", *texts)]
    report = find_leakage(parts, common=10)
    assert (report.skipped, report.unsure, report.leak("a", "b").contained) == (1, 2, 0)
    report = find_leakage(parts, common=11)
    assert (report.skipped, report.unsure, report.leak("a", "b").contained) == (0, 0, 2)
    assert len(report.leak("a", "b").pairs) == 20


def test_passing_over_loses_no_near_text_and_no_pair_that_shares_a_rare_piece():
    opening = "thank you very much for your kind message "
    texts = [opening + f"{word}" for word in ("alpha", "bravo", "carol", "delta", "eagle")]
    report = find_leakage([part("a", texts[0].upper()), part("b", *texts)], common=2)
    assert counts(report.leak("a", "b")) == (0, 1, 0, 0, 1)
    lone = "the green heron waits beside the mill pond"
    parts = [part("a", opening + lone), part("b", *texts, opening + lone + " until noon")]
    report = find_leakage(parts, common=2)
    assert counts(report.leak("a", "b")) == (0, 0, 1, 1, 1)
    assert report.skipped > 0


def test_the_dictionary_is_json_and_tells_how_many_pairs_there_are_when_it_is_cut():
    report = find_leakage([part("a", *["same words"] * 3), part("b", "same words", LETTERS)])
    whole, cut = report.to_dict(), report.to_dict(limit=2)
    assert json.loads(json.dumps(whole)) == whole
    assert whole["parts"] == ["a", "b"]
    assert whole["between"][0]["pairs"] == [[f"a{n}", "b0", "exact", 1.0] for n in range(3)]
    assert cut["between"][0]["pair_count"] == 3
    assert len(cut["between"][0]["pairs"]) == 2
    assert whole["within"][0]["exact_repeats"] == {"texts": 1, "rows": 3, "relabelled": 0}
    assert whole["within"][0]["pair_count"] == 6


def test_no_text_is_in_the_report():
    secret = "the green heron waits beside the mill pond"
    report = find_leakage([part("a", secret), part("b", secret.upper(), secret + " until noon")])
    written = json.dumps(report.to_dict()) + markdown(report)
    assert "heron" not in written.lower()


def test_the_tables_say_who_leaks_into_whom():
    report = find_leakage(
        [part("corpus/train", LETTERS, "only here", LETTERS[:30]), part("x|y", LETTERS[:12])]
    )
    page = markdown(report)
    assert "| part | rows | corpus/train | x\\|y |" in page
    # The second of the train rows is all of its own; the third is the first, cut.
    assert "| corpus/train | 3 | 2 (66.7%) | 0 (0.0%) |" in page
    assert "| x\\|y | 1 | 1 (100.0%) | 0 (0.0%) |" in page
    assert "| x\\|y | corpus/train | 0 | 0 | 1 | 0 | 1 (100.0%) | 2 | 0 |" in page
    assert "0 were passed over" in page


# Letters without stretches: what looks stretched is shortened, whatever is put between later.
plain = st.text("abcdefg 12我很难过好想你，.", min_size=1, max_size=60).filter(
    lambda t: any(map(str.isalnum, t)) and all(a != b for a, b in itertools.pairwise(near_key(t)))
)


def spaced(text, rng):
    return "".join(ch + rng.choice(["", "", " ", "\n", "\u3000", "\u200b"]) for ch in text)


def pointed(text, rng):
    return "".join(ch + rng.choice(["", "", ",", "！", "…", "-"]) for ch in text)


def widened(text, rng):
    return "".join(chr(ord(ch) + 0xFEE0) if "!" <= ch <= "~" else ch for ch in text)


def raised(text, rng):
    return text.upper()


@given(
    plain.filter(lambda t: any(map(str.isalnum, t))),
    st.sampled_from([spaced, pointed, widened, raised]),
    st.randoms(),
)
def test_a_change_that_keeps_the_letters_is_always_found(text, change, rng):
    assert of([text], ["another", change(text, rng)])[0].near == 1


# Few runs, so that texts often share most of their pieces, and pieces are in many texts.
runs = st.sampled_from(["abcdefghij", "klmnopqrstuvw", "abcdefghijklmnopqrst", "xy", "z", "9"])
small = st.lists(runs, min_size=1, max_size=5).map("".join)


def pieces(key):
    return {key[n : n + GRAM] for n in range(len(key) - GRAM + 1)}


def compared(keys, share):
    found = {}
    for i, j in itertools.combinations(range(len(keys)), 2):
        one, other = pieces(keys[i]), pieces(keys[j])
        shorter, shared = min(len(one), len(other)), len(one & other)
        if shorter and shared / shorter >= share:
            found[i, j] = shared
    return found


def kin_of(keys, share, common=10**6):
    kin = find_kin(keys, share, common)
    pairs = zip(kin.first.tolist(), kin.second.tolist(), strict=True)
    return dict(zip(pairs, kin.shared.tolist(), strict=True)), kin


@pytest.mark.parametrize(("block", "step"), [(near._BLOCK, near._FIRST_STEP), (7, 1)])
@given(st.lists(small, unique=True, max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_the_search_finds_what_comparing_all_with_all_finds(block, step, keys, share):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "_BLOCK", block)
        patch.setattr(near, "_FIRST_STEP", step)
        found, kin = kin_of(keys, share)
    assert found == compared(keys, share)
    assert kin.pieces.tolist() == [len(pieces(key)) for key in keys]
    assert kin.skipped == 0
    assert not kin.unsure.any()


@given(st.lists(small, unique=True, max_size=12), st.sampled_from([0.5, 0.8]))
def test_a_pair_is_missing_only_when_a_piece_was_passed_over_and_its_text_is_unsure(keys, share):
    whole, (found, kin) = compared(keys, share), kin_of(keys, share, 2)
    assert found.items() <= whole.items()
    texts_with = Counter(piece for key in keys for piece in pieces(key))
    for i, j in whole.keys() - found.keys():
        shared = pieces(keys[i]) & pieces(keys[j])
        assert any(texts_with[piece] > 2 for piece in shared)
        assert kin.unsure[i] or kin.unsure[j]
        assert kin.skipped > 0


def test_sorting_by_two_numbers_does_not_depend_on_how_large_they_are():
    rng = random.Random(3)
    major = np.array([rng.randrange(5) for _ in range(200)])
    minor = np.array([rng.randrange(4) for _ in range(200)])
    expected = sorted(range(200), key=lambda n: (major[n], minor[n]))
    assert near._order(major, minor).tolist() == expected
    assert near._order(major << 50, minor).tolist() == expected
    assert near._order(major[:0], minor[:0]).size == 0


texts = st.lists(
    st.lists(st.one_of(runs, st.sampled_from([" ", "XY", "!"])), min_size=1, max_size=5)
    .map("".join)
    .filter(str.strip),
    max_size=6,
)


@given(texts, texts, st.randoms())
def test_the_report_does_not_depend_on_the_order_of_rows_and_parts(first, second, rng):
    parts = [part("a", *first), part("b", *second)]
    report = find_leakage(parts)
    shuffled = [Part(p.name, rng.sample(p.dialogues, len(p.dialogues))) for p in parts]
    assert find_leakage(shuffled) == report
    other = find_leakage(shuffled[::-1])
    for names in itertools.product("ab", repeat=2):
        assert other.leak(*names) == report.leak(*names)


@given(texts, texts)
def test_counts_are_those_of_the_pairs_and_symmetric_where_they_must_be(first, second):
    report = find_leakage([part("a", *first), part("b", *second)])
    for names in itertools.product("ab", repeat=2):
        leak = report.leak(*names)
        ids = {kind: {p.first for p in leak.pairs if p.kind == kind} for kind in FOUND}
        near_ids = ids["exact"] | ids["near"]
        contained, similar = ids["contained"] - near_ids, ids["similar"] - near_ids
        expected = (ids["exact"], near_ids, contained, similar, near_ids | contained | similar)
        assert counts(leak) == tuple(map(len, expected))
        back = {(p.second, p.first, p.kind) for p in report.leak(*names[::-1]).pairs}
        for p in leak.pairs:
            assert (p.first, p.second, p.kind) in back or p.kind == "contained"


long = st.text("abcdefgh", min_size=30, max_size=80).map(
    lambda t: "".join(letter for letter, _ in itertools.groupby("stream" + t))
)


@given(long.filter(lambda t: len(t) > 20), st.integers(0, 12), st.integers(8, 30))
def test_an_excerpt_and_a_changed_beginning_are_always_found(source, start, size):
    excerpt = source[start : start + size]
    assert of([excerpt], ["other words", source])[0].leaked == 1
    assert of([source], ["other words", "一句别的话" + source])[0].leaked == 1


PUBLISHED = (
    "socialcd", "reframing", "therapist-part", "therapist-whole", "crosslincd", "sos_1k", "sos_4k",
)  # fmt: skip


@pytest.fixture(scope="module")
def corpora():
    root = os.environ.get("UNTWIST_CORPORA")
    if root is None:
        pytest.skip("UNTWIST_CORPORA names no folder")
    loaders = {name: loader_of(name) for name in known_corpora()}
    rows = {name: list(loaders[name](root, None)) for name in PUBLISHED}
    parts = []
    for name, dialogues in rows.items():
        for split in sorted({d.split for d in dialogues}, key=str):
            members = [d for d in dialogues if d.split == split]
            parts.append(Part(name if split is None else f"{name}/{split}", members))
    parts += [cbt_bench(Path(root), file) for file in ("distortions", "core_major", "core_fine")]
    names = ("socialcd", "reframing", "therapist-part")
    parts.append(Part("sources", [d for name in names for d in rows[name]]))
    return find_leakage(parts), rows


def cbt_bench(root, name):
    entries = [
        entry
        for side in ("seed", "test")
        for entry in json.loads((root / f"cbt_bench/{name}_{side}.json").read_text("utf-8"))
    ]
    rows = [row(e["id"], e["ori_text"], corpus="cbt-bench") for e in entries]
    return Part(f"cbt-bench/{name}", rows)


@pytest.mark.corpora
def test_the_known_overlaps_of_the_published_parts_are_found(corpora):
    report, _ = corpora
    assert report.skipped == report.unsure == 0
    assert report.leak("socialcd/test", "socialcd/train").exact == 3
    assert report.leak("socialcd/train", "socialcd/test").exact == 3
    assert report.leak("sos_1k/test", "sos_4k/train").exact == 165
    for side in ("validation", "test"):
        assert report.leak("sos_4k/train", f"sos_4k/{side}").near == 2
        assert report.leak(f"sos_4k/{side}", "sos_4k/train").near == 2


@pytest.mark.corpora
def test_nearly_all_distorted_parts_are_in_the_whole_questions(corpora):
    report, rows = corpora
    leak = report.leak("therapist-part", "therapist-whole")
    assert (leak.rows, leak.exact, leak.near, leak.contained, leak.leaked) == (
        1597, 13, 14, 1578, 1592,
    )  # fmt: skip
    found = {pair.first for pair in leak.pairs}
    wholes = {d.id: near_key(d.utterances[0].text) for d in rows["therapist-whole"]}
    for d in rows["therapist-part"]:
        if d.id not in found:  # the source's own slips: the part is not in its question
            assert near_key(d.utterances[0].text) not in wholes[d.id]


@pytest.mark.corpora
def test_the_alignment_set_is_made_of_the_three_but_for_ten_damaged_rows(corpora):
    report, rows = corpora
    leak = report.leak("crosslincd", "sources")
    assert (leak.rows, leak.near, leak.leaked) == (5697, 5687, 5696)
    found = {pair.first for pair in leak.pairs if pair.kind in ("exact", "near")}
    lost = [d for d in rows["crosslincd"] if d.id not in found]
    assert len(lost) == 10
    assert all("__" in d.utterances[0].text for d in lost)


@pytest.mark.corpora
def test_every_text_of_cbt_bench_is_a_therapist_question(corpora):
    report, _ = corpora
    for name, rows in (("distortions", 166), ("core_major", 204), ("core_fine", 132)):
        leak = report.leak(f"cbt-bench/{name}", "therapist-whole")
        assert (leak.rows, leak.near) == (rows, rows)
        own = {pair.first for pair in leak.pairs if pair.first == pair.second}
        assert len(own) == len({pair.first for pair in leak.pairs})


@pytest.mark.corpora
def test_repeats_within_the_published_corpora_are_those_known(corpora):
    report, _ = corpora
    repeats = {within.leak.part: within.exact for within in report.within}
    assert repeats["therapist-part"].texts == 7
    assert repeats["therapist-whole"].texts == 1
    assert repeats["crosslincd"].texts == 5
    assert find_leakage([Part("socialcd", corpora[1]["socialcd"])]).within[0].exact == Repeats(
        3, 6, 1
    )
