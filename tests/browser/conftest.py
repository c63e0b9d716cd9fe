"""A server on this machine and Chromium; UNTWIST_AXE names axe.min.js (`npm pack axe-core`).

UNTWIST_CHROMIUM names the browser where it is not /usr/bin/chromium; UNTWIST_SHOTS a folder that
gets a picture of every page, to be looked at.
"""

import os
import re
import threading
import time
from pathlib import Path

import pytest

from untwist.engine import Engine

CHROMIUM = os.environ.get("UNTWIST_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALES = {"en": "en-US", "zh": "zh-CN", "zh-Hant": "zh-TW"}
FIRST = {
    "en": "I failed one exam, so I'm a total failure",
    "zh": "我这次考试考砸了，我是个彻底的失败者",
    "zh-Hant": "我這次考試考砸了，我是個徹底的失敗者",
}
DANGER = {"en": "I want to kill myself tonight", "zh": "我今晚想自杀", "zh-Hant": "我今晚想自殺"}


class Served:
    """A server that can be stopped while pages are open."""

    def __init__(self, engine, folder):
        # imported here, so that a run without the extra can still read this file
        import uvicorn

        from untwist.serve.app import create_app
        from untwist.serve.settings import ServeSettings
        from untwist.serve.store import open_store

        app = create_app(engine, ServeSettings(), open_store(f"sqlite:///{folder}/b.db"))
        config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)


class Visitor:
    """Somebody in a browser of their own; what the pages complain about is collected."""

    def __init__(self, chromium, url, locale="en", width=412, **more):
        self.locale, self.url, self.width, self.outside, self.said = locale, url, width, [], []
        self.context = chromium.new_context(
            locale=LOCALES[locale], viewport={"width": width, "height": 840}, **more
        )
        self.page = self.context.new_page()
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", self._heard)

    def _asked(self, request):
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.outside.append(request.url)

    def _heard(self, message):
        # an answer other than 200 is no fault of the page
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.said.append(message.text)

    def go(self, path):
        self.page.goto(self.url + path)
        return self.page

    def begin(self, text=None):
        page = self.go("/")
        page.fill("#text", text or FIRST[self.locale])
        page.click("form[data-once] button.main")
        page.wait_for_selector("#log .it:not(.pending) .words p")
        return page

    def say(self, text):
        """Say something, and wait until the reply is there in full."""
        page = self.page
        replies = page.locator("#log li.it:has(details), #log li.crisis")
        before = replies.count()
        page.fill("#text", text)
        page.click("#say button.main")
        replies.nth(before).wait_for()
        return replies.nth(before).locator(".words").inner_text()

    def shot(self, name):
        folder = os.environ.get("UNTWIST_SHOTS")
        if folder:
            plain = re.sub(r"[^a-z0-9]+", "-", name)
            file = Path(folder) / f"{self.locale}-{self.width}-{plain}.png"
            self.page.screenshot(path=file, full_page=True)

    def post(self, path, **fields):
        """A form of the page we are on, with other fields."""
        with self.page.expect_navigation():
            self.page.evaluate(
                """([path, fields]) => {
                    const form = document.createElement("form");
                    form.method = "post"; form.action = path;
                    const token = document.querySelector("[name=csrf]");
                    fields.csrf = token.value;
                    for (const [name, value] of Object.entries(fields)) {
                        const input = document.createElement("textarea");
                        input.name = name; input.value = value; form.append(input);
                    }
                    document.body.append(form); form.submit();
                }""",
                [path, fields],
            )

    def close(self):
        self.context.close()


@pytest.fixture(scope="session")
def chromium():
    if not Path(CHROMIUM).exists():
        pytest.skip("there is no Chromium here: UNTWIST_CHROMIUM names one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def speaking():
    return Engine.default(conversation=True)


@pytest.fixture
def served(speaking, tmp_path):
    running = Served(speaking, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def visit(chromium, served):
    """Calls somebody to the pages; whatever happens, no page asked anything of another machine."""
    came = []

    def called(locale="en", **more):
        came.append(Visitor(chromium, served.url, locale, **more))
        return came[-1]

    yield called
    for one in came:
        one.close()
        assert one.outside == []
        assert one.said == []


@pytest.fixture(scope="session")
def axe():
    file = os.environ.get("UNTWIST_AXE")
    if not file:
        pytest.skip("UNTWIST_AXE names no axe.min.js: npm pack axe-core")
    return Path(file).read_text(encoding="utf-8")
