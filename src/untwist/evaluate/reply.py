"""What can be counted in replies: their parts, variety, questions, length and broken rules.

Variety is of many replies together. Distinct-n (Li et al. 2016) is the share of n-grams that are
different ones; self-BLEU (Zhu et al. 2018) is the mean BLEU-4 of each reply against all the others,
so that 1 means "always the same". Both change with the number of replies: only equal numbers may be
compared, which is what `variety` draws.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.parts import CBT_PARTS, cbt_parts
from untwist.evaluate.proportions import Share
from untwist.evaluate.resample import RESAMPLES, Estimate, grouped_mean
from untwist.taxonomy import Lang

ORDER = 4
"""Longest n-gram of self-BLEU."""
DRAWS = 5
"""How often `variety` draws."""
_NEARLY_NONE = 0.1
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_HAN_OR_WORD = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[a-z]+(?:['’][a-z]+)*|\\d+")
_ASKED = re.compile("[?？]+")
_Ngram = tuple[str, ...]


def reply_tokens(text: str, lang: Lang) -> tuple[str, ...]:
    """Words in lower case; of Chinese, characters, with Latin words and numbers whole."""
    pattern = _HAN_OR_WORD if lang == "zh" else _WORDS
    return tuple(pattern.findall(text.lower()))


def question_count(text: str) -> int:
    """How many questions a reply asks; marks in a row are one."""
    return len(_ASKED.findall(text))


def distinct(texts: Sequence[Sequence[str]], n: int) -> float | None:
    """Distinct-n of tokenised replies; None when there is no n-gram."""
    found = [gram for tokens in texts for gram in _ngrams(tokens, n)]
    return len(set(found)) / len(found) if found else None


def self_bleu(texts: Sequence[Sequence[str]]) -> float | None:
    """Mean BLEU-4 of each tokenised reply against all others, 0 to 1; None of fewer than two.

    Orders without a match count as a tenth of a match (Chen and Cherry 2014, method 1), as in the
    implementations in use. The time grows with the number of tokens, not with its square.
    """
    if len(texts) < 2:
        return None
    best = [_two_best(texts, n) for n in range(1, ORDER + 1)]
    lengths = sorted(map(len, texts))
    return sum(_bleu(tokens, best, lengths) for tokens in texts) / len(texts)


def _ngrams(tokens: Sequence[str], n: int) -> list[_Ngram]:
    return [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]


def _two_best(texts: Sequence[Sequence[str]], n: int) -> Mapping[_Ngram, tuple[int, int]]:
    """For each n-gram, how often it is in the two replies that have it most often."""
    best: dict[_Ngram, tuple[int, int]] = {}
    for tokens in texts:
        for gram, count in Counter(_ngrams(tokens, n)).items():
            first, second = best.get(gram, (0, 0))
            best[gram] = (max(first, count), max(second, min(first, count)))
    return best


def _bleu(
    tokens: Sequence[str],
    best: Sequence[Mapping[_Ngram, tuple[int, int]]],
    lengths: Sequence[int],
) -> float:
    logs = 0.0
    for n in range(1, ORDER + 1):
        own = Counter(_ngrams(tokens, n))
        hits = sum(min(count, _among_others(best[n - 1][g], count)) for g, count in own.items())
        if n == 1 and not hits:
            return 0.0
        logs += math.log((hits or _NEARLY_NONE) / max(own.total(), 1)) / ORDER
    nearest = _nearest_other(lengths, len(tokens))
    return math.exp(logs + min(0.0, 1 - nearest / len(tokens)))


def _among_others(best: tuple[int, int], own: int) -> int:
    """The most that another reply has; where this one leads, it is the second best."""
    return best[1] if own == best[0] else best[0]


def _nearest_other(lengths: Sequence[int], own: int) -> int:
    """The length among the others that is nearest, the shorter of equals; `lengths` are sorted."""
    at = bisect_left(lengths, own)
    around = [lengths[n] for n in (at - 1, at + 1) if 0 <= n < len(lengths)]
    return min(around, key=lambda length: (abs(length - own), length))


@dataclass(frozen=True, slots=True)
class Variety:
    """How much replies differ, measured on equally many.

    Attributes:
        size: replies in a draw.
        draws: how many draws; the numbers are means over them.
        distinct_1: share of different words.
        distinct_2: share of different pairs of words.
        self_bleu: likeness of each reply to the others; lower is more varied.
    """

    size: int
    draws: int
    distinct_1: float | None
    distinct_2: float | None
    self_bleu: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def variety(
    texts: Sequence[str], lang: Lang, size: int, rng: np.random.Generator, draws: int = DRAWS
) -> Variety:
    """Variety of so many replies, drawn without replacement.

    Args:
        texts: replies of one system in one language.
        lang: that language.
        size: how many are drawn; with as many replies as that, or fewer, all are taken once.
        rng: the source of chance.
        draws: how often.

    Raises:
        DataError: fewer than two replies, or a size below two.
    """
    if min(len(texts), size) < 2:
        raise DataError("variety is of two replies or more: give more, or ask for a larger draw")
    tokens = [reply_tokens(text, lang) for text in texts]
    if len(tokens) <= size:
        picks = [tokens]
    else:
        orders = (rng.permutation(len(tokens))[:size] for _ in range(draws))
        picks = [[tokens[at] for at in order] for order in orders]
    return Variety(
        size=len(picks[0]),
        draws=len(picks),
        distinct_1=_mean(distinct(pick, 1) for pick in picks),
        distinct_2=_mean(distinct(pick, 2) for pick in picks),
        self_bleu=_mean(self_bleu(pick) for pick in picks),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class ReplyCounts:
    """What is counted in the replies of one system in one language.

    Attributes:
        n: replies.
        parts: for each of `CBT_PARTS`, how many replies show it.
        all_parts: how many show all five.
        mean_parts: of five, with an interval over groups.
        length: words, or Chinese characters; mean with an interval over groups.
        longest: the longest.
        questions: mean, with an interval over groups.
        one_question: how many ask exactly one.
        repeated: how many are word for word the same as another.
        broken: how many break a rule of safe messaging.
        rules: how many break each rule.
    """

    n: int
    parts: Mapping[str, Share]
    all_parts: Share
    mean_parts: Estimate
    length: Estimate
    longest: int
    questions: Estimate
    one_question: Share
    repeated: Share
    broken: Share
    rules: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        given = {name: getattr(self, name) for name in self.__slots__}
        plain = ("n", "longest")
        changed = {key: one.to_dict() for key, one in given.items()
                   if key not in (*plain, "parts", "rules")}  # fmt: skip
        parts = {part: share.to_dict() for part, share in self.parts.items()}
        return {**given, **changed, "parts": parts, "rules": dict(self.rules)}


def reply_counts(
    texts: Sequence[str],
    lang: Lang,
    broken: Sequence[Sequence[str]],
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> ReplyCounts:
    """Count.

    Args:
        texts: replies of one system in one language.
        lang: that language.
        broken: for each reply, the ids of the rules of safe messaging that it breaks.
        groups: for each reply, the group of the message that it answers.
        rng: the source of chance for intervals.
        resamples: of groups.

    Raises:
        DataError: the lengths differ.
    """
    if not len(texts) == len(broken) == len(groups):
        raise DataError("give for each reply its text, its broken rules and its group")
    n = len(texts)
    shown = [cbt_parts(text, lang) for text in texts]
    asked = [question_count(text) for text in texts]
    lengths = [len(reply_tokens(text, lang)) for text in texts]
    times = Counter(texts)
    return ReplyCounts(
        n=n,
        parts={p: Share(sum(p in parts for parts in shown), n) for p in CBT_PARTS},
        all_parts=Share(sum(len(parts) == len(CBT_PARTS) for parts in shown), n),
        mean_parts=grouped_mean([len(parts) for parts in shown], groups, rng, resamples),
        length=grouped_mean(lengths, groups, rng, resamples),
        longest=max(lengths, default=0),
        questions=grouped_mean(asked, groups, rng, resamples),
        one_question=Share(asked.count(1), n),
        repeated=Share(sum(times[text] > 1 for text in texts), n),
        broken=Share(sum(bool(rules) for rules in broken), n),
        rules=dict(sorted(Counter(rule for rules in broken for rule in rules).items())),
    )
