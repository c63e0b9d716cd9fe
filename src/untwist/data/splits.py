"""Who stands on which side: the papers' row splits, and splits that keep what belongs together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from untwist.errors import DataError
from untwist.schema import Dialogue
from untwist.text import normalize

Mode = Literal["published", "grouped"]
"""Row split as in the papers, for comparison; or groups kept together, for the truth."""

PARTS = ("train", "validation", "test")
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
SEED = 42
_Sizes = dict[str, dict[str, int]]
_SPELLINGS = {"val": "validation", "valid": "validation", "dev": "validation"}


def part_named(name: str) -> str | None:
    """A part by its name or another spelling of it ("val", "dev"); None where there is none."""
    part = _SPELLINGS.get(name, name)
    return part if part in PARTS else None


def near_key(text: str) -> str:
    """What near-duplicates have in common: the normalised letters and digits, nothing else.

    A text without letters and digits is its own key.
    """
    key = "".join(ch for ch in normalize(text).text if ch.isalnum())
    return key or text.strip()


def grouped(dialogues: Sequence[Dialogue], links: Iterable[tuple[str, str]] = ()) -> list[str]:
    """The group of each dialogue once near-duplicates are joined, named by its smallest member.

    Two dialogues belong together when they share `group`, when all their words together have equal
    `near_key`, or when they are linked; the relation is closed (union-find), so chains end up in
    one group.

    Args:
        dialogues: of one corpus or several.
        links: pairs of names "corpus:id"; a name that is not among the dialogues links nothing.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(a: str, b: str) -> None:
        one, other = root(a), root(b)
        parent[max(one, other)] = min(one, other)

    groups = {name_of(d): "g" + d.group for d in dialogues}
    for dialogue in dialogues:
        join("g" + dialogue.group, "k" + dialogue_key(dialogue))
    for a, b in links:
        if a in groups and b in groups:
            join(groups[a], groups[b])
    names: dict[str, str] = {}
    for name, group in groups.items():
        top = root(group)
        names[top] = min(names.get(top, name), name)
    return [names[root("g" + dialogue.group)] for dialogue in dialogues]


def name_of(dialogue: Dialogue) -> str:
    """A dialogue's name among several corpora, "corpus:id"."""
    return f"{dialogue.corpus}:{dialogue.id}"


def dialogue_key(dialogue: Dialogue) -> str:
    """The `near_key` of all its words together."""
    return near_key("\n".join(u.text for u in dialogue.utterances))


def row_parts(
    dialogues: Sequence[Dialogue], cuts: tuple[float, float] = (0.2, 0.25), seed: int = SEED
) -> list[str]:
    """The part of each row as the papers made them: published parts, else rows drawn at random.

    Rows without a published part are cut twice, as scikit-learn's `train_test_split` does with
    `random_state=seed`, so anyone can re-make them: `cuts[0]` of the rows leave for the test part
    (with cuts of 0.4 and 0.5 for validation and test together, as the sizes of D_t1 show), then
    `cuts[1]` of the rest for validation. Where the corpus publishes a train and a test part alone,
    validation is the second cut, out of train. Near-duplicates may lie across parts: that is how
    the published figures were made.

    Args:
        dialogues: of one corpus, in the order of its file.
        cuts: shares of the two cuts; a first cut above 0.25 is halved by the second (CrossLinCD
            Table 1: D_t1 958 / 319 / 320 fits 0.4 and 0.5 alone).
        seed: of both cuts.

    Raises:
        DataError: some rows have a published part and others have none.
    """
    published = [None if d.split is None else _SPELLINGS.get(d.split, d.split) for d in dialogues]
    known = {part for part in published if part is not None}
    if known and None in published:
        raise DataError("some rows name a part and others do not: give every row a split, or none")
    parts = [part or "train" for part in published]
    if not known:
        _cut_rows(parts, cuts, seed)
    elif known == {"train", "test"}:
        train = [place for place, part in enumerate(parts) if part == "train"]
        for place in _cut(train, cuts[1], seed)[0]:
            parts[place] = "validation"
    return parts


def _cut_rows(parts: list[str], cuts: tuple[float, float], seed: int) -> None:
    away, rest = _cut(list(range(len(parts))), cuts[0], seed)
    if cuts[0] > 0.25:
        test, validation = _cut(away, cuts[1], seed)
    else:
        test, validation = away, _cut(rest, cuts[1], seed)[0]
    for places, part in ((test, "test"), (validation, "validation")):
        for place in places:
            parts[place] = part


def _cut(places: Sequence[int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """The drawn places and the others, both in the order that scikit-learn gives them."""
    # the legacy generator is the one behind train_test_split(random_state=…)
    order = np.random.RandomState(seed).permutation(len(places))
    size = math.ceil(share * len(places))
    return [places[i] for i in order[:size]], [places[i] for i in order[size:]]


def group_parts(
    corpora: Mapping[str, Sequence[Dialogue]],
    links: Iterable[tuple[str, str]] = (),
    seed: int = SEED,
    shares: Mapping[str, float] = SHARES,
) -> dict[str, list[str]]:
    """The part of each row of several corpora, no group ever on two sides, also across corpora.

    A corpus whose published parts already keep its groups apart keeps them (of two such corpora
    that share a group, the one that is named first), and a missing validation part is taken out of
    its train part. All other groups are shuffled, and each goes to the part that lacks most rows,
    counted as shares of each corpus. Equal seeds give equal parts in any input order of rows.

    Args:
        corpora: rows by name of the corpus.
        links: pairs of "corpus:id" that belong together beside groups and near-duplicates.
        seed: of the shuffle.
        shares: part name to share, summing to 1.

    Raises:
        DataError: the shares do not sum to 1.
    """
    _check_shares(shares)
    rows = [(corpus, d) for corpus, dialogues in corpora.items() for d in dialogues]
    names = grouped([d for _, d in rows], links)
    sizes: _Sizes = {}
    published: dict[str, dict[str, set[str]]] = {corpus: {} for corpus in corpora}
    for name, (corpus, dialogue) in zip(names, rows, strict=True):
        counts = sizes.setdefault(name, {})
        counts[corpus] = counts.get(corpus, 0) + 1
        part = _SPELLINGS.get(dialogue.split or "", dialogue.split or "")
        published[corpus].setdefault(name, set()).add(part)
    placed: dict[str, str] = {}
    for own in published.values():
        if own and all(len(parts) == 1 and parts <= set(shares) for parts in own.values()):
            _keep(
                {name: next(iter(parts)) for name, parts in own.items()},
                sizes,
                shares,
                seed,
                placed,
            )
    _place(set(sizes) - set(placed), sizes, shares, seed, placed)
    parts: dict[str, list[str]] = {corpus: [] for corpus in corpora}
    for name, (corpus, _) in zip(names, rows, strict=True):
        parts[corpus].append(placed[name])
    return parts


def _keep(
    own: Mapping[str, str],
    sizes: _Sizes,
    shares: Mapping[str, float],
    seed: int,
    placed: dict[str, str],
) -> None:
    """Keep the published parts of one corpus; take validation out of train when it has none."""
    free = {name: part for name, part in own.items() if name not in placed}
    placed.update(free)
    if set(own.values()) == {"train", "test"} and "validation" in shares:
        inner = {part: shares[part] for part in ("train", "validation")}
        total = math.fsum(inner.values())
        train = {name for name, part in free.items() if part == "train"}
        _place(train, sizes, {p: s / total for p, s in inner.items()}, seed, placed)


def _place(
    names: set[str],
    sizes: _Sizes,
    shares: Mapping[str, float],
    seed: int,
    placed: dict[str, str],
) -> None:
    """Hand out shuffled groups, each to the part that lacks most, in shares of each corpus."""
    order = sorted(names)
    totals: dict[str, int] = {}
    for name in order:
        for corpus, n in sizes[name].items():
            totals[corpus] = totals.get(corpus, 0) + n
    lacking = {(p, c): s for p, s in shares.items() if s > 0 for c in totals}
    wanted = [part for part, share in shares.items() if share > 0]
    for place in np.random.default_rng(seed).permutation(len(order)):
        counts = sizes[order[place]]
        weight = {corpus: n / totals[corpus] for corpus, n in counts.items()}
        part = max(wanted, key=lambda p: sum(w * lacking[p, c] for c, w in weight.items()))
        placed[order[place]] = part
        for corpus, w in weight.items():
            lacking[part, corpus] -= w


def _check_shares(shares: Mapping[str, float]) -> None:
    total = math.fsum(shares.values())
    if not shares or min(shares.values()) < 0 or not math.isclose(total, 1.0):
        raise DataError(f"the parts must have shares that sum to 1, not to {total:g}")


def folds(dialogues: Sequence[Dialogue], k: int, seed: int = SEED) -> list[int]:
    """The fold of each row, 0 to k - 1, groups and near-duplicates kept together.

    Raises:
        DataError: `k` is below 2, or there are fewer groups than folds.
    """
    names = grouped(dialogues)
    if k < 2 or len(set(names)) < k:
        raise DataError(f"{len(set(names))} groups cannot make {k} folds: give 2 or more groups")
    sizes: _Sizes = {}
    for name in names:
        sizes.setdefault(name, {"rows": 0})["rows"] += 1
    placed: dict[str, str] = {}
    _place(set(sizes), sizes, {str(fold): 1 / k for fold in range(k)}, seed, placed)
    return [int(placed[name]) for name in names]
