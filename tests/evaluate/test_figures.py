import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.evaluate.test_report import GUESS, report
from untwist.errors import DataError, MissingExtra
from untwist.evaluate import (
    ForestRow,
    class_bars,
    compare,
    difference_plot,
    forest,
    forest_rows,
    heat_map,
    label_distribution,
    reliability,
    reliability_diagram,
    save,
)
from untwist.taxonomy import CANONICAL, Distortion

ROWS = (
    ForestRow("one", 0.5, (0.4, 0.6), 0.3),
    ForestRow("two", None, None, None),
    ForestRow("three", 0.97, None, 0.2),
)
DRAWN = {
    "forest": lambda: forest(ROWS, "Scores"),
    "class_bars": lambda: class_bars(report()),
    "heat_map": lambda: heat_map([[0.5, None]], ["a"], ["b", "c"], "Grid"),
    "reliability": lambda: reliability_diagram(reliability(GUESS, np.where(GUESS, 0.9, 0.1))),
    "labels": lambda: label_distribution({"x": {"a": 3, "b": 1}, "y": {"a": 5}}),
}
EVERY = pytest.mark.parametrize("name", DRAWN)


def words(picture):
    """All text of a picture."""
    root = ET.fromstring(picture.svg())
    return " | ".join("".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("}text"))


@EVERY
def test_equal_values_give_equal_files_without_a_date(name, tmp_path):
    first, second = DRAWN[name](), DRAWN[name]()
    files = save(first, tmp_path, "picture")
    assert files == ("picture.png", "picture.svg")
    assert (tmp_path / files[0]).read_bytes() == second.png()
    svg = (tmp_path / files[1]).read_bytes()
    assert svg == second.svg()
    assert b"date" not in svg.lower()
    assert (tmp_path / files[0]).read_bytes().startswith(b"\x89PNG")


@EVERY
def test_every_picture_says_in_words_what_it_shows(name):
    picture = DRAWN[name]()
    assert picture.alt.endswith(".")
    assert len(picture.alt) > 30
    assert picture.image("Below").alt == picture.alt


@pytest.mark.parametrize("name", ["forest", "heat_map"])
def test_drawing_leaves_the_settings_of_others_alone_and_is_not_moved_by_them(name):
    import matplotlib as mpl

    before = DRAWN[name]().svg()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        kept = dict(mpl.rcParams)
        assert DRAWN[name]().svg() == before
        assert dict(mpl.rcParams) == kept


@EVERY
def test_without_matplotlib_the_message_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r'pictures needs.*pip install "untwist\[eval\]"'):
        DRAWN[name]()


def test_a_forest_has_points_intervals_floors_and_what_is_not_known():
    picture = forest(ROWS, "Scores", "macro-F1")
    assert "one: 0.500, interval 0.400 to 0.600, best constant 0.300; two: not known" in picture.alt
    said = words(picture)
    for text in ("0.500", "not known", "0.970", "best constant", "macro-F1", "Scores"):
        assert text in said
    lines = picture.figure.axes[0].lines
    assert any(list(line.get_xdata()) == [0.4, 0.6] for line in lines)
    assert any(list(line.get_xdata()) == [0.3] and line.get_marker() == "|" for line in lines)


def test_the_rows_of_a_forest_come_from_reports():
    one = report()
    (row,) = forest_rows([one])
    interval = one.intervals["micro_f1"]
    assert row == ForestRow("tiny, all rows", 6 / 8, (interval.low, interval.high), 8 / 12)
    (calm,) = forest_rows([report(undistorted=None)], "over_pathologising")
    assert (calm.value, calm.interval, calm.floor) == (None, None, None)


def test_class_bars_have_english_names_and_say_why_a_bar_is_missing():
    picture = class_bars(report(labels=[d.value for d in CANONICAL[:3]]))
    name = CANONICAL[0].name_in("en")
    assert f"{name} (2)" in words(picture)
    # first class: TP 1 FP 1 FN 1
    assert f"{name} (2): 0.500" in picture.alt
    assert "not carried" in words(picture)
    bare = class_bars(report(mask=None))
    assert "third (0): no gold label" in bare.alt


def test_a_heat_map_writes_its_numbers_and_marks_what_is_missing():
    picture = heat_map([[0.5, None], [0.25, 1.0]], ["a", "b"], ["c", "d"], "Grid", ".1f", "no run")
    assert "a: c 0.5, d no run; b: c 0.2, d 1.0" in picture.alt
    for text in ("0.5", "no run", "1.0", "Grid"):
        assert text in words(picture)
    counts = heat_map([[0, 1200]], ["a"], ["c", "d"], "Shared texts", ",.0f")
    assert "1,200" in words(counts)
    bare = heat_map([[None]], ["a"], ["b"], "Nothing")
    assert "–" in words(bare)
    assert bare.alt == "Heat map. Nothing. a: b not known."


def test_numbers_on_a_heat_map_can_be_read_on_dark_and_light():
    picture = heat_map([[0.0, 1.0]], ["a"], ["b", "c"], "Grid")
    inks = {text.get_text(): text.get_color() for text in picture.figure.axes[0].texts}
    assert inks == {"0.00": "#ffffff", "1.00": "#000000"}


def test_a_reliability_diagram_leaves_empty_bins_out():
    picture = DRAWN["reliability"]()
    assert picture.alt.count("(n = ") == 2
    assert "0.10 given, 0.00 gold (n = 8); 0.90 given, 1.00 gold (n = 4)" in picture.alt


def test_the_labels_of_each_corpus_add_up_to_a_hundred_percent():
    slug = Distortion.LABELING
    picture = label_distribution({"x": {slug.value: 3, "b": 1}, "y": {"b": 5}})
    assert f"x: {slug.name_in('en')} 75.0 %, b 25.0 %" in picture.alt
    # a label that a corpus cannot carry is no 0 %
    assert f"y: {slug.name_in('en')} not carried, b 100.0 %" in picture.alt
    assert "not carried" in words(picture)
    assert "x (4 labels)" in words(picture)


def test_nothing_to_draw_is_an_error():
    for call in (
        lambda: forest([]),
        lambda: heat_map([], [], [], "x"),
        lambda: reliability_diagram(reliability(np.zeros((0, 1)), np.zeros((0, 1)))),
        lambda: label_distribution({}),
    ):
        with pytest.raises(DataError, match="nothing to draw"):
            call()
    with pytest.raises(DataError, match="2 rows of 1"):
        heat_map([[1.0], [1.0, 2.0]], ["a", "b"], ["c"], "x")
    with pytest.raises(DataError, match="at most 8 corpora"):
        label_distribution({str(n): {"a": 1} for n in range(9)})
    with pytest.raises(DataError, match="each with labels"):
        label_distribution({"x": {"a": 0}})


def test_a_comparison_is_drawn_with_every_known_difference_and_its_signs():
    found = compare(
        [[1, 0], [0, 1], [1, 1], [0, 0]],
        [[1, 0], [0, 1], [1, 1], [0, 0]],
        [[0, 0], [0, 0], [0, 1], [1, 0]],
        ["a", "b", "c", "d"],
        np.random.default_rng(1),
        corpus="tiny",
        part="test",
        names=("one", "two"),
        command="none",
        resamples=50,
    )
    picture = difference_plot(found)
    # all right: micro-F1 1; of 4 labels the other hits 1 with 1 false: 2 / (2 + 1 + 3) = 1/3
    assert "Micro-F1 +0.667" in picture.alt or "micro-F1 +0.667" in picture.alt
    assert b"<svg" in picture.svg()
