"""Hostile words are shown and never run, in a browser that would run them."""

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")

from tests.serve import hostile
from untwist.respond import WORKSHEETS
from untwist.serve.web.forms import RATINGS

pytestmark = [pytest.mark.browser, pytest.mark.serve, pytest.mark.slow]
EVERY = "\n".join(hostile.ALL)


def test_nothing_that_somebody_writes_is_run(visit):
    somebody = visit()
    page = somebody.begin(EVERY)
    dialogs = []
    page.on("dialog", lambda one: (dialogs.append(one.message), one.dismiss()))
    paths = [page.url.removeprefix(somebody.url), "/", "/history", "/record", "/learn", "/settings"]
    somebody.say(EVERY)
    for kind, made in WORKSHEETS.items():
        plain = [c for c in made.columns if c not in (*RATINGS, "distortion", "factors")]
        somebody.go("/record")
        somebody.post(
            "/record", kind=kind, factor=EVERY, percent="9", **dict.fromkeys(plain, EVERY)
        )
        paths += [
            page.url.removeprefix(somebody.url),
            page.url.removeprefix(somebody.url) + "/edit",
        ]
    somebody.go("/learn")
    somebody.post("/learn/own", name=EVERY[:70], definition=EVERY[:150])
    somebody.go("/settings")
    somebody.post("/share", kinds="worksheets", days="9", label=EVERY[:70])
    for words in hostile.ALL:
        somebody.go("/history")
        page.fill("#words", words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.evaluate("window.hit") is None
    for path in paths:
        somebody.go(path)
        page.mouse.move(200, 400)
        page.wait_for_timeout(100)
        assert page.evaluate("window.hit") is None, path
        assert "window.hit" in page.content()
    assert dialogs == []
