"""Worksheets on the pages: every kind, every field, conflicts, files, danger in what is written."""

import io
import re

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("pypdf")
import pypdf

from tests.serve.browsing import Person
from untwist.errors import StoreError
from untwist.respond import WORKSHEETS, ThoughtRecord, open_labels
from untwist.safety import lines
from untwist.serve.web.forms import RATINGS
from untwist.serve.web.pdf import worksheet_pdf

pytestmark = pytest.mark.serve
DANGER = "I want to kill myself tonight"
FILLED = {
    "situation": "Monday, in class",
    "automatic_thought": "I am a failure",
    "belief_before": "80",
    "distortion": "labeling",
}


@pytest.fixture
def person(server):
    somebody = Person(server)
    somebody.talk = somebody.begin()
    return somebody


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return len(pages), "".join(page.extract_text() for page in pages)


def test_whoever_has_nothing_here_is_led_to_the_start(server):
    stranger = Person(server)
    for path in ("/record", "/record/new", "/history", "/trends", "/plan", "/questionnaire"):
        answer = stranger.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("kind", WORKSHEETS)
def test_every_kind_can_be_kept_empty_and_filled_later(person, kind):
    name = person.write(kind)
    form = person.get(f"/record/{name}/edit")
    for column in WORKSHEETS[kind].columns:
        assert f'id="f-{column}"' in form
    plain = [c for c in WORKSHEETS[kind].columns if c not in ("distortion", "factors", *RATINGS)]
    values = dict.fromkeys(plain, "words of mine")
    page = person.post(f"/record/{name}", version="1", **values)
    assert page.count("words of mine") >= 2


def test_a_record_is_shown_as_it_was_written_and_can_be_emptied_again(person):
    name = person.write(**FILLED)
    page = person.get(f"/record/{name}")
    assert "I am a failure" in page
    assert "Labeling: " in page
    page = person.post(f"/record/{name}", version="1", situation="", automatic_thought="so so")
    assert "Monday, in class" in page.split("What was changed when")[1]
    assert "Monday, in class" not in page.split("What was changed when")[0]
    assert "so so" in page


def test_a_rating_that_is_none_keeps_the_form_with_all_that_was_typed(person):
    page = person.post(
        "/record", 422, kind="thought_record", situation="at home", belief_before="very much"
    )
    assert "at home" in page
    assert 'value="very much"' in page
    assert 'aria-invalid="true"' in page
    assert person.get("/record").count("/record/new") == 5, "nothing was kept"


def test_slices_of_a_pie_are_kept_and_a_wrong_one_is_named(person):
    name = person.write("responsibility_pie", factor=["timing, luck", "me"], percent=["20", "30"])
    page = person.get(f"/record/{name}")
    assert "timing, luck 20" in page
    wrong = person.post(
        f"/record/{name}", 422, version="1", factor=["timing, luck"], percent=["many"]
    )
    assert "A slice needs a name" in wrong


def test_two_windows_do_not_overwrite_each_other(person):
    name = person.write(**FILLED)
    person.post(f"/record/{name}", version="1", situation="from the other window")
    page = person.post(f"/record/{name}", 409, version="1", situation="from this window")
    assert "from this window" in page
    assert "from the other window" in page
    assert 'name="version" value="2"' in page
    page = person.post(f"/record/{name}", version="2", situation="from this window")
    assert "from this window" in page


def test_a_conversation_fills_a_record_and_what_was_changed_by_hand_stays(person):
    page = person.post(f"/talk/{person.talk}/record")
    name = re.search(r'action="/record/([^/"]+)/refill"', page)[1]
    assert f"/record/{name}/" in person.post(f"/talk/{person.talk}/record"), "there is one of it"
    person.post(f"/record/{name}", version="1", situation="changed by hand")
    person.post(f"/talk/{person.talk}", text="Sad, maybe 70", key="")
    page = person.post(f"/record/{name}/refill")
    assert "changed by hand" in page


def test_notes_of_a_conversation_can_be_changed_one_by_one_and_emptied(server, person):
    notes = [{"field": "act", "text": f"note {n}"} for n in range(3)]
    body = {"sheet": {"worksheet": "thought_record", "notes": notes}}
    record = server.store.add_record(person.name, "worksheet", body).result()
    person.post(
        f"/record/{record.id}",
        version="1",
        note_field=["act", "act", "act"],
        note=["note 0", "", "note 2, changed"],
    )
    kept = server.store.record(person.name, record.id).result().body["sheet"]["notes"]
    assert [one["text"] for one in kept] == ["note 0", "note 2, changed"]


def test_files_hold_what_was_written(person):
    name = person.write(**FILLED, evidence_for="=1+1")
    assert "# Thought record" in person.get(f"/record/{name}/file.md")
    row = person.get(f"/record/{name}/file.csv")
    assert "'=1+1" in row
    assert row == person.get("/record/all.csv").replace("\r", "")
    person.get(f"/record/{name}/file.pdf?paper=Letter")
    assert person.last.headers["content-type"] == "application/pdf"
    assert 'filename="thought_record.pdf"' in person.last.headers["content-disposition"]
    pages, text = text_of(person.last.content)
    assert pages == 1
    assert "I am a failure" in text


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("locale", ["en", "zh", "zh-Hant"])
def test_a_full_record_fits_on_one_sheet_in_every_language(paper, locale):
    said = {"en": "It was late and nobody had answered. ", "zh": "那天很晚了，没有人回我。"}
    words = said["en" if locale == "en" else "zh"] * 12
    texts = {c: words for c in ThoughtRecord.columns if c not in (*RATINGS, "distortion")}
    full = ThoughtRecord(**texts, belief_before=80, belief_after=40)
    pages, text = text_of(worksheet_pdf(full, locale, paper, 1_800_000_000))
    assert pages == 1
    assert open_labels(locale).of("balanced_thought").name in text
    assert words[:6].strip() in text.replace("\n", "")


def test_what_does_not_fit_in_the_smallest_type_goes_on_and_nothing_is_cut():
    long = ThoughtRecord(situation="word " * 1000, evidence_for="字" * 5000, small_step="the end")
    pages, text = text_of(worksheet_pdf(long, "en", "A4", 1_800_000_000))
    assert pages > 1
    assert "the end" in text
    assert text.count("字") == 5000


def test_characters_that_no_font_has_are_boxes_and_come_into_no_log(caplog):
    made = worksheet_pdf(ThoughtRecord(situation="喆 😀 \u202e ok"), "zh", "A4", 1_800_000_000)
    assert "喆 □  ok" in text_of(made)[1]
    assert "😀" not in caplog.text


def test_the_plan_is_one_has_the_lines_of_help_and_names_no_danger_as_news(person):
    assert "/record/new?kind=safety_steps" in person.get("/plan")
    name = person.write("safety_steps", coping="Take a walk", warning_signs=DANGER)
    page = person.get("/plan")
    assert "Take a walk" in page
    assert "findahelpline.com" in page
    answer = person.client.get("/record/new?kind=safety_steps", follow_redirects=False)
    assert answer.headers["location"] == f"/record/{name}/edit"
    person.post("/region", region="US", back="/plan")
    person.get(f"/record/{name}/file.pdf")
    assert "988" in text_of(person.last.content)[1]
    assert lines("US")[0].contact in person.get(f"/record/{name}/file.md")


def test_danger_in_a_record_opens_the_safety_path_and_the_record_is_kept(server, person):
    page = person.post("/record", kind="thought_record", automatic_thought=DANGER)
    assert str(person.last.url.path).startswith("/talk/")
    assert 'class="it crisis"' in page or "pending" in page
    assert DANGER in person.get("/record")
    levels = [one.facts["level"] for one in server.store.trail().result() if one.kind == "safety"]
    assert levels[-1] == "high"


def test_what_was_heard_before_is_not_heard_as_new_danger(person):
    person.post("/record", kind="thought_record", automatic_thought=DANGER)
    name = re.search(r'href="/record/([\w-]{16,})"', person.get("/record"))[1]
    page = person.post(f"/record/{name}", version="1", small_step="call my sister")
    assert "call my sister" in page
    assert person.last.url.path == f"/record/{name}"


def test_danger_in_the_plan_shows_who_is_there(person):
    page = person.post("/record", kind="safety_steps", reasons=DANGER)
    assert "People are there for you now" in page


def test_an_error_of_hearing_counts_as_danger_and_never_as_none(server, person, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    detector = server.app.state.untwist.engine.detector
    monkeypatch.setattr(type(detector), "detect", broken)
    page = person.post("/record", kind="thought_record", situation="a quiet day")
    assert "People are there for you now" in page


def test_a_deleted_record_leaves_nothing(server, person, tmp_path):
    name = person.write(situation="canary-4711")
    person.post(f"/record/{name}/delete")
    person.get(f"/record/{name}", 404)
    assert not any(b"canary-4711" in file.read_bytes() for file in tmp_path.iterdir())


def test_records_of_others_and_other_things_are_not_there(server, person):
    name = person.write(**FILLED)
    other = Person(server)
    other.begin()
    for path in ("", "/edit", "/file.md", "/file.csv", "/file.pdf"):
        other.get(f"/record/{name}{path}", 404)
    for path in ("", "/refill", "/delete"):
        other.post(f"/record/{name}{path}", 404)
    person.post("/learn/own", name="mine")
    own = re.search(r"/learn/own/([^/]+)/delete", person.get("/learn"))[1]
    person.get(f"/record/{own}", 404)
    person.get("/record/new?kind=nothing", 404)
    person.post("/record", 422, kind="nothing")


def test_a_form_without_the_token_of_the_page_changes_nothing(person):
    answer = person.client.post("/record", data={"kind": "thought_record", "situation": "x"})
    assert answer.status_code == 403


def test_a_store_that_fails_is_said_with_help(server, person, monkeypatch):
    def full(*_, **__):
        raise StoreError("the disk is full", "full")

    monkeypatch.setattr(type(server.store), "add_record", full)
    page = person.post("/record", 507, kind="thought_record", situation="x")
    assert 'id="help"' in page
