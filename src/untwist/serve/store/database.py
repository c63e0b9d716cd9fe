"""One way to read and one to write: SQLite with a single writer, or PostgreSQL with a pool.

SQLite: WAL, synchronous FULL (an acknowledged commit survives power loss), secure_delete, and one
writing thread in a process that puts waiting jobs into one transaction, so that two hundred people
share a sync of the disk. Other processes are waited for. PostgreSQL: a transaction for each job.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from untwist.errors import ConfigError, MissingExtra, StoreError, StoreReason

T = TypeVar("T")

READERS = 4
"""Threads that read."""
PATIENCE = 5.0
"""Seconds that a write waits for another process before it is refused."""
TOGETHER = 64
"""Most jobs in one transaction."""
WAITING = 2000
"""Most jobs in line; more are refused as busy."""
_PAUSE = 0.02

_FULL = ("disk is full", "no space left", "disk i/o error", "file too large", "could not extend")
_BUSY = ("locked", "busy", "deadlock", "could not serialize", "too many connections", "timeout")
_CORRUPT = ("malformed", "not a database", "corrupt", "file is encrypted")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: Future[Any]
    until: float
    alone: bool = False


class Database:
    """Reads and writes by functions that are given a connection.

    Args:
        url: such as "sqlite:////home/me/untwist.db" or "postgresql+psycopg://host/name".
        patience: seconds that a write waits for other processes.

    Raises:
        ConfigError: the address cannot be understood.
        MissingExtra: the driver is not installed.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._sqlite = url.startswith("sqlite")
        self._readers = ThreadPoolExecutor(READERS, "untwist-read")
        self._engine = _engine(url, writer=False, patience=patience)
        self._writing = _engine(url, writer=True, patience=0) if self._sqlite else self._engine
        self._jobs: queue.Queue[_Job | None] = queue.Queue(WAITING)
        self._writers = ThreadPoolExecutor(READERS, "untwist-write")
        self._thread: threading.Thread | None = None
        self._closed = False
        if self._sqlite:
            self._thread = threading.Thread(target=self._write_all, name="untwist-writer")
            self._thread.daemon = True
            self._thread.start()

    @property
    def sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self._sqlite

    @property
    def engine(self) -> Engine:
        """For migrations and maintenance, which run alone."""
        return self._writing

    def read(self, work: Callable[[Connection], T]) -> Future[T]:
        """What `work` finds; it fails with StoreError where the store does."""
        return self._readers.submit(self._read, work)

    def write(self, work: Callable[[Connection], T]) -> Future[T]:
        """What `work` gives once it is committed; work that raises changes nothing.

        Args:
            work: may run more than once, so it changes the database alone.
        """
        if self._closed:
            raise StoreError("the store is closed", "failed")
        if self._thread is None:
            return self._writers.submit(self._write, work)
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait(_Job(work, future, time.monotonic() + self._patience))
        except queue.Full:
            future.set_exception(StoreError("too much is waiting to be written", "busy"))
        return future

    def alone(self, *statements: str) -> Future[None]:
        """Statements outside any transaction, such as VACUUM, while nothing else here writes."""

        def run(connection: Connection) -> None:
            raw = cast(Any, connection.connection.dbapi_connection)
            for statement in statements:
                raw.execute(statement).close()

        future: Future[None] = Future()
        self._jobs.put(_Job(run, future, time.monotonic() + self._patience, alone=True))
        return future

    def close(self) -> None:
        """Finish what waits, then let go of the file."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        self._writers.shutdown()
        self._readers.shutdown()
        self._engine.dispose()
        self._writing.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with _translated(), self._engine.begin() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        until = time.monotonic() + self._patience
        while True:
            try:
                with _translated(), self._engine.begin() as connection:
                    return work(connection)
            except StoreError as error:
                if not error.retryable or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, over = [job], False
            with suppress(queue.Empty):
                while len(batch) < TOGETHER and not over:
                    more = self._jobs.get_nowait()
                    over = more is None
                    batch += [more] if more is not None else []
            wanted = [one for one in batch if one.future.set_running_or_notify_cancel()]
            for alone, some in groupby(wanted, key=lambda one: one.alone):
                if alone:
                    for one in some:
                        self._write_alone(one)
                else:
                    self._write_batch(list(some))
            if over:
                return

    def _write_alone(self, job: _Job) -> None:
        while True:
            try:
                # entered last, so that what it translates is caught here
                with self._writing.connect() as connection, _translated():
                    job.work(connection)
            except (StoreError, SQLAlchemyError, sqlite3.Error) as error:
                locked = isinstance(error, sqlite3.OperationalError)
                if not locked or time.monotonic() > job.until:
                    job.future.set_exception(StoreError(_WORDS["busy"], "busy"))
                    return
                time.sleep(_PAUSE)
            else:
                job.future.set_result(None)
                return

    def _write_batch(self, batch: Sequence[_Job]) -> None:
        """All jobs in one transaction; when it fails, each gets the reason."""
        until = max(job.until for job in batch)
        while True:
            try:
                with _translated(), self._writing.begin() as connection:
                    done = [_tried(connection, job) for job in batch]
                break
            except StoreError as error:
                if not error.retryable or time.monotonic() > until:
                    if error.reason == "full":
                        # after a full disk an old connection may misreport
                        self._writing.dispose()
                    for job in batch:
                        job.future.set_exception(error)
                    return
                time.sleep(_PAUSE)
            except Exception as error:  # noqa: BLE001 - whoever waits raises it; this thread goes on
                for job in batch:
                    job.future.set_exception(error)
                return
        for job, (result, failure) in zip(batch, done, strict=True):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)


def _tried(connection: Connection, job: _Job) -> tuple[Any, Exception | None]:
    """One job; its own mistakes undo it alone, the store's failures all of its company."""
    savepoint = connection.begin_nested()
    try:
        result = job.work(connection)
        savepoint.commit()
    except DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever asked for the write
        savepoint.rollback()
        return None, error
    return result, None


class _translated:
    """Failures of the driver as StoreError, without what the statement held."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SQLAlchemyError):
            reason = _reason(error)
            raise StoreError(_WORDS[reason], reason) from (
                error.orig if isinstance(error, DBAPIError) else None
            )


_WORDS: dict[StoreReason, str] = {
    "busy": "the store is busy: try again in a moment",
    "full": "the disk is full: make room, and nothing more needs to be done",
    "corrupt": "the database file is damaged: restore a backup",
    "failed": "the store failed: see the operator's guide",
}


def _reason(error: SQLAlchemyError) -> StoreReason:
    said = str(getattr(error, "orig", error)).lower()
    for words, reason in ((_FULL, "full"), (_CORRUPT, "corrupt"), (_BUSY, "busy")):
        if any(word in said for word in words):
            return cast(StoreReason, reason)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "busy"
    return "failed"


def _engine(url: str, *, writer: bool, patience: float) -> Engine:
    try:
        address = make_url(url)
        if not url.startswith("sqlite"):
            return create_engine(address, pool_size=READERS * 2, pool_pre_ping=True)
        if not address.database or address.database == ":memory:":
            raise ConfigError("SQLite needs a file: give sqlite:////folder/untwist.db")
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        made = create_engine(
            address,
            poolclass=QueuePool,
            pool_size=1 if writer else READERS,
            connect_args={"check_same_thread": False, "timeout": patience},
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"{_plain(url)} is no address of a database") from error
    except ImportError as error:
        raise MissingExtra("PostgreSQL", "postgres") from error
    except OSError as error:
        raise ConfigError(f"the folder of the database cannot be made: {error.strerror}") from error
    _tuned(made, "IMMEDIATE" if writer else "DEFERRED")
    return made


def _plain(url: str) -> str:
    """An address without its password."""
    return url.split("://", 1)[0] + "://..."


def _tuned(engine: Engine, mode: str) -> None:
    """SQLite as it is documented above; transactions are begun by us, not by the driver."""

    def connected(connection: Any, _: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "fullfsync=ON",
            "temp_store=MEMORY",
            # half a megabyte for each connection; the system keeps the file's pages anyway
            "cache_size=-512",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {mode}")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
