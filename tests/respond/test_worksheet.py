"""Worksheets: filled by a conversation, edited as values, kept and shown without loss or harm."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist import safety
from untwist.errors import ConfigError, DataError
from untwist.respond import (
    WORKSHEETS,
    Continuum,
    CostBenefit,
    Experiment,
    Note,
    Progress,
    ResponsibilityPie,
    SafetySteps,
    Share,
    ThoughtRecord,
    open_protocols,
    progress,
    with_field,
    worksheet_csv,
    worksheet_from,
    worksheet_markdown,
    worksheet_of,
)
from untwist.respond.columns import NUMBERS
from untwist.respond.labels import open_labels
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, Distortion, Strategy
from untwist.text import LOCALES

KINDS = list(WORKSHEETS.values())
STRATEGIES = [s for s in Strategy if s is not Strategy.CRISIS_INTERVENTION]
FORMULAS = ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\u3000=1", "＝1", "＠x", "\n=1", "\ufeff=1"]


def said(*texts):
    roles = ("user", "assistant")
    return [Utterance(text, role=roles[i % 2]) for i, text in enumerate(texts)]


def asking(protocol, step):
    """A question of the shipped English texts, with nothing to fill in."""
    found = open_protocols("en").named(protocol).step(step).ask.any
    return next(text for text in found if "{" not in text)


def filled_pie():
    return ResponsibilityPie(
        situation="The picnic was rained off",
        automatic_thought="I ruined it",
        belief_before=80,
        distortion=Distortion.PERSONALIZATION,
        factors=(Share("weather", 70.0), Share("my part", 20.0)),
        notes=(Note("friend_view", "bad luck"),),
    )


# Filling


def test_what_was_answered_in_a_conversation_stands_in_its_columns():
    history = said(
        "My boss ignored me, so he must hate my work",
        asking("frame", "thought"),
        "He thinks my work is bad",
        asking("frame", "belief"),
        "about eighty",
        asking("examine_evidence", "for"),
        "He did not say hello",
        asking("examine_evidence", "against"),
        "He praised me on Monday",
        asking("frame", "balanced"),
        "He may just be busy",
    )
    sheet = worksheet_of(progress(history))
    assert isinstance(sheet, ThoughtRecord)
    assert sheet.automatic_thought == "He thinks my work is bad"
    assert sheet.belief_before == 80
    assert sheet.evidence_for == "He did not say hello"
    assert sheet.evidence_against == "He praised me on Monday"
    assert sheet.balanced_thought == "He may just be busy"
    assert (sheet.belief_after, sheet.emotions, sheet.small_step) == (None, None, None)


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (None, ThoughtRecord),
        (Strategy.EMPATHIC_VALIDATION, ThoughtRecord),
        (Strategy.FINDING_THE_GRAY, Continuum),
        (Strategy.EXAMINE_EVIDENCE, ThoughtRecord),
        (Strategy.REALITY_TESTING, Experiment),
        (Strategy.DECATASTROPHIZING, ThoughtRecord),
        (Strategy.COST_BENEFIT, CostBenefit),
        (Strategy.REATTRIBUTION, ResponsibilityPie),
        (Strategy.BEHAVIOR_VS_IDENTITY, ThoughtRecord),
        (Strategy.FEELINGS_VS_FACTS, ThoughtRecord),
    ],
)
def test_the_strategy_decides_which_worksheet_is_filled(strategy, kind):
    assert type(worksheet_of(Progress(strategy=strategy))) is kind


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_said_gets_lost_whichever_worksheet_is_filled(kind):
    named = {
        step.field: step
        for protocol in (open_protocols("en").frame, *open_protocols("en").own.values())
        for step in protocol.steps
        if step.field
    }
    spoken = [field for field, step in named.items() if step.takes == "text"]
    words = {field: (f"said {i} of them.",) for i, field in enumerate(spoken)}
    numbers = {f: 40 + i for i, f in enumerate(f for f, s in named.items() if s.takes == "percent")}
    state = Progress(
        answers=words,
        ratings={**numbers, "emotions": 91},
        shares=(Share("the weather", 37.0),),
        target=Distortion.LABELING,
        agreed=True,
    )
    page = worksheet_markdown(worksheet_of(state, kind))
    assert [field for field, (text,) in words.items() if text not in page] == []
    assert [f for f, n in numbers.items() if str(n) not in page] == []
    assert "91" in page
    assert "the weather" in page
    assert "37" in page


def test_a_pattern_stands_there_only_when_the_person_agreed_to_its_name():
    state = Progress(target=Distortion.MIND_READING)
    assert worksheet_of(state).distortion is None
    assert worksheet_of(replace(state, agreed=False)).distortion is None
    assert worksheet_of(replace(state, agreed=True)).distortion is Distortion.MIND_READING


def test_the_thought_of_the_first_message_stands_in_when_none_was_asked_for():
    assert worksheet_of(Progress(thought="he hates me")).automatic_thought == "he hates me"
    own = Progress(thought="he hates me", answers={"automatic_thought": ("nobody likes me",)})
    assert worksheet_of(own).automatic_thought == "nobody likes me"


def test_a_step_that_a_clinician_added_is_kept_under_the_name_of_its_field():
    state = Progress(answers={"view_from_the_moon": ("small",)})
    sheet = worksheet_of(state)
    assert sheet.notes == (Note("view_from_the_moon", "small"),)
    assert "**View from the moon**  \nsmall" in worksheet_markdown(sheet)


def test_an_untouched_worksheet_is_empty_and_one_word_makes_it_filled():
    for kind in KINDS:
        assert kind().empty
        assert not with_field(kind(), "notes.anything", "x").empty
    assert not filled_pie().empty


# Values


def test_columns_and_attributes_are_the_same():
    for kind in KINDS:
        assert set(kind.columns) == {f.name for f in fields(kind)} - {"notes"}
        assert len(set(kind.columns)) == len(kind.columns)


def test_a_worksheet_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        ThoughtRecord().situation = "x"


@pytest.mark.parametrize("value", [-1, 101, 50.5, "50", True])
def test_a_rating_is_a_whole_number_from_0_to_100(value):
    with pytest.raises(DataError, match="belief_before is a whole number from 0 to 100"):
        ThoughtRecord(belief_before=value)
    assert ThoughtRecord(belief_before=0).belief_before == 0
    assert ThoughtRecord(belief_before=100).belief_before == 100


def test_blank_words_count_as_left_out():
    assert ThoughtRecord(situation="  \n ").situation is None
    assert ThoughtRecord(situation=" here ").situation == "here"


@pytest.mark.parametrize("share", [-1.0, 101.0, float("nan"), float("inf"), True])
def test_a_slice_is_between_0_and_100(share):
    with pytest.raises(DataError, match="slice"):
        ResponsibilityPie(factors=(Share("weather", share),))


def test_slices_need_not_add_up_and_the_page_says_what_is_left():
    pie = filled_pie()
    assert pie.rest == 10
    assert "10 of a hundred is not given to anything yet" in worksheet_markdown(pie)
    over = replace(pie, factors=(*pie.factors, Share("chance", 40.0)))
    assert over.rest == -30
    assert "30 more than a hundred" in worksheet_markdown(over)
    whole = replace(pie, factors=(Share("weather", 100.0),))
    assert "a hundred" not in worksheet_markdown(whole)
    assert ResponsibilityPie().rest is None


# Editing


def test_editing_gives_a_new_value_and_leaves_the_other_fields_alone():
    before = filled_pie()
    after = with_field(before, "situation", " It rained ")
    assert after.situation == "It rained"
    assert before.situation == "The picnic was rained off"
    assert replace(after, situation=before.situation) == before


def test_a_field_is_emptied_by_none_or_by_nothing():
    pie = filled_pie()
    for nothing in (None, "", "  "):
        assert with_field(pie, "situation", nothing).situation is None
        assert with_field(pie, "factors", nothing).factors == ()
        assert with_field(pie, "notes.friend_view", nothing).notes == ()


def test_a_note_is_written_anew_in_its_place():
    sheet = ThoughtRecord(notes=(Note("worst", "a"), Note("best", "b")))
    changed = with_field(sheet, "notes.worst", "c")
    assert changed.notes == (Note("worst", "c"), Note("best", "b"))
    assert with_field(sheet, "notes.likely", "d").notes[-1] == Note("likely", "d")


@pytest.mark.parametrize(
    ("written", "slices"),
    [
        ("timing 20, my part 30", [("timing", 20), ("my part", 30)]),
        ("timing: 20%; my part = 30 %", [("timing", 20), ("my part", 30)]),
        ("天气20%、我的部分：30", [("天气", 20), ("我的部分", 30)]),
        ("act 2 of the play 12.5", [("act 2 of the play", 12.5)]),
        ("timing, my part 30", None),
        ("20", None),
        ("timing 200", None),
    ],
)
def test_slices_are_read_as_a_person_writes_them(written, slices):
    if slices is None:
        with pytest.raises(DataError):
            with_field(ResponsibilityPie(), "factors", written)
    else:
        found = with_field(ResponsibilityPie(), "factors", written).factors
        assert [(s.factor, s.percent) for s in found] == slices


@pytest.mark.parametrize("written", ["80%", " 80 "])
def test_a_rating_is_read_as_a_person_writes_it(written):
    assert with_field(ThoughtRecord(), "belief_before", written).belief_before == 80


@pytest.mark.parametrize("written", ["eighty", "8.5", "-5", "²", "101"])
def test_what_is_no_rating_is_refused_and_never_guessed(written):
    with pytest.raises(DataError, match="0 to 100"):
        with_field(ThoughtRecord(), "belief_before", written)


def test_a_pattern_is_named_by_slug_or_by_its_name_in_either_language():
    for distortion in CANONICAL:
        for name in (distortion.value, distortion.name_in("en"), distortion.name_in("zh")):
            assert with_field(ThoughtRecord(), "distortion", name).distortion is distortion
    with pytest.raises(DataError, match="distortion is one of"):
        with_field(ThoughtRecord(), "distortion", "laziness")


def test_an_unknown_field_is_refused_with_the_nearest_one():
    with pytest.raises(DataError, match='did you mean "situation"'):
        with_field(ThoughtRecord(), "situaton", "x")
    with pytest.raises(DataError, match="it has"):
        with_field(ThoughtRecord(), "zzz", "x")


# Records

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)


@st.composite
def worksheets(draw):
    kind = draw(st.sampled_from(KINDS))
    values = {}
    for name in kind.columns:
        if name in NUMBERS:
            values[name] = draw(st.none() | st.integers(0, 100))
        elif name == "factors":
            shares = st.builds(Share, texts, st.floats(0, 100))
            values[name] = tuple(draw(st.lists(shares, max_size=3)))
        elif name == "distortion":
            values[name] = draw(st.none() | st.sampled_from(CANONICAL))
        else:
            values[name] = draw(st.none() | texts)
    notes = st.lists(st.builds(Note, st.just("worst"), texts), max_size=2)
    return kind(**values, notes=tuple(draw(notes)))


@settings(max_examples=60, deadline=None)
@given(worksheets())
def test_a_worksheet_comes_back_from_json_as_it_was(sheet):
    assert worksheet_from(json.loads(json.dumps(sheet.to_dict()))) == sheet


def test_a_record_may_leave_fields_out():
    assert worksheet_from({"worksheet": "experiment"}) == Experiment()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "must be one of thought_record"),
        ({"worksheet": "diary"}, "must be one of thought_record"),
        ({"worksheet": ["experiment"]}, "must be one of"),
        ({"worksheet": "experiment", "plans": "x"}, 'did you mean "plan"'),
        ({"worksheet": "experiment", "plan": 3}, "plan must be a text"),
        ({"worksheet": "experiment", "belief_before": "80"}, "belief_before is a whole number"),
        ({"worksheet": "experiment", "distortion": "x"}, "distortion is one of"),
        ({"worksheet": "responsibility_pie", "factors": [{"factor": "x"}]}, "factors must be"),
        ({"worksheet": "responsibility_pie", "factors": 3}, "factors must be"),
        ({"worksheet": "experiment", "notes": [{"field": 1, "text": "x"}]}, "notes must be"),
        ({"worksheet": "experiment", "notes": ["x"]}, "notes must be"),
    ],
)
def test_a_record_that_is_no_worksheet_is_refused_by_the_name_of_its_fault(record, message):
    with pytest.raises(DataError, match=message):
        worksheet_from(record)


def test_a_refusal_never_quotes_what_somebody_wrote():
    with pytest.raises(DataError) as caught:
        worksheet_from({"worksheet": "experiment", "belief_before": "SECRET", "plan": "SECRET"})
    assert "SECRET" not in str(caught.value)


# Pages and tables


def test_what_a_person_wrote_never_becomes_markup():
    text = "# one\n- two\n3. three\n<script>x</script> **bold** [a](b) `c` |d| $e$ ~f~\n=== g"
    page = worksheet_markdown(ThoughtRecord(situation=text))
    assert "<script>" not in page
    body = page.split("What happened\n\n")[1].split("\n\n*")[0].split("\n")
    for line in body:
        assert not line.lstrip().startswith(("#", "-", "=", "3. "))
    for mark in "*[`|$~":
        assert f" {mark}" not in "\n".join(body)


def test_words_in_a_table_cannot_leave_their_cell():
    sheet = CostBenefit(benefits="a | b\nc", costs="d")
    row = next(li for li in worksheet_markdown(sheet).splitlines() if li.startswith("| a"))
    assert row == r"| a \| b<br>c | d |"


def test_a_page_leaves_out_what_is_empty_and_a_blank_one_shows_it_with_its_hint():
    sheet = ThoughtRecord(situation="here")
    page, blank = worksheet_markdown(sheet), worksheet_markdown(sheet, blank=True)
    assert "What speaks for it" not in page
    assert "## What speaks for it\n\n*Things that happened.*" in blank
    assert "Nothing has been filled in yet." in worksheet_markdown(ThoughtRecord())
    assert "Nothing has been filled in yet." not in worksheet_markdown(ThoughtRecord(), blank=True)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_page_is_written_in_every_locale(kind, locale):
    page = worksheet_markdown(kind(), locale, blank=True)
    labels = open_labels(locale)
    assert page.startswith(f"# {labels.sheets[kind.kind].name}\n")
    assert [c for c in kind.columns if labels.fields[c].name not in page] == []
    assert "AI" in page
    assert safety.find_claims(page) == ()


def test_every_field_that_a_protocol_fills_has_a_heading_in_every_locale():
    for locale in LOCALES:
        protocols, labels = open_protocols(locale), open_labels(locale)
        asked = {s.field for p in (protocols.frame, *protocols.own.values()) for s in p.steps}
        assert asked - {None, *labels.fields} == set()


def test_the_steps_for_hard_hours_carry_the_lines_of_the_place_from_the_dated_file():
    page = worksheet_markdown(SafetySteps(coping="tea"), region="GB")
    assert safety.help_block("en", "GB") in page
    assert safety.help_block("en", "GB") not in worksheet_markdown(ThoughtRecord(), region="GB")
    with pytest.raises(ConfigError):
        worksheet_markdown(SafetySteps(), region="XX")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_a_table_begins_a_formula(formula):
    sheet = ThoughtRecord(situation="x", notes=(Note("worst", "y"),))
    object.__setattr__(sheet, "situation", formula)
    table = worksheet_csv([(formula, sheet)])
    row = next(csv.DictReader(io.StringIO(table)))
    assert row["situation"] == row["id"] == f"'{formula}"


def test_slices_that_begin_like_a_formula_are_words_in_a_table():
    pie = ResponsibilityPie(factors=(Share("=cmd", 5.0),))
    assert next(csv.DictReader(io.StringIO(worksheet_csv([("1", pie)]))))["factors"] == "'=cmd 5"


def test_a_table_has_one_row_a_worksheet_and_a_column_for_every_field_of_its_kinds():
    table = worksheet_csv([("1", filled_pie()), ("2", ThoughtRecord(belief_before=40))])
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["worksheet"] for row in rows] == ["responsibility_pie", "thought_record"]
    assert [row["belief_before"] for row in rows] == ["80", "40"]
    assert rows[0]["factors"] == "weather 70; my part 20"
    assert rows[1]["factors"] == ""
    assert {"evidence_for", "causes", "notes"} <= set(rows[0])
    assert "low_end" not in rows[0]
    assert rows[0]["notes"] == "friend_view: bad luck"
    assert rows[0]["distortion"] == Distortion.PERSONALIZATION.value
