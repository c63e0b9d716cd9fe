"""How PHQ-9 and GAD-7 are scored.

Bands: Kroenke, Spitzer and Williams, J Gen Intern Med 2001;16:606-613 (PHQ-9); Spitzer, Kroenke,
Williams and Löwe, Arch Intern Med 2006;166:1092-1097 (GAD-7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from untwist.errors import DataError

MOST = 3
"""The highest answer to a question; the lowest is 0."""


class Instrument(StrEnum):
    """Which questionnaire."""

    PHQ_9 = "phq-9"
    GAD_7 = "gad-7"


@dataclass(frozen=True, slots=True)
class Band:
    """How often, all in all, such things troubled a person; says nothing about why.

    Attributes:
        name: "minimal", "mild", "moderate", "moderately_severe" or "severe".
        low: the lowest sum in it.
        high: the highest sum in it.
    """

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How an instrument is scored.

    Attributes:
        items: how many questions it has.
        bands: in order, from 0 to the highest sum.
        guarded: the question that opens the safety path when its answer is above 0; from 0.
        replaced: how many missing answers may be replaced by the mean of the others.
    """

    items: int
    bands: tuple[Band, ...]
    guarded: int | None
    replaced: int


RULES: Mapping[Instrument, Rules] = {
    Instrument.PHQ_9: Rules(
        9,
        (
            Band("minimal", 0, 4),
            Band("mild", 5, 9),
            Band("moderate", 10, 14),
            Band("moderately_severe", 15, 19),
            Band("severe", 20, 27),
        ),
        8,
        2,  # NHS Data Dictionary, Patient Health Questionnaire-9
    ),
    Instrument.GAD_7: Rules(
        7,
        (
            Band("minimal", 0, 4),
            Band("mild", 5, 9),
            Band("moderate", 10, 14),
            Band("severe", 15, 21),
        ),
        None,
        0,  # no source for replacing was confirmed
    ),
}
"""How each instrument is scored."""


def instrument_of(name: object) -> Instrument:
    """The instrument of a name.

    Raises:
        DataError: there is none of that name.
    """
    known = {i.value: i for i in Instrument}
    if not isinstance(name, str) or name not in known:
        raise DataError(f"the questionnaire is {name!r}; the known ones are {', '.join(known)}")
    return known[name]
