"""Bare answers: whole messages so short and plain that n-grams say nothing about them.

"不用了" shares nearly all of its n-grams with "不想活了", so the second reader called one answer in
twenty of a Chinese conversation a crisis. It says nothing of a message that is bare, when the rules
said nothing of it either. Leaves out: what was asked before, which is the rules' part.
"""

from __future__ import annotations

import re

from untwist.text import normalize

LONGEST = (8, 8)
"""English words, and Chinese characters, of a bare answer at most (`tests/test_answers.py`)."""

_HAN = re.compile('[\u3400-\u9fff\\s,.!?;:、。，！？；：…~～“”"]+')
_SIGNS = re.compile("[^\u3400-\u9fff]")
_HEAVY = frozenset(
    "死亡命活走世永别別伤傷血吃药藥疼痛撑撐忍熬醒睡终終遗遺绝絕杀殺打救备備轮輪惦珍勿最解脱脫离離"
    "消失完结結束断斷累扛崩毁毀灭滅辈輩告恨怕声聲自已决決定晚存害疯瘋暴书書信爱愛顾顧够夠倒住在都计計划割夜楼樓脏髒"
)
"""A message with one of these is never bare: they carry a wish, a farewell, an act or a threat."""
_WORDS = (
    "a about again all any better bit can can't choose do don't easier else fine for good i "
    "i'll i'm i'd idea it it's know later leave let let's like maybe me mind more need never "
    "next no nope nah not nothing now ok okay one or other pass please question questions "
    "rather really right say see skip so sorry step stop sure thank thanks that that's the "
    "then think this thought time to today tomorrow try want what which won't yes yeah yep "
    "you"
)
_PLAIN = frozenset(_WORDS.split())
"""An English message is bare only when it has no other words."""
_BARE_SPELLED = {
    "cant": "can't",
    "dont": "don't",
    "id": "i'd",
    "im": "i'm",
    "lets": "let's",
    "thats": "that's",
    "wont": "won't",
}
"""How people write who leave the apostrophe out."""
_WISHES = re.compile(
    r"\b(?:i|i'm|i'd) (?:can't|can|rather not|don't want to)\b.{0,20}$|\bno more\b"
)


def is_bare(text: str) -> bool:
    """Whether a whole message is a refusal, a word of thanks or another short, plain answer."""
    folded = normalize(text).text.casefold().strip()
    if _HAN.fullmatch(folded):
        letters = _SIGNS.sub("", folded).replace("现在", "")
        return 0 < len(letters) <= LONGEST[1] and not _HEAVY.intersection(letters)
    found = re.findall(r"[a-z']+", folded.replace("’", "'"))
    words = [_BARE_SPELLED.get(word, word) for word in found]
    plain = 0 < len(words) <= LONGEST[0] and _PLAIN.issuperset(words)
    return plain and folded.isascii() and not _WISHES.search(" ".join(words))
