"""What has happened to every item of a run, kept so that a killed run goes on where it was.

    Item -> (work) -> Entry, "done" or "failed" -> one row of the journal -> the output, in order

A finished item is written before the next await, so that ending the process at any moment loses
none. The file is SQLite in WAL mode: each entry is handed to the operating system at once, and
forced to the disk every `BATCH` entries, in a thread beside the run, and at the end; a power cut
costs at most two batches, whose answers the response cache may still hold.

Leaves out: answers of a model (the cache keeps those), and what becomes of the output.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from untwist.errors import ConfigError, DataError
from untwist.llm import canonical_json

BATCH = 64
"""Entries after which the disk is asked to keep them."""

Status = Literal["done", "failed"]

_TABLES = """
CREATE TABLE IF NOT EXISTS run (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    at INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT, message TEXT, value TEXT, provenance TEXT NOT NULL
);
"""
_COLUMNS = "at, id, digest, status, reason, message, value, provenance"
_PUT = f"""
INSERT INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (at) DO UPDATE SET status = excluded.status, reason = excluded.reason,
    message = excluded.message, value = excluded.value, provenance = excluded.provenance
WHERE entry.status = 'failed' AND entry.id = excluded.id
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work.

    Attributes:
        id: names it, the same in every run over the same input.
        value: what the work needs, as JSON values.
    """

    id: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one item.

    Attributes:
        at: its place in the input, from 0.
        id: of the item.
        status: "done", or "failed" with a reason.
        reason: in one word, to count by; None when done.
        message: what to do about it; it quotes no text of the item or the answer.
        value: what was made; None when failed.
        provenance: how it was made: model, prompt, seed, cache key, seconds, tokens, cost.
        digest: of the item, so that a changed input is noticed.
    """

    at: int
    id: str
    status: Status
    reason: str | None = None
    message: str | None = None
    value: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


class Journal:
    """The finished items of one run, each exactly once; one process writes at a time.

    Args:
        path: of the file; made when missing.
        run: what the run is (recipe, model, prompt, seed, input's digest); a journal of another
            run is refused, since its items would be of two kinds.
        batch: entries after which the disk is asked to keep them.

    Raises:
        ConfigError: the journal is another run's, or another process is writing to it.
        DataError: the file cannot be opened or is no journal.
    """

    def __init__(
        self, path: Path | str, run: Mapping[str, Any] | None = None, *, batch: int = BATCH
    ) -> None:
        self.path = Path(path)
        self._batch, self._unsynced = batch, 0
        self._file = _opened(self.path)
        self._disk = ThreadPoolExecutor(1, "untwist-journal")
        self._flushing: Future[None] | None = None
        try:
            self._belongs(run)
        except BaseException:
            self._disk.shutdown()
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the disk and let go of the file."""
        self.sync()
        self._disk.shutdown()
        self._file.close()

    @property
    def empty(self) -> bool:
        """Whether nothing is finished yet."""
        return self._file.execute("SELECT 1 FROM entry LIMIT 1").fetchone() is None

    def status(self, at: int, item: Item) -> Status | None:
        """What became of an item; None while it is not finished.

        Raises:
            DataError: the item, or what stands at its place, is not what it was.
        """
        query = "SELECT at, id, digest, status FROM entry WHERE id = ? OR at = ?"
        found = self._file.execute(query, (item.id, at)).fetchall()
        if not found:
            return None
        (place, name, digest, status), *more = found
        if more or (place, name) != (at, item.id) or digest != digest_of(item):
            raise DataError(
                f'item {at + 1} ("{item.id}") is not what it was in {self.path}, or two items '
                "share an id: give the same input again, or start a new run"
            )
        known: Status = status
        return known

    def reason(self, name: str) -> str | None:
        """Why the item of this id failed; None when it did not."""
        found = self._file.execute("SELECT reason FROM entry WHERE id = ?", (name,)).fetchone()
        reason: str | None = found[0] if found else None
        return reason

    def put(self, entry: Entry) -> None:
        """Keep an entry; a failed one of the same item is replaced, a done one never.

        Raises:
            DataError: the item is done already, or the disk refuses.
        """
        row = (
            entry.at, entry.id, entry.digest, entry.status, entry.reason, entry.message,
            None if entry.value is None else _json(entry.value), _json(entry.provenance),
        )  # fmt: skip
        try:
            kept = self._file.execute(_PUT, row).rowcount
        except sqlite3.IntegrityError as error:
            raise DataError(f'two items share the id "{entry.id}": give each its own') from error
        except sqlite3.Error as error:
            raise DataError(f"cannot write {self.path}: {error}") from error
        if not kept:
            raise DataError(f'item "{entry.id}" is finished already in {self.path}')
        self._unsynced += 1
        if self._unsynced >= self._batch and (not self._flushing or self._flushing.done()):
            self._unsynced = 0
            self._flushing = self._disk.submit(_flush, self.path)

    def sync(self) -> None:
        """Wait until everything is on the disk, and in the one file."""
        self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._unsynced = 0
        if self._flushing:
            self._flushing.result()

    def entries(self, status: Status | None = None) -> Iterator[Entry]:
        """Every finished item in the order of the input, one in memory at a time.

        Args:
            status: only these; None is all.
        """
        query = (
            f"SELECT {_COLUMNS} FROM entry WHERE at > ? AND status IN (?, ?) ORDER BY at LIMIT ?"
        )
        kinds = (status, status) if status else ("done", "failed")
        last = -1
        while rows := self._file.execute(query, (last, *kinds, 256)).fetchall():
            yield from map(_entry, rows)
            last = rows[-1][0]

    def counts(self) -> tuple[int, Counter[str]]:
        """How many are done, and how many failed for each reason."""
        query = "SELECT status, reason, COUNT(*) FROM entry GROUP BY status, reason"
        done, failed = 0, Counter[str]()
        for status, reason, n in self._file.execute(query):
            if status == "done":
                done += n
            else:
                failed[reason] += n
        return done, failed

    def totals(self) -> Mapping[str, float]:
        """The sums of every number in the provenance of all finished items, by its name."""
        query = (
            "SELECT part.key, SUM(part.value) FROM entry, json_each(entry.provenance) AS part "
            "WHERE part.type IN ('integer', 'real') GROUP BY part.key"
        )
        return dict(self._file.execute(query))

    def fits(self, run: Mapping[str, Any]) -> None:
        """Sees whether some parts of what a run is are those of this journal; keeps nothing.

        Args:
            run: as for the journal itself; parts that are not named may be anything.

        Raises:
            ConfigError: the journal is another run's.
        """
        known = self._known()
        mine = {name: canonical_json(value) for name, value in run.items()}
        other = sorted(k for k in mine if known and known.get(k) != mine[k])
        if other:
            raise self._other(other)

    def _known(self) -> dict[str, str]:
        return dict(self._file.execute("SELECT name, value FROM run"))

    def _belongs(self, run: Mapping[str, Any] | None) -> None:
        if run is None:
            return
        known = self._known()
        mine = {name: canonical_json(value) for name, value in run.items()}
        if not known and self.empty:
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO run VALUES (?, ?)", mine.items())
            self._file.execute("COMMIT")
            return
        other = sorted(k for k in known.keys() | mine.keys() if known.get(k) != mine.get(k))
        if other:
            raise self._other(other)

    def _other(self, parts: Sequence[str]) -> ConfigError:
        return ConfigError(
            f"{self.path} is the journal of another run ({', '.join(parts)} differ): "
            "repeat that run's settings, or give a new folder"
        )


def digest_of(item: Item) -> str:
    """16 hexadecimal digits that change with the item's value."""
    text = canonical_json(item.value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_rows(path: Path | str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON Lines so that the file is either whole or as it was before.

    Returns:
        How many rows were written.

    Raises:
        DataError: the file cannot be written.
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    written = 0
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                written += 1
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return written


def _flush(path: Path) -> None:
    """Wait until what was written so far is on the disk; the run goes on meanwhile."""
    handle = os.open(f"{path}-wal", os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        file = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise DataError(f"cannot open {path}: is its folder there?") from error
    try:
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        # pages that are written again and again are copied less often, which holds a run up less
        file.execute("PRAGMA wal_autocheckpoint = 4000")
        file.executescript(_TABLES)
    except sqlite3.OperationalError as error:
        file.close()
        raise ConfigError(f"{path} is in use by another run: wait until that has ended") from error
    except sqlite3.DatabaseError as error:
        file.close()
        raise DataError(f"{path} is no journal: move it away") from error
    return file


def _json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"an entry holds what is not JSON ({type(error).__name__})") from error


def _entry(row: tuple[Any, ...]) -> Entry:
    at, name, digest, status, reason, message, value, provenance = row
    made = None if value is None else json.loads(value)
    return Entry(at, name, status, reason, message, made, json.loads(provenance), digest)
