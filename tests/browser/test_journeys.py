"""What people do here, in a real browser: from the first visit to taking everything along."""

import io
import json

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")
pytest.importorskip("pypdf")
import pypdf

from tests.browser.conftest import DANGER
from untwist.respond import open_labels
from untwist.safety import lines

pytestmark = [pytest.mark.browser, pytest.mark.serve, pytest.mark.slow]
ANSWERS = {
    "en": [
        "Yesterday, when I got the paper back and saw the mark.",
        "85",
        "Sad and ashamed",
        "That fits, I think",
        "I got 40 points in one exam",
        "That I am a failure",
        "I passed the other four this year",
        "I would say it was one bad day",
        "One bad exam out of five. It hurts, and it is not all of me.",
        "40",
        "35",
        "I look at two questions tonight",
        "One bad exam out of five. It hurts, and it is not all of me.",
    ],
    "zh": [
        "昨天发卷子的时候，看到分数的那一刻",
        "85",
        "难过，还有点丢脸",
        "我觉得符合",
        "有一门考了40分",
        "失败者",
        "今年另外四门都过了",
        "我会说那只是一次没考好",
        "五门里只有一门没考好，很难受，但不等于全部的我",
        "40",
        "35",
        "今晚看看错的两道题",
        "五门里只有一门没考好，很难受，但不等于全部的我",
    ],
}
PAGES = [
    "/record",
    "/record/new",
    "/history",
    "/trends",
    "/learn",
    "/plan",
    "/settings",
    "/protocol",
]


def downloaded(page, selector):
    with page.expect_download() as waiting:
        page.click(selector)
    file = waiting.value
    with open(file.path(), "rb") as opened:
        return file.suggested_filename, opened.read()


@pytest.mark.parametrize("locale", ["en", "zh", "zh-Hant"])
def test_a_first_visit_says_what_this_is_and_asks_one_thing(visit, locale):
    somebody = visit(locale)
    page = somebody.go("/")
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-Hans"}.get(locale, locale)
    assert page.locator("textarea").count() == 1
    assert "AI" in page.locator(".notice").first.inner_text()
    assert page.evaluate("document.activeElement.id") == "text"
    assert page.locator("button.help-now").is_visible()
    assert page.context.cookies() == [], "nothing is kept of somebody who only looks"
    somebody.begin()
    assert page.locator("#thought").is_visible()


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_whole_thought_record_from_the_first_word_to_the_files(visit, locale):
    somebody = visit(locale)
    page = somebody.begin()
    label = open_labels(locale).of("balanced_thought").name
    for answer in ANSWERS[locale]:
        assert somebody.say(answer)
    page.click("#pinned button")
    page.wait_for_url("**/record/*")
    assert page.get_by_role("term").filter(has_text=label).count() == 1
    somebody.shot("record of talk")
    page.click("main .toolbar a.button.main")
    page.fill("#f-small_step", ANSWERS[locale][11])
    page.fill("#f-evidence_against", ANSWERS[locale][6])
    page.click("main button.main")
    assert page.get_by_text(ANSWERS[locale][6]).first.is_visible()
    name, pdf = downloaded(page, "a[href*='file.pdf']")
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert (name, len(pages)) == ("thought_record.pdf", 1)
    text = pages[0].extract_text().replace("\n", "")
    assert label in text
    assert ANSWERS[locale][6][:8] in text
    _, markdown = downloaded(page, "a[href$='file.md']")
    assert f"## {label}" in markdown.decode()
    assert ANSWERS[locale][6] in markdown.decode()
    _, table = downloaded(page, "a[href$='file.csv']")
    assert ANSWERS[locale][6] in table.decode()


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_danger_is_answered_with_numbers_that_can_be_called(visit, locale):
    somebody = visit(locale)
    page = somebody.begin()
    page.click("button.help-now")
    page.select_option("dialog select[name=region]", "US")
    page.click("dialog form.row button")
    page.fill("#text", DANGER[locale])
    page.click("#say button.main")
    crisis = page.locator("#log li.crisis")
    crisis.wait_for()
    for line in lines("US"):
        assert line.contact in crisis.inner_text()
    assert crisis.locator("a[href='tel:988']").count()
    assert crisis.locator("details").count() == 0, "nothing is explained now"
    assert page.locator("#text").is_enabled()
    somebody.shot("crisis")


def test_help_is_in_the_page_when_the_server_is_gone(visit, served):
    somebody = visit()
    page = somebody.begin()
    served.stop()
    dialog = page.locator("dialog#help")
    page.click("button.help-now")
    assert "findahelpline.com" in dialog.inner_text()
    page.keyboard.press("Escape")
    page.fill("#text", "are you there?")
    page.click("#say button.main")
    dialog.wait_for()  # it opens by itself when a message cannot be sent
    assert "findahelpline.com" in dialog.inner_text()
    somebody.shot("offline")
    page.keyboard.press("Escape")
    assert page.input_value("#text") == "are you there?", "what was written is still there"


def test_everything_can_be_taken_along_and_brought_back_elsewhere(visit):
    first = visit()
    page = first.begin("My canary sentence number 99, I always fail")
    page.click("#pinned button")
    first.go("/settings")
    name, archive = downloaded(page, "a[href='/export.json']")
    assert name.startswith("untwist-")
    assert "canary sentence" in json.dumps(json.loads(archive))
    other = visit()
    page = other.begin()
    other.go("/settings")
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "", "buffer": archive})
    page.click("form[action='/restore'] button")
    assert "1" in page.locator("[role=status]").first.inner_text()
    other.go("/history")
    page.get_by_role("link", name="canary sentence").click()
    assert "canary sentence number 99" in page.locator("#log").inner_text()
    assert "always fail" in other.go("/record").locator("main").inner_text()


def test_a_share_is_taken_in_another_browser_and_is_over_when_it_is_ended(visit):
    somebody = visit()
    page = somebody.begin()
    page.click("#pinned button")
    somebody.go("/settings")
    page.check("input[name=kinds][value=worksheets]")
    page.fill("input[name=label]", "Dr. Li")
    page.click("form[action='/share'] button")
    code = page.locator("#code").inner_text()
    clinician = visit()
    seen = clinician.go("/clinician")
    seen.fill("input[name=invitation]", code)
    seen.click("main button.main")
    assert "Dr. Li" in seen.locator("h1").inner_text()
    seen.select_option("select[name=what]", "worksheet:experiment")
    seen.click("form[action$=propose] button")
    share = seen.url
    assert "Small experiment" in somebody.go("/").locator("main").inner_text()
    somebody.go("/settings")
    page.click("form[action$='/end'] button")
    seen.goto(share.partition("#")[0] + "?")
    assert "There is nothing here" in seen.locator("h1").inner_text()
    assert seen.locator("button.help-now").is_visible()


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_help_is_two_keys_away_on_every_page_and_the_talk_needs_no_mouse(visit, locale):
    somebody = visit(locale)
    page = somebody.go("/")
    page.keyboard.type("I always ruin everything" if locale == "en" else "我总是把一切搞砸")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.main')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#log .it:not(.pending) .words p")
    page.locator("#text").focus()
    page.keyboard.type("yesterday" if locale == "en" else "昨天")
    page.keyboard.press("Control+Enter")
    page.locator("#log li.it:has(details)").nth(1).wait_for()
    talk, dialog = page.url.removeprefix(somebody.url), page.locator("dialog#help")
    for path in (talk, *PAGES):
        somebody.go(path)
        page.keyboard.press("Alt+h")
        assert dialog.is_visible(), path
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
    for path in PAGES:
        somebody.go(path)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert dialog.is_visible(), path


def test_one_tap_leaves_and_the_way_back_shows_nothing(visit):
    somebody = visit()
    page = somebody.begin()
    page.click("[data-away] button")
    page.wait_for_url("**/away")
    assert "total failure" not in page.content()
    somebody.begin("I ruin everything")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.wait_for_url("**/away")


def test_the_pages_work_without_scripts(visit):
    somebody = visit(java_script_enabled=False)
    page = somebody.go("/")
    assert page.locator("noscript a.help-now, a.help-now").first.is_visible()
    page.fill("#text", "Nobody ever likes me")
    page.click("form[data-once] button.main")
    page.reload()
    page.fill("#text", "It was at lunch today")
    page.click("#say button.main")
    assert page.locator("#log li.it").count() == 2
    page.click("#pinned button")
    page.click("main .toolbar a.button.main")
    page.fill("#f-situation", "At lunch")
    page.click("main button.main")
    assert page.get_by_text("At lunch").first.is_visible()
    page.get_by_text("Delete", exact=True).click()
    page.click("button.danger")
    assert page.url.endswith("/record")
