"""A blind rating from replies to report, through every kind of file."""

import csv
import io
import json
import re
from importlib.util import find_spec

import pytest

from tests.tiny_corpora import write_lines
from untwist.data import read_xlsx, xlsx_bytes
from untwist.errors import ConfigError, DataError
from untwist.evaluate import check
from untwist.recipes import publish
from untwist.recipes.blind_sheets import KEY, RATERS, MakeBlind, make
from untwist.recipes.evaluate_blind import RATINGS, ReadBlind, read

SEEKERS = [
    {"labels": [], "risk": "none"},
    {"labels": ["labeling"], "intensity": "mild", "risk": "low"},
    {"labels": ["labeling"], "intensity": "severe", "risk": "low"},
]


def replies(tmp_path, system, count=24, **more):
    rows = [
        {"id": f"m{n}", "text": f"I failed again, {n} times.", "reply": f"A reply of {system}.",
         **SEEKERS[n % 3], **more}
        for n in range(count)
    ]  # fmt: skip
    return str(write_lines(tmp_path / f"{system}.jsonl", rows))


def round_of(tmp_path, **changes):
    files = (replies(tmp_path, "alpha"), replies(tmp_path, "beta"))
    given = {"rubrics": ("cognitive", "session"), "raters": ("ann", "bo"), **changes}
    return make(MakeBlind(out=str(tmp_path / "round"), files=files, **given))


def rows_of(path):
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def fill(path, key, score, kind="csv"):
    """Fill a sheet in: a score for each scale by system, item and rater."""
    rows = rows_of(path / RATERS / f"{score.rater}.csv")
    header = rows[0]
    for row in rows[1:]:
        about = key["codes"][row[0]]
        for at, scale in enumerate(header):
            if scale in key["scales"]:
                row[at] = str(score(about, scale))
    file = path / f"{score.rater}.{kind}"
    if kind == "csv":
        out = io.StringIO()
        csv.writer(out, delimiter=";").writerows(rows)
        file.write_text(out.getvalue(), encoding="utf-8")
    else:
        file.write_bytes(xlsx_bytes([[int(c) if c.isdigit() else c for c in r] for r in rows]))
    return str(file)


class Said:
    """A rater: alpha does better, and the worth of a message is its number."""

    def __init__(self, rater):
        self.rater = rater

    def __call__(self, about, scale):
        n = int(about["id"][1:])
        if scale in ("CogA", "BiaG") and about["seeker"] == "A":
            return "n/a"
        return 1 + n % 4 + (about["system"] == "alpha")


def key_of(path):
    return json.loads((path / KEY).read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _draws_nothing(monkeypatch):
    """Pictures take seconds: the one test that asks for them has them drawn."""
    monkeypatch.setattr(publish, "find_spec", lambda name: None)


def whole(tmp_path, raters=None, **more):
    raters = raters or (Said("ann"), Said("bo"))
    path, _ = round_of(tmp_path)
    key = key_of(path)
    sheets = tuple(
        fill(path, key, one, kind) for one, kind in zip(raters, ("csv", "xlsx"), strict=True)
    )
    config = ReadBlind(str(tmp_path / "run"), str(path), sheets, resamples=50, **more)
    out, metrics = read(config)
    check(json.loads((out / "metrics.json").read_text(encoding="utf-8")), "blind")
    return out, metrics


def test_nothing_that_is_handed_out_names_a_system(tmp_path):
    path, done = round_of(tmp_path)
    assert (done["messages"], done["replies"], done["masked"]) == (24, 48, 48)
    for file in (path / RATERS).iterdir():
        text = "\n".join(map(str, read_xlsx(file))) if file.suffix == ".xlsx" else file.read_text(
            encoding="utf-8")  # fmt: skip
        assert not re.search("alpha|beta", text)
        assert "A reply of […]." in text
    names = sorted(file.name for file in (path / RATERS).iterdir())
    assert names == ["ann.csv", "ann.html", "ann.xlsx", "bo.csv", "bo.html", "bo.xlsx"]


def test_both_kinds_of_sheets_come_back_and_agreement_stands_before_averages(tmp_path):
    path, metrics = whole(tmp_path)
    found = {one["scale"]: one for one in metrics["scales"]}
    assert found["EmoE"]["alpha"]["value"] == pytest.approx(1)
    assert found["EmoE"]["means"]["alpha"]["value"] == pytest.approx(3.5)
    assert found["EmoE"]["differences"][0]["difference"]["value"] == pytest.approx(1)
    # eight messages without a distortion, two systems, two raters
    assert found["CogA"]["unscored"] == 32
    assert found["CogA"]["means"]["alpha"]["n"] == 16
    report = (path / "report.md").read_text(encoding="utf-8")
    assert report.index("## Agreement") < report.index("## Averages")
    cells = {one["system"]: one["cells"] for one in metrics["seekers"]}
    assert "CogA" not in cells["alpha"]["A"]
    assert cells["alpha"]["B"]["CogA"]["n"] == 8


def test_seekers_and_systems_are_drawn_as_heat_maps(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(publish, "find_spec", find_spec)
    path, _ = whole(tmp_path)
    assert sorted(file.stem for file in path.glob("*.svg")) == ["seekers-1", "seekers-2", "systems"]
    assert "A no distortion: CogA n/a" in (path / "report.html").read_text(encoding="utf-8")


def test_ratings_are_left_for_a_judge_to_be_calibrated_by(tmp_path):
    path, _ = whole(tmp_path)
    rows = [json.loads(line) for line in (path / RATINGS).read_text("utf-8").splitlines()]
    assert len(rows) == 96
    assert rows[0]["kind"] == "person"
    assert {"id", "system", "rater", "scores", "group", "lang"} <= set(rows[0])


def test_without_agreement_there_is_no_average_anywhere(tmp_path):
    class Other(Said):
        def __call__(self, about, scale):
            return 1 + (int(about["id"][1:]) * 2 + (about["system"] == "alpha")) % 5

    path, metrics = whole(tmp_path, (Said("ann"), Other("bo")))
    assert all(one["means"] == {} for one in metrics["scales"] if one["scale"] == "EmoE")
    text = (path / "report.md").read_text(encoding="utf-8")
    assert "no better than chance" in text


def test_ratings_of_models_say_that_they_are(tmp_path):
    path, metrics = whole(tmp_path, kind="model")
    assert "nothing of what people would say" in (path / "report.md").read_text("utf-8")
    assert json.loads((path / RATINGS).read_text("utf-8").splitlines()[0])["kind"] == "model"
    assert metrics["kind"] == "model"


def test_a_wrong_cell_stops_the_reading_unless_it_is_to_go_on(tmp_path):
    class Wrong(Said):
        def __call__(self, about, scale):
            return 9 if about["id"] == "m1" and scale == "EmoE" else super().__call__(about, scale)

    with pytest.raises(DataError, match=r"ann: row \d+: EmoE is none of its values \(2 in all\)"):
        whole(tmp_path, (Wrong("ann"), Said("bo")))


def test_wrong_cells_are_counted_when_it_goes_on(tmp_path):
    class Wrong(Said):
        def __call__(self, about, scale):
            return 9 if about["id"] == "m1" and scale == "EmoE" else super().__call__(about, scale)

    _, metrics = whole(tmp_path, (Wrong("ann"), Said("bo")), keep_going=True)
    assert [len(one["faults"]) for one in metrics["raters"]] == [2, 0]
    assert {one["scale"]: one["rated"] for one in metrics["scales"]}["EmoE"] == 46


def test_a_page_saves_a_sheet_that_names_its_rater(tmp_path):
    path, _ = round_of(tmp_path, items=2)
    codes = list(key_of(path)["codes"])
    files = []
    for rater in ("ann", "bo"):
        lines = ['"rater","code","EmoE","comment"', f'"{rater}","{codes[0]}","4","\'=x"']
        file = path / f"download-{rater}.csv"
        file.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
        files.append(str(file))
    out = read(ReadBlind(str(tmp_path / "run"), str(path), tuple(files), resamples=10))[0]
    rows = [json.loads(line) for line in (out / RATINGS).read_text("utf-8").splitlines()]
    assert [(row["rater"], row["scores"], row["comment"]) for row in rows] == [
        ("ann", {"EmoE": 4}, "=x"), ("bo", {"EmoE": 4}, "=x"),
    ]  # fmt: skip


def test_a_rater_with_two_sheets_or_a_sheet_of_two_raters_is_refused(tmp_path):
    path, _ = round_of(tmp_path)
    sheet = path / RATERS / "ann.csv"
    twice = (str(sheet), str(sheet))
    with pytest.raises(DataError, match="ann is there with two sheets"):
        read(ReadBlind(str(tmp_path / "run"), str(path), twice))
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("rater,code,EmoE\nann,a,1\nbo,b,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="ratings of 2 raters"):
        read(ReadBlind(str(tmp_path / "run"), str(path), (str(mixed),)))


def test_only_messages_that_all_systems_answered_are_handed_out_and_the_rest_is_counted(tmp_path):
    files = (replies(tmp_path, "alpha", 10), replies(tmp_path, "beta", 4))
    config = MakeBlind(str(tmp_path / "round"), files, ("ann",), items=3)
    _, done = make(config)
    assert (done["messages"], done["replies"]) == (3, 6)
    assert done["left_out"]["not answered by every system"] == 6
    assert done["left_out"]["not in the sample"] == 2
    with pytest.raises(DataError, match="4 messages were answered by all of 2 systems"):
        make(MakeBlind(str(tmp_path / "other"), files, ("ann",), items=5))


def test_names_and_numbers_in_messages_are_taken_out(tmp_path):
    file = replies(tmp_path, "alpha", 3, text="Write to ann.lee@example.org about my failure.")
    path, _ = make(MakeBlind(str(tmp_path / "round"), (file,), ("r1",)))
    for name in ("r1.csv", "r1.html"):
        assert "example.org" not in (path / RATERS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"raters": ("../x",)}, "cannot name a file"),
        ({"raters": ("Ann", "ann")}, "two raters have one name"),
        ({"rubrics": ("none",)}, "name rubrics out of"),
        ({"rubrics": ("change", "triple", "change")}, "a scale of one name"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path, changes, says):
    with pytest.raises(ConfigError, match=says):
        round_of(tmp_path, **changes)
    assert not (tmp_path / "round").exists()


def test_a_folder_without_its_key_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds the key"):
        read(ReadBlind(str(tmp_path / "run"), str(tmp_path), ("a.csv",)))
    (tmp_path / KEY).write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="no key of a blind rating"):
        read(ReadBlind(str(tmp_path / "run"), str(tmp_path), ("a.csv",)))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"code", "give a CSV or XLSX file"),
        ("a.csv", "code,评".encode("gb18030"), "not UTF-8"),
        ("a.csv", b"message\nhm\n", "needs the column"),
        ("none.csv", None, "cannot read"),
    ],
)
def test_a_sheet_that_is_none_is_refused_with_what_to_do(tmp_path, name, content, says):
    path, _ = round_of(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        read(ReadBlind(str(tmp_path / "run"), str(path), (str(tmp_path / name),)))
