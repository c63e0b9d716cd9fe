import pytest

from tests.recipes.tiny import text_of
from untwist.evaluate import Table, heat_map
from untwist.recipes.data_overlap import DataOverlap
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import open_run

TABLE = Table("Counts", ("corpus", "rows"), (("one", "1"), ("two", "2")), "A note.")


def chapters(drawn):
    def draw():
        drawn.append("drawn")
        return heat_map([[0.5]], ["one"], ["two"], "A grid [of one]")

    return [
        Chapter("First", ("Some words.",), (TABLE,), (Drawing("grid", "A caption.", draw),)),
        Chapter("Second", ("No picture here.",)),
    ]


@pytest.fixture
def folder(tmp_path):
    return open_run(tmp_path / "run", DataOverlap("out", ("open",)), 42, [])


def publish_it(folder, made):
    return publish(folder, "A title", made, protocol="Counted by hand.", command="untwist x")


def test_without_matplotlib_both_reports_say_so_and_nothing_is_drawn(folder, no_pictures):
    drawn = []
    assert publish_it(folder, chapters(drawn)) == ()
    assert drawn == []
    assert {f.suffix for f in folder.path.iterdir()} == {".toml", ".json", ".md", ".html"}
    report, page = text_of(folder.path), text_of(folder.path, "report.html")
    assert "No pictures were drawn" in report
    assert 'pip install "untwist[eval]"' in report
    # in the chapter that lacks its picture, and not in the other
    assert page.count("No pictures were drawn") == 1
    assert page.index("No pictures were drawn") < page.index("No picture here.")
    assert "grid.svg" not in report


def test_a_report_that_wants_no_picture_does_not_speak_of_them(folder, no_pictures):
    publish_it(folder, chapters([])[1:])
    assert "No pictures were drawn" not in text_of(folder.path)
    assert "No pictures were drawn" not in text_of(folder.path, "report.html")


def test_the_report_holds_words_tables_pictures_protocol_and_command_in_order(folder):
    drawn = []
    names = publish_it(folder, chapters(drawn))
    assert sorted(names) == ["grid.png", "grid.svg"]
    assert all((folder.path / name).stat().st_size > 100 for name in names)
    assert drawn == ["drawn"]
    report = text_of(folder.path)
    places = [
        report.index(part)
        for part in (
            "# A title",
            "Command: `untwist x`",
            "## First",
            "Some words.",
            "### Counts",
            "| two | 2 |",
            "A note.",
            "![",
            "](grid.svg)",
            "A caption.",
            "## Second",
            "No picture here.",
            "## Protocol",
            "Counted by hand.",
        )
    ]
    assert places == sorted(places)
    # square brackets would end the alt text
    assert "A grid (of one)" in report
    assert "No pictures" not in report


def test_the_page_is_whole_in_itself(folder):
    publish_it(folder, chapters([]))
    page = text_of(folder.path, "report.html")
    for part in ("A title", "Some words.", "A caption.", "Counted by hand.", "untwist x"):
        assert part in page
    assert "<svg" in page or "data:image/" in page
    assert 'src="http' not in page
    assert "<script" not in page
    assert 'src="grid' not in page
