import pytest

from tests.recipes.tiny import metrics_of, row, text_of, write_own
from tests.tiny_corpora import write_corpora
from untwist.data import Reading
from untwist.errors import ConfigError, DataError
from untwist.recipes.evaluate_matrix import EvaluateMatrix, run
from untwist.taxonomy import Distortion

D = Distortion
FIRST = [
    *(row(f"a{n}", f"aaaa {n}aaa", "train", D.LABELING) for n in range(4)),
    *(row(f"b{n}", f"bbbb {n}bbb", "train", D.FORTUNE_TELLING) for n in range(4)),
    row("v1", "aa v aa", "validation", D.LABELING),
    row("v2", "bb v bb", "validation", D.FORTUNE_TELLING),
    row("t1", "aaaa t aaa", "test", D.LABELING),
    row("t2", "bbbb t bbb", "test", D.FORTUNE_TELLING),
]
# The same words, and the second one means another thing here; its last label is foreign to the
# first corpus, and a test text stands in the training rows of the first but for its punctuation.
CARRIED = ["labeling", "fortune_telling"]
SECOND = [
    *(row(f"a{n}", f"aaaa {n}aa!a", "train", D.LABELING) for n in range(4, 8)),
    *(row(f"b{n}", f"bbbb {n}bb!b", "train", D.BLAMING) for n in range(4, 8)),
    row("v1", "aa w aa", "validation", D.LABELING),
    row("v2", "bb w bb", "validation", D.BLAMING),
    row("t1", "AAAA 0aaa!", "test", D.LABELING),
    row("t2", "bbbb bbb", "test", D.BLAMING),
    row("t3", "bbbbb bbbb", "test", D.FORTUNE_TELLING),
]


def sources(folder, first=FIRST, second=SECOND):
    first = [r | {"carried": CARRIED} for r in first]
    return (
        write_own(folder, first, "first.jsonl"),
        write_own(folder, second, "second.jsonl"),
    )


@pytest.fixture
def matrix(tmp_path, no_pictures):
    def go(name="run", corpora=None, **changes):
        corpora = corpora or sources(tmp_path / name)
        options = {"out": str(tmp_path / name / "out"), "corpora": corpora, "resamples": 50}
        return run(EvaluateMatrix(**(options | changes)))

    return go


def cell(metrics, train, test, mode="published"):
    (found,) = [
        c for c in metrics["cells"] if (c["mode"], c["train"], c["test"]) == (mode, train, test)
    ]
    return found


def test_every_pair_has_a_cell_by_both_splits_and_the_numbers_are_those_of_a_hand_count(matrix):
    path, metrics = matrix()
    assert len(metrics["cells"]) == 2 * 2 * 2
    assert metrics["corpora"] == ["first", "second"]
    assert metrics_of(path) == metrics
    # each corpus is learnt without a fault
    assert cell(metrics, "first", "first")["micro_f1"] == 1
    # labeling hit; t2 is said to be fortune-telling (FP) and is blaming (FN); t3 is hit
    across = cell(metrics, "first", "second")
    assert across["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert across["n"] == 3
    # F1 of labeling 1, fortune-telling 2/3, blaming 0
    assert across["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    # the first cannot say blaming: TP 2, FP 1, FN 0
    assert across["shared_micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1))
    # what the second says beyond the labels of the first costs nothing: t1 hit, t2 missed
    back = cell(metrics, "second", "first")
    assert back["micro_f1"] == pytest.approx(2 / (2 + 1))
    # most of the other ten rows are labeling or blaming (5 each): either alone hits 1 of 3
    assert across["constant_micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 4 + 1))
    assert across["intervals"]["micro_f1"]["low"] <= across["micro_f1"]


def test_a_test_row_whose_near_duplicate_was_trained_on_is_counted_as_seen(matrix):
    path, metrics = matrix()
    seen = {
        (train, test): cell(metrics, train, test)["seen"]
        for train in ("first", "second")
        for test in ("first", "second")
    }
    # "AAAA 0aaa!" stands as "aaaa 0aaa" among the training rows of the first
    assert seen == {
        ("first", "first"): 0,
        ("first", "second"): 1,
        ("second", "first"): 0,
        ("second", "second"): 0,
    }
    assert "(1 seen)" in text_of(path)


def test_a_near_duplicate_of_a_validation_row_is_not_counted_as_trained_on(matrix, tmp_path):
    more = [*SECOND, row("t9", "AA v aa!", "test", D.LABELING)]
    _, metrics = matrix("more", sources(tmp_path / "more", second=more))
    found = cell(metrics, "first", "second")
    assert (found["n"], found["seen"]) == (4, 1)


def test_a_row_that_names_another_corpus_or_has_a_stroke_in_its_id_is_seen_as_well(
    matrix, tmp_path
):
    renamed = [r | {"id": f"set/{r['id']}", "corpus": "elsewhere"} for r in SECOND]
    _, metrics = matrix("renamed", sources(tmp_path / "renamed", second=renamed))
    assert cell(metrics, "first", "second")["seen"] == 1
    # equal ids in two corpora are no equal texts
    assert cell(metrics, "second", "first")["seen"] == 0


def test_a_source_that_two_corpora_share_is_seen(matrix, tmp_path):
    reading = Reading(str(write_corpora(tmp_path / "corpora")), ("all",), unverified=True)
    extra = sources(tmp_path / "x")[0]
    first = [r | {"text": r["text"] + " c"} for r in FIRST]
    grouped = [r | {"group": "therapist:1"} if r["id"] in ("a1", "t1") else r for r in first]
    other = write_own(tmp_path / "x", [r | {"carried": CARRIED} for r in grouped], "other.jsonl")
    _, metrics = matrix("shared", (extra, other), reading=reading)
    # t1 and a1 of one source: by the published split one is trained on, the other tested
    assert cell(metrics, "other", "other")["seen"] == 1
    assert cell(metrics, "other", "other", "grouped")["seen"] == 0


def test_no_test_label_changes_a_threshold_and_validation_labels_do(matrix, tmp_path):
    def thresholds(name, first):
        _, metrics = matrix(name, sources(tmp_path / name, first=first))
        return {
            mode: cell(metrics, "first", "second", mode)["threshold"]
            for mode in ("published", "grouped")
        }

    plain = thresholds("plain", FIRST)
    assert 0.5 < plain["published"] < 1
    turned = {"labeling": ["fortune_telling"], "fortune_telling": ["labeling"]}

    def turn(part):
        return [r | {"labels": turned[r["labels"][0]]} if r["split"] == part else r for r in FIRST]

    assert thresholds("test", turn("test")) == plain
    assert thresholds("validation", turn("validation")) != plain


def test_the_report_has_a_table_of_each_score_and_a_row_for_the_floor(matrix):
    path, metrics = matrix()
    report = text_of(path)
    for mode in ("published", "grouped"):
        assert f"### Micro-F1, {mode} split" in report
        assert f"### Macro-F1, {mode} split" in report
        assert f"### Micro-F1 on labels that both can carry, {mode} split" in report
    floors = [cell(metrics, name, name)["constant_micro_f1"] for name in ("first", "second")]
    shown = " | ".join(f"{floor:.3f}" for floor in floors)
    assert f"| best constant answer | {shown} |" in report
    assert report.count("\n| published | ") == 4
    assert "Files of your own are split by themselves" in report


def test_heat_maps_are_drawn_for_each_score_and_split(tmp_path):
    config = EvaluateMatrix(str(tmp_path / "out"), sources(tmp_path)[:1], resamples=50)
    path, _ = run(config)
    drawn = {f.stem for f in path.iterdir() if f.suffix == ".svg"}
    assert drawn == {
        f"{score}-{mode}"
        for score in ("micro-f1", "macro-f1", "shared-micro-f1")
        for mode in ("published", "grouped")
    }


def test_our_own_detector_can_be_trained_in_place_of_the_fixed_model(matrix):
    path, metrics = matrix(model="fast")
    assert metrics["model"] == "fast"
    assert cell(metrics, "first", "first")["micro_f1"] > 0.5
    assert "Across corpora: fast" in text_of(path)


def test_progress_is_told_up_to_the_end(tmp_path, no_pictures):
    told = []
    config = EvaluateMatrix(str(tmp_path / "out"), sources(tmp_path), resamples=50)
    run(config, lambda stage, done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_mistake_in_what_is_asked_for_leaves_no_folder(matrix, tmp_path):
    with pytest.raises(ConfigError, match='model is "slow": give one of ngrams, fast'):
        matrix(model="slow")
    with pytest.raises(ConfigError, match="one corpus and one resample"):
        matrix(resamples=0)
    first, _ = sources(tmp_path)
    with pytest.raises(DataError, match='"first" is there already'):
        matrix(corpora=(first, first))
    assert not (tmp_path / "run/out").exists()


@pytest.mark.parametrize(
    ("part", "changes", "what"),
    [
        ("train", {"labels": []}, "label"),
        ("validation", {"labels": []}, "label"),
        ("test", {"split": "train"}, "row"),
    ],
)
def test_a_corpus_that_lacks_a_part_is_named_before_anything_is_trained(
    matrix, tmp_path, part, changes, what
):
    rows = [r | changes if r["split"] == part else r for r in FIRST]
    with pytest.raises(
        DataError, match=f"first, published split: no {what} in the {part} part: leave"
    ):
        matrix("lacking", sources(tmp_path / "lacking", first=rows))
    assert not (tmp_path / "lacking/out").exists()
