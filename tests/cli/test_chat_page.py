import json

from untwist.respond import worksheet_from

THOUGHT = "My boss ignored me, so he must hate my work"


def talk(*lines):
    return "".join(f"{line}\n" for line in lines)


def test_the_page_is_shown_as_far_as_it_has_come_and_nothing_is_stored(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run("chat", stdin=talk(THOUGHT, "In the corridor, this morning", "/page", "/quit"))
    assert shown.code == 0
    assert "# Thought record" in shown.out or "# Small experiment" in shown.out
    assert "In the corridor, this morning" in shown.out.split("\n# ")[1]
    assert shown.out.rstrip().endswith("Nothing was stored.")
    assert list(tmp_path.iterdir()) == []


def test_an_untouched_page_says_so(run):
    assert "Nothing has been filled in yet." in run("chat", stdin=talk("/page", "/quit")).out


def test_a_page_is_kept_where_the_person_says_and_the_farewell_tells(run, tmp_path):
    path = tmp_path / "my pages.jsonl"
    lines = (THOUGHT, "In the corridor, this morning", f"/page {path}", f"/page {path}", "/quit")
    shown = run("chat", stdin=talk(*lines))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2"]
    assert worksheet_from(rows[0]).situation == "In the corridor, this morning"
    assert str(path) in shown.out
    assert shown.out.rstrip().endswith("Only the page that you kept was stored.")
    assert "Nothing was stored." not in shown.out


def test_a_page_never_overwrites_a_file_that_holds_something_else(run, tmp_path):
    path = tmp_path / "diary.txt"
    path.write_text("dear diary\n", encoding="utf-8")
    shown = run("chat", stdin=talk(THOUGHT, f"/page {path}", "/quit"))
    assert path.read_text(encoding="utf-8") == "dear diary\n"
    assert f"{path}:1: " in shown.out
    assert shown.out.rstrip().endswith("Nothing was stored.")


def test_a_folder_that_is_not_there_is_told_and_the_talk_goes_on(run, tmp_path):
    path = tmp_path / "none" / "page.jsonl"
    shown = run("chat", stdin=talk(THOUGHT, f"/page {path}", "hello again", "/quit"))
    assert shown.code == 0
    assert "cannot write" in shown.out


def test_the_page_is_in_the_language_of_the_talk(run):
    shown = run("chat", stdin=talk("老板没理我，他肯定讨厌我", "/page", "/quit"))
    assert "这一页的内容都是本人写的" in shown.out
    assert "/page 文件名" in run("chat", stdin=talk("我很难过", "/help", "/quit")).out
