"""The values of the leakage report, and the report as tables.

`untwist.data.leakage` says what is measured, and measures it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from untwist.errors import DataError
from untwist.schema import Json

Kind = Literal["exact", "near", "contained", "similar"]


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two rows that share their text or most of it; the texts themselves are not kept.

    Attributes:
        first: id of the row that leaks.
        second: id of the row that it leaks into.
        kind: "exact" and "near" exclude each other and the rest; a pair that is both contained and
            similar stands once as each.
        share: of pieces, 0 to 1; for "contained" those of the first that the second has, for
            "similar" the Jaccard index, for the others 1.
    """

    first: str
    second: str
    kind: Kind
    share: float


@dataclass(frozen=True, slots=True)
class Leak:
    """How much of one part is in another, or in the other rows of the same part.

    Attributes:
        part: whose rows are counted.
        other: where they are looked for; the same name for the rows that a part has twice.
        rows: rows of `part`.
        exact: rows whose text, as written, is in `other`.
        near: rows whose `near_key` is; includes the exact ones.
        contained: rows, not near ones, most of whose pieces are in one row of `other`.
        similar: rows, not near ones, that are similar to a row of `other`; may be contained too.
        leaked: rows that are near, contained or similar.
        ids: ids that rows of one corpus have in both, sorted; when `other` is the same part, those
            that several rows have.
        pairs: all pairs, sorted. Also those that a near row forms with yet other rows.
    """

    part: str
    other: str
    rows: int
    exact: int
    near: int
    contained: int
    similar: int
    leaked: int
    ids: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def to_dict(self, limit: int | None = None) -> Json:
        """As JSON values, with at most `limit` pairs and ids, and how many there are."""
        pairs = [[p.first, p.second, p.kind, round(p.share, 4)] for p in self.pairs[:limit]]
        counts: Json = {
            name: getattr(self, name)
            for name in ("part", "other", "rows", "exact", "near", "contained", "similar", "leaked")
        }
        return {
            **counts,
            "id_count": len(self.ids),
            "ids": list(self.ids[:limit]),
            "pair_count": len(self.pairs),
            "pairs": pairs,
        }


@dataclass(frozen=True, slots=True)
class Repeats:
    """Texts that a part has more than once.

    Attributes:
        texts: how many different texts.
        rows: how many rows have them, the first of each text included.
        relabelled: how many of the texts have rows with different labels. Rows without labels are
            not compared; evidence and the mask of the corpus do not count as labels.
    """

    texts: int
    rows: int
    relabelled: int


@dataclass(frozen=True, slots=True)
class Within:
    """What a part has more than once.

    Attributes:
        leak: its rows against its other rows.
        exact: texts repeated as written.
        near: texts repeated but for spacing, punctuation, width, case or script.
    """

    leak: Leak
    exact: Repeats
    near: Repeats


@dataclass(frozen=True, slots=True)
class Leakage:
    """The whole report.

    Attributes:
        parts: names in the order given.
        between: every ordered pair of different parts, in that order.
        within: every part by itself, in that order.
        contained: the share from which a row counts as contained.
        similar: the Jaccard index from which two rows count as similar.
        common: pieces in more different texts than this led to no pair.
        skipped: how many different pieces that were.
        unsure: rows that may for this reason lack a contained or similar pair.
    """

    parts: tuple[str, ...]
    between: tuple[Leak, ...]
    within: tuple[Within, ...]
    contained: float
    similar: float
    common: int
    skipped: int
    unsure: int

    def leak(self, part: str, other: str) -> Leak:
        """What of one part is in another; with the same name twice, what it repeats.

        Raises:
            DataError: the report has no such part.
        """
        for leak in (*self.between, *(w.leak for w in self.within)):
            if (leak.part, leak.other) == (part, other):
                return leak
        raise DataError(f'no parts "{part}" and "{other}": give two of {", ".join(self.parts)}')

    def to_dict(self, limit: int | None = None) -> Json:
        """As JSON values; each list of pairs or ids is cut to `limit`, its length is told."""
        return {
            "parts": list(self.parts),
            "contained": self.contained,
            "similar": self.similar,
            "common": self.common,
            "skipped_pieces": self.skipped,
            "unsure_rows": self.unsure,
            "between": [leak.to_dict(limit) for leak in self.between],
            "within": [
                {
                    **w.leak.to_dict(limit),
                    "exact_repeats": asdict(w.exact),
                    "near_repeats": asdict(w.near),
                }
                for w in self.within
            ],
        }


def markdown(report: Leakage) -> str:
    """The report as tables: what leaks from the rows of the table into its columns, then how.

    Counts and shares only; no ids and no texts.
    """
    leaks = {(leak.part, leak.other): leak for leak in report.between}
    leaks |= {(w.leak.part, w.leak.other): w.leak for w in report.within}
    lines = [
        "Rows of the part on the left that are found in the part above (near, contained or "
        "similar), in the same part: that it has in another row too.",
        "",
        "| part | rows |" + "".join(f" {_cell(name)} |" for name in report.parts),
        "|---|---:|" + "---:|" * len(report.parts),
    ]
    for within in report.within:
        name = within.leak.part
        cells = (_share(leaks[name, other]) for other in report.parts)
        lines.append(f"| {_cell(name)} | {within.leak.rows:,} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_how(report), "", *_repeated(report), "", _notes(report), ""])


def _how(report: Leakage) -> list[str]:
    shown = [leak for leak in report.between if leak.pairs or leak.ids]
    return [
        "| of | in | exact | near | contained | similar | all | pairs | same ids |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {_cell(leak.part)} | {_cell(leak.other)} | {leak.exact:,} | {leak.near:,} | "
            f"{leak.contained:,} | {leak.similar:,} | {_share(leak)} | {len(leak.pairs):,} | "
            f"{len(leak.ids):,} |"
            for leak in shown
        ),
    ]


def _repeated(report: Leakage) -> list[str]:
    return [
        "| part | repeated texts | with other labels | near-repeated texts | with other labels | "
        "rows contained | rows similar | repeated ids |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {_cell(w.leak.part)} | {w.exact.texts:,} | {w.exact.relabelled:,} | "
            f"{w.near.texts:,} | {w.near.relabelled:,} | {w.leak.contained:,} | "
            f"{w.leak.similar:,} | {len(w.leak.ids):,} |"
            for w in report.within
        ),
    ]


def _notes(report: Leakage) -> str:
    return (
        f"Contained: at least {report.contained:.0%} of the row's pieces are in one row there. "
        f"Similar: Jaccard index at least {report.similar:g}. Near includes exact; contained and "
        "similar rows are not near and may be both. Pieces in more than "
        f"{report.common:,} different texts lead to no pair: {report.skipped:,} were passed over, "
        f"{report.unsure:,} rows may lack a pair for it."
    )


def _share(leak: Leak) -> str:
    return f"{leak.leaked:,} ({leak.leaked / leak.rows:.1%})" if leak.rows else "–"


def _cell(name: str) -> str:
    return name.replace("|", "\\|")
