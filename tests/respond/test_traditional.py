"""Traditional Chinese: who gets it, and that its texts are made from the Simplified ones."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.respond.build import chosen, crisis, danger, heard, said
from untwist import safety
from untwist.engine import Engine, load_detector
from untwist.errors import SafetyError
from untwist.respond import ScriptedResponder, open_book
from untwist.schema import Verdict
from untwist.taxonomy import Acuity, Distortion, Risk
from untwist.text import LOCALES, locale_of, normalize, traditional

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "src/untwist/respond/scripts"


def pages(code):
    """Every file of a locale, by its path within it."""
    folder = SCRIPTS / code
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.json"))


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("traditional", ROOT / "docs" / "traditional.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(value):
    """Every text of a file, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def test_the_committed_files_are_what_the_program_makes(maker):
    for path, text in maker.fresh().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, "run: python docs/traditional.py"
    assert pages("zh-Hant") == pages("zh")


@pytest.mark.parametrize("name", pages("zh"))
def test_but_for_the_listed_words_only_the_characters_differ(maker, name):
    words = maker.exceptions()["vocabulary"]
    either = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
    plain, other = (
        json.loads((SCRIPTS / code / name).read_text(encoding="utf-8"))
        for code in ("zh", "zh-Hant")
    )
    pairs = zip(leaves(plain), leaves(other), strict=True)
    different = [
        (mine, its)
        for mine, its in pairs
        if normalize(either.sub(lambda w: words[w.group()], mine)).text != normalize(its).text
    ]
    assert different == []


def test_every_listed_word_is_used(maker):
    shown = "".join(
        (SCRIPTS / "zh-Hant" / name).read_text(encoding="utf-8") for name in pages("zh-Hant")
    )
    shown += (ROOT / maker.RESOURCES).read_text(encoding="utf-8")
    words = {**maker.exceptions()["vocabulary"], **maker.exceptions()["fixed"]}
    assert [word for word in words.values() if word not in shown] == []


def test_no_simplified_character_is_left_in_a_traditional_text():
    texts = [
        t
        for name in pages("zh-Hant")
        for t in leaves(json.loads((SCRIPTS / "zh-Hant" / name).read_text("utf-8")))
    ]
    texts += [safety.help_block("zh-Hant", code) for code in (None, *safety.regions())]
    assert [t for t in texts if any(traditional(ch) is False for ch in t)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("我只是覺得好累了", True),
        ("活著沒意思", True),
        ("活着沒意思", True),
        ("我頂唔順喇，真係好辛苦", True),
        ("我喺度，唔想做人", True),
        ("裡面", True),
        ("活着没意思", False),
        ("我们说好了的，后来他又变了", False),
        ("佢话冇人爱我嘅", False),
        ("我不想活了", None),
        ("hello", None),
        ("", None),
        ("她說「活着」没意思，我覺得對", True),
    ],
)
def test_the_characters_of_a_message_are_told(text, told):
    assert traditional(text) is told


def test_a_message_that_tells_nothing_takes_the_characters_of_the_one_before():
    assert locale_of("zh", ["我不想活了", "我覺得好累"]) == "zh-Hant"
    assert locale_of("zh", ["我不想活了", "我觉得好累", "我覺得好累"]) == "zh"
    assert locale_of("zh", ["我不想活了"]) == "zh"
    assert locale_of("en", ["我覺得好累"]) == "en"
    assert locale_of("zh", ["我不想活了"], "HK") == "zh-Hant"
    assert locale_of("zh", ["我觉得好累"], "TW") == "zh"


@pytest.mark.parametrize("conversation", [True, False])
def test_who_writes_traditional_is_answered_in_traditional_everywhere(conversation):
    responder = ScriptedResponder(conversation, region="TW")
    messages = ["他沒回我訊息，肯定討厭我", "我不知道", "嗯", "好", "可能吧", "我不想活了"]
    history = []
    for message in messages:
        last = message == messages[-1]
        assessment = heard(message, Distortion.MIND_READING)
        if last:
            assessment = danger(message, Acuity.PASSIVE)
        choice = crisis() if last else chosen(Distortion.MIND_READING)
        reply = responder.reply(choice, assessment, history)
        assert traditional(reply.text) is True
        assert not any(traditional(ch) is False for ch in reply.text), reply.text
        assert reply.lang == "zh"
        history += said(message, reply.text)


@pytest.mark.parametrize(
    ("region", "told"), [("TW", True), ("HK", True), ("CN", False), (None, False)]
)
def test_where_the_words_do_not_tell_the_characters_the_place_does(region, told):
    reply = ScriptedResponder(region=region).reply(
        crisis(), danger("我不想活了", Acuity.ACTIVE), ()
    )
    assert traditional(reply.text) is told
    told_now = danger("我在台北，不想活了", Acuity.ACTIVE)
    assert traditional(ScriptedResponder().reply(crisis(), told_now, ()).text) is True


def test_the_words_of_the_person_stand_in_the_quotation_marks_of_the_locale():
    text = "我覺得我就是個廢物"
    marks = set()
    for mark in "abcdefghijklmnop":
        assessment = heard(text + mark, Distortion.LABELING, "我就是個廢物")
        reply = ScriptedResponder().reply(chosen(Distortion.LABELING), assessment, ())
        assert "“" not in reply.text
        marks.add("「我就是個廢物」" in reply.text)
    assert True in marks


@pytest.mark.parametrize(
    ("locale", "text", "told"),
    [
        ("zh", "我覺得好累", True),
        ("zh", "我觉得好累", False),
        ("zh-Hant", "我觉得好累", True),
        ("zh-Hant", "I'm so tired", True),
        (None, "我覺得好累", True),
    ],
)
def test_a_set_locale_decides_the_language_and_only_zh_hant_the_characters(locale, text, told):
    for assessment in (heard(text), danger(text, Acuity.ACTIVE), heard(text, risk=Risk.MEDIUM)):
        reply = ScriptedResponder(locale=locale).reply(chosen(), assessment, ())
        assert traditional(reply.text) is told


def test_an_own_folder_without_traditional_texts_answers_in_simplified(tmp_path):
    import shutil

    shutil.copytree(SCRIPTS / "zh", tmp_path / "zh")
    reply = ScriptedResponder(locale="zh", scripts=tmp_path).reply(
        chosen(), heard("我覺得好累"), ()
    )
    assert traditional(reply.text) is False
    assert open_book("zh-Hant", tmp_path).locale == "zh"


def test_every_contact_has_a_name_in_every_locale():
    for code in (None, *safety.regions()):
        for resource in safety.lines(code):
            assert all(resource.name_in(locale) for locale in LOCALES)
            hours = {bool(resource.hours_in(locale)) for locale in LOCALES}
            assert len(hours) == 1
    assert "聯絡" in safety.help_block("zh-Hant", "TW")
    assert "台灣" in safety.help_block("zh-Hant")


@pytest.mark.parametrize("region", [None, "HK", *safety.regions()])
def test_the_traditional_help_block_breaks_no_rule_in_a_crisis(region):
    assert not safety.violations(safety.help_block("zh-Hant", region), "zh", Risk.HIGH)


def test_the_fixed_help_block_of_the_engine_is_in_the_characters_of_the_message():
    class Refusing:
        def check(self, reply, assessment):
            return Verdict(False, ("G01",))

    engine = Engine(load_detector(), guard=Refusing(), region="CN")
    for text, told in (("我覺得好累，不想活了", True), ("我觉得好累，不想活了", False)):
        assert traditional(engine.turn(text).reply.text) is told


class Broken:
    name = "broken@1"

    def detect(self, utterance, history=()):
        raise RuntimeError("a made-up failure")


def test_an_error_carries_the_help_block_in_the_characters_of_the_message():
    for text, told in (("我覺得好累", True), ("我觉得好累", False)):
        with pytest.raises(SafetyError) as error:
            Engine(Broken()).turn(text)
        assert traditional(str(error.value)) is told
