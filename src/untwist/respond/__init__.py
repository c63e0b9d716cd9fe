"""The voice: a strategy carried out in words, and the guard that reads every draft.

Purpose: scripted replies (five CBT parts, conversation steps, crisis contract) and their guard.
Takes: a choice, an assessment, the history, and a book of texts kept as data.
Gives: replies and verdicts.
May import: errors, text, taxonomy, schema, ports, safety.
Heavy doors: none.
"""

from untwist.respond.book import PARTS, Book, open_book
from untwist.respond.crisis import CRISIS_PARTS
from untwist.respond.guard import DraftStopper, ReplyGuard
from untwist.respond.protocol import Protocols, open_protocols
from untwist.respond.replay import progress
from untwist.respond.scripted import ScriptedResponder
from untwist.respond.state import Progress, Share

__all__ = [
    "CRISIS_PARTS",
    "PARTS",
    "Book",
    "DraftStopper",
    "Progress",
    "Protocols",
    "ReplyGuard",
    "ScriptedResponder",
    "Share",
    "open_book",
    "open_protocols",
    "progress",
]
