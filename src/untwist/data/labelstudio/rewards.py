"""The page for reward calibration: a state, a reply, and what people say of the reply.

Source: CoPoLLM (2026), C.4. Does the strategy match (0, 1), is the intervention adequate (-1, 0,
+1), is risk handled (0, 1)? Votes that a triple already has are not shown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from untwist.data.convert.exchanges import BESIDE
from untwist.data.convert.rows import slugs
from untwist.data.jsonlines import Record
from untwist.data.labelstudio.pages import (
    PAGE,
    add_choice,
    add_rationale,
    add_said,
    add_text,
    as_xml,
    by_name,
    choice_of,
    chosen,
    new_page,
    rationale_of,
    wording,
    written,
)
from untwist.data.triples import VALUES, Triple, Vote, triple_of
from untwist.errors import DataError
from untwist.schema import Json
from untwist.taxonomy import Distortion, Lang

NAME = "triples"
VERSION = "triples@1"
_TEXT, _STATE, _STRATEGY, _REPLY = "text", "state", "strategy", "reply"


@dataclass(frozen=True, slots=True)
class TripleAnswer:
    """What an annotator said of one reply.

    Attributes:
        match: 1 when the strategy suits the distortion (or the absence of one, or high risk).
        adequacy: -1 too little empathy, 0 balanced, +1 too confronting.
        risk: 1 when safety is handled as it should be.
        rationale: why; empty when it was left out.
    """

    match: int
    adequacy: int
    risk: int
    rationale: str = ""

    def to_dict(self) -> Json:
        """As JSON values."""
        return asdict(self)

    def vote(self, by: str) -> Vote:
        """The same as a vote of a triple."""
        return Vote(by, self.match, self.adequacy, self.risk)


def triple_answer(data: Json) -> TripleAnswer:
    """The inverse of `TripleAnswer.to_dict`.

    Raises:
        DataError: the values are no answer.
    """
    for scale, values in VALUES.items():
        if type(data.get(scale)) is not int or data[scale] not in values:
            raise DataError(f"{scale} is one of {values}")
    scales = {scale: int(data[scale]) for scale in VALUES}
    return TripleAnswer(**scales, rationale=str(data.get("rationale", "")))


def triple_row(triple: Triple) -> Json:
    """The row of one triple; `read_triples` makes the same triple of it."""
    return {
        "id": triple.id,
        "group": triple.group,
        "text": triple.utterance.text,
        "lang": triple.utterance.lang,
        "labels": slugs(triple.distortions),
        "intensity": triple.intensity.value if triple.intensity else None,
        "risk": triple.risk.value,
        "strategy": triple.strategy.value,
        "reply": triple.reply,
        "votes": [asdict(vote) for vote in triple.votes],
        "scores": dict(triple.scores),
        "written_by": triple.written_by,
    }


def config(lang: Lang, *, adjudication: bool = False) -> str:
    """The XML of the page; with `adjudication` it shows what the annotators said."""
    words, page = wording(lang), new_page()
    for name in (_TEXT, _STATE, _STRATEGY, _REPLY):
        add_text(page, name, words[name])
    if adjudication:
        add_said(page, lang)
    for scale, values in VALUES.items():
        spoken = [words[_word(scale, value)] for value in values]
        add_choice(page, scale, _REPLY, words[scale], spoken)
    add_rationale(page, _REPLY, lang)
    return as_xml(page)


def task(triple: Triple, lang: Lang) -> Json:
    """The task of one triple; it carries the triple without its votes and scores."""
    bare = replace(triple, votes=(), scores={})
    how = triple.strategy
    data: Json = {PAGE: VERSION, "id": triple.id, _TEXT: triple.utterance.text}
    data |= {"lang": triple.lang, _STATE: _state(triple, lang), _REPLY: triple.reply}
    data[_STRATEGY] = f"{how.name_in(lang)}: {how.speaker_in(lang)}"
    return {"data": data | {BESIDE: triple_row(bare)}}


def _state(triple: Triple, lang: Lang) -> str:
    words = wording(lang)
    names = [d.name_in(lang) for d in Distortion if d in triple.distortions]
    said = [", ".join(names) or words["none"]]
    if triple.intensity is not None:
        said.append(f"{words['intensity']}: {triple.intensity.name_in(lang)}")
    return "; ".join([*said, f"{words['risk_level']}: {triple.risk.name_in(lang)}"])


def triple_in(data: Json) -> Triple:
    """The triple that a task carries.

    Raises:
        DataError: it carries none.
    """
    beside = data.get(BESIDE)
    if not isinstance(beside, dict):
        raise DataError(f'its task has no "{BESIDE}"')
    try:
        return triple_of(Record(0, beside))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"its task holds no triple: {error!r}") from error


def _word(scale: str, value: int) -> str:
    return f"{scale}_{value}"


def result_of(answer: TripleAnswer, lang: Lang) -> list[Json]:
    """What an annotator fills in to say this."""
    words, said = wording(lang), answer.to_dict()
    given = [chosen(scale, _REPLY, words[_word(scale, said[scale])]) for scale in VALUES]
    return [*given, *written(_REPLY, answer.rationale)]


def answer_of(results: object) -> TripleAnswer:
    """What an annotator said; undoes `result_of`, in whichever language the page was.

    Raises:
        DataError: a scale was left out or has several values.
    """
    found = by_name(results)
    said = {
        scale: int(choice_of(found, scale, {str(v): _word(scale, v) for v in values}))
        for scale, values in VALUES.items()
    }
    return TripleAnswer(**said, rationale=rationale_of(results))
