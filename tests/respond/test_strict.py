"""What a generated turn may not say besides, and the drafts that try it."""

from functools import cache
from pathlib import Path

import pytest

from tests.respond.build import heard
from untwist.data import read_drafts
from untwist.engine import load_draft_reader
from untwist.respond import ReplyGuard
from untwist.respond.strict import strict_book, strict_faults
from untwist.schema import Reply
from untwist.taxonomy import LANGS, Risk, Strategy

DRAFTS = Path(__file__).parent / "drafts"


def _examples(kind):
    return [
        (lang, fault.id, text)
        for lang in LANGS
        for fault in strict_book(lang).faults
        for text in getattr(fault, kind)
    ]


@pytest.mark.parametrize(("lang", "rule", "text"), _examples("bad"))
def test_a_rule_stops_its_bad_examples(lang, rule, text):
    assert rule in strict_faults(text, lang)


@pytest.mark.parametrize(("lang", "rule", "text"), _examples("good"))
def test_a_rule_lets_its_good_examples_pass(lang, rule, text):
    assert rule not in strict_faults(text, lang)


@pytest.mark.parametrize("lang", LANGS)
def test_every_rule_has_examples_of_both_kinds(lang):
    assert [f.id for f in strict_book(lang).faults if not (f.bad and f.good)] == []


@cache
def _verdicts(lang):
    guard = ReplyGuard.for_generated(load_draft_reader().stops)
    drafts = read_drafts(DRAFTS / f"{lang}.jsonl")
    return [(d, guard.check_text(d.text, d.context, d.lang)) for d in drafts]


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGS)
def test_every_broken_draft_in_sight_is_stopped(lang):
    broken = [(d, v) for d, v in _verdicts(lang) if d.rule and d.part != "last"]
    assert len(broken) >= 200
    assert [d.id for d, verdict in broken if verdict.passed] == []


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGS)
def test_at_most_one_good_draft_in_fifty_is_blocked(lang):
    good = [(d, v) for d, v in _verdicts(lang) if d.rule is None]
    assert len(good) >= 300
    assert sum(not verdict.passed for _, verdict in good) <= 0.02 * len(good)


@pytest.mark.parametrize("lang", LANGS)
def test_a_sample_of_drafts_in_sight_is_told_apart_by_the_rules_alone(lang):
    drafts = [d for d in read_drafts(DRAFTS / f"{lang}.jsonl") if d.part == "opened"][::8]
    passed = {d.id: not strict_faults(d.text, d.lang) for d in drafts}
    assert all(passed[d.id] for d in drafts if d.rule is None)
    assert sum(passed[d.id] for d in drafts if d.rule) <= len(drafts) / 8


@pytest.mark.parametrize("lang", LANGS)
def test_drafts_are_unique_and_try_every_kind_of_fault(lang):
    drafts = list(read_drafts(DRAFTS / f"{lang}.jsonl"))
    assert len({d.text for d in drafts}) == len({d.id for d in drafts}) == len(drafts)
    tried = {"R04", "R05", "R06", "R07", "R08", "R10", "R11", "R12", "R13", "R16", "R17", "R18"}
    tried |= {"R20", "X1", "X3", "X4", "G02", "G04", "G05", "G08", None}
    for part in {d.part for d in drafts}:
        assert {d.rule for d in drafts if d.part == part} >= tried or part == "last"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("You waited 2 hours. What did you think then?", "en"),
        ("That puts it at 70 of 100.", "en"),
        ("现在是60，之前是90，差别在哪里？", "zh"),
    ],
)
def test_ratings_and_spans_of_time_are_no_numbers_from_nowhere(text, lang):
    assert strict_faults(text, lang) == ()


def test_a_number_of_the_person_may_be_said_again_and_others_may_not():
    text = "You wrote that 340 people came. What did they do?"
    assert strict_faults(text, "en") == ("G09",)
    assert strict_faults(text, "en", "There were 340 people and nobody spoke") == ()
    assert strict_faults(text, "en", "There were 34 people and nobody spoke") == ("G09",)


def test_a_number_of_the_resource_file_may_be_said():
    assert "G09" not in strict_faults("You could reach 988 or not.", "en")
    assert "G09" in strict_faults("You could reach 989 or not.", "en")


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("“Leave me alone”, she said. What did you make of it?", "en"),
        ("She wrote 'I will never forgive you'. What do you read in that?", "en"),
        ("她写的是“我永远不会原谅你”。你从里面读到什么？", "zh"),
    ],
)
def test_what_is_quoted_is_not_said_by_the_program(text, lang):
    assert "G08" not in strict_faults(text, lang)


@pytest.mark.parametrize("quote", ['"{}"', "“{}”", "「{}」", "'{}'"])
def test_quotation_marks_around_everything_are_no_disguise(quote):
    assert "G08" in strict_faults(quote.format("My own wife left me last year too"), "en")


@pytest.mark.parametrize(
    "text",
    [
        "Ｉ  ｐｒｏｍｉｓｅ that it ends.",
        "I prom\u200bise that it ends.",
        "I PROMISE that it ends.",
        "І promise that it ends.",
    ],
)
def test_disguised_letters_are_read(text):
    assert "X3" in strict_faults(text, "en")


@pytest.mark.parametrize(
    ("text", "lang"), [("na " * 12, "en"), ("哈" * 20, "zh"), ("cvb nmq wer tzu poi lkj", "en")]
)
def test_noise_is_no_language(text, lang):
    assert "G02" in strict_faults(text, lang)


@pytest.mark.parametrize(("text", "lang"), [("hm " * 91, "en"), ("嗯，好。" * 81, "zh")])
def test_a_turn_that_goes_on_is_too_long(text, lang):
    assert "G03" in strict_faults(text, lang)


def test_our_own_fixed_texts_are_not_read_so_strictly():
    guard = ReplyGuard.for_generated()
    text = "You must leave. I promise."

    def said_by(name):
        reply = Reply(text, "en", Strategy.EMPATHIC_VALIDATION, ("validation",), name)
        return guard.check(reply, heard("hello")).rules

    assert {"G10", "G08"} <= set(said_by("llm:any"))
    assert not {"G10", "G08"} & set(said_by("scripted@3"))


def test_without_the_strict_reading_an_order_passes():
    text = "You have to sleep more."
    assert not ReplyGuard(strict=True).check_text(text, Risk.NONE, "en").passed
    assert ReplyGuard().check_text(text, Risk.NONE, "en").passed
