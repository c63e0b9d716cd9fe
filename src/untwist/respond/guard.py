"""The guard: reads every draft, whoever wrote it, before the person does.

It adds to the rules of safe wording (R..., `untwist.safety.violations`) what a draft can get wrong
as a reply: G01 empty, G02 wrong language, G03 too long, G04 more than one question, G05 inner
names or prompt text, G06 no contact at high risk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from untwist import safety
from untwist.schema import Assessment, Reply, Verdict
from untwist.taxonomy import Distortion, Intensity, Lang, Risk, Strategy
from untwist.text import language, normalize

MAX_WORDS = 250
"""Longest English reply."""
MAX_HAN = 500
"""Longest Chinese reply, in characters without spaces."""

_QUESTION = re.compile(r"[?？]+")
_QUOTED = re.compile(r"“[^“”]*”|\"[^\"\n]*\"|「[^「」]*」")
_HAN = re.compile("[\u3400-\u9fff]")
_FOREIGN = re.compile("[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff]")
_ADDRESS = re.compile(r"https?://\S+|\b[\w-]+\.(?:com|org|net|cn)\b")
_LEAK = re.compile(
    r"system prompt|hidden instructions?|my instructions (?:say|are|tell)|as an ai language model"
    r"|\bjson\b|\{[^{}]*\}|[{}]|```|<\|[^|]*\|>|\[/?inst\]|###|</?(?:think|system|user|assistant)>"
    r"|^\s*(?:system|assistant|user)\s*:|\ba[0-9]\b\s*[:=]|untwist-12"
    r"|系统提示|提示词|内部指令|我的指令",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class ReplyGuard:
    """Satisfies `ports.Guard`; decides by rules alone and keeps no state.

    Attributes:
        conversation: at most one question is allowed (G04).
    """

    conversation: bool = False

    def check(self, reply: Reply, assessment: Assessment) -> Verdict:
        """Which rules a draft breaks, given what was heard."""
        return self.check_text(reply.text, assessment.risk, reply.lang, assessment.utterance.text)

    def check_text(
        self,
        text: str,
        context: Risk,
        lang: Lang | None = None,
        user_text: str | None = None,
    ) -> Verdict:
        """Which rules a text breaks.

        Args:
            text: any reply, from any source.
            context: the risk of the message that it answers.
            lang: the language it must be in; None means any of the two.
            user_text: the message that it answers, when known.

        Returns:
            The ids of the broken rules in order, those of safe wording first.
        """
        if not normalize(text).text.strip():
            return Verdict(False, ("G01",))
        spoken = lang or language(text) or "en"
        broken = [
            *safety.violations(text, spoken, context, user_text=user_text),
            *self._own(text, context, lang),
        ]
        return Verdict(not broken, tuple(dict.fromkeys(broken)))

    def _own(self, text: str, context: Risk, lang: Lang | None) -> list[str]:
        checks = {
            "G02": not _in_language(text, lang),
            "G03": _too_long(text),
            "G04": self.conversation and len(_QUESTION.findall(_unquoted(text))) > 1,
            "G05": _leaks(text),
            "G06": context is Risk.HIGH and not _names_a_contact(text),
        }
        return [rule for rule, broken in checks.items() if broken]


def _unquoted(text: str) -> str:
    return _QUOTED.sub(" ", text)


def _in_language(text: str, lang: Lang | None) -> bool:
    """Whether the text, less quotations and addresses, is in the language asked for."""
    rest = _ADDRESS.sub(" ", _unquoted(text))
    if _FOREIGN.search(rest):
        return False
    found = language(rest)
    return found is not None and lang in (None, found)


def _too_long(text: str) -> bool:
    if _HAN.search(text) and language(text) == "zh":
        return len("".join(text.split())) > MAX_HAN
    return len(text.split()) > MAX_WORDS


@cache
def _slugs() -> re.Pattern[str]:
    members = [*Distortion, *Strategy]
    slugs = sorted({m.value for m in members if "_" in m.value} | {i.name for i in Intensity})
    return re.compile("|".join(rf"\b{re.escape(slug)}\b" for slug in slugs))


def _leaks(text: str) -> bool:
    return bool(_LEAK.search(text) or _slugs().search(text))


def _names_a_contact(text: str) -> bool:
    folded = normalize(text).text
    if any(r.contact.lower() in folded for r in safety.lines(None)):
        return True
    numbers = sorted(safety.digit_strings(), key=len, reverse=True)
    return any(re.search(rf"(?<!\d){re.escape(n)}(?!\d)", folded) for n in numbers if len(n) > 2)
