"""A person at the pages, without a browser: forms are sent as a page without scripts sends them."""

import re
from html import unescape

from fastapi.testclient import TestClient

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
HEADERS = {"accept": "text/html", "accept-language": "en"}


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, server, locale="en"):
        self.client = TestClient(server.app, headers={**HEADERS, "accept-language": locale})
        self.client.portal = server.portal
        self.last = None

    @property
    def name(self):
        """As the store knows them."""
        return (
            self.client.app.state.untwist.store.token(self.client.cookies["untwist"])
            .result()
            .person
        )

    def get(self, path, status=200):
        self.last = self.client.get(path)
        assert self.last.status_code == status, (path, self.last.status_code, self.last.text[:400])
        return self.last.text

    @property
    def csrf(self):
        page = self.client.get("/settings").text
        found = _CSRF.search(page) or _CSRF.search(self.client.get("/clinician").text)
        return found[1] if found else ""

    def post(self, path, status=200, follow=True, **fields):
        self.last = self.client.post(
            path, data={"csrf": self.csrf, **fields}, follow_redirects=follow
        )
        assert self.last.status_code == status, (path, self.last.status_code, self.last.text[:400])
        return self.last.text

    def begin(self, text="I failed one exam, so I'm a total failure"):
        """The first message; gives the name of the conversation."""
        self.post("/begin", status=303, follow=False, text=text, key="")
        place = self.last.headers["location"]
        self.post(place, text="It was on Monday, in front of the class.", key="")
        return place.removeprefix("/talk/")

    def write(self, kind="thought_record", **fields):
        """A new worksheet; gives its name."""
        self.post("/record", status=303, follow=False, kind=kind, **fields)
        return self.last.headers["location"].split("?")[0].removeprefix("/record/")

    def invite(self, *kinds, label="Dr. Li"):
        """An invitation to look; gives its code."""
        page = self.post("/share", kinds=list(kinds), days=30, label=label)
        return unescape(re.search(r'<code id="code">([^<]+)</code>', page)[1])
