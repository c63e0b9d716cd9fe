"""Hashed character and word n-grams of a batch of texts, in numpy, without a loop over characters.

Every n-gram that occurs becomes one row number of a weight table and keeps the place it came from,
so that a linear model's decision can be traced to the words that made it. Orders: Han characters
1 to 3, other characters 3 to 5 (across word borders), words 1 to 3. Leaves out: any vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS = 17
"""The weight table of the detector has 2**BITS rows."""

_BEGIN, _END = 1, 2
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FINAL = np.uint64(0xD6E8FEB86659FD93)
_HAN_ORDERS = (1, 2, 3)
_OTHER_ORDERS = (3, 4, 5)
_WORD_ORDERS = (1, 2, 3)
_WORDS = 16
"""Salt of the word families, above those of the characters."""

_APART = 32
"""Salt of the pairs of words that stand apart."""

KINDS = 3
"""Characters, words, distant pairs."""

Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Space:
    """Which n-grams are read, and into how many rows they are hashed.

    Attributes:
        bits: the weight table has 2**bits rows.
        gap: pairs of words (or Han characters) that stand up to so many places apart are read too;
            0 reads none.
        apart: characters, words and distant pairs are each scaled to length 1 by themselves, so
            that the many do not drown the few.
    """

    bits: int = BITS
    gap: int = 0
    apart: bool = False


DENSE = Space()
"""The detector's: neighbours only."""


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of one family that occur in a batch.

    Attributes:
        row: weight-table row of each occurrence.
        doc: which text it is in; never falls.
        start: first character of it in the batch's joined text.
        end: one past its last character.
        emphasis: what its idf is multiplied with. A pair of words stands against all the character
            n-grams of both words, so it is lifted; 2 was best of 1, 1.5, 2 and 3 on held-out texts.
        kind: 0 for characters, 1 for words, 2 for distant pairs.
    """

    row: Index
    doc: Index
    start: Index
    end: Index
    emphasis: float
    kind: int


@dataclass(frozen=True, slots=True)
class Batch:
    """All n-grams of a batch of texts.

    Attributes:
        grams: one entry per family of n-grams.
        size: number of texts.
        origin: where each text's first character stands in the joined text.
    """

    grams: tuple[Grams, ...]
    size: int
    origin: Index


def extract(texts: Sequence[str], space: Space = DENSE) -> Batch:
    """The n-grams of normalised texts (see `untwist.text.normalize`), in linear time."""
    lengths = np.fromiter((len(t) for t in texts), np.int32, len(texts)) + 2
    joined = "".join(f"\x01{t}\x02" for t in texts)
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    doc = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    origin = np.concatenate(([0], np.cumsum(lengths[:-1]))).astype(np.int32) + 1
    families = [*_character_grams(codes, doc, space.bits), *_word_grams(codes, doc, space.bits)]
    if space.gap:
        families += _distant_pairs(codes, doc, space)
    return Batch(tuple(families), len(texts), origin.astype(np.int32))


def _rows(hashes: NDArray[np.uint64], salt: int, bits: int) -> Index:
    mixed = (hashes + np.uint64(salt)) * _FINAL
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MULTIPLIER
    return (mixed >> np.uint64(64 - bits)).astype(np.int32)


def _character_grams(codes: NDArray[np.uint32], doc: Index, bits: int) -> list[Grams]:
    han = (codes >= 0x3400) & (codes <= 0x9FFF)
    wide = codes.astype(np.uint64)
    hashes = wide * _MULTIPLIER
    families: list[Grams] = []
    for order in range(1, max(_HAN_ORDERS + _OTHER_ORDERS) + 1):
        if order > 1:
            hashes = (hashes[:-1] ^ (hashes[:-1] >> np.uint64(29))) * _MULTIPLIER
            hashes += wide[order - 1 :]
        last = len(codes) - order + 1
        if last <= 0:
            break
        keep = doc[:last] == doc[order - 1 :]
        if order == 1:
            keep &= codes > _END
        keep &= _wanted(han[:last], order)
        start = np.flatnonzero(keep).astype(np.int32)
        end = start + np.int32(order)
        families.append(_grams(hashes[start], order, doc, start, end, bits))
    return families


def _wanted(han: NDArray[np.bool_], order: int) -> NDArray[np.bool_]:
    in_han, in_other = order in _HAN_ORDERS, order in _OTHER_ORDERS
    if in_han and in_other:
        return np.ones_like(han)
    return han if in_han else ~han if in_other else np.zeros_like(han)


def _words(codes: NDArray[np.uint32]) -> tuple[Index, Index]:
    """Where words begin and end: runs of Latin letters, digits and inner apostrophes."""
    inside = (codes >= 97) & (codes <= 122) | (codes >= 48) & (codes <= 57) | (codes == 39)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], inside, [False])).astype(np.int8)))
    return edges[0::2].astype(np.int32), edges[1::2].astype(np.int32)


def _word_grams(codes: NDArray[np.uint32], doc: Index, bits: int) -> list[Grams]:
    starts, ends = _words(codes)
    if not len(starts):
        return []
    hashes = _word_hashes(codes, starts, ends)
    owner = doc[starts]
    joined = hashes
    families: list[Grams] = []
    for order in _WORD_ORDERS:
        last = len(starts) - order + 1
        if last <= 0:
            break
        if order > 1:
            turned = (joined ^ (joined >> np.uint64(31))) * _MULTIPLIER
            joined = turned[:last] + hashes[order - 1 :]
        first = np.flatnonzero(owner[:last] == owner[order - 1 :])
        begin, end = starts[first], ends[first + order - 1]
        families.append(_grams(joined[first], _WORDS + order, doc, begin, end, bits))
    return families


def _distant_pairs(codes: NDArray[np.uint32], doc: Index, space: Space) -> list[Grams]:
    """Pairs of words, Han characters and marks that are not neighbours, whatever is between."""
    starts, ends = _words(codes)
    covered = np.zeros(len(codes) + 1, np.int32)
    np.add.at(covered, starts, 1)
    np.add.at(covered, ends, -1)
    single = np.flatnonzero((np.cumsum(covered[:-1]) == 0) & (codes > 32)).astype(np.int32)
    begin = np.concatenate([starts, single])
    if not len(begin):
        return []
    end = np.concatenate([ends, single + 1])
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    hashes = _word_hashes(codes, begin, end)
    owner = doc[begin]
    families: list[Grams] = []
    for apart in range(2, min(space.gap, len(begin) - 1) + 1):
        left = np.flatnonzero(owner[:-apart] == owner[apart:])
        turned = (hashes[left] ^ (hashes[left] >> np.uint64(31))) * _MULTIPLIER
        pair = turned + hashes[left + apart]
        where = begin[left], end[left + apart]
        families.append(_grams(pair, _APART, doc, *where, space.bits))
    return families


def _word_hashes(codes: NDArray[np.uint32], starts: Index, ends: Index) -> NDArray[np.uint64]:
    """One hash per word: its characters' hashes, each turned by its place in the word, summed."""
    place = np.arange(len(codes), dtype=np.int32)
    length = ends - starts
    inside = np.repeat(starts - np.concatenate(([0], np.cumsum(length)[:-1])), length)
    at = (place[: int(length.sum())] + inside).astype(np.int64)
    within = (at - np.repeat(starts, length)).astype(np.uint64)
    mixed = (codes[at].astype(np.uint64) + (within << np.uint64(21)) + np.uint64(1)) * _FINAL
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MULTIPLIER
    borders = np.concatenate(([0], np.cumsum(length)[:-1]))
    return np.add.reduceat(mixed, borders)


def _grams(
    hashes: NDArray[np.uint64], salt: int, doc: Index, start: Index, end: Index, bits: int
) -> Grams:
    row = _rows(hashes, salt, bits)
    lifted = 2.0 if _WORDS + 1 < salt < _APART else 1.0
    return Grams(row, doc[start], start, end, lifted, (salt >= _WORDS) + (salt >= _APART))
