"""The floor: what must hold whatever any model says.

Purpose: risk in a message, strategies left open, who to contact, safe wording, redaction.
Takes: text, and the conversation before it.
Gives: screenings, masks, help lines, broken rules, redacted text.
May import: errors, text, taxonomy, schema.
Heavy doors: none.
"""

from untwist.safety.gate import allowed
from untwist.safety.redact import redact
from untwist.safety.resources import (
    Resource,
    digit_strings,
    help_block,
    lines,
    region_of,
    regions,
    stale,
)
from untwist.safety.screen import screen
from untwist.safety.wording import violations

__all__ = [
    "Resource",
    "allowed",
    "digit_strings",
    "help_block",
    "lines",
    "redact",
    "region_of",
    "regions",
    "screen",
    "stale",
    "violations",
]
