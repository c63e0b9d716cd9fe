"""Hears risk in a message by rules, in English and Chinese: no model, no network, no hidden state.

A message is read piece by piece. A cheap index of anchor words picks the rules worth trying; a rule
speaks when its pattern is found outside the contexts that cancel it. Disguised forms (spaced
letters, digits for letters, emoji, broken-up Chinese) are read a second time with the disguise
taken off. The highest rule wins, so that nothing said beside it can lower it. The conversation
before the message is folded over in the same way, message by message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from untwist.errors import SafetyError
from untwist.safety.rules import Question, Rule, Scope, compiled, rulebook
from untwist.schema import Screening, Utterance
from untwist.taxonomy import Acuity, Risk
from untwist.text import normalize

PIECE_CHARS = 600
"""Longer texts are read in pieces of about this many characters, cut at the ends of sentences."""

_OVERLAP = 120
_REACH = 130
_ANSWER_CHARS = 160
_SHORT_CHARS = 40
_RUN_CHARS = 8
_NEAR = 40
_LEVELS = tuple(Risk)
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_LATIN = re.compile("[a-z]")
_MARKS = str.maketrans("。！？，；：", ".!?,;:")
_TWO = re.compile(r"(?<= )2(?= )")
_QUOTE = re.compile("[\"“”「」『』*_~]|(?<![a-z])'|'(?![a-z])")
_SPOKEN = re.compile(
    r"[\"“](?:i|i'?m|i'?ve|he|she|they|my|the) [^\"“”\n]{6,200}[\"”]"
    r"|(?<![a-z0-9])'(?:i|i'?m|i'?ve|he|she|they|my|the) [^\"\n]{6,200}?'(?![a-z])"
)
_OWN_WORDS = re.compile(r"\b(?:thoughts?|thinking|mind|i (?:said|say|wrote|write|typed|told))\b")
_LETTER = re.compile(r"[a-z]")
_BLANKS = re.compile(r"[ \t\n]{2,}|\n")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_HAN = re.compile("[\u3400-\u9fff]")
_CUT = re.compile(r"[.!?\n。！？]\s*")
_CLAUSE_CUT = re.compile(r"[,;:，；：、]\s*")
_BLANK = re.compile(r"\s+")
_CLAUSE = re.compile(
    r"[,.;:!?\n，。；：！？、…()（）]|\s-+\s"
    r"| (?:but|though|although|however|yet|except|because|cuz|cause) "
    r"|但|可是|不过|然而|只是|其实"
)
_SENTENCE = re.compile(r"[.!?\n。！？…]+")
_SPACED = re.compile(r"(?<![a-z0-9'])[a-z](?:[ .\-_*/|~+,]{1,3}[a-z]){2,}(?![a-z0-9'])")
_CIPHER = re.compile(
    r"(?=[a-z0-9@$!*#|+&]{0,15}[a-z])(?=[a-z]{0,15}[0-9@$!*#|+&])[a-z0-9@$!*#|+&]{3,16}"
)
_UNCIPHER = str.maketrans("0134579@$!|+", "oieastgasiit")
_BROKEN = re.compile("(?<=[\u3400-\u9fff])[ .·•*_\\-/|~+#^=`'\"&@%]{1,3}(?=[\u3400-\u9fff])")
_BEADS = re.compile("(?:[\u3400-\u9fff][，,、。.;；:：!！?？]){2,}[\u3400-\u9fff]")
_BEAD_MARKS = re.compile("[，,、。.;；:：!！?？]")


SecondReader = Callable[[str, Screening], Screening]
"""Hears a message, and what the rules said of it; what it adds can only raise the level."""


def screen(
    text: str, history: Sequence[Utterance] = (), second: SecondReader | None = None
) -> Screening:
    """The level of risk of a message, the kinds of danger, and the rules that spoke.

    Args:
        text: any string; what cannot be shown is skipped, and an empty one carries no risk of its
            own.
        history: what was said before, oldest first. After a high message the level stays at least
            medium until the person has plainly answered a direct safety question with no.
        second: a reader that hears every message of the person after the rules and may raise it;
            None is the rules alone, which need no model.

    Raises:
        SafetyError: something unexpected happened; the caller must show the help block.
    """
    try:
        own = _heard(text, second)
        if not history:
            return own
        return _after(_remember(history, second), text, own)
    except Exception as error:
        raise SafetyError("the message could not be screened: show the help block") from error


def broken_examples() -> list[str]:
    """What is wrong with the rules' own examples, one line each; empty when every rule keeps its.

    Whoever changes a rule reads this first (`untwist doctor`).
    """
    faults = []
    for rule in rulebook().rules:
        if len(rule.fires) < 2 or len(rule.quiet) < 2:
            faults.append(f"{rule.id}: give at least two examples under fires and under quiet")
        silent = [text for text in rule.fires if rule.id not in _read(text).reasons]
        loud = [text for text in rule.quiet if rule.id in _read(text).reasons]
        faults += [f'{rule.id}: does not speak on its example "{text}"' for text in silent]
        faults += [f'{rule.id}: speaks on its counterexample "{text}"' for text in loud]
    return faults


def raised(own: Screening, other: Screening) -> Screening:
    """What the rules said and what another reader adds: the higher level, all dangers and reasons.

    An other reader that hears less changes nothing but the reasons.
    """
    named = {*own.acuity, *other.acuity}
    return Screening(
        max(own.level, other.level),
        tuple(a for a in Acuity if a in named),
        tuple(dict.fromkeys((*own.reasons, *other.reasons))),
    )


def _heard(text: str, second: SecondReader | None) -> Screening:
    """One message by itself: the rules, then the second reader if there is one."""
    own = _read(text)
    return own if second is None else raised(own, second(text, own))


def _read(text: str) -> Screening:
    """What the rules say of one message by itself."""
    spoken: dict[str, Rule] = {}
    for piece in _pieces(normalize(text).text):
        enough = Risk.HIGH if any(r.level is Risk.HIGH for r in spoken.values()) else Risk.NONE
        for variant in _variants(piece) if enough is Risk.NONE else (piece,):
            _listen(variant, spoken, enough)
    if not spoken:
        return Screening(Risk.NONE)
    families = {rule.family for rule in spoken.values()}
    said = [(rule.id, rule.level, rule.acuity) for rule in spoken.values()]
    together = (c for c in rulebook().combinations if c.families <= families)
    return _sum([*said, *((c.id, c.level, c.acuity) for c in together)])


def _listen(text: str, spoken: dict[str, Rule], enough: Risk) -> None:
    """Add the rules of at least a level that speak; one that has spoken is not tried again."""
    rules = rulebook().rules
    for place, anchors in sorted(_worth_trying(text).items()):
        rule = rules[place]
        if rule.level < enough or rule.id in spoken:
            continue
        if _speaks(rule, text, anchors):
            spoken[rule.id] = rule


def _sum(said: Iterable[tuple[str, Risk, tuple[Acuity, ...]]]) -> Screening:
    ordered = sorted(said, key=lambda entry: -entry[1].rank)
    level = ordered[0][1]
    named = {a for _, heard, acuity in ordered if heard >= Risk.MEDIUM for a in acuity}
    return Screening(level, tuple(a for a in Acuity if a in named), tuple(e[0] for e in ordered))


def _pieces(text: str) -> Iterator[str]:
    """Pieces that end with a sentence where they can, each with the end of the one before."""
    if len(text) <= PIECE_CHARS:
        yield text
        return
    start, seen = 0, set[str]()
    while start < len(text):
        end = start + PIECE_CHARS
        if end < len(text):
            end = _last_cut(text, start + PIECE_CHARS // 2, end)
        begin = max(0, start - _OVERLAP)
        piece = text[_last_cut(text, begin - _OVERLAP, begin) : end]
        if piece not in seen:
            seen.add(piece)
            yield piece
        start = end


def _last_cut(text: str, low: int, high: int) -> int:
    """The last place to cut a text between two places: after a sentence, a clause, or a word.

    A cut inside a word or a clause would part a wish from the "n't" before it. Where there is
    nothing to cut at, the higher place.
    """
    for mark in (_CUT, _CLAUSE_CUT, _BLANK):
        ends = [found.end() for found in mark.finditer(text, max(0, low), high)]
        if ends:
            return ends[-1]
    return high


def revealed(text: str) -> str:
    """A text as the rules read it: normalised, and with what looks like a disguise taken off."""
    return _undisguised(normalize(text).text)


def _variants(text: str) -> Iterator[str]:
    """The text as it stands and, where it looks disguised, with the disguise taken off."""
    yield text
    plain = _undisguised(text)
    if plain != text:
        yield plain
    # an English rule must know the end of a sentence when Chinese follows it
    if _LATIN.search(plain) and (evened := plain.translate(_MARKS)) != plain:
        yield evened


def _undisguised(text: str) -> str:
    for reveal in _REVEALS:
        text = reveal(text)
    return text


def _join_letters(text: str) -> str:
    def joined(found: re.Match[str]) -> str:
        return " ".join(re.sub("[^a-z]", "", part) for part in re.split(r"\s{2,}", found.group()))

    return _SPACED.sub(joined, text)


def _decipher(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        word = found.group()
        bare = word.strip("!+*#|&")
        end = "!" if word.endswith("!") else ""
        return bare + end if bare.isalpha() else _starred(bare) + end

    return _CIPHER.sub(plain, text)


def _starred(word: str) -> str:
    """A word with digits and signs read as letters; a star or a hash stands for any letter."""
    if "*" in word or "#" in word:
        shape = re.sub(r"[^a-z*#]", "", word.translate(_UNCIPHER))
        return next((plain for plain in rulebook().starred if _fits(shape, plain)), word)
    return word.replace("11", "ll").translate(_UNCIPHER)


def _fits(shape: str, word: str) -> bool:
    return len(shape) == len(word) and all(
        sign in "*#" or sign == letter for sign, letter in zip(shape, word, strict=True)
    )


def _spell(text: str) -> str:
    """Known slips put right, words that were run together taken apart, "2" for "to"."""
    book = rulebook()
    words = set(_WORD.findall(text))
    plain = {slip: book.misspelt[slip] for slip in book.misspelt.keys() & words}
    long = (word for word in words if len(word) >= _RUN_CHARS)
    plain |= {word: _apart(word) for word in long if book.run.fullmatch(word)}
    if plain:
        text = _WORD.sub(lambda found: plain.get(found.group(), found.group()), text)
    return _TWO.sub("to", text) if " 2 " in text else text


def _apart(word: str) -> str:
    return " ".join(rulebook().pieces.findall(word))


def _unquote(text: str) -> str:
    """Marks of quotation taken off words; what somebody said, between other words, keeps them."""
    spoken = _SPOKEN.search(text)
    rest = text[: spoken.start()] + text[spoken.end() :] if spoken else ""
    if _LETTER.search(rest) and not _OWN_WORDS.search(rest):
        return text
    return _QUOTE.sub("", text)


def _name_pictures(text: str) -> str:
    """Pictures that stand for a word as that word, in the language beside them; no others."""
    if text.isascii():
        return text
    pictures = rulebook().pictures

    def named(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - _NEAR) : found.start()].rstrip()
        beside = before[-1:] or text[found.end() : found.end() + _NEAR].lstrip()[:1]
        return pictures["zh" if _HAN.match(beside) else "en"].get(found.group(), "")

    return _even(_PICTURE.sub(named, text))


def _even(text: str) -> str:
    """One blank between words, across ends of lines too."""
    return _BLANKS.sub(" ", text).strip()


def _join_han(text: str) -> str:
    if text.isascii():
        return text
    text = _BEADS.sub(lambda found: _BEAD_MARKS.sub("", found.group()), text)
    return _BROKEN.sub("", text)


_REVEALS = (_join_letters, _decipher, _unquote, _spell, _name_pictures, _join_han, _even)


def _worth_trying(text: str) -> dict[int, list[str]]:
    """The places of the rules of which an anchor occurs, with those anchors."""
    keys = rulebook().keys
    tokens = set(_WORD.findall(text))
    if not text.isascii():
        tokens.update(text)
        tokens.update(map(str.__add__, text, text[1:]))
    found: dict[int, list[str]] = {}
    for token in keys.keys() & tokens:
        for anchor in keys[token]:
            if anchor.text in text:
                for place in anchor.places:
                    found.setdefault(place, []).append(anchor.text)
    return found


def _speaks(rule: Rule, text: str, anchors: Iterable[str]) -> bool:
    pattern = compiled(rule.pattern)
    spans = [(0, len(text))] if rule.pattern.startswith("^") else _around(text, anchors)
    return any(
        not any(_cancels(scope, text, found) for scope in rule.scopes)
        for start, end in spans
        for found in pattern.finditer(text, start, end)
    )


def _around(text: str, anchors: Iterable[str]) -> list[tuple[int, int]]:
    """The stretches of text in reach of an anchor, merged."""
    if len(text) <= 2 * _REACH:
        return [(0, len(text))]
    places: list[tuple[int, int]] = []
    for anchor in anchors:
        place = text.find(anchor)
        while place >= 0:
            places.append((max(0, place - _REACH), place + len(anchor) + _REACH))
            place = text.find(anchor, place + _REACH)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cancels(scope: Scope, text: str, found: re.Match[str]) -> bool:
    start, end = found.span()
    if scope.where == "message":
        part = text
    elif scope.where == "sentence":
        part = text[_edge(_SENTENCE, text, start) : _next(_SENTENCE, text, end)]
    elif scope.where == "lead":
        part = text[_edge(_SENTENCE, text, start) : start]
    elif scope.where == "before":
        part = text[_edge(_CLAUSE, text, start) : start]
    elif scope.where == "after":
        part = text[end : _next(_CLAUSE, text, end)]
    else:
        part = text[_edge(_CLAUSE, text, start) : _next(_CLAUSE, text, end)]
    if not compiled(scope.pattern).search(part):
        return False
    return not (scope.unless and compiled(scope.unless).search(text))


def _edge(mark: re.Pattern[str], text: str, place: int) -> int:
    """Where the clause or sentence around a place begins."""
    edge = 0
    for found in mark.finditer(text, 0, place):
        edge = found.end()
    return edge


def _next(mark: re.Pattern[str], text: str, place: int) -> int:
    found = mark.search(text, place)
    return found.start() if found else len(text)


@dataclass(frozen=True, slots=True)
class _Memory:
    """What earlier messages leave behind.

    Attributes:
        level: the level of the latest message of the person, the stickiness included.
        sticky: True from a high message until it is cleared.
        questions: the direct safety questions that were asked last, when nothing came after them.
    """

    level: Risk = Risk.NONE
    sticky: bool = False
    questions: tuple[Question, ...] = ()


def _remember(history: Sequence[Utterance], second: SecondReader | None) -> _Memory:
    memory = _Memory()
    for utterance in history:
        if utterance.role == "assistant":
            memory = _Memory(memory.level, memory.sticky, _asked(utterance.text))
        else:
            heard = _after(memory, utterance.text, _heard(utterance.text, second))
            held = memory.sticky and "fold-cleared" not in heard.reasons
            memory = _Memory(heard.level, held or heard.level is Risk.HIGH)
    return memory


def _after(memory: _Memory, text: str, own: Screening) -> Screening:
    """A message in the light of what came before."""
    answers = [(question, _answer(question, text)) for question in memory.questions]
    said = [
        _part(question, how, memory) for question, how in answers if how in ("danger", "unsure")
    ]
    hows = {how for question, how in answers if question.level > Risk.LOW}
    if memory.sticky:
        own = _held(own, cleared="clear" in hows and not said)
    elif not said and hows & {"clear", "no"} and own.level < Risk.LOW:
        said = [("fold-denied", Risk.LOW, ())]
    return _sum([*_parts(own), *said]) if said else own


def _held(own: Screening, *, cleared: bool) -> Screening:
    """A message after a high one: at least medium, until the danger is plainly cleared."""
    if cleared and own.level < Risk.HIGH:
        return _sum([*_parts(own), ("fold-cleared", own.level, ())])
    if own.level >= Risk.MEDIUM:
        return own
    return _sum([*_parts(own), ("fold-sticky", Risk.MEDIUM, ())])


def _part(
    question: Question, how: str | None, memory: _Memory
) -> tuple[str, Risk, tuple[Acuity, ...]]:
    """What an answer adds: as much as the question says; all, if danger was heard before."""
    level = question.level
    if how == "unsure":
        level = min(level, Risk.MEDIUM)
    elif memory.sticky and level is Risk.MEDIUM and Acuity.THIRD_PARTY not in question.acuity:
        level = Risk.HIGH
    return f"fold-{question.id}", level, question.acuity


def _parts(own: Screening) -> list[tuple[str, Risk, tuple[Acuity, ...]]]:
    return [(reason, own.level, own.acuity) for reason in own.reasons]


def _asked(text: str) -> tuple[Question, ...]:
    """The direct safety questions in a message of the assistant, one for each question mark."""
    asked: dict[str, Question] = {}
    folded = normalize(text).text
    lead = ""
    for part in re.split(r"(?<=\?)", folded):
        questions = rulebook().questions
        found = next((q for q in questions if compiled(q.pattern).search(lead + part)), None)
        if found:
            asked[found.id] = found
        lead = part if found is None and len(part) < _SHORT_CHARS else ""
    return tuple(asked.values())


def _answer(question: Question, text: str) -> str | None:
    """How a message answers: "danger", "clear" (plainly not in danger), "no", "unsure" or None.

    "unsure" is also who does not answer: with silence, a joke, or another topic.
    """
    folded = normalize(text).text[:_ANSWER_CHARS].strip()
    for how, kind in (
        ("danger", question.danger),
        ("clear", "clear"),
        ("unsure", "unsure"),
        ("no", "no"),
    ):
        if any(compiled(p).search(folded) for p in rulebook().answers[kind]):
            return how
    return None
