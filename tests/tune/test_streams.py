"""From corpora to samples: every question is the one that the model will be asked later."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.fakes import FakeChat
from untwist.data import Reading, Record, load_source
from untwist.detect import PromptedDetector
from untwist.llm.prompts import Challenge, Challenged, Detect, Names, StrategyReply, Worksheet
from untwist.schema import Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy
from untwist.tune.examples import Message
from untwist.tune.streams import (
    CRISIS,
    NO_LABELS,
    NO_STRATEGY,
    OTHER_LABELS,
    fitting,
    from_chains,
    from_dialogues,
    from_labels,
    from_triads,
    from_worksheets,
    without_replaced,
)

D, ALL = Distortion, frozenset(CANONICAL)
THOUGHT = "She did not wave, so she hates me."


def heard(*found, risk=Risk.LOW, intensity=Intensity.SEVERE):
    spans = (Finding(found[0], 1.0, 18, 33),) if found else ()
    return Labels(frozenset(found), ALL, intensity if found else None, risk, (), spans)


def said(strategy):
    return Labels(None, ALL, strategy=strategy)


def dialogue(labels=None, strategy=Strategy.REALITY_TESTING, id="one", **more):
    texts = ("Hello.", "Tell me more.", THOUGHT, "How could you find out?")
    roles = ("user", "assistant") * 2
    utterances = tuple(Utterance(t, "en", None, r) for t, r in zip(texts, roles, strict=True))
    own = (None, None, labels or heard(D.MIND_READING), said(strategy))
    return Dialogue(id, "mine", utterances, own, more.pop("group", id), **more)


def samples(made):
    return {one.sample.id: one.sample for one in made}


def as_asked(sample):
    return [{"role": m.role, "content": m.content} for m in sample.messages]


def test_a_dialogue_gives_both_streams_and_counts_what_gives_none():
    left_out = Counter()
    found = samples(from_dialogues([dialogue()], "untwist-12", left_out))
    streams = {id: sample.stream for id, sample in found.items()}
    assert streams == {"mine:one#3/labels": "diagnosis", "mine:one#3/reply": "intervention"}
    assert left_out == {NO_LABELS: 1, NO_STRATEGY: 1}


def test_the_diagnosis_is_what_the_prompted_detector_asks_and_reads():
    found = samples(from_dialogues([dialogue()], "untwist-12", Counter()))
    sample = found["mine:one#3/labels"]
    model = FakeChat([sample.target])
    history = dialogue().utterances[:2]
    answer = PromptedDetector(model).detect(Utterance(THOUGHT), history)
    assert as_asked(sample) == [dict(one) for one in model.seen[0]]
    assert answer.findings == (Finding(D.MIND_READING, 1.0, 18, 33),)
    assert (answer.intensity, answer.risk) == (Intensity.SEVERE, Risk.LOW)


def test_the_reply_is_asked_for_with_its_strategy_target_and_history():
    sample = samples(from_dialogues([dialogue()], "untwist-12", Counter()))["mine:one#3/reply"]
    assert StrategyReply("en").parse(sample.target).reply == "How could you find out?"
    system, asked = (message.content for message in sample.messages)
    assert Strategy.REALITY_TESTING.name_in("en") in system
    assert D.MIND_READING.definition_in("en") in asked
    assert "Tell me more." in asked
    assert not sample.augmented


def test_the_message_that_is_answered_is_shown_once_and_what_comes_after_it_never():
    for sample in samples(from_dialogues([dialogue()], "untwist-12", Counter())).values():
        whole = "\n".join(message.content for message in sample.messages)
        assert whole.count(f"\n{THOUGHT}\n") == 1
        assert "How could you find out?" not in sample.messages[-1].content


def test_a_strategy_that_suits_no_label_is_for_the_person_and_not_for_a_thought():
    one = dialogue(strategy=Strategy.COST_BENEFIT)
    sample = samples(from_dialogues([one], "untwist-12", Counter()))["mine:one#3/reply"]
    assert D.MIND_READING.definition_in("en") not in sample.messages[-1].content


@pytest.mark.parametrize(
    ("labels", "strategy"),
    [
        (heard(D.MIND_READING, risk=Risk.HIGH), Strategy.REALITY_TESTING),
        (heard(D.MIND_READING), Strategy.CRISIS_INTERVENTION),
    ],
)
def test_no_model_learns_to_write_a_reply_in_a_crisis(labels, strategy):
    left_out = Counter()
    found = samples(from_dialogues([dialogue(labels, strategy)], "untwist-12", left_out))
    assert [sample.stream for sample in found.values()] == ["diagnosis"]
    assert left_out[CRISIS] == 1


def test_labels_that_a_taxonomy_lacks_and_labels_not_in_full_are_counted_and_never_guessed():
    half = replace(heard(D.BLAMING), risk=None)
    for labels in (heard(D.BLAMING), half, heard(D.MIND_READING, intensity=None)):
        left_out = Counter()
        found = samples(from_dialogues([dialogue(labels)], "beck-8", left_out))
        assert "mine:one#3/labels" not in found
        assert sum(left_out.values()) >= 3


def enhanced():
    """As `untwist generate enhance` writes it: named after its turn, ending in the policy's."""
    whole = dialogue()
    answer = replace(whole.utterances[3], text="A policy's reply.")
    return replace(whole, id="one#3", utterances=(*whole.utterances[:3], answer))


def test_a_policys_reply_is_marked_and_takes_the_place_of_the_one_that_was_there():
    made = list(from_dialogues([dialogue()], "untwist-12", Counter(), [enhanced()]))
    found = [one.sample for one in made]
    assert [s.augmented for s in found] == [False, False, True]
    assert len({one.group for one in made}) == 1
    kept = without_replaced(found)
    assert [s.id for s in kept] == ["mine:one#3/labels", "mine:one#3/policy"]
    assert StrategyReply("en").parse(kept[1].target).reply == "A policy's reply."
    assert without_replaced(found[:2]) == found[:2]


def test_the_earliest_of_the_history_goes_first_and_the_message_never():
    (drafted, _) = from_dialogues([dialogue()], "untwist-12", Counter())
    assert drafted.turns == 2
    whole = len(drafted.sample.messages[-1].content)
    sample, dropped = fitting(drafted, lambda s: len(s.messages[-1].content) < whole)
    assert dropped == 1
    assert "Hello." not in sample.messages[-1].content
    assert "Tell me more." in sample.messages[-1].content
    sample, dropped = fitting(drafted, lambda s: False)
    assert dropped == 2
    assert THOUGHT in sample.messages[-1].content
    assert fitting(drafted, lambda s: True)[1] == 0


def test_a_labelled_message_is_asked_for_the_labels_that_its_corpus_carries():
    ten = ALL - {D.BLAMING, D.DISQUALIFYING_POSITIVE}
    one = Dialogue(
        "a", "mine", (Utterance(THOUGHT),), (Labels(frozenset({D.MIND_READING}), ten),), "a"
    )
    none = replace(one, id="b", group="b", labels=(Labels(frozenset(), ten),))
    unknown = replace(one, id="c", group="c", labels=(None,))
    left_out = Counter()
    found = samples(from_labels([one, none, unknown], left_out))
    prompt = Names("en", ten)
    assert as_asked(found["mine:a"]) == [dict(m) for m in prompt.messages(THOUGHT)]
    assert prompt.parse(found["mine:a"].target).distortions == (D.MIND_READING,)
    assert prompt.parse(found["mine:b"].target).distortions == ()
    assert found["mine:a"].stream == "plain"
    assert left_out == {NO_LABELS: 1}


def test_a_sample_of_names_is_what_a_tuned_detector_asks():
    one = Dialogue("a", "mine", (Utterance(THOUGHT),), (Labels(frozenset(), ALL),), "a")
    sample = next(from_labels([one], Counter())).sample
    model = FakeChat([sample.target])
    assert PromptedDetector(model, question="names").detect(Utterance(THOUGHT)).findings == ()
    assert as_asked(sample) == [dict(m) for m in model.seen[0]]


def chain(last, labels=frozenset({D.MIND_READING})):
    text = f"She walked by.\n- She hates me.\n{last}"
    pair = (Utterance(THOUGHT), Utterance(text, "en", None, "assistant"))
    return Dialogue(last, "mine", pair, (Labels(labels, ALL), None), last)


def test_a_chain_is_learned_when_it_leads_to_the_labels_of_its_message():
    left_out = Counter()
    chains = [chain("Mind reading"), chain("Labeling"), chain("as said")]
    (made,) = from_chains(chains, left_out)
    assert made.sample.target == "She walked by.\n- She hates me.\nMind reading"
    asked = Names("en", ALL, reasons=True).messages(THOUGHT)
    assert as_asked(made.sample) == [dict(m) for m in asked]
    assert left_out == {OTHER_LABELS: 1, "chains whose last line names no labels": 1}


def test_a_triad_is_one_message_and_its_answer_and_brings_its_own_system_text():
    rows = [
        {"instruction": "Answer.", "input": "Why?", "output": "So.", "system": "Be kind."},
        {"instruction": "Answer.", "output": "So.", "history": [["a", "b"]], "id": "x"},
        {"instruction": "Answer.", "output": ""},
        {"instruction": 3, "output": "So."},
    ]
    left_out = Counter()
    made = [Record(n, row) for n, row in enumerate(rows, 1)]
    first, second = (one.sample for one in from_triads(made, "Be brief.", left_out, "f"))
    assert first.messages == (Message("system", "Be kind."), Message("user", "Answer.\nWhy?"))
    assert second.messages[0] == Message("system", "Be brief.")
    assert [m.content for m in second.turns] == ["a", "b", "Answer."]
    assert (first.id, second.id) == ("f:row-1", "f:x")
    assert sum(left_out.values()) == 2
    (bare, *_) = from_triads(made[1:2], "", Counter(), "f")
    assert bare.sample.system is None


def test_a_worksheet_is_what_the_challenge_prompt_asks_and_reads():
    label = next(iter(Challenge("en").schema["properties"]["items"]["items"]["properties"]
                      ["label"]["enum"]))  # fmt: skip
    sheet = Worksheet("It makes sense.", (Challenged("I failed.", label, "Did you?"),), "Go on.")
    prompt = Challenge("en")
    row = {"id": "a", "text": "I lost my keys.", "worksheet": prompt.write(sheet)}
    left_out = Counter()
    rows = [row, {"id": "b", "text": "No sheet."}, row | {"worksheet": {"opening": "x"}}]
    records = [Record(n, one) for n, one in enumerate(rows, 1)]
    (made,) = from_worksheets(records, "worksheet-10", left_out, "f")
    assert prompt.parse(made.sample.target) == sheet
    assert as_asked(made.sample) == [dict(m) for m in prompt.messages("I lost my keys.")]
    assert sum(left_out.values()) == 2


def test_every_label_of_the_open_dialogues_makes_a_sample_that_its_reader_reads():
    dialogues = load_source("open-dialogues", Reading()).dialogues[::40]
    left_out = Counter()
    found = [one.sample for one in from_dialogues(dialogues, "untwist-12", left_out)]
    for sample in found:
        lang = "zh" if ":zh" in sample.id else "en"
        prompt = Detect(lang) if sample.stream == "diagnosis" else StrategyReply(lang)
        assert prompt.render(prompt.parse(sample.target)) == sample.target
    assert {s.stream for s in found} == {"diagnosis", "intervention"}
    assert set(left_out) <= {CRISIS}
    assert len(found) + left_out[CRISIS] == sum(len(d.utterances) for d in dialogues)
