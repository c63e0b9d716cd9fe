import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tiny_corpora import ones, write_lines, write_rows, write_therapist
from tests.tiny_more import (
    COGBIAS,
    DC,
    annotation,
    esc,
    question,
    said,
    thought,
    votes,
    write_json,
    write_more_corpora,
)
from untwist.data import (
    Refusals,
    babacan,
    c2d2,
    cbtbench,
    cogbias,
    cogdis,
    grouped,
    ownlabels,
    patternreframe,
    therapist,
)
from untwist.data.ownlabels import BeliefLabels, BinaryLabels, VoteLabels
from untwist.errors import ConfigError, DataError
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, taxonomy

D = Distortion
LOADERS = {
    c2d2.CORPUS: c2d2.load,
    cogbias.CORPUS: cogbias.load,
    cogdis.CORPUS: cogdis.load,
    patternreframe.CORPUS: patternreframe.load,
    patternreframe.NINE_CORPUS: patternreframe.load_nine,
    cbtbench.CORPUS: cbtbench.load,
    cbtbench.CORE_MAJOR_CORPUS: cbtbench.load_core_major,
    cbtbench.CORE_FINE_CORPUS: cbtbench.load_core_fine,
    babacan.CORPUS: babacan.load,
}


@pytest.fixture
def folder(tmp_path):
    return write_more_corpora(tmp_path)


def load(loader, path, **options):
    refusals = Refusals()
    return list(loader(path, refusals, **options)), refusals


def found(dialogues):
    return [d.labels[0].distortions for d in dialogues]


def test_every_corpus_loads_from_one_folder_without_a_refusal(folder):
    sizes = {}
    for name, loader in LOADERS.items():
        dialogues, refusals = load(loader, folder)
        assert len(refusals) == 0, (name, refusals.summary())
        assert {d.corpus for d in dialogues} == {name}
        assert len({d.id for d in dialogues}) == len(dialogues)
        sizes[name] = len(dialogues)
    assert sizes == {
        "c2d2": 6, "cogbias": 3, "cogdis": 3, "patternreframe": 5, "patternreframe-9class": 2,
        "cbt-bench": 2, "cbt-bench-core-major": 2, "cbt-bench-core-fine": 2, "babacan": 3,
    }  # fmt: skip


@pytest.mark.parametrize("module", [c2d2, cogbias, cogdis, patternreframe, cbtbench, babacan])
def test_every_module_says_what_its_corpus_is(module):
    headings = ("Source:", "Licence:", "Language:", "Labels:", "Splits:", "Known faults:", "Size:")
    lines = module.__doc__.splitlines()
    assert [h for line in lines for h in headings if line.startswith(h)] == list(headings)


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_file_says_where_it_was_looked_for(tmp_path, name):
    with pytest.raises(DataError, match=r"no (file|train part)"):
        load(LOADERS[name], tmp_path)


# C2D2


def test_c2d2_keeps_its_published_parts_and_carries_seven_labels(folder):
    dialogues, _ = load(c2d2.load, folder)
    assert [(d.id, d.split) for d in dialogues] == [
        ("train-1", "train"), ("train-2", "train"), ("train-3", "train"),
        ("validation-1", "validation"), ("test-1", "test"), ("test-2", "test"),
    ]  # fmt: skip
    assert found(dialogues) == [
        {D.ALL_OR_NOTHING}, set(), {D.EMOTIONAL_REASONING}, {D.MIND_READING},
        {D.PERSONALIZATION}, set(),
    ]  # fmt: skip
    assert dialogues[1].utterances[0].text == "早饭吃了\n两个包子"
    assert {len(d.labels[0].carried) for d in dialogues} == {7}


@pytest.mark.parametrize("ending", [".tsv", ".txt"])
def test_one_c2d2_file_tells_its_part_by_its_name(folder, ending):
    file = folder / "c2d2/Dc_MC-7_val_1500_Zh.tsv"
    renamed = file.rename(file.with_suffix(ending))
    assert [d.split for d in load(c2d2.load, renamed)[0]] == ["validation"]
    other = renamed.rename(renamed.with_name(f"mine{ending}"))
    assert [(d.id, d.split) for d in load(c2d2.load, other)[0]] == [("all-1", None)]


def test_a_c2d2_folder_without_one_of_its_parts_says_which(folder):
    (folder / "c2d2/Dc_MC-7_val_1500_Zh.tsv").unlink()
    with pytest.raises(DataError, match=r"no validation part .*application"):
        load(c2d2.load, folder)


def test_two_labels_a_label_of_the_other_five_and_other_cells_are_refused(tmp_path):
    rows = [
        ["甲", *ones(DC, "读心术", "罪责归己")],
        ["乙", *ones(DC, "放大")],
        ["丙", *["2"] * 12],
        ["丁", *ones(DC, "读心术")],
        [" ", *ones(DC)],
    ]
    file = write_rows(tmp_path / "test.tsv", ["原始文本", *DC], rows, "\t")
    dialogues, refusals = load(c2d2.load, file)
    assert [d.id for d in dialogues] == ["test-4"]
    assert [r.line for r in refusals] == [2, 3, 4, 6]


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("读心术", {D.MIND_READING}),
        ("以偏概全", {D.OVERGENERALIZATION}),
        ("Mind reading", {D.MIND_READING}),
        ("mind_reading", {D.MIND_READING}),
        ("0", {D.ALL_OR_NOTHING}),
        ("1", {D.EMOTIONAL_REASONING}),
        ("6", {D.PERSONALIZATION}),
        ("7", set()),
        ("非歪曲", set()),
        ("None", set()),
        ("7: 非歪曲", set()),
        ("6：罪责归己", {D.PERSONALIZATION}),
        ("3: 先知错误", {D.FORTUNE_TELLING}),
    ],
)
def test_the_plain_form_takes_names_slugs_and_the_known_numbers(tmp_path, label, meant):
    file = write_rows(tmp_path / "train.csv", ["text", "label"], [["苹果", label]], ",")
    dialogues, refusals = load(c2d2.load, file)
    assert len(refusals) == 0
    assert found(dialogues) == [meant]
    assert dialogues[0].split == "train"


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("2", "label number 2 is not known"),
        ("9", "label number 9 is not known"),
        ("放大", "c2d2-7 does not have"),
        ("苹果", "unknown distortion"),
        ("", "is empty"),
        ("7: 读心术", "contradict"),
    ],
)
def test_the_plain_form_refuses_other_labels_and_says_why(tmp_path, label, reason):
    file = write_rows(tmp_path / "train.csv", ["text", "label"], [["苹果", label]], ",")
    dialogues, refusals = load(c2d2.load, file)
    assert dialogues == []
    assert reason in refusals.summary()


# The names beside 2 to 5 are made up: which is which is not known.
CODED = {"0": "非此即彼", "1": "情绪化推理", "2": "读心术", "3": "先知错误", "4": "乱贴标签",
         "5": "以偏概全", "6": "罪责归己", "7": "非歪曲"}  # fmt: skip


def corrupt(text):
    return "".join(f"{ch}: {CODED[ch]}" if ch in CODED else ch for ch in text)


TEXTS = st.text(alphabet="0123456789:： 歪非曲情绪化推理读心术我考了分", max_size=40)


@given(TEXTS)
def test_cleaning_undoes_what_put_label_names_in_place_of_digits(text):
    assume(not c2d2.injected(text))
    damaged = corrupt(text)
    assert c2d2.injected(damaged) == sum(text.count(digit) for digit in CODED)
    assert c2d2.clean(damaged) == text


@pytest.mark.parametrize("text", ["9：1 的比分", "12: 中午", "我得了3: 真少", "第一: 读心术"])
def test_a_text_with_digits_and_colons_of_its_own_is_left_as_it_is(text):
    assert c2d2.injected(text) == 0
    assert c2d2.clean(text) == text


def test_a_corrupted_row_is_refused_cleaned_or_kept_as_the_caller_says(tmp_path):
    rows = [[corrupt("我才19岁，考了70分"), *ones(DC)], ["苹果9个", *ones(DC)]]
    file = write_rows(tmp_path / "c2d2/train.tsv", ["原始文本", *DC], rows, "\t")
    kept, refusals = load(c2d2.load, file)
    assert [d.id for d in kept] == ["train-2"]
    assert "label names stand where digits stood, 3 in all" in refusals.summary()
    assert 'corrupted="clean"' in refusals.summary()
    cleaned, refusals = load(c2d2.load, file, corrupted="clean")
    assert [d.utterances[0].text for d in cleaned] == ["我才19岁，考了70分", "苹果9个"]
    assert len(refusals) == 0
    as_is, _ = load(c2d2.load, file, corrupted="keep")
    assert as_is[0].utterances[0].text == rows[0][0]
    with pytest.raises(ConfigError, match="corrupted"):
        load(c2d2.load, file, corrupted="maybe")


# CogBiasESC


def test_cogbias_keeps_the_turns_of_both_and_leaves_the_prompt_out(folder):
    first = load(cogbias.load, folder)[0][0]
    assert [u.role for u in first.utterances] == ["user", "assistant"] * 3
    assert [u.id for u in first.utterances] == [f"1/{n}" for n in range(2, 8)]
    assert first.split is None


def test_cogbias_reads_tags_intensity_and_risk(folder):
    one, two, three = load(cogbias.load, folder)[0]
    assert one.labels[2].distortions == {D.MAGNIFICATION}
    assert one.labels[2].intensity is Intensity.SEVERE
    assert one.labels[2].risk is Risk.MEDIUM
    assert one.labels[2].carried == taxonomy("beck-8").covered
    assert two.labels[0].distortions == {D.MIND_READING, D.LABELING}
    assert three.labels[0].distortions == {D.PERSONALIZATION}
    assert three.labels[0].risk is Risk.NONE
    assert three.labels[2].distortions == frozenset()
    assert three.labels[2].risk is Risk.LOW


def test_a_turn_without_annotation_is_not_known_unless_the_caller_says_that_it_is(folder):
    one = load(cogbias.load, folder)[0][0]
    assert one.labels[0] is None
    one = load(cogbias.load, folder, unmarked="undistorted")[0][0]
    assert one.labels[0].distortions == frozenset()
    assert one.labels[0].risk is None
    assert one.labels[1] is None, "what the counsellor says has no labels"
    assert one.labels[4] is None, "an empty annotation says nothing either way"
    with pytest.raises(ConfigError, match="unmarked"):
        load(cogbias.load, folder, unmarked="none")


def test_a_cogbias_group_is_the_source_dialogue_where_the_number_names_one(folder):
    groups = [d.group for d in load(cogbias.load, folder)[0]]
    assert groups == ["PsyDTCorpus:7", "CPsyCounD:2", "CPsyCounD:3"]


@pytest.mark.parametrize(
    ("note", "distortions", "risk", "intensity"),
    [
        (annotation("读心术，灾难化"), {D.MIND_READING, D.MAGNIFICATION}, Risk.LOW, "moderate"),
        (annotation("读心术, 灾难化"), {D.MIND_READING, D.MAGNIFICATION}, Risk.LOW, "moderate"),
        (annotation("读心术；灾难化"), {D.MIND_READING, D.MAGNIFICATION}, Risk.LOW, "moderate"),
        (annotation("读心术/灾难化"), {D.MIND_READING, D.MAGNIFICATION}, Risk.LOW, "moderate"),
        (annotation(["读心术"], None, None), {D.MIND_READING}, None, None),
        (annotation(["无"], "高危", "无"), set(), Risk.HIGH, None),
        (annotation(None, "高危", "严重"), None, Risk.HIGH, None),
        (annotation("读心术", "未知", "未知"), {D.MIND_READING}, None, None),
        ({"bias_tags": "读心术", "reason": "words"}, {D.MIND_READING}, None, None),
    ],
)
def test_every_form_of_an_annotation_is_read(tmp_path, note, distortions, risk, intensity):
    file = write_json(tmp_path / "x.json", [esc(1, said("user", "苹果", note))])
    (dialogue,), _ = load(cogbias.load, file)
    (labels,) = dialogue.labels
    assert labels.distortions == distortions
    assert labels.risk == risk
    assert labels.intensity == (None if intensity is None else Intensity(intensity))


@pytest.mark.parametrize(
    "note", [annotation(None, "", ""), annotation([], "", ""), annotation("", None, "严重")]
)
def test_an_empty_annotation_is_none(tmp_path, note):
    file = write_json(tmp_path / "x.json", [esc(1, said("user", "苹果", note))])
    assert load(cogbias.load, file)[0][0].labels == (None,)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("words", "no JSON object"),
        ({**COGBIAS[0], "id": None}, '"id"'),
        ({**COGBIAS[0], "sample_id": True}, '"sample_id"'),
        ({**COGBIAS[0], "messages": {}}, '"messages"'),
        (esc(9), "no message is the seeker's"),
        (esc(9, "words"), "message 2 is no object"),
        (esc(9, said("user", "苹果"), said("assistant", " ")), "message 3: content is empty"),
        (esc(9, said("user", None)), "message 2: content is NoneType"),
        (esc(9, said("coach", "苹果")), "message 2: role"),
        (esc(9, said("user", "苹果"), said("assistant", "梨", annotation("无"))), "message 3: an"),
        (esc(9, said("user", "苹果", "读心术")), "message 2: the annotation"),
        (esc(9, said("user", "苹果", {"bias_tag": "读心术"})), "message 2: the annotation"),
        (esc(9, said("user", "苹果", annotation("算命"))), "message 2: unknown label"),
        (esc(9, said("user", "苹果", annotation("无、读心术"))), "beside a distortion"),
        (esc(9, said("user", "苹果", annotation(3))), "bias_tags is neither"),
        (esc(9, said("user", "苹果", annotation([3]))), "bias_tags is neither"),
        (esc(9, said("user", "苹果", annotation("读心术", "极危"))), "risk_level is unknown"),
        (esc(9, said("user", "苹果", annotation("读心术", 3))), "risk_level is no string"),
        (esc(9, said("user", "苹果", annotation("读心术", "", "很"))), "intensity is unknown"),
        (COGBIAS[1], "occurs twice"),
    ],
)
def test_a_fault_refuses_the_whole_dialogue_and_names_line_and_message(tmp_path, bad, reason):
    file = tmp_path / "x.json"
    rows = [json.dumps(row, ensure_ascii=False) for row in (COGBIAS[1], bad, COGBIAS[2])]
    file.write_text("[\n" + ",\n\n".join(rows) + "\n]", encoding="utf-8")
    dialogues, refusals = load(cogbias.load, file)
    assert [d.id for d in dialogues] == ["2", "3"]
    assert [r.line for r in refusals] == [4]
    assert reason in refusals.summary()
    with pytest.raises(DataError, match=r"x\.json:4: "):
        list(cogbias.load(file))


def test_the_published_cogbias_files_are_parts(tmp_path):
    write_json(tmp_path / "test.json", [COGBIAS[0]])
    assert [d.split for d in load(cogbias.load, tmp_path)[0]] == ["test"]
    write_json(tmp_path / "train.json", [COGBIAS[1]])
    assert [(d.id, d.split) for d in load(cogbias.load, tmp_path)[0]] == [
        ("2", "train"), ("1", "test"),
    ]  # fmt: skip
    assert [d.split for d in load(cogbias.load, tmp_path / "test.json")[0]] == ["test"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1}', ":1: no JSON list"),
        ("version https://example.invalid", ":1: no JSON list"),
        ('[\n{"id": 1},\n{"id": ]', ":3: entry 2 is no JSON"),
        ('[\n{"id": 1}\n{"id": 2}]', "after entry 1 the list breaks off"),
        ('[{"id": 1}', "after entry 1 the list breaks off"),
        ('[{"id": 1},]', "after entry 1 the list breaks off"),
        ("[1] [2]", "more follows"),
        ("[", "entry 1 is no JSON"),
        ("[" * 200_000, "entry 1 is no JSON"),
    ],
)
def test_a_file_that_is_no_whole_json_list_is_named_with_its_line(tmp_path, text, reason):
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load(cogbias.load, file)
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")


def test_an_empty_json_list_holds_nothing(tmp_path):
    assert load(cogbias.load, write_json(tmp_path / "x.json", []))[0] == []


# Binary labels


def test_a_binary_label_does_not_say_which_distortion(folder):
    for loader in (cogdis.load, babacan.load):
        labels = [d.labels[0] for d in load(loader, folder)[0]]
        assert all(isinstance(label, BinaryLabels) for label in labels)
        assert [label.distorted for label in labels] == [True, False, True]
        assert [label.distortions for label in labels] == [None, frozenset(), None]
        assert {label.carried for label in labels} == {frozenset(CANONICAL)}


def test_labels_of_a_corpus_s_own_cannot_be_made_without_their_word():
    for kind in (BinaryLabels, VoteLabels, BeliefLabels):
        with pytest.raises(TypeError):
            kind(None, frozenset())
    assert ownlabels.binary(True) != ownlabels.binary(False)


def test_cogdis_has_no_header_and_refuses_other_labels(tmp_path):
    file = tmp_path / "cogdis_all.tsv"
    file.write_text("苹果\t0\n梨\t2\n桃\n \t1\n杏\t1\t1\n", encoding="utf-8")
    dialogues, refusals = load(cogdis.load, file)
    assert [d.id for d in dialogues] == ["1"]
    assert [r.line for r in refusals] == [2, 3, 4, 5]


def test_babacan_refuses_other_labels(tmp_path):
    rows = [["a", "Distortion"], ["b", "distortion?"], ["c", ""]]
    file = write_rows(tmp_path / "babacan_binary_all.csv", ["Text", "Label"], rows, ",")
    dialogues, refusals = load(babacan.load, file)
    assert [d.id for d in dialogues] == ["1"]
    assert [r.line for r in refusals] == [3, 4]


# PatternReframe


def test_two_votes_make_a_label_and_votes_are_kept(folder):
    dialogues, _ = load(patternreframe.load, folder)
    assert found(dialogues) == [
        {D.MAGNIFICATION, D.FORTUNE_TELLING},
        {D.MIND_READING},
        frozenset(),
        None,
        {D.ALL_OR_NOTHING},
    ]
    labels = [d.labels[0] for d in dialogues]
    assert all(isinstance(label, VoteLabels) for label in labels)
    assert {label.carried for label in labels} == {taxonomy("patternreframe-10").covered}
    assert dict(labels[0].votes)[D.MAGNIFICATION] == 4
    assert {len(label.votes) for label in labels} == {10}
    assert [label.none_votes for label in labels] == [0, 2, 3, 1, 0]
    assert labels[0].intended is D.MAGNIFICATION


def test_thoughts_of_one_persona_are_one_group_however_it_is_spaced(folder):
    groups = [d.group for d in load(patternreframe.load, folder)[0]]
    assert groups[0] == groups[1] == groups[4]
    assert len(set(groups)) == 3
    nine = load(patternreframe.load_nine, folder)[0]
    assert nine[0].group == groups[3], "a persona of both files is one group"
    assert not any("bake" in group for group in groups)


def test_the_nine_class_table_carries_nine_and_has_the_intended_label(folder):
    dialogues, _ = load(patternreframe.load_nine, folder)
    assert found(dialogues) == [{D.SHOULD_STATEMENTS}, {D.ALL_OR_NOTHING}]
    assert dialogues[0].labels[0].carried == (
        taxonomy("patternreframe-10").covered - {D.DISQUALIFYING_POSITIVE}
    )


@pytest.mark.parametrize(
    "bad",
    [
        thought(3, votes()),
        thought(" ", votes(none=2)),
        thought("a", None),
        thought("a", {**votes(), "Personalization": "6"}),
        thought("a", {**votes(), "Personalization": "many"}),
        thought("a", {**votes(), "Gloom": "1"}),
        thought("a", {"None": "1"}),
        thought("a", votes(emotional=1)),
        thought("a", votes(), pattern="Gloom"),
        thought("a", votes(), persona=" "),
    ],
)
def test_a_bad_patternreframe_row_is_refused_and_the_rest_goes_on(tmp_path, bad):
    rows = [bad, thought("b", votes(should=2))]
    file = write_lines(tmp_path / "patternreframe_valid.jsonl", rows)
    file.write_text(file.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    dialogues, refusals = load(patternreframe.load, file)
    assert found(dialogues) == [{D.SHOULD_STATEMENTS}]
    assert [r.line for r in refusals] == [1, 3]


def test_the_tenth_pattern_is_refused_in_the_nine_class_table(tmp_path):
    rows = [["I sail.", "Discounting the positive", "a"], ["I sail.", "Gloom", "b"],
            ["", "Personalization", "c"]]  # fmt: skip
    name = "patternreframe_9class_with_scenario.csv"
    file = write_rows(tmp_path / name, ["persona", "pattern", "thought"], rows, ",")
    dialogues, refusals = load(patternreframe.load_nine, file)
    assert dialogues == []
    assert [r.line for r in refusals] == [2, 3, 4]


# CBT-Bench


def test_cbt_bench_keeps_seed_and_test_and_stays_with_the_therapist_corpus(folder):
    dialogues, _ = load(cbtbench.load, folder)
    assert [(d.id, d.split, d.group) for d in dialogues] == [
        ("seed-11", "train", "therapist:11"), ("test-12", "test", "therapist:12"),
    ]  # fmt: skip
    assert found(dialogues) == [{D.MIND_READING, D.LABELING}, {D.MAGNIFICATION}]
    write_therapist(folder)
    together = [*dialogues, *therapist.load_whole(folder)]
    groups = dict(zip([(d.corpus, d.id) for d in together], grouped(together), strict=True))
    assert groups["cbt-bench", "seed-11"] == groups["therapist-whole", "11"]


def test_core_beliefs_are_the_corpus_s_own_and_no_distortions(folder):
    for loader, first in (
        (cbtbench.load_core_major, ("helpless", "worthless")),
        (cbtbench.load_core_fine, ("I am trapped",)),
    ):
        labels = [d.labels[0] for d in load(loader, folder)[0]]
        assert all(isinstance(label, BeliefLabels) for label in labels)
        assert labels[0].beliefs == first
        assert {label.distortions for label in labels} == {None}
        assert {label.carried for label in labels} == {frozenset()}


@pytest.mark.parametrize(
    ("loader", "key"),
    [
        (cbtbench.load, "distortions"),
        (cbtbench.load_core_major, "core_belief_major"),
        (cbtbench.load_core_fine, "core_belief_fine_grained"),
    ],
)
def test_a_bad_cbt_bench_entry_is_refused(tmp_path, loader, key):
    bad = [
        3,
        question(5, key, ["labeling"]),
        question("6", key, []),
        question("7", key, "labeling"),
        question("8", key, ["gloom"]),
        question("9", "other", ["labeling"]),
        question("10", key, ["labeling"], text=None),
    ]
    file = write_json(tmp_path / "x_test.json", bad)
    dialogues, refusals = load(loader, file)
    assert dialogues == []
    assert len(refusals) == 7


# The public files


@pytest.fixture(scope="module")
def public():
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    return Path(place)


def counts(dialogues):
    return Counter(d for row in dialogues for d in row.labels[0].distortions or ())


@pytest.mark.corpora
def test_the_sample_of_cogbias_has_its_68_labels(public):
    dialogues, refusals = load(cogbias.load, public)
    labels = [label for d in dialogues for label in d.labels if label is not None]
    assert (len(dialogues), len(refusals), len(labels)) == (24, 0, 68)
    assert Counter(u.role for d in dialogues for u in d.utterances) == {
        "user": 257, "assistant": 257,
    }  # fmt: skip
    assert Counter(d for label in labels for d in label.distortions) == {
        D.EMOTIONAL_REASONING: 32, D.MAGNIFICATION: 15, D.OVERGENERALIZATION: 7,
        D.ALL_OR_NOTHING: 5, D.MIND_READING: 5, D.PERSONALIZATION: 2, D.LABELING: 1,
        D.SHOULD_STATEMENTS: 1,
    }  # fmt: skip
    assert Counter(label.risk for label in labels) == {
        Risk.MEDIUM: 40, Risk.LOW: 26, Risk.NONE: 1, Risk.HIGH: 1,
    }  # fmt: skip
    assert len({d.group for d in dialogues}) == 24


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("loader", "size", "distorted"), [(cogdis.load, 4001, 1129), (babacan.load, 3527, 2594)]
)
def test_the_binary_corpora_have_their_published_sizes(public, loader, size, distorted):
    dialogues, refusals = load(loader, public)
    assert (len(dialogues), len(refusals)) == (size, 0)
    assert sum(d.labels[0].distorted for d in dialogues) == distorted


@pytest.mark.corpora
def test_patternreframe_has_its_published_counts(public):
    dialogues, refusals = load(patternreframe.load, public)
    labels = [d.labels[0] for d in dialogues]
    assert (len(dialogues), len(refusals)) == (960, 0)
    assert counts(dialogues) == {
        D.FORTUNE_TELLING: 311, D.MAGNIFICATION: 234, D.OVERGENERALIZATION: 208,
        D.DISQUALIFYING_POSITIVE: 178, D.MIND_READING: 178, D.PERSONALIZATION: 172,
        D.MENTAL_FILTER: 144, D.LABELING: 117, D.ALL_OR_NOTHING: 103, D.SHOULD_STATEMENTS: 97,
    }  # fmt: skip
    assert Counter(label.intended for label in labels) == {
        D.MAGNIFICATION: 101, D.FORTUNE_TELLING: 101, D.OVERGENERALIZATION: 99,
        D.ALL_OR_NOTHING: 99, D.PERSONALIZATION: 96, D.MIND_READING: 96,
        D.DISQUALIFYING_POSITIVE: 95, D.LABELING: 95, D.MENTAL_FILTER: 91,
        D.SHOULD_STATEMENTS: 87,
    }  # fmt: skip
    assert sum(label.none_votes >= patternreframe.MIN_VOTES for label in labels) == 22
    assert sum(label.distortions == frozenset() for label in labels) == 4
    assert sum(label.distortions is None for label in labels) == 3


@pytest.mark.corpora
def test_the_nine_class_table_has_its_published_counts(public):
    dialogues, refusals = load(patternreframe.load_nine, public)
    assert (len(dialogues), len(refusals)) == (1726, 0)
    assert counts(dialogues) == {
        D.MAGNIFICATION: 200, D.FORTUNE_TELLING: 199, D.OVERGENERALIZATION: 197,
        D.MIND_READING: 197, D.LABELING: 196, D.ALL_OR_NOTHING: 188, D.PERSONALIZATION: 185,
        D.MENTAL_FILTER: 185, D.SHOULD_STATEMENTS: 179,
    }  # fmt: skip


@pytest.mark.corpora
def test_cbt_bench_has_its_published_counts(public):
    dialogues, refusals = load(cbtbench.load, public)
    assert len(refusals) == 0
    assert Counter(d.split for d in dialogues) == {"train": 20, "test": 146}
    assert counts(d for d in dialogues if d.split == "test") == {
        D.ALL_OR_NOTHING: 65, D.MIND_READING: 47, D.FORTUNE_TELLING: 44, D.PERSONALIZATION: 42,
        D.EMOTIONAL_REASONING: 36, D.OVERGENERALIZATION: 32, D.LABELING: 29,
        D.SHOULD_STATEMENTS: 28, D.MAGNIFICATION: 25, D.MENTAL_FILTER: 21,
    }  # fmt: skip
    major, _ = load(cbtbench.load_core_major, public)
    assert Counter(d.split for d in major) == {"train": 20, "test": 184}
    held = Counter(b for d in major if d.split == "test" for b in d.labels[0].beliefs)
    assert held == {"helpless": 162, "unlovable": 101, "worthless": 81}
    fine, _ = load(cbtbench.load_core_fine, public)
    assert Counter(d.split for d in fine) == {"train": 20, "test": 112}
    assert {b for d in fine for b in d.labels[0].beliefs} == set(cbtbench.CORE_FINE)


@pytest.mark.corpora
def test_every_text_of_cbt_bench_is_the_therapist_question_of_its_group(public):
    from untwist.data import near_key

    questions = {d.group: near_key(d.utterances[0].text) for d in therapist.load_whole(public)}
    for loader in (cbtbench.load, cbtbench.load_core_major, cbtbench.load_core_fine):
        for dialogue in loader(public):
            assert questions[dialogue.group] == near_key(dialogue.utterances[0].text)
