import pytest

from tests.recipes.tiny import metrics_of, row, text_of, write_own
from untwist.errors import ConfigError, DataError
from untwist.recipes.data_overlap import DataOverlap, run
from untwist.taxonomy import Distortion

D = Distortion
LONG = "Yesterday my neighbour said that the red bicycle in the yard belongs to nobody at all"
FIRST = [
    row("1", "I am a failure", "train", D.LABELING),
    row("2", "I am a failure", "test", D.BLAMING),
    row("3", f"{LONG}, and so I was sad the whole evening and could not sleep", "train"),
    row("4", "Apples and pears", "test"),
]
SECOND = [
    row("1", "I AM a failure!", "train", D.LABELING),
    row("2", LONG, "train"),
    row("9", "Nothing in common", "test"),
]


@pytest.fixture
def overlap(tmp_path, no_pictures):
    def go(name="run", **changes):
        files = (
            write_own(tmp_path, FIRST, "first.jsonl"),
            write_own(tmp_path, SECOND, "second.jsonl"),
        )
        options = {"out": str(tmp_path / name), "corpora": files}
        return run(DataOverlap(**(options | changes)))

    return go


def test_whole_corpora_are_compared_and_every_kind_of_leak_is_counted(overlap):
    path, report = overlap()
    assert report.parts == ("first", "second")
    there, back = report.leak("first", "second"), report.leak("second", "first")
    assert (there.exact, there.near, there.contained, there.leaked) == (0, 2, 0, 2)
    # of the second the excerpt is contained in the first, which is longer
    assert (back.exact, back.near, back.contained, back.leaked) == (0, 1, 1, 2)
    found = text_of(path)
    assert "2 of 2 ordered pairs of parts share something" in found
    assert "| second | 3 | first | 0 | 1 | 1 |" in found
    # within the first: one text twice, with two labels
    assert "| first | 4 | 1 | 2 | 1 | 1 | 2 | 1 |" in found


def test_parts_of_a_split_are_compared_and_the_grouped_split_leaks_nothing(overlap):
    _, published = overlap("published", by="published")
    names = ("train", "validation", "test")
    assert sorted(published.parts) == sorted(f"{c}/{p}" for c in ("first", "second") for p in names)
    # the text that stands twice, in test and in train or the validation part that is cut from it
    twice = [published.leak("first/test", f"first/{part}").exact for part in names[:2]]
    assert sorted(twice) == [0, 1]
    _, grouped = overlap("grouped", by="grouped")
    own = [one for one in grouped.between if one.part.split("/")[0] == one.other.split("/")[0]]
    assert own
    assert [one.leaked for one in own] == [0] * len(own)


def test_the_run_folder_has_ids_and_counts_and_never_a_text(overlap):
    path, _ = overlap()
    metrics = metrics_of(path)
    (leak,) = [one for one in metrics["between"] if one["part"] == "second"]
    assert ["2", "3", "contained", 1.0] in leak["pairs"]
    for file in path.iterdir():
        shown = file.read_text(encoding="utf-8")
        assert "failure" not in shown
        assert "neighbour" not in shown


def test_pairs_can_be_cut_and_their_number_stays(overlap):
    path, _ = overlap("few", pairs=0)
    (leak,) = [one for one in metrics_of(path)["between"] if one["part"] == "second"]
    assert (leak["pairs"], leak["pair_count"]) == ([], 3)


def test_a_heat_map_shows_the_shares(tmp_path):
    files = (
        write_own(tmp_path, FIRST, "first.jsonl"),
        write_own(tmp_path, SECOND, "second.jsonl"),
    )
    path, _ = run(DataOverlap(str(tmp_path / "run"), files))
    assert {f.name for f in path.iterdir()} >= {"overlap.svg", "overlap.png"}
    # two of three rows of the second, and two of four of the first
    assert "second: first 67, second –" in text_of(path).replace("not known", "–")
    one, _ = run(DataOverlap(str(tmp_path / "one"), files[:1]))
    assert not (one / "overlap.svg").exists()


def test_a_corpus_that_is_named_twice_is_refused(overlap, tmp_path):
    file = write_own(tmp_path, FIRST, "first.jsonl")
    with pytest.raises(DataError, match='"first" is there already'):
        overlap(corpora=(file, file))
    assert not (tmp_path / "run").exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="not empty"):
        overlap("used")


def test_refused_rows_are_counted(overlap, tmp_path):
    file = write_own(tmp_path, [*FIRST, {"id": "1", "text": "again"}], "third.jsonl")
    path, _ = overlap(corpora=(file,))
    assert metrics_of(path)["refused"]["count"] == 1
    assert "1 rows refused" in text_of(path)
