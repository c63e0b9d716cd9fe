"""Every prompt, made-up values of each, and a question that each can ask."""

from hypothesis import strategies as st

from untwist.llm.prompts import (
    CBT_PARTS,
    RUBRICS,
    Annotate,
    Annotation,
    AnswerInParts,
    Because,
    Better,
    CbtAnswer,
    Chain,
    Challenge,
    Challenged,
    Compared,
    Detect,
    Draft,
    Event,
    Exchange,
    Heard,
    Judge,
    Judgement,
    Named,
    Names,
    NextTurn,
    Person,
    Prefer,
    Preference,
    Question,
    Quoted,
    Reasoned,
    ReasoningChain,
    Said,
    Score,
    Seed,
    Seeker,
    Sift,
    Sifted,
    StrategyReply,
    TriggeringEvent,
    TurnAsked,
    Worksheet,
    labels_of,
)
from untwist.llm.prompts.answers import refuses
from untwist.schema import Assessment, Choice, Finding, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Intensity, Risk, Strategy, taxonomies

PIECES = [
    "I can't do it",
    "都怪我",
    '"',
    "{}",
    "}",
    "\n",
    "</message>",
    "```json",
    "<think>",
    "\\",
    ", ]",
    "😀",
    " ",
    "null",
    "é",
]
texts = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5)
    .map("".join)
    .map(str.strip)
    .filter(bool)
)
prose = texts.filter(lambda text: not refuses(text))
TEXT = {"en": "She did not wave, so she hates me.", "zh": "她没打招呼，肯定是讨厌我。"}
SETS = sorted(taxonomies())


def _labelled(taxonomy):
    return st.sampled_from(list(labels_of(taxonomy)))


def _intensity(found):
    return st.sampled_from(Intensity) if found else st.none()


@st.composite
def heard(draw, prompt):
    label = _labelled(prompt.taxonomy)
    found = tuple(draw(st.lists(st.builds(Quoted, label, texts), max_size=3)))
    return Heard(found, draw(_intensity(found)), draw(st.sampled_from(Risk)))


@st.composite
def annotations(draw, prompt):
    label = _labelled(prompt.taxonomy)
    found = tuple(draw(st.lists(st.builds(Reasoned, label, texts, texts), max_size=3)))
    rest = draw(prose), draw(_intensity(found)), draw(st.sampled_from(Risk))
    return Annotation(found, *rest)


def answers(prompt):
    parts = {part: prose for part in CBT_PARTS}
    labels = st.lists(_labelled(prompt.taxonomy), unique=True, max_size=3).map(tuple)
    return st.builds(CbtAnswer, **parts, distortions=labels)


def worksheets(prompt):
    item = st.builds(Challenged, prose, _labelled(prompt.taxonomy), prose)
    return st.builds(Worksheet, prose, st.lists(item, max_size=3).map(tuple), prose)


def chains(prompt):
    reason = st.builds(Because, _labelled(prompt.taxonomy), texts, prose)
    lists = st.lists(texts, max_size=3).map(tuple), st.lists(reason, max_size=3).map(tuple)
    return st.builds(Chain, prose, *lists, prose)


def judgements(prompt):
    scores = [
        st.builds(Score, st.just(scale), texts, st.sampled_from([None, *values]))
        for scale, values in prompt.scales.items()
    ]
    return st.tuples(*scores).map(Judgement)


def named(prompt):
    found = st.lists(st.sampled_from(sorted(prompt.asked)), unique=True, max_size=3).map(tuple)
    return st.builds(Named, found, st.just("") | prose.filter(lambda t: "<think>" not in t))


def preferences(prompt):
    one = st.none() | st.sampled_from(Better)
    return st.tuples(
        *(st.builds(Compared, st.just(scale), texts, one) for scale in prompt._scales)
    ).map(Preference)


said = st.none() | prose.filter(lambda text: not text.startswith("<think>"))
VALUES = {
    Detect: heard,
    Annotate: annotations,
    Sift: lambda _: st.builds(Sifted, prose, st.booleans()),
    AnswerInParts: answers,
    TriggeringEvent: lambda _: st.builds(Event, prose, prose),
    Challenge: worksheets,
    ReasoningChain: chains,
    StrategyReply: lambda _: st.builds(Draft, prose),
    Names: named,
    Seeker: lambda _: st.builds(Said, said),
    NextTurn: lambda _: st.builds(Draft, prose.filter(lambda text: not text.startswith("<think>"))),
    Judge: judgements,
    Prefer: preferences,
}
"""Made-up values by prompt."""

PROMPTS = [kind(lang) for kind in VALUES if kind not in (Judge, Prefer) for lang in LANGS]
PROMPTS += [Judge(lang, rubric) for rubric in RUBRICS for lang in LANGS]
PROMPTS += [kind("en", name) for kind in (Detect, Annotate, ReasoningChain) for name in SETS]
PROMPTS += [Prefer(lang, rubric) for rubric in ("cognitive", "answer") for lang in LANGS]
PROMPTS += [Judge(lang, "session", reverse=True) for lang in LANGS]
"""Every prompt in both languages, and those with labels in every taxonomy."""


def assessment(lang, intensity=Intensity.SEVERE, risk=Risk.NONE, distortion=CANONICAL[4]):
    text = TEXT[lang]
    findings = (Finding(distortion, 1.0, 0, len(text)),) if distortion else ()
    return Assessment(
        Utterance(text, lang), findings, intensity if findings else None, risk, (), (), "made-up"
    )


def asked(prompt, text=None):
    """A question of a prompt about a text."""
    lang = prompt.lang
    text = text or TEXT[lang]
    one = Utterance(text, lang)
    before = (Utterance(TEXT[lang]), Utterance("hm", role="assistant"))
    seed = Seed("x", 40, "y", "z", "envy")
    labels = list(labels_of(prompt.taxonomy))[:2] if isinstance(prompt, ReasoningChain) else []
    target = CANONICAL[4]
    arguments = {
        Detect: (text, before),
        Annotate: ((*before, one),),
        Sift: ((*before, one),),
        AnswerInParts: (Question(text, text),),
        TriggeringEvent: (seed, (text,)),
        Challenge: (text,),
        ReasoningChain: (text, labels),
        Names: (text,),
        StrategyReply: (
            Choice(Strategy.REALITY_TESTING, target, "gold", "made-up"),
            Assessment(one, (Finding(target, 1.0, 0, 3),), Intensity.MILD, Risk.LOW, (), (), "m"),
            before,
        ),
        NextTurn: (
            TurnAsked(text, Strategy.REALITY_TESTING, target, (text,)),
            Assessment(one, (), Intensity.MILD, Risk.LOW, (), (), "m"),
            before,
        ),
        Seeker: (Person((target,), Intensity.MILD, facts=seed), (one, before[1])),
        Judge: (Exchange((*before, one), text, text, (target,), Intensity.MILD, Risk.LOW),),
        Prefer: (Exchange((*before, one), text), text),
    }
    return prompt.messages(*arguments[type(prompt)])
