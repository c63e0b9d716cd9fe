"""Who stands on which side: grouped splits, near-duplicates and what two corpora share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError
from untwist.schema import Dialogue, Json
from untwist.text import normalize

GRAM = 8
"""Length in characters of the pieces that `overlap` compares."""

_PRIME = np.uint64(1_099_511_628_211)


def near_key(text: str) -> str:
    """What near-duplicates have in common: the normalised letters and digits, nothing else.

    A text without letters and digits is its own key.
    """
    key = "".join(ch for ch in normalize(text).text if ch.isalnum())
    return key or text.strip()


def grouped(dialogues: Sequence[Dialogue]) -> list[str]:
    """The group of each dialogue once near-duplicates are joined, named by its smallest member.

    Two dialogues belong together when they share `group`, or when all their words together have
    equal `near_key`; the relation is closed (union-find), so chains end up in one group.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for dialogue in dialogues:
        one, other = root("g" + dialogue.group), root("k" + _dialogue_key(dialogue))
        parent[max(one, other)] = min(one, other)
    names: dict[str, str] = {}
    for dialogue in dialogues:
        top, name = root("g" + dialogue.group), f"{dialogue.corpus}:{dialogue.id}"
        names[top] = min(names.get(top, name), name)
    return [names[root("g" + dialogue.group)] for dialogue in dialogues]


def split(
    dialogues: Iterable[Dialogue],
    fractions: Mapping[str, float],
    seed: int,
    *,
    published: bool = True,
) -> dict[str, list[Dialogue]]:
    """Parts of a corpus, groups kept together; equal seeds give equal parts in any input order.

    Published parts are kept as they are (also where they leak, for comparison with papers); when
    `fractions` names parts that were not published, they are taken out of the published part that
    `fractions` names first. Rows without a published part are divided by all fractions.

    Args:
        dialogues: of one corpus, or of several that share groups (the two therapist forms).
        fractions: part name to share, summing to 1, the training part first.
        seed: of the shuffle.
        published: False to ignore published parts and keep every group on one side.

    Raises:
        DataError: the fractions are not shares of 1, or a published part is not among them.
    """
    _check_fractions(fractions)
    rows = sorted(dialogues, key=lambda d: (d.corpus, d.id))
    names = grouped(rows)
    fixed = {d.split for d in rows if d.split is not None} if published else set()
    stray = sorted(fixed - set(fractions))
    if stray:
        raise DataError(f'the corpus publishes a part "{stray[0]}": name it in the fractions')
    first = next(iter(fractions))
    divided = [first, *(part for part in fractions if part not in fixed and part != first)]
    parts: dict[str, list[Dialogue]] = {part: [] for part in fractions}
    whole: list[tuple[str, Dialogue]] = []
    taken: list[tuple[str, Dialogue]] = []
    for name, dialogue in zip(names, rows, strict=True):
        part = dialogue.split if published else None
        if part is None:
            whole.append((name, dialogue))
        elif part == first:
            taken.append((name, dialogue))
        else:
            parts[part].append(dialogue)
    rng = np.random.default_rng(seed)
    _divide(whole, fractions, rng, parts)
    _divide(taken, {part: fractions[part] for part in divided}, rng, parts)
    return parts


def _check_fractions(fractions: Mapping[str, float]) -> None:
    total = math.fsum(fractions.values())
    if not fractions or min(fractions.values()) < 0 or not math.isclose(total, 1.0):
        raise DataError(f"fractions must be shares that sum to 1, not to {total:g}")


def _divide(
    rows: Sequence[tuple[str, Dialogue]],
    fractions: Mapping[str, float],
    rng: np.random.Generator,
    parts: dict[str, list[Dialogue]],
) -> None:
    """Hand out shuffled groups, each to the part that lacks most rows."""
    members: dict[str, list[Dialogue]] = {}
    for name, dialogue in rows:
        members.setdefault(name, []).append(dialogue)
    order = sorted(members)
    total = math.fsum(fractions.values())
    lacking = {part: len(rows) * share / total for part, share in fractions.items() if share > 0}
    for place in rng.permutation(len(order)):
        group = members[order[place]]
        part = max(lacking, key=lambda name: lacking[name])
        parts[part].extend(group)
        lacking[part] -= len(group)


@dataclass(frozen=True, slots=True)
class Shared:
    """How much of one corpus is in another.

    Attributes:
        rows: rows of this corpus.
        exact: rows whose text, as written, is in the other.
        near: rows whose `near_key` is in the other; includes the exact ones.
        with_grams: rows of at least `GRAM` letters and digits.
        gram_mean: mean share of such a row's distinct pieces of `GRAM` characters that occur
            anywhere in the other; None without such rows.
        gram_half: rows of which at least half of the pieces do.
        gram_whole: rows of which all pieces do, as when they are excerpts.
    """

    rows: int
    exact: int
    near: int
    with_grams: int
    gram_mean: float | None
    gram_half: int
    gram_whole: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two corpora share.

    Attributes:
        first: how much of the first is in the second.
        second: how much of the second is in the first.
        pairs: ids (first, second) of near-duplicates; texts are not kept.
    """

    first: Shared
    second: Shared
    pairs: tuple[tuple[str, str], ...]

    def to_dict(self) -> Json:
        """As JSON values."""
        return asdict(self)


def overlap(a: Iterable[Dialogue], b: Iterable[Dialogue]) -> Overlap:
    """The leakage report between two corpora, or two parts of one.

    Exact and near-duplicate texts are counted by row on both sides; for excerpts and rewritten
    texts it says how many pieces of `GRAM` characters (of the `near_key`) are shared. Pieces are
    compared by a 64-bit hash, so a chance hit is possible and rare.
    """
    first, second = _Texts.of(a), _Texts.of(b)
    ids: dict[str, list[str]] = {}
    for id, key in zip(second.ids, second.keys, strict=True):
        ids.setdefault(key, []).append(id)
    pairs = tuple(
        (id, other)
        for id, key in zip(first.ids, first.keys, strict=True)
        for other in ids.get(key, ())
    )
    return Overlap(_shared(first, second), _shared(second, first), pairs)


@dataclass(frozen=True, slots=True)
class _Texts:
    ids: list[str]
    texts: list[str]
    keys: list[str]
    grams: list[NDArray[np.uint64]]

    @classmethod
    def of(cls, dialogues: Iterable[Dialogue]) -> _Texts:
        rows = list(dialogues)
        keys = [_dialogue_key(d) for d in rows]
        texts = ["\n".join(u.text for u in d.utterances) for d in rows]
        return cls([d.id for d in rows], texts, keys, [_grams(key) for key in keys])


def _dialogue_key(dialogue: Dialogue) -> str:
    return near_key("\n".join(u.text for u in dialogue.utterances))


def _grams(key: str) -> NDArray[np.uint64]:
    """Distinct hashes of all pieces of `GRAM` characters; empty for a shorter key."""
    codes = np.frombuffer(key.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    if codes.size < GRAM:
        return np.empty(0, np.uint64)
    hashes = np.zeros(codes.size - GRAM + 1, np.uint64)
    for shift in range(GRAM):
        hashes = hashes * _PRIME + codes[shift : shift + hashes.size]
    return np.unique(hashes)


def _shared(one: _Texts, other: _Texts) -> Shared:
    texts, keys = Counter(other.texts), Counter(other.keys)
    there = np.unique(np.concatenate([np.empty(0, np.uint64), *other.grams]))
    full = [grams for grams in one.grams if grams.size]
    sizes = np.array([grams.size for grams in full], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    hits = np.isin(np.concatenate([np.empty(0, np.uint64), *full]), there).astype(np.float64)
    shares = np.add.reduceat(hits, starts) / sizes if full else np.empty(0)
    return Shared(
        rows=len(one.ids),
        exact=sum(text in texts for text in one.texts),
        near=sum(key in keys for key in one.keys),
        with_grams=len(full),
        gram_mean=float(shares.mean()) if full else None,
        gram_half=int((shares >= 0.5).sum()),
        gram_whole=int((shares == 1.0).sum()),
    )
