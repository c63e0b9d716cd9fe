"""Replies to be scored that are made on the spot: the scripted single reply, and templates.

Templates are what a keyword program says: one fixed reply for each distortion. They are there to be
compared with, and answer by the labels that annotators gave, so that they are templates at their
best.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.data import ReplyRow
from untwist.engine import Engine
from untwist.errors import SafetyError
from untwist.recipes.rows import Progress
from untwist.safety.wording import direct_questions
from untwist.schema import Dialogue, Labels, Reply
from untwist.taxonomy import Distortion, Lang, Risk, Strategy

SCRIPTED = "scripted, five parts"
ONE_PART = "scripted, one part"
ASKS = "scripted, asks about safety"
CRISIS = "scripted, crisis"
TEMPLATES = "templates"
_FIVE = 5


def scripted_replies(
    engine: Engine, dialogues: Sequence[Dialogue], progress: Progress
) -> list[ReplyRow]:
    """What an engine says to the first message of every dialogue, as a system for each form.

    Five parts answer a message with a thought to work on or a burden to listen to; where it speaks
    of dark thoughts, a direct question about safety stands in place of the third part. A greeting,
    good news and the like get one part; high risk gets the crisis contract. An engine that fails
    leaves the row unscored.
    """
    rows = []
    for done, dialogue in enumerate(dialogues):
        if done % 500 == 0:
            progress("replying", done, len(dialogues))
        rows.append(_scripted(engine, dialogue))
    progress("replying", len(dialogues), len(dialogues))
    return rows


def _scripted(engine: Engine, dialogue: Dialogue) -> ReplyRow:
    try:
        turn = engine.turn(dialogue.utterances[0])
    except SafetyError:
        return _row(dialogue, SCRIPTED, None, "the engine failed")
    return _row(dialogue, _form(turn.reply), turn.reply.text, None, turn.reply.strategy)


def _form(reply: Reply) -> str:
    if reply.strategy is Strategy.CRISIS_INTERVENTION:
        return CRISIS
    if len(reply.parts) < _FIVE:
        return ONE_PART
    return ASKS if direct_questions(reply.text) else SCRIPTED


def template_replies(rows: Sequence[ReplyRow], dialogues: Sequence[Dialogue]) -> list[ReplyRow]:
    """The template's reply to every message that the scripted engine answers in five parts."""
    asked = {row.id for row in rows if row.system == SCRIPTED}
    return [_row(one, TEMPLATES, template_reply(one), None) for one in dialogues if one.id in asked]


def template_reply(dialogue: Dialogue) -> str:
    """Opening and ending change with the message, nothing else but the distortion does."""
    message, labels = dialogue.utterances[0], dialogue.labels[0]
    lang: Lang = message.lang or "en"
    words = _words()[lang]
    chance = zlib.crc32(message.text.encode("utf-8"))
    found = sorted(labels.distortions) if labels and labels.distortions else []
    first: Distortion | None = found[0] if found else None
    named = words["none"]
    if first is not None:
        named = words["named"].format(
            name=first.name_in(lang), definition=first.definition_in(lang).rstrip(".。")
        )
    parts = (
        words["openings"][chance % 2],
        named,
        words["advice"][first.value if first else "none"],
        words["endings"][chance // 2 % 2],
    )
    return (" " if lang == "en" else "").join(parts)


@cache
def _words() -> Mapping[str, Any]:
    file = files("untwist.recipes").joinpath("reply_templates.json")
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _row(
    dialogue: Dialogue,
    system: str,
    reply: str | None,
    unscored: str | None,
    strategy: Strategy | None = None,
) -> ReplyRow:
    message = dialogue.utterances[0]
    labels = dialogue.labels[0] or Labels(None, frozenset())
    return ReplyRow(
        id=dialogue.id,
        group=dialogue.group,
        system=system,
        lang=message.lang or "en",
        said=(message,),
        reply=reply,
        unscored=unscored,
        distortions=labels.distortions,
        intensity=labels.intensity,
        risk=labels.risk or Risk.NONE,
        strategy=strategy,
    )
