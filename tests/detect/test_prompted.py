"""A model that is asked: what it hears, what the screen hears beside it, and what is unscored."""

import threading

import pytest

from tests.detect.talker import answer, message_in
from tests.fakes import FakeChat
from untwist.detect import Example, PromptedDetector
from untwist.errors import ConfigError, DataError, ModelError, ParseError
from untwist.llm import ScriptedModel
from untwist.llm.prompts import Detect, Names
from untwist.safety import screen
from untwist.schema import Finding, Labels, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk

D = Distortion
TEXT = "She did not wave. She hates me, and I always ruin it."


def detect(*answers, text=TEXT, history=(), **options):
    return PromptedDetector(FakeChat(answers), **options).detect(Utterance(text), history)


def test_findings_have_the_span_of_the_words_that_the_model_quotes():
    said = [("mind_reading", "She hates me"), ("overgeneralization", "i ALWAYS ruin it.")]
    heard = detect(answer(said, "severe", "low"))
    assert [TEXT[f.start : f.end] for f in heard.findings] == ["She hates me", "I always ruin it"]
    assert [f.distortion for f in heard.findings] == [D.MIND_READING, D.OVERGENERALIZATION]
    assert [f.score for f in heard.findings] == [1.0, 1.0]
    assert heard.intensity is Intensity.SEVERE
    assert heard.risk is Risk.LOW


def test_words_that_the_message_does_not_hold_are_no_evidence():
    assert detect(answer([("mind_reading", "He loathes me")])).findings == (
        Finding(D.MIND_READING, 1.0),
    )


def test_a_label_that_is_named_twice_is_one_finding_with_its_first_words():
    said = [("mind_reading", "She hates me"), ("mind_reading", "She did not wave")]
    (finding,) = detect(answer(said)).findings
    assert TEXT[finding.start : finding.end] == "She hates me"


def test_nothing_that_a_model_says_lowers_the_risk_and_what_it_hears_raises_it():
    text = "I want to die"
    heard = detect(answer([], risk="none"), text=text)
    assert heard.risk is screen(text).level is Risk.HIGH
    assert heard.acuity == screen(text).acuity
    assert heard.reasons == screen(text).reasons
    assert detect(answer([], risk="medium")).risk is Risk.MEDIUM


def test_the_history_is_shown_for_risk_and_screened():
    model = FakeChat([answer([])])
    earlier = (Utterance("I want to die"), Utterance("I am here.", role="assistant"))
    heard = PromptedDetector(model).detect(Utterance("nice weather"), earlier)
    assert heard.risk > Risk.NONE
    assert "I want to die" in model.seen[0][-1]["content"]


def test_the_question_is_in_the_language_of_the_message_and_names_its_version():
    model = FakeChat([answer([])] * 3)
    detector = PromptedDetector(model)
    for text, lang in (("她没理我", "zh"), ("hello", "en"), ("42", "en")):
        detector.detect(Utterance(text))
        prompt = Detect(lang)
        assert model.seen[-1] == list(prompt.messages(text))
        assert model.options[-1]["prompt"] == prompt.id
        assert model.options[-1]["schema"] == prompt.schema
        assert model.options[-1]["temperature"] == 0


def test_examples_and_other_labels_are_asked_for_and_named():
    model = FakeChat([answer([("读心术", "她没理我")])])
    detector = PromptedDetector(model, "beck-8", shots=2, samples=1)
    assert detector.detect(Utterance("她没理我")).findings[0].distortion is D.MIND_READING
    assert len(model.seen[0]) > 2
    version = Detect("en").version
    assert detector.name == f"llm:fake-chat 1/detect@{version}/beck-8/shots-2"


def test_a_label_counts_when_more_than_half_of_the_samples_name_it():
    one, two = ("mind_reading", "She hates me"), ("labeling", "ruin")
    model = FakeChat(
        [
            answer([one], "mild", "low"),
            answer([two, one], "severe", "none"),
            answer([], risk="medium"),
        ]
    )
    heard = PromptedDetector(model, samples=3).detect(Utterance(TEXT))
    assert [(f.distortion, round(f.score, 2)) for f in heard.findings] == [(D.MIND_READING, 0.67)]
    assert heard.intensity is Intensity.MILD
    assert heard.risk is Risk.MEDIUM
    assert len({options["seed"] for options in model.options}) == 3
    assert all(options["temperature"] > 0 for options in model.options)
    split = PromptedDetector(FakeChat([answer([one]), answer([])]), samples=2)
    assert split.detect(Utterance(TEXT)).findings == ()
    assert split.samples == 2


@pytest.mark.parametrize(
    ("said", "reason", "calls"),
    [
        ("I'm sorry, but I can't help with that.", "refused", 1),
        ("抱歉，我无法协助处理这个请求。", "refused", 1),
        ("There is no distortion here.", "not_json", 2),
        (answer([("no such label", "x")]), "parse", 2),
        (answer([("mind_reading", "x")]).replace('"moderate"', "null"), "parse", 2),
        (ModelError("slow", reason="timeout"), "timeout", 1),
        (ParseError("declined", raw="I cannot assist with that."), "refused", 1),
    ],
)
def test_what_cannot_be_read_is_unscored_and_never_no_distortion(said, reason, calls):
    model = FakeChat([said] * 4)
    with pytest.raises(ModelError) as error:
        PromptedDetector(model).detect(Utterance(TEXT))
    assert error.value.reason == reason
    assert len(model.seen) == calls
    assert TEXT not in str(error.value)


def test_an_answer_that_cannot_be_read_is_asked_for_again_with_another_seed():
    model = FakeChat(["no idea", answer([])])
    assert PromptedDetector(model).detect(Utterance(TEXT)).findings == ()
    assert model.options[0]["seed"] != model.options[1]["seed"]
    with pytest.raises(ParseError):
        detect("no idea", answer([]), attempts=1)


def _by_number(request):
    number = int(message_in(request).split()[-1])
    if number % 3 == 2:
        return ModelError("slow", reason="timeout")
    return answer([("labeling", "item")], risk="low")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_each_message_has_its_answer_or_its_error_in_order(concurrency):
    detector = PromptedDetector(ScriptedModel(_by_number), concurrency=concurrency)
    items = [Utterance(f"item {n}", id=str(n)) for n in range(20)]
    answers = list(detector.each((one, ()) for one in items))
    assert len(answers) == len(items)
    for n, (one, found) in enumerate(zip(items, answers, strict=True)):
        if n % 3 == 2:
            assert isinstance(found, ModelError)
        else:
            assert found.utterance == one
    with pytest.raises(ModelError):
        list(detector.detect_many(items))


class Meeting:
    """Answers nobody before four have asked."""

    name = "meeting@1"

    def __init__(self):
        self.together = threading.Barrier(4, timeout=20)

    def chat(self, messages, **options):
        self.together.wait()
        return answer([])


def test_several_messages_are_asked_about_at_once():
    detector = PromptedDetector(Meeting(), concurrency=4)
    assert len(list(detector.detect_many(Utterance(f"item {n}") for n in range(8)))) == 8


def test_what_came_before_an_unreadable_row_is_answered_first():
    def rows():
        yield Utterance("item 0"), ()
        yield Utterance("item 1"), ()
        raise DataError("row 3 cannot be read")

    stream = PromptedDetector(ScriptedModel(_by_number), concurrency=3).each(rows())
    assert [next(stream).utterance.text for _ in range(2)] == ["item 0", "item 1"]
    with pytest.raises(DataError, match="row 3"):
        next(stream)


def test_a_stream_that_is_left_asks_no_more():
    asked = []

    def counted(request):
        asked.append(request)
        return answer([])

    detector = PromptedDetector(ScriptedModel(counted), concurrency=2)
    stream = detector.detect_many(Utterance(f"item {n}") for n in range(1000))
    next(stream)
    stream.close()
    assert len(asked) <= 6


def _example(text, *labels, intensity=Intensity.MILD, risk=Risk.LOW, evidence=()):
    found = frozenset(labels)
    spans = tuple(
        Finding(d, 1.0, text.index(words), text.index(words) + len(words)) for d, words in evidence
    )
    marks = Labels(found, frozenset(D), intensity if found else None, risk, (), spans)
    return Example(Utterance(text), marks, "someone")


EXAMPLES = (
    _example("I lost, I'm a loser.", D.LABELING, evidence=[(D.LABELING, "I'm a loser")]),
    _example("都怪我", D.PERSONALIZATION),
    _example("It rained.", risk=Risk.NONE),
    _example("Nobody ever calls.", D.OVERGENERALIZATION),
)


def test_examples_of_ones_own_are_shown_in_the_language_of_the_message():
    model = FakeChat([answer([])] * 2)
    detector = PromptedDetector(model, shots=2, examples=EXAMPLES)
    detector.detect(Utterance("hello"))
    detector.detect(Utterance("你好"))
    english, chinese = ([one["content"] for one in said] for said in model.seen)
    assert len(english) == 6
    assert "I lost, I'm a loser." in english[1]
    assert '"quote": "I\'m a loser"' in english[2]
    assert '"findings": []' in english[4]
    assert "Nobody ever calls." not in "".join(english)
    assert len(chinese) == 4
    assert '"quote": "都怪我"' in chinese[2]
    plain = PromptedDetector(model, shots=2)
    others = PromptedDetector(model, shots=2, examples=EXAMPLES[1:])
    assert len({detector.name, plain.name, others.name}) == 3


@pytest.mark.parametrize(
    ("examples", "error"),
    [
        ((EXAMPLES[0],), ConfigError),
        ((_example("x", D.LABELING, intensity=None),), DataError),
        ((_example("x", risk=None),), DataError),
        ((_example("x", D.COMPARING),), DataError),
    ],
)
def test_examples_that_cannot_be_shown_are_refused(examples, error):
    with pytest.raises(error):
        PromptedDetector(FakeChat([]), shots=0 if error is ConfigError else 1, examples=examples)


class Hanging:
    """Answers nobody until it is cancelled."""

    name = "hanging@1"

    def __init__(self):
        self.cancelled = threading.Event()

    def cancel(self):
        self.cancelled.set()

    def chat(self, messages, **options):
        assert self.cancelled.wait(20)
        raise ModelError("cancelled", reason="cancelled")


class Wrapped:
    """A model around another, as a cache is."""

    name = "wrapped@1"

    def __init__(self, model):
        self.model, self.chat = model, model.chat


@pytest.mark.parametrize("wrap", [lambda model: model, Wrapped])
def test_an_interrupt_ends_the_calls_under_way(wrap):
    model = Hanging()

    def rows():
        yield Utterance("one"), ()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(PromptedDetector(wrap(model), concurrency=4).each(rows()))
    assert model.cancelled.is_set()


@pytest.mark.parametrize(
    "options",
    [
        {"samples": 0},
        {"attempts": 0},
        {"concurrency": 0},
        {"shots": -1},
        {"taxonomy": "worksheet-10"},
        {"taxonomy": "cbtqa-6"},
        {"taxonomy": "reframing-14"},
    ],
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        PromptedDetector(FakeChat([]), **options)


def test_a_model_tuned_on_names_is_asked_for_them_and_judges_nothing_else():
    model = FakeChat(["Mind reading, labeling"])
    heard = PromptedDetector(model, question="names").detect(Utterance(TEXT))
    assert [f.distortion for f in heard.findings] == [D.MIND_READING, D.LABELING]
    assert {(f.score, f.start, f.end) for f in heard.findings} == {(1.0, None, None)}
    assert heard.intensity is None
    assert heard.risk is screen(TEXT).level
    assert heard.detector == "llm:fake-chat 1/names@1"
    asked = [dict(one) for one in model.seen[0]]
    assert asked == [dict(one) for one in Names("en").messages(TEXT)]


def test_a_model_tuned_on_reasons_is_read_from_its_last_line_and_the_screen_stands_beside_it():
    said = "She is late.\nMind reading: she says what others think.\nno distortion"
    heard = detect(said, question="reasons", text="I want to die")
    assert heard.findings == ()
    assert heard.risk is Risk.HIGH


def test_a_tuned_model_is_asked_for_the_labels_of_its_corpus_and_no_others():
    with pytest.raises(ParseError):
        detect("Blaming", "Blaming", question="names", taxonomy="therapist-10")
    (found,) = detect("Blaming", question="names", taxonomy="socialcd-12").findings
    assert found.distortion is D.BLAMING


def test_labels_that_one_corpus_alone_has_are_asked_for_by_name_as_its_samples_ask_for_them():
    (found,) = detect("Comparing and despairing", question="names",
                      taxonomy="reframing-14").findings  # fmt: skip
    assert found.distortion is D.COMPARING
    with pytest.raises(ConfigError, match="not one of the twelve"):
        detect(taxonomy="reframing-14")


def test_an_answer_without_names_is_unscored_and_never_no_distortion():
    with pytest.raises(ParseError):
        detect("She feels bad.", "She feels bad.", question="names")


def test_an_unknown_question_and_examples_for_names_are_refused():
    with pytest.raises(ConfigError, match="reasons"):
        detect(question="labels")
    with pytest.raises(ConfigError, match="shots"):
        detect(question="names", shots=2)
