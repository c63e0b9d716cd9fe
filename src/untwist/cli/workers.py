"""Where the work on the rows of a file is done: in this process, on all cores, or on Ray.

    rows -> chunks -> Executor.map -> answers, in the order of the chunks

What is done to a chunk is a `Job`; where it is done changes no answer. Leaves out: rows that need
each other, and retries of a job that failed.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, Generic, Protocol, TypeVar

from untwist.cluster import ONE_THREAD, Engine, cores, inherited, load_ray, ray_session
from untwist.errors import UntwistError

IN_FLIGHT = 2
"""Chunks that are on the way per worker: one is worked on, one lies ready."""

_DIED = "a worker ended before it had answered, perhaps for lack of memory: use fewer --workers"

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)
Pending = TypeVar("Pending")


class Job(Protocol[In_contra, Out_co]):
    """What is done to every chunk; sent to each worker, so it is small, frozen and hashable."""

    def __hash__(self) -> int:
        """Equal jobs are opened once."""

    def open(self) -> Callable[[In_contra], Out_co]:
        """Load what the work needs and return the work on one chunk; called once per process.

        Raises:
            UntwistError: it cannot be loaded.
        """


class Executor(Protocol[In_contra, Out_co]):
    """Does a job on chunks."""

    def map(self, chunks: Iterable[In_contra]) -> Generator[Out_co, None, None]:
        """One answer per chunk, in order, while only a few chunks are in memory.

        When `chunks` fails, every chunk before it is answered first. Closing the generator ends
        whatever it had started.

        Raises:
            UntwistError: the job failed on a chunk, after the answers to those before it; from
                another process only its message comes.
        """


@dataclass(frozen=True, slots=True)
class Here(Generic[In, Out]):
    """This process, one chunk after the other.

    Attributes:
        work: what is done to a chunk, from `Job.open`.
    """

    work: Callable[[In], Out]

    def map(self, chunks: Iterable[In]) -> Generator[Out, None, None]:
        """See `Executor.map`."""
        for chunk in chunks:
            yield self.work(chunk)


@dataclass(frozen=True, slots=True)
class Pool(Generic[In, Out]):
    """Processes on this machine, which are started as they are needed.

    Attributes:
        job: what they do.
        workers: how many at most.
    """

    job: Job[In, Out]
    workers: int

    def map(self, chunks: Iterable[In]) -> Generator[Out, None, None]:
        """See `Executor.map`."""
        pool = ProcessPoolExecutor(self.workers, get_context("spawn"), _begin)

        def submit(chunk: In) -> Future[Out | _Stopped]:
            with inherited(ONE_THREAD), _no_interrupt():
                return pool.submit(_work, self.job, chunk)

        waiting: deque[Future[Out | _Stopped]] = deque()
        try:
            limit = IN_FLIGHT * self.workers
            yield from _in_order(chunks, waiting, limit, submit, lambda done: done.result())
        except BrokenProcessPool as error:
            raise UntwistError(_DIED) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class OnRay(Generic[In, Out]):
    """Ray: the one that this process uses, else the cluster of RAY_ADDRESS, else a local one.

    Attributes:
        job: what its tasks do; a cluster has to hold the same version of untwist, and a model
            folder under the same path, on every host.
        workers: processors of a local Ray; on a cluster, half the chunks on the way. 0 is all.
    """

    job: Job[In, Out]
    workers: int

    def map(self, chunks: Iterable[In]) -> Generator[Out, None, None]:
        """See `Executor.map`.

        Raises:
            MissingExtra: Ray is not installed.
            ConfigError: the cluster cannot be reached.
        """
        waiting: deque[Any] = deque()
        with ray_session(self.workers) as ray:
            try:
                task = ray.remote(_work)
                limit = IN_FLIGHT * (self.workers or int(ray.cluster_resources().get("CPU", 1)))
                yield from _in_order(
                    chunks, waiting, limit, lambda chunk: task.remote(self.job, chunk), ray.get
                )
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError as error:
                raise UntwistError(_DIED) from error
            finally:
                for task_left in waiting:
                    ray.cancel(task_left)


def executor(job: Job[In, Out], workers: int = 1, engine: Engine = "local") -> Executor[In, Out]:
    """The executor that fits; the job is opened here too, so that a fault in it is told at once.

    Args:
        job: what is done to each chunk.
        workers: how many processes; 0 is one per core.
        engine: this machine, or Ray.

    Raises:
        MissingExtra: Ray is asked for and not installed.
        UntwistError: the job cannot be opened.
    """
    work = job.open()
    if engine == "ray":
        load_ray()
        return OnRay(job, workers)
    workers = workers or cores()
    return Here(work) if workers == 1 else Pool(job, workers)


@dataclass(frozen=True, slots=True)
class _Stopped:
    """An error on its way between processes, where some errors cannot go."""

    message: str


def _work(job: Job[In, Out], chunk: In) -> Out | _Stopped:
    """In a worker: the answer to one chunk."""
    try:
        answer: Out = _opened(job)(chunk)
    except UntwistError as error:
        return _Stopped(str(error))
    return answer


@lru_cache(maxsize=1)
def _opened(job: Job[Any, Any]) -> Callable[[Any], Any]:
    """The work of a job; what it loads stays for the next chunk."""
    return job.open()


def _in_order(
    chunks: Iterable[In],
    waiting: deque[Pending],
    limit: int,
    submit: Callable[[In], Pending],
    result: Callable[[Pending], Out | _Stopped],
) -> Iterator[Out]:
    """Submits chunks, at most `limit` at a time, and yields their results in order."""
    stream = iter(chunks)
    trouble: UntwistError | None = None
    ended = False
    while waiting or not ended:
        while not ended and len(waiting) < limit:
            try:
                chunk = next(stream)
            except StopIteration:
                ended = True
            except UntwistError as error:
                trouble, ended = error, True
            else:
                waiting.append(submit(chunk))
        if waiting:
            answer = result(waiting.popleft())
            if isinstance(answer, _Stopped):
                raise UntwistError(answer.message)
            yield answer
    if trouble:
        raise trouble


def _begin() -> None:
    """In a new worker: interrupts are the parent's to handle, and without a parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Interrupts wait; a process that is started within has them blocked from its first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
