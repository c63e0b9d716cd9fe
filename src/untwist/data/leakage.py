"""The leakage report: what sets of dialogues share with each other, and what each one repeats.

A row is a dialogue; its text is all it says, one utterance a line. Four measures, from the plainest
to the loosest:

- exact: the text as written is there too;
- near: its `near_key` is (spacing, punctuation, width, case or script changed);
- contained: most of its pieces are in one row there, as when it is an excerpt of it;
- similar: it and one row there have most of their pieces in common, as when it was rewritten.

Pieces are the runs of `GRAM` letters of the `near_key`, each counted once. A row with fewer letters
can only be exact or near, and one with hardly more, a stock phrase, may be contained by chance. One
changed letter costs `GRAM` pieces, so a changed word leaves a long text similar, and not a text of
thirty letters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from untwist.data.leakage_report import Kind, Leak, Leakage, Pair, Repeats, Within, markdown
from untwist.data.near import Kin, find_kin
from untwist.data.splits import near_key
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Labels

CONTAINED = 0.8
"""Least share of a row's pieces that one other row has when the row counts as contained in it."""
SIMILAR = 0.7
"""Least Jaccard index of the pieces of two similar rows."""
COMMON = 1_000
"""A piece in more different texts than this does not lead to a pair."""

__all__ = [
    "COMMON",
    "CONTAINED",
    "SIMILAR",
    "Kind",
    "Leak",
    "Leakage",
    "Pair",
    "Part",
    "Repeats",
    "Within",
    "find_leakage",
    "markdown",
]


@dataclass(frozen=True, slots=True)
class Part:
    """A named set of dialogues: a corpus or a part of one.

    Attributes:
        name: unlike that of any other part in the report, such as "socialcd/train".
        dialogues: in any order.
    """

    name: str
    dialogues: Sequence[Dialogue]


def find_leakage(
    parts: Iterable[Part],
    *,
    contained: float = CONTAINED,
    similar: float = SIMILAR,
    common: int = COMMON,
) -> Leakage:
    """What every part shares with every other, and what each repeats.

    The order of the dialogues does not matter. All pairs are kept: a text that stands g times makes
    g (g - 1) of them.

    Args:
        parts: with different names.
        contained: share of a row's pieces, above 0, at most 1.
        similar: Jaccard index, above 0, at most 1.
        common: pieces in more different texts than this are passed over, at least 2.

    Raises:
        DataError: two parts have one name.
        ConfigError: a share or `common` is out of range.
    """
    parts = tuple(parts)
    repeated = [name for name, n in Counter(part.name for part in parts).items() if n > 1]
    if repeated:
        raise DataError(f'two parts are named "{repeated[0]}": give each its own name')
    for name, share in (("contained", contained), ("similar", similar)):
        if not 0 < share <= 1:
            raise ConfigError(f"{name} is a share above 0 and at most 1, not {share:g}")
    rows = _rows(parts)
    # Of two texts with Jaccard index j the shorter has at least 2j / (1 + j) of its pieces shared.
    kin = find_kin(list(rows.keys), min(contained, 2 * similar / (1 + similar)), common)
    tallies = {(a, b): _Tally() for a in range(len(parts)) for b in range(len(parts))}
    for one, other in rows.twins():
        kind: Kind = "exact" if one.text == other.text else "near"
        tallies[one.part, other.part].add(one, other, kind, 1.0)
    for first, second, kind, share in _links(kin, contained, similar):
        for one in rows.by_key[first]:
            for other in rows.by_key[second]:
                tallies[one.part, other.part].add(one, other, kind, share)
    leaks = {(a, b): tally.leak(parts[a], parts[b]) for (a, b), tally in tallies.items()}
    return Leakage(
        parts=tuple(part.name for part in parts),
        between=tuple(leak for (a, b), leak in leaks.items() if a != b),
        within=tuple(_within(leaks[a, a], rows, a) for a in range(len(parts))),
        contained=contained,
        similar=similar,
        common=common,
        skipped=kin.skipped,
        unsure=sum(len(rows.by_key[key]) for key in kin.unsure.nonzero()[0]),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    place: int
    part: int
    dialogue: Dialogue
    text: str


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows of all parts by what is the same in near-duplicates.

    Attributes:
        keys: `near_key` to its place.
        by_key: the rows at each place.
    """

    keys: dict[str, int] = field(default_factory=dict)
    by_key: list[list[_Row]] = field(default_factory=list)

    def twins(self) -> Iterator[tuple[_Row, _Row]]:
        """Two rows with one key, either way round."""
        for rows in self.by_key:
            yield from permutations(rows, 2)


def _rows(parts: Sequence[Part]) -> _Rows:
    rows = _Rows()
    texts = (
        (n, d, "\n".join(u.text for u in d.utterances))
        for n, p in enumerate(parts)
        for d in p.dialogues
    )
    for place, (part, dialogue, text) in enumerate(texts):
        at = rows.keys.setdefault(near_key(text), len(rows.keys))
        if at == len(rows.by_key):
            rows.by_key.append([])
        rows.by_key[at].append(_Row(place, part, dialogue, text))
    return rows


def _links(kin: Kin, contained: float, similar: float) -> Iterator[tuple[int, int, Kind, float]]:
    """Which text leaks into which, by place, as what, and how much of it."""
    pairs = zip(kin.first.tolist(), kin.second.tolist(), kin.shared.tolist(), strict=True)
    pieces = kin.pieces.tolist()
    for one, other, shared in pairs:
        jaccard = shared / (pieces[one] + pieces[other] - shared)
        for first, second in ((one, other), (other, one)):
            if shared / pieces[first] >= contained:
                yield first, second, "contained", shared / pieces[first]
            if jaccard >= similar:
                yield first, second, "similar", jaccard


@dataclass(slots=True)
class _Tally:
    """What of one part was found in another, while it is counted."""

    found: dict[Kind, set[int]] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)

    def add(self, one: _Row, other: _Row, kind: Kind, share: float) -> None:
        self.found.setdefault(kind, set()).add(one.place)
        self.pairs.append(Pair(one.dialogue.id, other.dialogue.id, kind, share))

    def leak(self, part: Part, other: Part) -> Leak:
        none: set[int] = set()
        exact = self.found.get("exact", none)
        near = exact | self.found.get("near", none)
        contained = self.found.get("contained", none) - near
        similar = self.found.get("similar", none) - near
        return Leak(
            part=part.name,
            other=other.name,
            rows=len(part.dialogues),
            exact=len(exact),
            near=len(near),
            contained=len(contained),
            similar=len(similar),
            leaked=len(near | contained | similar),
            ids=_common_ids(part, other),
            pairs=tuple(sorted(self.pairs)),
        )


def _common_ids(part: Part, other: Part) -> tuple[str, ...]:
    ids = Counter((d.corpus, d.id) for d in part.dialogues)
    if part.name == other.name:
        return tuple(sorted(id for (_, id), n in ids.items() if n > 1))
    return tuple(sorted(id for _, id in ids.keys() & {(d.corpus, d.id) for d in other.dialogues}))


def _within(leak: Leak, rows: _Rows, part: int) -> Within:
    near = [[row for row in group if row.part == part] for group in rows.by_key if len(group) > 1]
    exact = [
        [row for row in group if row.text == text]
        for group in near
        for text in {row.text for row in group}
    ]
    return Within(leak, _repeats(exact), _repeats(near))


def _repeats(groups: Iterable[Sequence[_Row]]) -> Repeats:
    several = [group for group in groups if len(group) > 1]
    return Repeats(
        texts=len(several),
        rows=sum(map(len, several)),
        relabelled=sum(len(set(_judgements(group))) > 1 for group in several),
    )


def _judgements(rows: Iterable[_Row]) -> Iterator[tuple[Labels | None, ...]]:
    """The labels of the rows that have any, as far as they say something of the text."""
    for row in rows:
        if any(row.dialogue.labels):
            yield tuple(
                labels and replace(labels, evidence=(), carried=frozenset())
                for labels in row.dialogue.labels
            )
