import os
from collections import Counter
from pathlib import Path

import pytest

from tests.tiny_corpora import (
    SOCIALCD,
    THERAPIST,
    ones,
    write_corpora,
    write_lines,
    write_rows,
)
from untwist.data import (
    Part,
    Refusals,
    card_of,
    check,
    find_leakage,
    known_corpora,
    loader_of,
    parts_of,
)
from untwist.data.registry import HEADINGS
from untwist.errors import DataError
from untwist.taxonomy import CANONICAL, Distortion, taxonomy

D = Distortion


@pytest.fixture
def folder(tmp_path):
    return write_corpora(tmp_path)


def by_text(dialogues):
    return {d.utterances[0].text: d.labels[0].distortions for d in dialogues}


def test_every_public_corpus_loads_from_one_folder_without_a_refusal(folder):
    refusals = Refusals()
    names = ("socialcd", "reframing", "therapist-part", "therapist-whole", "crosslincd")
    sizes = {name: len(list(loader_of(name)(folder, refusals))) for name in names}
    assert sizes == {
        "socialcd": 8,
        "reframing": 6,
        "therapist-part": 4,
        "therapist-whole": 6,
        "crosslincd": 5,
    }
    assert len(refusals) == 0
    assert refusals.summary() == "0 rows refused"


@pytest.mark.parametrize("name", known_corpora())
def test_every_corpus_has_a_loader_and_all_its_headings(name):
    assert callable(loader_of(name))
    card = card_of(name)
    assert tuple(card) == HEADINGS
    assert all(card.values())


def test_socialcd_keeps_its_published_parts_and_reads_columns_by_name(folder):
    rows = list(loader_of("socialcd")(folder, None))
    assert Counter(d.split for d in rows) == {"train": 5, "test": 3}
    assert by_text(rows)["都怪我，我真没用"] == {D.LABELING, D.PERSONALIZATION}
    assert rows[0].labels[0].carried == set(CANONICAL)
    assert rows[0].utterances[0].lang == "zh"
    assert len({d.id for d in rows}) == 8


def test_one_socialcd_file_tells_its_part_by_its_name(folder):
    file = folder / "socialcd_3k/socialcd_3k_test.tsv"
    assert {d.split for d in loader_of("socialcd")(file, None)} == {"test"}
    whole = write_rows(
        folder / "socialcd_3k_all.tsv",
        [*SOCIALCD, "内容"],
        [[*ones(SOCIALCD, "放大"), "塌了"]],
        "\t",
    )
    (only,) = loader_of("socialcd")(whole, None)
    assert only.split is None
    assert only.labels[0].distortions == {D.MAGNIFICATION}


def test_reframing_gathers_the_rows_of_a_prompt_and_merges_spellings(folder):
    labels = by_text(loader_of("reframing")(folder, None))
    assert labels["The bus was late. I am a failure"] == {D.LABELING, D.PERSONALIZATION}
    assert labels["I burnt the toast. Everything goes wrong"] == {D.OVERGENERALIZATION}
    assert labels["It rained on my day off"] == frozenset()
    assert labels["Nobody waved back. It is always so"] == {D.OVERGENERALIZATION}
    assert labels["My brother has a bigger flat. I feel low"] == {D.COMPARING, D.NEGATIVE_EMOTION}


def test_reframing_carries_its_own_labels_and_no_mental_filter(folder):
    first = next(iter(loader_of("reframing")(folder, None)))
    assert first.labels[0].carried == taxonomy("reframing-14").covered
    assert D.COMPARING in first.labels[0].carried
    assert D.MENTAL_FILTER not in first.labels[0].carried


def test_a_reframing_text_with_one_unknown_label_is_refused_whole(tmp_path):
    rows = [
        {"prompt": "A ->", "completion": " Labeling"},
        {"prompt": "B ->", "completion": " Labeling"},
        {"prompt": "A ->", "completion": " Gloom"},
    ]
    file = write_lines(tmp_path / "thinking_traps_all.jsonl", rows)
    refusals = Refusals()
    assert list(by_text(loader_of("reframing")(file, refusals))) == ["B"]
    (refusal,) = refusals
    assert refusal.line == 1
    assert "Gloom" in refusal.reason


def test_the_two_therapist_forms_share_groups_and_count_the_secondary_label(folder):
    parts = {d.id: d for d in loader_of("therapist-part")(folder, None)}
    wholes = {d.id: d for d in loader_of("therapist-whole")(folder, None)}
    assert set(parts) == {"11", "12", "14", "16"}
    assert {parts[i].group == wholes[i].group for i in parts} == {True}
    assert len({d.group for d in wholes.values()}) == 6
    assert parts["12"].labels[0].distortions == {D.FORTUNE_TELLING, D.LABELING}
    assert wholes["13"].labels[0].distortions == frozenset()
    assert D.BLAMING not in wholes["13"].labels[0].carried


def test_the_distorted_part_is_the_evidence_of_the_dominant_label(folder):
    whole = next(d for d in loader_of("therapist-whole")(folder, None) if d.id == "12")
    (evidence,) = whole.labels[0].evidence
    assert evidence.distortion == D.FORTUNE_TELLING
    assert whole.utterances[0].text[evidence.start : evidence.end] == "I will fail again"


def test_bad_therapist_rows_are_refused_with_file_and_line_and_the_rest_goes_on(tmp_path):
    rows = [
        ["1", "A question here.", "A question", "Gloom", ""],
        ["2", "Fine here.", "Fine", "Labeling", ""],
        ["3", "   ", "part", "Labeling", ""],
        ["2", "Twice here.", "Twice", "Labeling", ""],
        ["5", "No label here.", "No label", "", "Labeling"],
        ["", "No id here.", "No id", "Labeling", ""],
        ["7", "too", "few"],
    ]
    file = write_rows(tmp_path / "therapist_qa_all.csv", THERAPIST, rows, ",")
    refusals = Refusals()
    kept = list(loader_of("therapist-whole")(file, refusals))
    assert [d.id for d in kept] == ["2"]
    assert [r.line for r in refusals] == [2, 4, 5, 6, 7, 8]
    assert all(str(r).startswith(f"{file}:{r.line}: ") for r in refusals)
    assert sum(refusals.by_reason().values()) == 6
    assert refusals.summary().startswith("6 rows refused: ")


def test_a_row_over_several_lines_is_named_by_its_first(tmp_path):
    rows = [["1", "a\nb\nc", "a", "Labeling", ""], ["2", "d\ne", "d", "Gloom", ""]]
    file = write_rows(tmp_path / "therapist_qa_all.csv", THERAPIST, rows, ",")
    refusals = Refusals()
    assert len(list(loader_of("therapist-whole")(file, refusals))) == 1
    assert [r.line for r in refusals] == [5]


def test_without_a_collector_the_first_refused_row_raises(tmp_path):
    rows = [["1", "A question.", "A", "Gloom", ""]]
    file = write_rows(tmp_path / "therapist_qa_all.csv", THERAPIST, rows, ",")
    with pytest.raises(DataError, match=r"therapist_qa_all\.csv:2: unknown label \"Gloom\""):
        list(loader_of("therapist-whole")(file, None))


def test_a_distorted_row_without_its_part_is_refused_in_the_part_corpus(tmp_path):
    rows = [["1", "A question.", " ", "Labeling", ""], ["2", "Hm.", "Hm", "No Distortion", ""]]
    file = write_rows(tmp_path / "therapist_qa_all.csv", THERAPIST, rows, ",")
    refusals = Refusals()
    assert list(loader_of("therapist-part")(file, refusals)) == []
    assert [r.line for r in refusals] == [2, 3]


def test_cells_other_than_0_and_1_and_rows_without_a_label_are_refused(tmp_path):
    rows = [[*ones(SOCIALCD), "没有标签"], [*["2"] * 12, "坏行"], [*ones(SOCIALCD, "放大"), "好行"]]
    file = write_rows(tmp_path / "x_test.tsv", [*SOCIALCD, "内容"], rows, "\t")
    refusals = Refusals()
    assert [d.utterances[0].text for d in loader_of("socialcd")(file, refusals)] == ["好行"]
    assert [r.line for r in refusals] == [2, 3]


def test_an_undecodable_row_costs_one_row(folder):
    file = folder / "crosslincd_da/crosslincd_da_all.tsv"
    lines = file.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"bus", b"\xb0\xa1")
    file.write_bytes(b"\n".join(lines))
    refusals = Refusals()
    assert len(list(loader_of("crosslincd")(file, refusals))) == 4
    assert [r.line for r in refusals] == [3]
    assert "UTF-8" in refusals.summary()


def test_a_file_in_another_encoding_is_named_as_such(folder):
    file = folder / "crosslincd_da/crosslincd_da_all.tsv"
    file.write_bytes(file.read_text(encoding="utf-8").encode("gb18030"))
    with pytest.raises(DataError, match=r"the header lacks 原始文本.*UTF-8"):
        list(loader_of("crosslincd")(file, Refusals()))


def test_a_broken_quote_is_reported_and_swallows_nothing_silently(folder):
    file = folder / "socialcd_3k/socialcd_3k_test.tsv"
    cells = "\t".join(ones(SOCIALCD, "放大"))
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f'{cells}\t"引号没有结束\n')
    refusals = Refusals()
    assert len(list(loader_of("socialcd")(file, refusals))) == 3
    assert len(refusals) == 1


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"no file .*thinking_traps_all\.jsonl"):
        list(loader_of("reframing")(tmp_path, None))


def test_check_tells_missing_and_different_files_apart(folder):
    (folder / "therapist_qa/therapist_qa_all.csv").unlink()
    states = {c.path: c.state for c in check(folder)}
    assert states["therapist_qa/therapist_qa_all.csv"] == "missing"
    assert states["crosslincd_da/crosslincd_da_all.tsv"] == "differs"
    with pytest.raises(DataError, match="no folder"):
        check(folder / "nowhere")


# The published counts, in the order of CrossLinCD's Table 1 (2025); D_a as its file has them.
ORDER = (
    D.EMOTIONAL_REASONING, D.OVERGENERALIZATION, D.LABELING, D.MIND_READING, D.FORTUNE_TELLING,
    D.ALL_OR_NOTHING, D.SHOULD_STATEMENTS, D.MAGNIFICATION, D.PERSONALIZATION, D.MENTAL_FILTER,
    D.DISQUALIFYING_POSITIVE, D.BLAMING, D.NEGATIVE_EMOTION, D.COMPARING,
)  # fmt: skip
THERAPIST_COUNTS = (169, 277, 203, 295, 210, 126, 135, 245, 202, 151, 0, 0, 0, 0)
PUBLISHED = {
    "socialcd": (3407, 0, (16, 141, 1961, 121, 652, 77, 84, 321, 188, 378, 27, 27, 0, 0)),
    # Comparing and despairing 19 and comparing 8 are one label here.
    "reframing": (698, 62, (48, 115, 104, 81, 85, 97, 53, 110, 80, 0, 59, 39, 102, 19 + 8)),
    "therapist-part": (1597, 0, THERAPIST_COUNTS),
    "therapist-whole": (2530, 933, THERAPIST_COUNTS),
    "crosslincd": (5697, 886, (91, 380, 2184, 416, 863, 166, 171, 417, 328, 487, 46, 41, 0, 0)),
}


@pytest.fixture(scope="module")
def public():
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    return Path(place)


@pytest.mark.corpora
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_public_files_give_the_published_counts(public, name):
    refusals = Refusals()
    rows = [d.labels[0].distortions for d in loader_of(name)(public, refusals)]
    counts = Counter(label for found in rows for label in found)
    size, undistorted, labels = PUBLISHED[name]
    assert len(refusals) == 0
    assert len(rows) == size
    assert sum(not found for found in rows) == undistorted
    assert tuple(counts[d] for d in ORDER) == labels


@pytest.mark.corpora
def test_the_known_leaks_between_the_public_corpora_are_found(public):
    rows = {name: list(loader_of(name)(public, None)) for name in PUBLISHED}
    parts = {p: [d for d in rows["socialcd"] if d.split == p] for p in ("train", "test")}
    inside = find_leakage(Part(part, members) for part, members in parts.items())
    assert inside.leak("test", "train").exact == 3
    report = find_leakage(Part(name, members) for name, members in rows.items())
    twins = report.leak("therapist-part", "therapist-whole")
    assert twins.near + twins.contained == 1592
    aligned = report.leak("socialcd", "crosslincd")
    # full-width commas hide 1,299 texts from exact matching, a space at the end hides one more
    assert aligned.near == 3407
    assert aligned.exact == 3407 - 1300


@pytest.mark.corpora
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_grouped_split_of_a_public_corpus_shares_no_near_duplicate(public, name):
    rows = list(loader_of(name)(public, None))
    sides = parts_of(name, rows, "grouped")
    parts = {p: [d for d, side in zip(rows, sides, strict=True) if side == p] for p in set(sides)}
    report = find_leakage(Part(part, members) for part, members in parts.items())
    assert [leak.leaked for leak in report.between] == [0] * 6


@pytest.mark.corpora
def test_the_public_files_are_the_known_ones(public):
    assert {c.state for c in check(public)} == {"ok"}
