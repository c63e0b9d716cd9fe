"""The page on which replies are rated: safe, whole, and readable by whatever reads sheets."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from untwist.errors import DataError
from untwist.evaluate import BlindRow, PageScale, rating_page
from untwist.safety import find_claims

SCALES = (
    PageScale("CogA", "awareness", "1: no. 5: yes.", (1, 2, 3, 4, 5)),
    PageScale("relevance", "relevance", "0: no. 2: yes.", (0, 1, 2)),
)
ROWS = (
    BlindRow("a1", 1, "He <b>left</b>.", "Oh</script><script>alert(1)</script>"),
    BlindRow("b2", 1, "He <b>left</b>.", "What & why?"),
    BlindRow("c3", 2, "她走了。", "什么时候的事？"),
)


class Seen(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_reply_has_every_value_of_every_scale_once(lang):
    seen = Seen(rating_page(ROWS, SCALES, "ann", lang))
    radios = [(one["name"], one["value"]) for one in seen.all("input") if one["type"] == "radio"]
    expected = [
        (f"{row.code}.{scale.key}", value)
        for row in ROWS for scale in SCALES for value in [*map(str, scale.values), "n/a"]
    ]  # fmt: skip
    assert radios == expected
    assert len(seen.all("section")) == 2
    assert len(seen.all("article")) == 3
    assert seen.all("html")[0]["lang"] == {"en": "en", "zh": "zh-Hans"}[lang]


def test_what_was_written_is_text_and_the_only_script_is_the_one_that_is_allowed():
    page = rating_page(ROWS, SCALES, 'an"n<', "en")
    seen = Seen(page)
    assert "b" not in {tag for tag, _ in seen.tags}
    assert len(seen.all("script")) == 2
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(one["content"] for one in seen.all("meta") if "http-equiv" in one)
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:)|https?://|@import|url\(""", page)


def test_the_script_is_told_codes_and_scales_and_nothing_of_systems():
    page = rating_page(ROWS, SCALES, "ann", "en")
    data = json.loads(re.search(r'id="set">(.*?)</script>', page, re.DOTALL)[1])
    assert data["codes"] == ["a1", "b2", "c3"]
    assert data["scales"] == ["CogA", "relevance"]
    assert set(data) == {"id", "rater", "codes", "scales", "words"}
    other = rating_page(ROWS, SCALES, "bo", "en")
    assert data["id"] not in other


def test_every_field_has_a_label():
    seen = Seen(rating_page(ROWS, SCALES, "ann", "en"))
    labelled = {one["for"] for one in seen.all("label") if "for" in one}
    named = [one["id"] for one in seen.all("textarea")] + ["rater"]
    assert set(named) == labelled
    assert len(seen.all("legend")) == len(ROWS) * len(SCALES)


def test_both_languages_have_the_same_words_and_claim_no_treatment():
    from untwist.evaluate.rating_page import _words

    words = _words()
    assert set(words["en"]) == set(words["zh"])
    for lang in words.values():
        assert [find_claims(text) for text in lang.values() if find_claims(text)] == []


def test_a_page_without_replies_or_in_another_language_is_refused():
    with pytest.raises(DataError, match="replies to rate"):
        rating_page((), SCALES, "ann", "en")
    with pytest.raises(DataError, match="one of en, zh"):
        rating_page(ROWS, SCALES, "ann", "fr")
