"""Answers kept by what was asked, so that no call is paid for twice.

    sha256(model's identity, messages, schema, options, prompt@version) -> Answer, in SQLite (WAL)

An answer is written before anyone else sees it, so a program that is killed afterwards finds it
again. Several processes may use one file. Leaves out: errors, which are never kept, and expiry;
delete the file to forget.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from untwist.errors import DataError, ModelError
from untwist.llm.calls import Answer, Model, Request, Usage, from_cache, key_of

WAIT = 30.0
"""Seconds to wait for another process that is writing."""

_TABLE = """
CREATE TABLE IF NOT EXISTS answer (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, prompt TEXT NOT NULL, value TEXT NOT NULL
);
"""


class Cache:
    """A file of answers.

    Args:
        path: of the file; made when missing.

    Raises:
        DataError: it cannot be opened or is no cache.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = Lock()
        try:
            self._file = sqlite3.connect(
                self.path, timeout=WAIT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise DataError(f"cannot open {self.path}: is its folder there?") from error
        try:
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            # pages that are written again and again are copied less often: a run waits less
            self._file.execute("PRAGMA wal_autocheckpoint = 4000")
            self._file.executescript(_TABLE)
        except sqlite3.Error as error:
            self._file.close()
            raise DataError(f"{self.path} is no cache of answers: move it away") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        with self._lock:
            found: int = self._file.execute("SELECT COUNT(*) FROM answer").fetchone()[0]
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def get(self, key: str) -> Answer | None:
        """The answer under a key, marked as cached; None when there is none.

        Raises:
            DataError: the file cannot be read.
        """
        query = "SELECT value FROM answer WHERE key = ?"
        try:
            with self._lock, closing(self._file.execute(query, (bytes.fromhex(key),))) as rows:
                found = rows.fetchone()
            return from_cache(_answer(json.loads(found[0])), key) if found else None
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise DataError(f"cannot read {self.path}: {error}") from error

    def put(self, key: str, answer: Answer, prompt: str = "") -> None:
        """Keep an answer; the first one under a key stays.

        Args:
            key: from `key_of`.
            answer: what came.
            prompt: which asked, so that a file can be looked through.

        Raises:
            DataError: the file cannot be written.
        """
        row = (bytes.fromhex(key), answer.model, prompt, json.dumps(_values(answer)))
        try:
            with self._lock:
                self._file.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise DataError(f"cannot write {self.path}: {error}") from error


class CachedModel(Model):
    """A model whose answers are kept; equal questions at the same time are asked once.

    Args:
        model: that is asked when the cache has no answer.
        cache: open.
        only: never ask the model: what is not kept is an error.
    """

    def __init__(self, model: Model, cache: Cache, *, only: bool = False) -> None:
        self.model, self.cache, self._only = model, cache, only
        self._asked: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str, asyncio.Future[Answer]]
        ] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.name

    @property
    def identity(self) -> str:
        """Of the model."""
        return self.model.identity

    async def acomplete(self, request: Request) -> Answer:
        """The kept answer, else the model's.

        Raises:
            ModelError: no answer came.
            DataError: the cache cannot be read or written.
        """
        key = key_of(self.identity, request)
        kept = self.cache.get(key)
        if kept is not None:
            return kept
        if self._only:
            raise ModelError("the answer is not in the cache, and no model is asked")
        waiting = self._asked.setdefault(asyncio.get_running_loop(), {})
        if key in waiting:
            # another's cancellation is not ours: without an answer this one asks by itself
            await asyncio.wait([waiting[key]])
            return await self.acomplete(request)
        return await self._ask(request, key, waiting)

    async def _ask(
        self, request: Request, key: str, waiting: dict[str, asyncio.Future[Answer]]
    ) -> Answer:
        mine: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting[key] = mine
        try:
            answer = await self.model.acomplete(request)
            self.cache.put(key, answer, request.prompt)
        finally:
            del waiting[key]
            mine.cancel()
        return Answer(
            answer.text, answer.model, answer.finish, answer.usage, answer.seconds, answer.cost,
            key=key,
        )  # fmt: skip

    async def aclose(self) -> None:
        """Close what the model holds open; the cache stays open."""
        await self.model.aclose()


def _values(answer: Answer) -> Mapping[str, Any]:
    usage = answer.usage
    return {
        "text": answer.text,
        "model": answer.model,
        "finish": answer.finish,
        "usage": usage and [usage.prompt, usage.completion],
        "seconds": answer.seconds,
        "cost": answer.cost,
    }


def _answer(values: Mapping[str, Any]) -> Answer:
    usage = values["usage"] and Usage(*values["usage"])
    return Answer(**{**values, "usage": usage})
