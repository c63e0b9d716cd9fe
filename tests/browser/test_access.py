"""Every page in every language with axe: nothing serious, nothing wider than the window."""

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from tests.browser.conftest import DANGER
from untwist.respond import WORKSHEETS

pytestmark = [pytest.mark.browser, pytest.mark.serve, pytest.mark.slow]
PATHS = [
    "/record",
    *(f"/record/new?kind={kind}" for kind in WORKSHEETS),
    "/history",
    "/trends",
    "/learn",
    "/learn/labeling",
    "/learn/examine_evidence",
    "/plan",
    "/questionnaire",
    "/questionnaire/phq-9",
    "/settings",
    "/clinician",
    "/protocol",
    "/help",
    "/away",
    "/nowhere",
]
SCHEME = "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"
SERIOUS = """axe.run().then((found) => found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 160)]))"""


def faults(somebody, axe, name):
    page = somebody.page
    somebody.shot(f"{name} {page.evaluate(SCHEME)}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    found = page.evaluate(f"{axe};{SERIOUS}")
    too_wide = [("wide", wide)] if wide > somebody.width else []
    return [(name, *one) for one in [*found, *too_wide]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en", 360), ("zh", 412), ("zh-Hant", 1280)])
def test_no_page_has_a_serious_fault(visit, axe, locale, width, scheme):
    somebody = visit(locale, width=width, color_scheme=scheme)
    page = somebody.go("/")
    found = faults(somebody, axe, "start")
    somebody.begin()
    page.locator("details.why summary").first.click()
    found += faults(somebody, axe, "talk")
    page.click("#pinned button")
    found += faults(somebody, axe, "record")
    page.locator("main details summary").first.click()
    page.click("main .toolbar a.button.main")
    for field, value in {"belief_before": "80", "belief_after": "30", "emotion_after": "9"}.items():
        page.fill(f"#f-{field}", value)
    page.click("main button.main")
    somebody.go("/record/new")
    page.fill("#f-belief_before", "very")
    page.click("main button.main")
    found += faults(somebody, axe, "wrong")
    somebody.go("/questionnaire/gad-7")
    for n in range(1, 8):
        page.check(f"input[name=q{n}][value='{n % 4}']")
    page.click("main button.main")
    found += faults(somebody, axe, "answers")
    for path in PATHS:
        somebody.go(path)
        if scheme == "dark" and path not in ("/trends", "/help", "/settings", "/record"):
            continue
        found += faults(somebody, axe, path)
    somebody.go("/")
    page.click("button.help-now")
    found += faults(somebody, axe, "dialog")
    somebody.begin(DANGER[locale])
    assert page.locator("#log li.crisis").is_visible()
    found += faults(somebody, axe, "crisis")
    assert found == []
