"""The floor: what must hold whatever any model says.

Purpose: risk in a message, strategies left open, who to contact, wording, redaction, notices.
Takes: text, and the conversation before it.
Gives: screenings, masks, help lines, broken rules, redacted text, what an operator must show.
May import: errors, text, taxonomy, schema.
Heavy doors: none.
"""

from untwist.safety.claims import Claim, claims_in, find_claims
from untwist.safety.counters import (
    Referrals,
    read_referrals,
    report_csv,
    report_markdown,
    write_referrals,
)
from untwist.safety.gate import allowed
from untwist.safety.notices import (
    Audience,
    Notice,
    Settings,
    Visit,
    ask_a_lawyer,
    asks_if_person,
    chat_is_off,
    due,
    seen,
)
from untwist.safety.protocol import CrisisProtocol, crisis_protocol, protocol_page
from untwist.safety.redact import redact
from untwist.safety.resources import (
    Resource,
    digit_strings,
    help_block,
    lines,
    region_codes,
    region_name,
    region_of,
    regions,
    stale,
)
from untwist.safety.rules import stand_in
from untwist.safety.screen import SecondReader, broken_examples, raised, revealed, screen
from untwist.safety.wording import violations

__all__ = [
    "Audience",
    "Claim",
    "CrisisProtocol",
    "Notice",
    "Referrals",
    "Resource",
    "SecondReader",
    "Settings",
    "Visit",
    "allowed",
    "ask_a_lawyer",
    "asks_if_person",
    "broken_examples",
    "chat_is_off",
    "claims_in",
    "crisis_protocol",
    "digit_strings",
    "due",
    "find_claims",
    "help_block",
    "lines",
    "protocol_page",
    "raised",
    "read_referrals",
    "redact",
    "region_codes",
    "region_name",
    "region_of",
    "regions",
    "report_csv",
    "report_markdown",
    "revealed",
    "screen",
    "seen",
    "stale",
    "stand_in",
    "violations",
    "write_referrals",
]
