"""Reddit C-SSRS: the posts of 500 users, each user with one of five levels.

Source: AmanuelF/Suicide-Risk-Assessment-using-Reddit, anonymized_dataset (Gaur et al. 2019).
Licence: not stated by the repository; the Zenodo record 2667859 of the same data says CC BY.
Language: English.
Labels: Supportive, Indicator, Ideation, Behavior, Attempt, by clinicians. The label is of the user,
    from all posts together: it stands on every post with `whole` set, and is no label of a post.
Splits: not published.
Known faults: anonymising replaced everyday words by medical terms; 28 users with the most posts are
    cut off at 32,759 characters in the middle of a post, which is left out; many posts of users at
    every level are answers that comfort somebody else.
Size: 500 users, 171 Ideation, 108 Supportive, 99 Indicator, 77 Behavior, 45 Attempt.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import EVERY, judged
from untwist.data.tables import Row, locate, read_table
from untwist.errors import DataError
from untwist.schema import Dialogue, Utterance
from untwist.taxonomy import Risk

CORPUS = "reddit_cssrs"
FILE = "reddit_cssrs/reddit_cssrs_500users_all.csv"
LEVELS: dict[str, frozenset[Risk]] = {
    "Supportive": frozenset({Risk.NONE, Risk.LOW}),
    "Indicator": EVERY,
    "Ideation": frozenset({Risk.MEDIUM, Risk.HIGH}),
    "Behavior": frozenset({Risk.MEDIUM, Risk.HIGH}),
    "Attempt": frozenset({Risk.HIGH}),
}
"""The corpus's levels, lowest first, and the levels of ours that the user's highest post may be."""
CUT_AT = 32_759
"""Length of a list of posts that the source cut off."""
_USER, _POSTS, _LABEL = "User", "Post", "Label"
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every user with all readable posts, in the order of the file.

    Args:
        path: the CSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    rows = read_table(file, ",", [_USER, _POSTS, _LABEL], refusals)
    yield from build_each(rows, _build, file, refusals)


def _build(row: Row) -> Dialogue:
    user, level = row.cells[_USER].strip(), row.cells[_LABEL].strip()
    if not user:
        raise DataError(f"column {_USER} is empty")
    if level not in LEVELS:
        raise DataError(f"column {_LABEL} holds none of the five levels")
    posts = _posts(row.cells[_POSTS])
    said = tuple(Utterance(p, id=f"{user}/{n}") for n, p in enumerate(posts, 1) if p.strip())
    if not said:
        raise DataError("no post can be read")
    labels = judged((level,), LEVELS[level], whole=True)
    return Dialogue(user, CORPUS, said, (labels,) * len(said), f"{CORPUS}:{user}")


def _posts(cell: str) -> list[str]:
    """The strings of a list written as Python writes it; of one that is cut off, the whole ones.

    Raises:
        DataError: it is no such list.
    """
    posts: list[str] = []
    at = 1 if cell.startswith("[") else len(cell)
    while found := _QUOTED.match(cell, at):
        posts.append(str(ast.literal_eval(found[0])))
        at = found.end()
        if cell[at : at + 2] != ", ":
            break
        at += 2
    if not posts or (cell[at:] != "]" and len(cell) != CUT_AT):
        raise DataError(f"column {_POSTS} holds no list of texts")
    return posts
