"""Replies to be scored: a message, what answered it, and what is known of the person's state.

Rows: {"id", "text", "lang"?, "history"?, "reply", "system"?, "group"?, "references"?, "labels"?,
"intensity"?, "risk"?, "strategy"?}, or the turns that `untwist reply --output` writes, whose state
is the detector's. Where a system gave no reply, "reply" is null and "unscored" says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from untwist.data.jsonlines import Record, history_of, read_each, record_id, text_of
from untwist.errors import DataError
from untwist.schema import Turn, Utterance
from untwist.taxonomy import Distortion, Intensity, Lang, Risk, Strategy, parse_all
from untwist.text import require_text


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """One reply of one system.

    Attributes:
        id: of the message; the same for all systems that answer it.
        group: messages that must be drawn together.
        system: who replies.
        lang: language that the reply should be in.
        said: the conversation, the message that is answered last.
        reply: its words; None where there is none.
        unscored: why there is none.
        references: replies to compare with.
        distortions: of the message; None where nobody labelled it.
        intensity: of the message.
        risk: of the message.
        strategy: what the reply was to carry out.
        state: who says what the message shows: annotators, or the system's own detector.
    """

    id: str
    group: str
    system: str
    lang: Lang
    said: tuple[Utterance, ...]
    reply: str | None
    unscored: str | None = None
    references: tuple[str, ...] = ()
    distortions: frozenset[Distortion] | None = None
    intensity: Intensity | None = None
    risk: Risk | None = None
    strategy: Strategy | None = None
    state: Literal["given", "detected"] = "given"

    @property
    def message(self) -> str:
        """The text that is answered."""
        return self.said[-1].text


def read_replies(path: Path | str, system: str = "") -> Iterator[ReplyRow]:
    """The replies of a file in order.

    Args:
        path: the file.
        system: whose replies they are where rows do not say; "" takes the file's name.

    Raises:
        DataError: a row is no reply; nothing is left out in silence.
    """
    return read_each(path, partial(_row, system=system or Path(path).stem), "reply")


def _row(record: Record, system: str) -> ReplyRow:
    id = record_id(record)
    data = record.data
    if isinstance(data.get("assessment"), dict):
        return reply_row_of(Turn.from_dict(data), id, system)
    message = text_of(data, id)
    reply, unscored = _said(data)
    labels = data.get("labels")
    return ReplyRow(
        id=id,
        group=str(data.get("group", id)),
        system=require_text(data.get("system", system), "system"),
        lang=_lang(message),
        said=(*history_of(data), message),
        reply=reply,
        unscored=unscored,
        references=_references(data),
        distortions=None if labels is None else parse_all(labels),
        intensity=_maybe(Intensity, data.get("intensity")),
        risk=_maybe(Risk, data.get("risk")),
        strategy=_maybe(Strategy, data.get("strategy")),
    )


def reply_row_of(turn: Turn, id: str, system: str, group: str = "") -> ReplyRow:
    """The reply of a turn; what is known of the person is what the turn's detector said.

    Raises:
        DataError: the message is in no language that is known.
    """
    heard = turn.assessment
    return ReplyRow(
        id=id,
        group=group or id,
        system=system,
        lang=turn.reply.lang,
        said=(heard.utterance,),
        reply=turn.reply.text,
        distortions=frozenset(finding.distortion for finding in heard.findings),
        intensity=heard.intensity,
        risk=heard.risk,
        strategy=turn.reply.strategy,
        state="detected",
    )


def _said(data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    if "reply" not in data:
        raise DataError('no "reply": give its text, or null and "unscored" with the reason')
    if data["reply"] is None:
        return None, require_text(data.get("unscored") or "", '"unscored"')
    return require_text(data["reply"], "reply"), None


def _lang(message: Utterance) -> Lang:
    if message.lang is None:
        raise DataError('the language of the message cannot be told: give "lang"')
    return message.lang


def _references(data: Mapping[str, Any]) -> tuple[str, ...]:
    given = data.get("references", [])
    if not isinstance(given, list):
        raise DataError('"references" is no list of texts')
    return tuple(require_text(one, "a reference") for one in given)


def _maybe(kind: type, value: object) -> Any:  # noqa: ANN401 - a member of the kind that is given
    return None if value is None else kind(value)
