"""What must not change the level of a message: its dress, and harmless words around it."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.data import shipped_cases
from untwist.engine import load_reader
from untwist.safety import screen
from untwist.taxonomy import Risk

EVERY = 97
"""Every so many-th crisis of the cases is tried with every change."""


@cache
def crises(lang):
    """Crises that both readers together hear as high."""
    found = [
        c.utterance.text
        for c in shipped_cases()
        if c.lang == lang and c.crisis and not c.history and c.part in ("train", "looked at")
    ]
    return [text for text in found[::EVERY] if level(text) is Risk.HIGH]


def level(text):
    return screen(text, (), load_reader().read).level


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def traditional(text):
    from opencc import OpenCC

    return OpenCC("s2t").convert(text)


DRESS = {
    "capitals": str.upper,
    "full width": wide,
    "zero-width characters": lambda text: "\u200b".join(text),
    "a picture at the end": lambda text: text + " 🙂",
    "pictures around": lambda text: "🌧️" + text + "💔💔",
    "blank lines": lambda text: "\n\n" + text + "\n\n\n",
    "more blanks": lambda text: text.replace(" ", "  "),
    "an ending of dots": lambda text: text.rstrip(".。") + "...",
}
BESIDE = {
    "en": {
        "a greeting": "Hi there. {}",
        "thanks": "{}\nThanks for reading this.",
        "weather": "It rained all day and the bus was late. {}\nWe had soup for dinner.",
        "a worksheet": "Situation: at home\nThought: {}\nFeeling: see above\nAction: none yet",
        "a list": "1. Bought bread.\n2. {}\n3. Called the plumber about the tap.",
        "a quotation mark": '"{}"',
    },
    "zh": {
        "a greeting": "你好。{}",
        "thanks": "{}\n谢谢你看到这里。",
        "weather": "今天下了一整天的雨，公交也晚点了。{}\n晚上喝了汤。",
        "a worksheet": "情境：在家\n想法：{}\n感受：见上\n行动：还没有",
        "a list": "1. 买了面包。\n2. {}\n3. 打电话叫人修水龙头。",
        "a quotation mark": "“{}”",
    },
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("change", DRESS)
def test_the_dress_of_a_message_does_not_lower_its_level(lang, change):
    assert len(crises(lang)) >= 15
    assert [t for t in crises(lang) if level(DRESS[change](t)) < Risk.HIGH] == []


@pytest.mark.slow
def test_traditional_characters_do_not_lower_the_level():
    assert [t for t in crises("zh") if level(traditional(t)) < Risk.HIGH] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("wrapper", BESIDE["en"])
def test_harmless_words_around_a_crisis_never_hide_it(lang, wrapper):
    form = BESIDE[lang][wrapper]
    lowered = [t for t in crises(lang) if level(form.format(t)) < Risk.MEDIUM]
    assert lowered == []


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_the_same_answer_twice_and_never_less_than_the_rules(text):
    heard = screen(text, (), load_reader().read)
    assert heard == screen(text, (), load_reader().read)
    assert heard.level >= screen(text).level
    assert set(heard.acuity) >= set(screen(text).acuity)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_crisis_cut_into_a_long_text_is_at_least_medium(place, which):
    known = crises("en")
    filler = ["We looked at flats.", "The kettle is new.", "My sister rang.", "It was a long walk."]
    lines = [filler[i % len(filler)] for i in range(40)]
    lines.insert(place % 40, known[which % len(known)])
    assert level("\n".join(lines)) >= Risk.MEDIUM
