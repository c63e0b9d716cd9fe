"""History, trends, questionnaires, sharing: what each page shows, and to whom."""

import re
import xml.etree.ElementTree as ET
from html import unescape

import pytest

pytest.importorskip("fastapi")
from tests.serve.browsing import Person
from untwist.errors import StoreError
from untwist.respond import Instrument
from untwist.serve.answers import bands
from untwist.serve.web import charts
from untwist.text import LOCALES

pytestmark = pytest.mark.serve
SVG = re.compile(r"<svg.*?</svg>", re.S)
RATED = {"belief_before": "80", "belief_after": "40", "emotion_before": "70"}


@pytest.fixture
def person(server):
    somebody = Person(server)
    somebody.talk = somebody.begin()
    return somebody


def answers(*given):
    return {f"q{place}": str(one) for place, one in enumerate(given, 1) if one is not None}


# --- history ------------------------------------------------------------------------------------


def test_history_finds_words_without_an_address_that_holds_them(person):
    person.post("/begin", text="My sister laughed at me", key="")
    page = person.post("/history", words="SISTER")
    assert person.last.url.path == "/history"
    assert not person.last.url.query
    assert "My sister laughed at me" in page
    assert "I failed one exam" not in page
    assert "Nothing was found" in person.post("/history", words="zebra")
    assert "I failed one exam" in person.post("/history", words=" ")


def test_a_deleted_conversation_is_gone_and_its_record_stays(person, tmp_path):
    person.post("/begin", text="canary-0815 went wrong", key="")
    talk = person.last.url.path
    person.post(f"{talk}/record")
    record = person.last.url.path
    person.post(f"{talk}/delete")
    person.get(talk, 404)
    assert "canary-0815" not in person.get("/history")
    assert "/refill" not in person.get(record)
    person.post(f"{record}/delete")
    assert not any(b"canary-0815" in file.read_bytes() for file in tmp_path.iterdir())


def test_history_goes_on_on_further_pages(server, person, clock):
    for n in range(65):
        clock.now += 1
        server.store.new_conversation(person.name, {"title": f"number {n}."}).result()
    first = person.get("/history")
    assert "number 64." in first
    assert "number 34." not in first
    second = person.get(re.search(r'href="(/history\?before=[^"]+)"', first)[1])
    assert "number 34." in second


def test_conversations_of_others_cannot_be_deleted_or_read(server, person):
    other = Person(server)
    other.begin()
    other.post(f"/talk/{person.talk}/delete", 404)
    other.post(f"/talk/{person.talk}/record", 404)
    person.get(f"/talk/{person.talk}")


# --- trends -------------------------------------------------------------------------------------


def test_trends_draw_what_there_is_beside_a_table_that_says_the_same(person):
    assert "Patterns heard" in person.get("/trends")
    person.write(**RATED)
    person.post("/questionnaire/gad-7", **answers(1, 1, 1, 1, 1, 1, 0))
    page = person.get("/trends")
    drawn = [ET.fromstring(one) for one in SVG.findall(page)]
    labelled = [one for one in drawn if one.get("role") == "img"]
    assert len(labelled) == 3
    assert all(one.get("aria-label") for one in labelled)
    assert all(one.get("aria-hidden") for one in drawn if one not in labelled)
    assert "<td>80</td><td>40</td>" in page
    assert "<td>70</td><td>–</td>" in page
    assert "<td>6</td><td>mild</td>" in page
    assert "style=" not in page


def test_a_rejected_label_is_not_counted(person):
    page = person.get("/trends")
    count = page.count("bar-chart")
    talk = person.get(f"/talk/{person.talk}")
    turn = re.search(r"/turn/([\w-]+)/opinion", talk)[1]
    label = re.search(r'name="distortion" value="(\w+)"', talk)[1]
    person.post(f"/turn/{turn}/opinion", distortion=label, opinion="reject")
    assert person.get("/trends").count("bar-chart") == count - 1


@pytest.mark.parametrize("instrument", Instrument)
def test_bands_cover_every_sum_once(instrument):
    found = bands(instrument)
    assert found[0].low == 0
    assert [one.low for one in found[1:]] == [one.high + 1 for one in found[:-1]]
    assert found[-1].high == {"phq-9": 27, "gad-7": 21}[instrument.value]


@pytest.mark.parametrize("value", [0, 1, 27])
def test_a_point_stands_on_its_band(value):
    rows = [("low", 0, 9), ("high", 10, 27)]
    drawn = ET.fromstring(charts.scores([charts.Point("today", value)], rows, 27, "t", "a"))
    shapes = {one.tag: one for one in drawn}
    y = float(shapes["circle"].get("cy"))
    band = [one for one in drawn if one.tag == "rect"][value >= 10]
    top = float(band.get("y"))
    assert top - 0.1 <= y <= top + float(band.get("height")) + 0.1


def test_text_in_a_chart_cannot_become_markup():
    drawn = charts.pairs([charts.Pair("<b>", 1, 2)], '"><script>', "&")
    assert "<script>" not in drawn
    ET.fromstring(drawn)


# --- questionnaires -----------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("name", "count"), [("phq-9", 9), ("gad-7", 7)])
def test_every_question_can_be_left_out(server, name, count, locale):
    person = Person(server)
    person.begin()
    person.post("/language", locale=locale)
    assert person.get(f"/questionnaire/{name}").count("<fieldset>") == count + 1
    person.post(f"/questionnaire/{name}")
    assert person.last.url.path.startswith("/answers/")
    assert person.last.text.count("<td>–</td>") == count


def test_answers_are_kept_item_by_item_with_what_the_sum_says(person):
    page = person.post("/questionnaire/phq-9", **answers(1, 2, 3, 0, 1, 2, 3, 0, 0))
    assert "Sum: 12 of 27." in page
    assert "moderate" in page
    assert "no diagnosis" in page
    assert "Nearly every day" in page
    assert "12" in person.get("/questionnaire")
    name = person.get("/questionnaire").split("/answers/")[1].split('"')[0]
    person.post(f"/answers/{name}/delete")
    person.get(f"/answers/{name}", 404)


@pytest.mark.parametrize("locale", LOCALES)
def test_item_nine_above_zero_opens_the_safety_path_at_once(server, locale):
    person = Person(server)
    person.begin()
    person.post("/language", locale=locale)
    page = person.post("/questionnaire/phq-9", **answers(0, 0, 0, 0, 0, 0, 0, 0, 1))
    assert person.last.url.path.startswith("/talk/")
    assert 'class="it crisis"' in page
    assert "findahelpline.com" in page
    entry = server.store.trail().result()[-1]
    assert (entry.kind, entry.facts["level"]) == ("safety", "high")
    again = person.post(person.last.url.path, text="ok then" if locale == "en" else "好吧", key="")
    assert len(re.findall(r'id="t\d"', again)) == 2, "the conversation goes on"
    found = server.store.records(person.name, "questionnaire").result()
    assert found[0].body["answers"] == [0] * 8 + [1]


def test_item_nine_is_answered_when_nothing_can_be_kept(server, person, monkeypatch):
    def full(*_, **__):
        raise StoreError("the disk is full", "full")

    monkeypatch.setattr(type(server.store), "new_conversation", full)
    page = person.post("/questionnaire/phq-9", 507, **answers(0, 0, 0, 0, 0, 0, 0, 0, 3))
    assert "Have you had thoughts of taking your own life?" in page


def test_questionnaires_over_the_api(server):
    client = server
    key = client.post("/api/people", json={"region": "US"}).json()["key"]
    head = {"authorization": f"Bearer {key}"}
    assert [one["name"] for one in client.get("/api/questionnaires").json()] == ["phq-9", "gad-7"]
    assert client.get("/api/questionnaires/gad-7?locale=zh").json()["title"].startswith("GAD-7")
    assert client.get("/api/questionnaires/bdi").status_code == 422
    calm = {"answers": [0, 1, None, 0, 0, 0, 0]}
    kept = client.post("/api/questionnaires/gad-7", json=calm, headers=head).json()
    assert (kept["safety"], kept["session"]) == (None, None)
    assert kept["body"]["missing"] == [3]
    danger = {"answers": [0] * 8 + [2]}
    kept = client.post("/api/questionnaires/phq-9", json=danger, headers=head).json()
    assert "988" in kept["safety"]
    log = client.get(f"/api/sessions/{kept['session']}", headers=head).json()["log"]
    assert log[0]["decision"]["level"] == "high"
    assert log[0]["turn"]["reply"]["text"] == kept["safety"]
    for wrong in ([0] * 7, [0] * 10, [4] * 9, ["1"] * 9):
        sent = client.post("/api/questionnaires/phq-9", json={"answers": wrong}, headers=head)
        assert sent.status_code == 422
    assert len(client.get("/api/answers", headers=head).json()) == 2
    gone = client.delete(f"/api/answers/{kept['id']}", headers=head)
    assert gone.status_code == 204
    assert len(client.get("/api/answers", headers=head).json()) == 1
    assert client.get("/api/answers").status_code == 401


# --- sharing ------------------------------------------------------------------------------------


@pytest.fixture
def looking(server, person):
    """A clinician with an invitation to records and questionnaires."""
    person.write(situation="shared words", **RATED)
    person.write("safety_steps", coping="private plan")
    person.post("/questionnaire/gad-7", **answers(3, 3, 3, 3, 3, 3, 3))
    clinician = Person(server)
    code = person.invite("worksheets", "questionnaires")
    clinician.page = clinician.post("/clinician", invitation=code)
    clinician.share = clinician.last.url.path
    clinician.code = code
    return clinician


def test_a_clinician_sees_what_is_shared_item_by_item_and_nothing_else(looking):
    page = looking.get(looking.share)
    assert "shared words" in page
    assert "-40" in page
    assert page.count("Nearly every day") == 7
    assert "What was changed when" in page
    assert "private plan" not in page
    assert "I failed one exam" not in page
    assert looking.get("/clinician").count("Dr. Li") == 1


def test_an_invitation_works_once_and_a_wrong_one_not_at_all(server, looking):
    other = Person(server)
    assert "no such invitation" in other.post("/clinician", 404, invitation=looking.code)
    assert "no such invitation" in other.post("/clinician", 404, invitation="x")
    other.get(looking.share, 404)


def test_a_withdrawn_share_is_over_at_once(person, looking):
    grant = looking.share.removeprefix("/clinician/")
    person.post(f"/share/{grant}/end")
    looking.get(looking.share, 404)
    assert "Nobody shares" in looking.get("/clinician")
    looking.post(f"{looking.share}/propose", 404, what="worksheet:experiment")


def test_every_look_is_noted_once(server, looking):
    def looks():
        return sum(one.kind == "read" for one in server.store.trail().result())

    before = looks()
    looking.get(looking.share)
    assert looks() == before + 1


def test_what_is_proposed_can_be_done_or_left(person, looking):
    looking.post(f"{looking.share}/propose", what="questionnaire:phq-9", note="before Friday")
    looking.post(f"{looking.share}/propose", what="worksheet:experiment")
    page = person.get("/")
    assert "before Friday" in page
    assert "Small experiment" in page
    task = re.search(r'href="(/questionnaire/phq-9\?task=[\w-]+)"', page)[1]
    person.get(task)
    person.post("/questionnaire/phq-9", task=task.split("=")[1])
    left = re.search(r'action="(/task/[\w-]+/leave)"', person.get("/"))[1]
    assert "Proposed to you" not in person.post(left)
    page = looking.get(looking.share)
    assert "· done" in page
    assert "· left" in page
    looking.post(f"{looking.share}/propose", 422, what="worksheet:nothing")
    looking.post(f"{looking.share}/propose", 422, what="conversation:x")


def test_a_clinician_changes_nothing_of_a_person(person, looking):
    name = person.write(situation="mine")
    for path in (f"/record/{name}", f"/talk/{person.talk}"):
        looking.get(path, 404)
    for path in (f"/record/{name}", f"/record/{name}/delete", f"/talk/{person.talk}/delete"):
        assert looking.client.post(path, data={"csrf": looking.csrf}).status_code in (401, 404)
    assert looking.client.get("/", follow_redirects=False).headers["location"] == "/clinician"
    page = looking.post("/begin", 409, text="hello")
    assert 'id="help"' in page


def test_a_person_who_takes_an_invitation_keeps_their_own_things(server, person, looking):
    other = Person(server)
    other.begin()
    code = person.invite("worksheets")
    assert "another browser" in other.post("/clinician", 409, invitation=code)
    other.get("/history")


def test_conversations_are_shown_only_when_they_are_shared(server, person):
    clinician = Person(server)
    page = clinician.post("/clinician", invitation=person.invite("conversations", "ratings"))
    assert "I failed one exam" in page
    assert "Propose" not in page.split("</nav>")[1].split("<footer>")[0].replace("Proposed", "")


# --- all pages ----------------------------------------------------------------------------------


def test_what_is_not_there_is_said_as_a_page_to_people_and_as_json_to_programs(server, person):
    assert 'id="help"' in person.get("/nowhere", 404)
    assert 'id="help"' in person.get("/history?before=soon", 422)
    assert 'id="help"' in person.get("/begin", 405)
    assert server.get("/nowhere").json()["error"]["code"] == "not_found"
    assert person.client.get("/api/nowhere").json()["error"]["code"] == "not_found"


def test_every_page_has_help_leave_and_a_strict_policy(person):
    name = person.write(**RATED)
    paths = ["/", f"/talk/{person.talk}", "/record", "/record/new", f"/record/{name}"]
    paths += [f"/record/{name}/edit", "/history", "/trends", "/learn", "/learn/labeling", "/plan"]
    paths += ["/settings", "/questionnaire", "/questionnaire/phq-9", "/clinician", "/protocol"]
    for path in [*paths, "/help"]:
        page = person.get(path)
        policy = person.last.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert person.last.headers["cache-control"] == "no-store"
        assert 'data-open="help"' in page
        assert '<noscript><a class="help-now" href="/help"' in page
        assert "data-away" in page
        assert "findahelpline.com" in page
        assert page.count("<h1") == 1, path
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page), path
        assert not re.search(r"<script(?![^>]*src=)", page), path
        outside = re.findall(r'(?:src|href|action)="(https?://[^"]+)"', page)
        assert set(outside) <= {"https://findahelpline.com"}, path


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_every_text(locale):
    from untwist.serve.web.render import texts

    assert list(texts(locale)) == list(texts("en"))
    assert all(texts(locale)[key] or key == "gap" for key in texts("en"))


# --- the thought in view --------------------------------------------------------------------------


def pinned(page):
    found = re.search(r'<q id="thought"[^>]*>([^<]*)</q>', page)
    return unescape(found[1]) if found else None


def test_the_thought_is_in_view_from_the_first_message_on(server):
    somebody = Person(server)
    somebody.post("/begin", text="My boss said nothing this morning", key="")
    assert pinned(somebody.last.text) == "My boss said nothing this morning"
    somebody.post("/begin", text="My boss didn't say hello, so she must hate me", key="")
    assert "she must hate me" in pinned(somebody.last.text)


def test_what_speaks_of_danger_is_not_put_before_anybodys_eyes(server):
    somebody = Person(server)
    somebody.post("/begin", text="I want to die tonight", key="")
    assert not pinned(somebody.last.text)


def test_a_long_beginning_does_not_cover_the_conversation(server):
    for text in ("I bought apples and pears. " * 40, "我今天买了两个苹果。" * 60):
        somebody = Person(server)
        somebody.post("/begin", text=text, key="")
        shown = pinned(somebody.last.text)
        assert shown.endswith("…")
        assert 100 < len(shown) <= 120
