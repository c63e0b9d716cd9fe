"""Texts that share most of their pieces: every pair of them, without comparing all with all.

The search is exact, not sampled. If a text shares at least the asked share of its n pieces with
another, then of any n - (pieces it must share) + 1 of them at least one is in the other (prefix
filtering; Chaudhuri, Ganti and Kaushik 2006). The rarest pieces are taken, because they lead to few
other texts or to none. Only pieces found in more than `common` texts are passed over, and that is
reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError

GRAM = 8
"""Length in characters of the pieces that are compared."""

Ints = NDArray[np.int64]
_Words = NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_BLOCK = 1 << 21
"""Letters, or comparisons, that are held at a time."""
_FIRST_STEP = 16
"""Pieces of a candidate that are looked up first; then four times as many, and so on."""
_SLACK = 1e-9
"""Keeps rounding from making a needed share too large."""


@dataclass(frozen=True, slots=True)
class Kin:
    """Pairs of texts that share most of the pieces of the one with fewer pieces.

    Attributes:
        first: place of one text among those given; the smaller place.
        second: place of the other.
        shared: how many distinct pieces both have.
        pieces: for each text given how many distinct pieces it has; 0 for one shorter than `GRAM`.
        skipped: distinct pieces that were passed over because too many texts have them.
        unsure: for each text given whether a passed-over piece could have led to another pair.
    """

    first: Ints
    second: Ints
    shared: Ints
    pieces: Ints
    skipped: int
    unsure: NDArray[np.bool_]


def find_kin(keys: Sequence[str], share: float, common: int) -> Kin:
    """All pairs of different texts of which the shorter has `share` of its pieces in the other.

    Pieces are the runs of `GRAM` characters, each counted once in a text, compared by a hash of at
    least 40 bits, so a chance hit is possible and rare. Takes about 40 bytes a letter.

    Args:
        keys: the texts, all different (`near_key` of what was written).
        share: above 0, at most 1.
        common: a piece in more texts than this leads to no pair; the others find all that there
            are.

    Raises:
        ConfigError: `share` or `common` is out of range.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"a share of pieces is above 0 and at most 1, not {share:g}")
    if common < 2:
        raise ConfigError(f"common is a number of texts, at least 2, not {common}")
    index = _Index.of(keys)
    ranked = _Ranked.of(index, share, common)
    first, second, shared = _verified(index, ranked, *_candidates(index, ranked))
    return Kin(first, second, shared, index.pieces, ranked.skipped, ranked.unsure)


@dataclass(frozen=True, slots=True)
class _Index:
    """Every piece of every text, sorted by piece, then by text.

    Attributes:
        packed: piece (upper bits) and text (lower bits) in one number; sorted, distinct.
        mask: selects the lower bits.
        owner: the text of each entry.
        texts: in how many texts the entry's piece is.
        pieces: how many distinct pieces each text has.
    """

    packed: _Words
    mask: np.uint64
    owner: Ints
    texts: Ints
    pieces: Ints

    @classmethod
    def of(cls, keys: Sequence[str]) -> _Index:
        mask = np.uint64((1 << len(keys).bit_length()) - 1)
        packed = np.empty(sum(max(len(key) - GRAM + 1, 0) for key in keys), np.uint64)
        filled = 0
        for start, stop in _text_blocks(keys):
            block = _packed(keys[start:stop], start, mask)
            packed[filled : filled + block.size] = block
            filled += block.size
        packed.sort()
        packed = packed[_changes(packed)]
        owner = (packed & mask).astype(np.int64)
        starts = np.flatnonzero(_changes(packed & ~mask))
        sizes = np.diff(np.append(starts, packed.size))
        pieces = np.bincount(owner, minlength=len(keys)).astype(np.int64)
        return cls(packed, mask, owner, np.repeat(sizes, sizes), pieces)


def _changes(values: _Words) -> NDArray[np.bool_]:
    """Where a sorted array has a value for the first time."""
    first = np.ones(values.size, np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return first


def _text_blocks(keys: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = letters = 0
    for place, key in enumerate(keys):
        letters += len(key)
        if letters >= _BLOCK or place == len(keys) - 1:
            yield start, place + 1
            start, letters = place + 1, 0


def _packed(keys: Sequence[str], start: int, mask: np.uint64) -> _Words:
    """All pieces of consecutive texts, the first of which has the place `start`."""
    codes = np.frombuffer("".join(keys).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    count = codes.size - GRAM + 1
    if count < 1:
        return np.empty(0, np.uint64)
    lengths = np.array([len(key) for key in keys], np.int64)
    owner = np.repeat(np.arange(len(keys)), lengths)[:count]
    inside = np.arange(GRAM, codes.size + 1) <= np.cumsum(lengths)[owner]
    hashes = np.zeros(count, np.uint64)
    for shift in range(GRAM):
        hashes = hashes * _FACTOR + codes[shift : shift + count]
    hashes = ((hashes ^ (hashes >> _HALF)) * _FACTOR)[inside]
    packed: _Words = (hashes & ~mask) | (owner[inside] + start).astype(np.uint64)
    return packed


def _needed(pieces: Ints, share: float) -> Ints:
    """The fewest of so many pieces that are at least the share."""
    needed: Ints = np.ceil(pieces * share - _SLACK).astype(np.int64)
    return needed


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The entries of the texts that may have kin, text by text, the rarest pieces first.

    Pieces that no other text has are counted and left out.

    Attributes:
        entries: places in the index.
        starts: for each text the place of its first entry here.
        sizes: for each text how many entries are here; 0 when it can lead to no pair.
        leading: for each text how many of its first entries lead to every pair it has.
        lone: for each text how many of its pieces no other text has.
        spare: for each text how many pieces it may have that its kin has not.
        skipped: distinct pieces that would lead to pairs too, but are in too many texts.
        unsure: for each text whether one of its own was such a piece.
    """

    entries: Ints
    starts: Ints
    sizes: Ints
    leading: Ints
    lone: Ints
    spare: Ints
    skipped: int
    unsure: NDArray[np.bool_]

    @classmethod
    def of(cls, index: _Index, share: float, common: int) -> _Ranked:
        total = index.pieces.size
        spare = index.pieces - _needed(index.pieces, share)
        alone = index.texts == 1
        lone = np.bincount(index.owner[alone], minlength=total)
        open_ = (index.pieces > 0) & (lone <= spare)
        entries = np.flatnonzero(~alone & open_[index.owner])
        entries = entries[
            _order(index.owner[entries], np.minimum(index.texts[entries], common + 1))
        ]
        owner = index.owner[entries]
        sizes = np.bincount(owner, minlength=total)
        starts = np.cumsum(sizes) - sizes
        deciding = np.arange(owner.size) - starts[owner] <= (spare - lone)[owner]
        rare = index.texts[entries] <= common
        leading = np.bincount(owner[deciding & rare], minlength=total)
        passed = entries[deciding & ~rare]
        unsure = np.zeros(total, np.bool_)
        unsure[index.owner[passed]] = True
        skipped = np.unique(index.packed[passed] & ~index.mask).size
        return cls(entries, starts, sizes, leading, lone, spare, skipped, unsure)


def _order(major: Ints, minor: Ints) -> Ints:
    """The places sorted by two numbers each; equals stay in their order."""
    size = major.size
    width = int(minor.max(initial=0)) + 1
    if (int(major.max(initial=0)) + 1) * width * max(size, 1) >= 1 << 63:
        return np.lexsort((minor, major))
    # One sort of plain numbers is many times faster than sorting places.
    return np.sort((major * width + minor) * size + np.arange(size)) % max(size, 1)


def _candidates(index: _Index, ranked: _Ranked) -> tuple[Ints, Ints, Ints]:
    """Pairs of texts, the one with fewer pieces first, and how many leading pieces they share."""
    rank = np.arange(ranked.entries.size) - ranked.starts[index.owner[ranked.entries]]
    entries = ranked.entries[rank < ranked.leading[index.owner[ranked.entries]]]
    starts = np.searchsorted(index.packed, index.packed[entries] & ~index.mask)
    total = np.int64(index.pieces.size)
    codes, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start, stop in _blocks(index.texts[entries]):
        sizes = index.texts[entries[start:stop]]
        one = np.repeat(index.owner[entries[start:stop]], sizes)
        other = index.owner[_ranges(starts[start:stop], sizes)]
        # The text with fewer pieces leads to the pair, so the other way round is not needed.
        kept = (index.pieces[other] >= index.pieces[one]) & (one != other)
        found, times = np.unique(one[kept] * total + other[kept], return_counts=True)
        codes.append(found)
        counts.append(times)
    pairs, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    shared = np.bincount(inverse, np.concatenate(counts), pairs.size).astype(np.int64)
    return pairs // total, pairs % total, shared


def _verified(
    index: _Index, ranked: _Ranked, short: Ints, long: Ints, leading: Ints
) -> tuple[Ints, Ints, Ints]:
    """The pairs that share enough, once each, the smaller place first, and how many pieces.

    A candidate is left as soon as it has missed too many pieces; the rarest, which tell most, are
    looked up first.
    """
    missed = ranked.lone[short] + ranked.leading[short] - leading
    done = ranked.leading[short]
    step = _FIRST_STEP
    while (left := np.flatnonzero(done < ranked.sizes[short])).size:
        sizes = np.minimum(ranked.sizes[short[left]] - done[left], step)
        starts = ranked.starts[short[left]] + done[left]
        missed[left] += sizes - _hits(index, ranked.entries, starts, sizes, long[left])
        done[left] += sizes
        kept = missed <= ranked.spare[short]
        short, long, missed, done = short[kept], long[kept], missed[kept], done[kept]
        step *= 4
    total = np.int64(index.pieces.size)
    codes = np.minimum(short, long) * total + np.maximum(short, long)
    codes, places = np.unique(codes, return_index=True)
    return codes // total, codes % total, (index.pieces[short] - missed)[places]


def _hits(index: _Index, entries: Ints, starts: Ints, sizes: Ints, texts: Ints) -> Ints:
    """How many of a stretch of entries each text has too."""
    hits = np.zeros(texts.size, np.int64)
    for start, stop in _blocks(sizes):
        pair = np.repeat(np.arange(start, stop), sizes[start:stop])
        pieces = index.packed[entries[_ranges(starts[start:stop], sizes[start:stop])]]
        wanted = (pieces & ~index.mask) | texts[pair].astype(np.uint64)
        there = np.minimum(np.searchsorted(index.packed, wanted), index.packed.size - 1)
        found = pair[index.packed[there] == wanted] - start
        hits[start:stop] = np.bincount(found, minlength=stop - start)
    return hits


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """All places from each start, as many as its size."""
    before = np.cumsum(sizes) - sizes
    places: Ints = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
    return places


def _blocks(sizes: Ints) -> Iterator[tuple[int, int]]:
    """Consecutive stretches whose sizes sum to about `_BLOCK`."""
    ends = np.cumsum(sizes)
    start = done = 0
    while start < sizes.size:
        stop = max(int(np.searchsorted(ends, done + _BLOCK, side="right")), start + 1)
        yield start, stop
        start, done = stop, int(ends[stop - 1])
