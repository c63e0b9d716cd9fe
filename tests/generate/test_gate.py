"""What may be written, and why the rest may not."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.data import Part
from untwist.generate.gate import Draft, Said, alone, faults, gate, redacted, repeating
from untwist.schema import Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Risk

LONG = "My manager moved the meeting to Friday and I am sure it is because of what I said last week"
OTHER = "The neighbours had a party and nobody told us, so we sat at home and watched an old film"


def draft(id, text, *said, own=None):
    return Draft(alone(id, text), said, own=own)


def test_what_is_new_and_worded_safely_passes_in_its_order():
    passed = gate([draft("b", LONG), draft("a", OTHER)])
    assert [d.dialogue.id for d in passed.kept] == ["b", "a"]
    assert passed.refused == ()


def test_of_two_that_repeat_each_other_the_first_stays():
    passed = gate([draft("1", LONG), draft("2", LONG.upper() + "!"), draft("3", OTHER)])
    assert [d.dialogue.id for d in passed.kept] == ["1", "3"]
    assert passed.refused == (("2", "repeat: 1"),)
    assert passed.by_reason() == {"repeat": 1}


def test_of_two_that_share_an_id_the_later_is_refused_and_counted():
    drafts = [draft("1", LONG), draft("1", OTHER), draft("2", LONG + "!"), draft("1", LONG)]
    passed = gate(drafts)
    assert passed.kept == (drafts[0],)
    assert passed.refused == (("1", "same id"), ("2", "repeat: 1"), ("1", "same id"))
    assert passed.by_reason() == {"same id": 2, "repeat": 1}


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from((LONG, OTHER, "A cat."))), max_size=6
    )
)
def test_every_draft_is_either_kept_or_refused(told):
    drafts = [draft(id, text) for id, text in told]
    passed = gate(drafts)
    assert len(passed.kept) + len(passed.refused) == len(drafts)


def test_a_third_that_is_like_the_refused_second_alone_is_kept():
    # 1 and 2 are alike, 2 and 3 are alike, 1 and 3 are not: only what is written counts
    words = [f"word{n:02d}" for n in range(40)]
    first, second, third = (" ".join(words[a:b]) for a, b in ((0, 20), (3, 23), (6, 26)))
    passed = gate([draft("1", first), draft("2", second), draft("3", third)])
    assert [d.dialogue.id for d in passed.kept] == ["1", "3"]


def test_repeats_can_be_judged_by_what_was_generated_alone():
    same = [draft("1", LONG, own="We could look at it."), draft("2", LONG, own="What else is so?")]
    assert len(gate(same).kept) == 2


def test_what_stands_in_a_test_set_is_refused_both_ways_round():
    test = Part("exam", [alone("t1", LONG)])
    longer = draft("2", f"{OTHER}. {LONG}")
    passed = gate([draft("1", LONG.replace("manager", "manager,")), longer], [test])
    assert passed.refused == (("1", "leak: exam"), ("2", "leak: exam"))


def test_a_leak_is_written_only_when_that_is_asked_for():
    test = Part("exam", [alone("t1", LONG)])
    assert len(gate([draft("1", LONG)], [test], leaks=False).kept) == 1


def test_a_reply_that_breaks_a_rule_is_refused_with_the_rule_and_without_its_words():
    bad = Said("You have depression, that is my diagnosis.", "reply", "en")
    passed = gate([draft("1", LONG, bad)])
    assert passed.kept == ()
    assert passed.refused == (("1", "wording: R10"),)


def test_a_note_may_say_what_a_reply_may_not():
    words = "The writer blames herself for something that nobody could have known."
    assert faults(Said(words, "note")) == ()


def test_a_made_up_person_in_acute_danger_is_refused():
    assert "screen" in faults(Said("I want to kill myself tonight", "seeker"))
    assert faults(Said(LONG, "seeker", "en")) == ()


def test_redaction_moves_the_spans_with_their_words():
    text = "Call me on 07700 900123, I always ruin everything."
    start = text.index("I always")
    labels = Labels(
        frozenset({Distortion.OVERGENERALIZATION}),
        frozenset(CANONICAL),
        evidence=(Finding(Distortion.OVERGENERALIZATION, 1.0, start, len(text)),),
    )
    dialogue = Dialogue("1", "own", (Utterance(text, id="1"),), (labels,), "1")
    after = redacted(dialogue)
    (utterance,), (kept,) = after.utterances, after.labels
    assert "900123" not in utterance.text
    (span,) = kept.evidence
    assert utterance.text[span.start : span.end] == "I always ruin everything."


def test_a_span_over_what_was_taken_out_goes():
    text = "Write to me@example.org"
    labels = Labels(
        frozenset({Distortion.LABELING}),
        frozenset(CANONICAL),
        evidence=(Finding(Distortion.LABELING, 1.0, 0, len(text)),),
    )
    dialogue = Dialogue("1", "own", (Utterance(text, id="1"),), (labels,), "1")
    assert redacted(dialogue).labels[0].evidence == ()


def test_what_is_said_in_a_challenge_is_redacted_too():
    labels = Labels(
        frozenset({Distortion.LABELING}),
        frozenset(CANONICAL),
        challenges=((Distortion.LABELING, "Write to me@example.org about it?"),),
    )
    dialogue = Dialogue("1", "own", (Utterance(LONG, id="1"),), (labels,), "1")
    ((_, words),) = redacted(dialogue).labels[0].challenges
    assert "example.org" not in words


def test_what_holds_nothing_personal_is_left_as_it_is():
    dialogue = replace(alone("1", LONG), labels=(Labels(None, frozenset(), risk=Risk.LOW),))
    assert redacted(dialogue) == dialogue


WORDS = st.sampled_from([f"word{n}" for n in range(12)])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=4, max_size=12).map(" ".join), max_size=8))
def test_every_draft_is_kept_or_refused_once_and_no_two_kept_ones_are_alike(texts):
    drafts = [draft(str(n), text) for n, text in enumerate(texts)]
    passed = gate(drafts)
    kept = [d.dialogue.id for d in passed.kept]
    assert sorted([*kept, *(id for id, _ in passed.refused)]) == sorted(map(str, range(len(texts))))
    assert repeating([d.dialogue for d in passed.kept]) == {}
    assert kept == sorted(kept, key=int)
