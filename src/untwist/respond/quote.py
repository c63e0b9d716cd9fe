"""The person's own words, when it is safe to say them back."""

from __future__ import annotations

import re
from functools import lru_cache

from untwist import safety
from untwist.schema import Assessment
from untwist.taxonomy import Distortion, Lang, Risk
from untwist.text import language, normalize, sentences

MAX_QUOTE = {"en": 60, "zh": 30}
"""Longest quotation in characters; a longer one reads like a transcript."""

_FORBIDDEN = re.compile(
    r"[\d{}<>\[\]|\\^`~#@*_=/\n\r\t?？\"“”「」『』:：]|https?|www\.|\.(?:com|cn|org|net)\b"
)
_COMMANDS = re.compile(
    r"\b(?:ignore|disregard|instructions?|prompts?|system|assistant|developer|jailbreak|pretend"
    r"|role ?play|act as|you are|repeat|print|output|respond|say|the user|user's)\b"
    r"|忽略|无视|指令|系统|提示词|扮演|假装|你现在是|输出|重复|复述|回答|请说|你是|用户"
)
_EDGES = " \t,.;!-–—…，。；！、~～'"
_JOINS = re.compile(
    r"^(?:so|and|but|because|cause|bc|since)\s+"
    r"(?=(?:i|i'm|my|we|you|he|she|they|it|this|that|there|nobody|everybody|everyone|people|no one"
    r"|the)\b)|^(?:所以|因为|因為|可是|但是|而且|然后|结果)[，,]?",
    re.IGNORECASE,
)
"""What only joins a thought to the sentence before it."""
_OWN = frozenset({"R11"})
"""Rules of what a program says of itself: between quotation marks it is the person who speaks."""
_FEWEST = {"en": 3, "zh": 4}


@lru_cache(maxsize=1024)
def quotable(words: str, lang: Lang, context: Risk, user_text: str) -> str | None:
    """The words as they may stand between quotation marks; None when they had better not.

    They are short, on one line, in the language of the reply, without digits, links, brackets,
    questions or anything that reads like an order to a machine, and break no rule of safe wording.
    """
    found = _JOINS.sub("", words.strip(_EDGES), count=1)
    if len(found) > MAX_QUOTE[lang] or _FORBIDDEN.search(normalize(found).text + found):
        return None
    if language(found) != lang or _length(found, lang) < _FEWEST[lang]:
        return None
    if _COMMANDS.search(normalize(found).text):
        return None
    if set(safety.violations(found, lang, context, user_text=user_text)) - _OWN:
        return None
    return found


def first_sentence(text: str) -> str:
    """The first sentence of a text; the text when it has none."""
    found = sentences(text)
    return text[found[0][0] : found[0][1]] if found else text


def barred(assessment: Assessment) -> bool:
    """Whether nothing may be quoted at all, because danger is spoken of.

    A dark sentence gains weight by being repeated.
    """
    return assessment.risk >= Risk.MEDIUM or bool(assessment.acuity)


def evidence(assessment: Assessment, target: Distortion | None, lang: Lang) -> str | None:
    """The quotable evidence of the target in the present message; None when there is none.

    Where the target's own words cannot be quoted, because they are a whole long message, the
    strongest other evidence within them stands for them.
    """
    if barred(assessment):
        return None
    text = assessment.utterance.text
    spans = [
        (finding.distortion, finding.start, finding.end)
        for finding in assessment.findings
        if finding.start is not None and finding.end is not None
    ]
    for start, end in [(start, end) for label, start, end in spans if label is target]:
        inner = [(a, b) for label, a, b in spans if label is not target and start <= a and b <= end]
        for first, last in ((start, end), *inner):
            if words := quotable(text[first:last], lang, assessment.risk, text):
                return words
    return None


def _length(words: str, lang: Lang) -> int:
    return len(words.split()) if lang == "en" else len(words)
