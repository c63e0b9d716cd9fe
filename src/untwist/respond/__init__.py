"""The voice: a strategy carried out in words, and the guard that reads every draft.

Purpose: scripted replies (five CBT parts, protocols, crisis contract), their guard, worksheets.
Takes: a choice, an assessment, the history, and a book of texts kept as data.
Gives: replies, verdicts and worksheets.
May import: llm, errors, text, taxonomy, schema, ports, safety.
Heavy doors: respond.generated, which takes the room llm along, is opened when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from untwist.respond.book import PARTS, Book, open_book
from untwist.respond.columns import Note
from untwist.respond.crisis import CRISIS_PARTS
from untwist.respond.editing import with_field, worksheet_from
from untwist.respond.filling import worksheet_of
from untwist.respond.guard import DraftStopper, ReplyGuard
from untwist.respond.instrument import Band, Instrument, instrument_of
from untwist.respond.labels import Label, Labels, open_labels
from untwist.respond.protocol import open_protocols
from untwist.respond.questionnaire import (
    Questionnaire,
    Score,
    choice_of,
    open_questionnaire,
    safety_turn,
)
from untwist.respond.questionnaire_page import questionnaire_words, score_text
from untwist.respond.replay import progress
from untwist.respond.scripted import ScriptedResponder
from untwist.respond.state import Progress, Share
from untwist.respond.steps import Protocols
from untwist.respond.worksheet import (
    WORKSHEETS,
    Continuum,
    CostBenefit,
    Experiment,
    ResponsibilityPie,
    SafetySteps,
    ThoughtRecord,
    Worksheet,
)
from untwist.respond.worksheet_page import worksheet_csv, worksheet_markdown

if TYPE_CHECKING:
    from untwist.respond.generated import GeneratedResponder

__all__ = [
    "CRISIS_PARTS",
    "PARTS",
    "WORKSHEETS",
    "Band",
    "Book",
    "Continuum",
    "CostBenefit",
    "DraftStopper",
    "Experiment",
    "GeneratedResponder",
    "Instrument",
    "Label",
    "Labels",
    "Note",
    "Progress",
    "Protocols",
    "Questionnaire",
    "ReplyGuard",
    "ResponsibilityPie",
    "SafetySteps",
    "Score",
    "ScriptedResponder",
    "Share",
    "ThoughtRecord",
    "Worksheet",
    "choice_of",
    "instrument_of",
    "open_book",
    "open_labels",
    "open_protocols",
    "open_questionnaire",
    "progress",
    "questionnaire_words",
    "safety_turn",
    "score_text",
    "with_field",
    "worksheet_csv",
    "worksheet_from",
    "worksheet_markdown",
    "worksheet_of",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:  # noqa: ANN401
        # the room for language models takes a while to open, and most replies need none
        if name == "GeneratedResponder":
            from untwist.respond.generated import GeneratedResponder

            return GeneratedResponder
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
