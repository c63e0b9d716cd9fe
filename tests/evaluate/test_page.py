import base64
import re
from html.parser import HTMLParser

import pytest

from untwist.errors import DataError
from untwist.evaluate import Image, Section, Table, html_page

NASTY = '<script>alert("1")</script> & "co"'
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Tags with their attributes, text by tag, and whether every tag was closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.text.append((self.open[-1], data))

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def page(**changes):
    given = {
        "title": f"Results {NASTY}",
        "sections": [
            Section(
                f"One {NASTY}",
                (f"Words {NASTY}",),
                (Table(f"Scores {NASTY}", ("name", NASTY), ((NASTY, "0.5"),), f"Note {NASTY}"),),
                (Image(b"<svg/>", "image/svg+xml", f"A chart {NASTY}", f"Below {NASTY}"),),
            )
        ],
        "protocol": f"As agreed {NASTY}",
        "command": f"make {NASTY}",
        "manifest": {"seed": 1, NASTY: NASTY},
    }
    return html_page(**(given | changes))


def test_everything_given_is_text_and_never_markup():
    text = page()
    read = Reader(text)
    assert read.all("script") == []
    said = [data for _, data in read.text]
    for start in (
        "Results ",
        "One ",
        "Words ",
        "Scores ",
        "Note ",
        "Below ",
        "As agreed ",
        "make ",
    ):
        assert f"{start}{NASTY}" in said
    assert (read.all("img")[0]["alt"], NASTY) == (f"A chart {NASTY}", NASTY)
    assert "<script" not in text


def test_the_page_asks_for_nothing_from_elsewhere():
    text = page()
    read = Reader(text)
    assert {name for name, _ in read.tags}.isdisjoint({"link", "iframe", "script", "object"})
    addresses = [a.get(k) for _, a in read.tags for k in ("src", "href") if k in a]
    assert addresses
    assert all(address.startswith("data:image/") for address in addresses)
    assert not re.search(r"url\(|@import|https?://", text)
    (policy,) = [m for m in read.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"].startswith("default-src 'none'")


def test_tables_and_pictures_can_be_read_without_seeing_them():
    read = Reader(page())
    scopes = [th["scope"] for th in read.all("th")]
    assert scopes == ["col", "col", "row"]
    assert len(read.all("caption")) == len(read.all("table")) == 1
    assert ("td", "0.5") in read.text
    data = read.all("img")[0]["src"].removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(data) == b"<svg/>"
    with pytest.raises(DataError, match="needs words that say what it shows"):
        Image(b"", "image/png", " ", "")


def test_the_page_says_its_language():
    assert Reader(page()).all("html") == [{"lang": "en"}]
    chinese = page(lang="zh", title="结果")
    assert Reader(chinese).all("html") == [{"lang": "zh-Hans"}]
    assert "<h2>评测方法</h2>" in chinese
    assert "Protocol" not in chinese
    with pytest.raises(DataError, match="one of en, zh"):
        page(lang="fr")


def test_the_page_suits_dark_light_and_paper():
    text = page()
    assert "@media (prefers-color-scheme: dark)" in text
    assert "@media print" in text
    assert "color-scheme: light dark" in text


def test_protocol_command_and_manifest_close_the_page():
    text = page()
    order = [text.index(f"<h2>{word}</h2>") for word in ("Protocol", "Command", "What ran")]
    assert order == sorted(order)
    assert "&quot;seed&quot;: 1" in text


def test_a_manifest_that_is_no_json_is_refused():
    for bad in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(DataError, match="manifest of a page is no JSON"):
            page(manifest=bad)


def test_equal_values_give_an_equal_page_even_without_sections():
    assert page() == page()
    assert Reader(page(sections=[])).all("table") == []
