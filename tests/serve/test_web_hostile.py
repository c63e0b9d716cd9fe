"""Whatever somebody writes stays words: on every page, in Markdown, in tables, in a title."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("fastapi")
from tests.serve import hostile
from tests.serve.browsing import Person
from untwist.respond import WORKSHEETS
from untwist.serve.web.forms import RATINGS

pytestmark = pytest.mark.serve
EVERY = "\n".join(hostile.ALL)
HARMLESS = "\n".join("words" for _ in hostile.ALL)
TAGS = """
a aside body br button dd details dialog div dl dt fieldset footer form h1 h2 h3 head header html
input label legend li link main mark meta nav noscript ol option p q rect script section select
small span strong summary svg table tbody td template textarea th thead title tr ul
"""
KNOWN = set(TAGS.split())


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, and where they lead."""

    def __init__(self, page):
        super().__init__()
        self.found, self.targets = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.targets += [v or "" for name, v in attrs if name in ("href", "src", "action")]


def test_there_are_sixty():
    assert len(hostile.ALL) == 60
    assert len(set(hostile.ALL)) == 60


def wrote(server, words):
    """Somebody who wrote these words wherever one can write; gives the pages that show them."""
    person, paths = Person(server), []
    person.post("/begin", text=words, key="")
    paths.append(person.last.url.path)
    for kind, made in WORKSHEETS.items():
        fields = {c: words for c in made.columns if c not in (*RATINGS, "distortion", "factors")}
        if "factors" in made.columns:
            fields |= {"factor": [words], "percent": ["10"]}
        name = person.write(kind, **fields)
        paths += [f"/record/{name}", f"/record/{name}/edit"]
    person.post("/learn/own", name=words[:80], definition=words[:200])
    clinician = Person(server)
    kinds = ("worksheets", "questionnaires", "plan", "conversations", "ratings")
    clinician.post("/clinician", invitation=person.invite(*kinds, label=words[:80]))
    share = clinician.last.url.path
    clinician.post(f"{share}/propose", what="worksheet:experiment", note=words[:500])
    pages = {"people": clinician.get("/clinician"), "shared": clinician.get(share)}
    paths += ["/", "/record", "/learn", "/settings", "/plan"]
    pages |= {
        re.sub(r"[\w-]{20,}", f"#{n}", path): person.get(path) for n, path in enumerate(paths)
    }
    pages["search"] = person.post("/history", words=words[:200])
    pages["conflict"] = person.post(paths[1], 409, version="7", situation=words)
    pages["wrong"] = person.post(paths[1], 422, belief_before=words[:300], situation=words)
    return person, paths, pages


def test_no_page_has_an_element_more_than_with_harmless_words(server):
    _, _, calm = wrote(server, HARMLESS)
    _, _, hostile_pages = wrote(server, EVERY)
    assert set(calm) == set(hostile_pages)
    for path, page in hostile_pages.items():
        seen = Elements(page)
        assert not [one for one in seen.targets if one.lower().startswith(("javascript", "data:"))]
        if path in ("search", "shared", "/history") or path.startswith("/talk"):
            # how a message is heard, and so the reply, may differ
            assert {tag for tag, _ in seen.found} <= KNOWN, path
            continue
        assert seen.found == Elements(calm[path]).found, path


def test_titles_are_words(server, clock):
    person = Person(server)
    person.begin()
    for words in hostile.ALL:
        clock.now += 1
        server.store.new_conversation(person.name, {"title": words}).result()
    first = person.get("/history")
    second = person.get(re.search(r'href="(/history\?before=[^"]+)"', first)[1])
    for page in (first, second):
        assert {tag for tag, _ in Elements(page).found} <= KNOWN
        assert not re.search(r"<[^>]+\son\w+=", re.sub(r'"[^"]*"', '""', page))


def test_files_hold_no_markup_and_no_formula(server):
    person, paths, _ = wrote(server, EVERY)
    for path in [one for one in paths if one.startswith("/record/") and "edit" not in one]:
        text = person.get(f"{path}/file.md")
        assert not re.search(r"<(?!br>)[a-zA-Z/!]", text)
        assert not re.search(r"(?<!\\)\]\(", text)
        for row in csv.reader(io.StringIO(person.get(f"{path}/file.csv"))):
            assert not [cell for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
        person.get(f"{path}/file.pdf")
        assert person.last.content.startswith(b"%PDF")
        assert b"/JavaScript" not in person.last.content
    for words in hostile.FORMULAS:
        name = person.write(situation=words)
        rows = list(csv.reader(io.StringIO(person.get(f"/record/{name}/file.csv"))))
        assert rows[1][2] == f"'{words}"
