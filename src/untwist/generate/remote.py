"""The work of a run on Ray: one process that never blocks per core, each with its own model.

A named door: it is opened by importing this module, and needs the extra "ray". The journal stays
where the run was started; the limits of a model hold in each process by themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

from untwist.cluster import ray_session
from untwist.errors import ConfigError, MissingExtra, UntwistError
from untwist.generate.journal import Item
from untwist.generate.work import Job, Outcome, Work, attempted

_DIED = "a process of Ray ended before it had answered: the same command goes on from here"


@contextmanager
def on_ray(
    job: Job, workers: int, concurrency: int
) -> Iterator[Callable[[Item], Awaitable[Outcome]]]:
    """What attempts an item somewhere on Ray, while the session lasts.

    Args:
        job: sent to every process and opened there.
        workers: processes; 0 is one per core of the Ray.
        concurrency: items at once, over all processes.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: the cluster cannot be reached, or the job cannot be opened.
    """
    with ray_session(workers) as ray:
        n = min(concurrency, workers or int(ray.cluster_resources().get("CPU", 1)))
        each = -(-concurrency // n)
        kind = ray.remote(_Worker)
        made = [kind.options(max_concurrency=each, num_cpus=1).remote(job) for _ in range(n)]
        turn = cycle(made)

        async def attempt(item: Item) -> Outcome:
            try:
                outcome = await next(turn).attempt.remote(item)
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError as error:
                raise UntwistError(_DIED) from error
            return _told(outcome)

        yield attempt


class _Worker:
    """One process: the work, opened when it is first needed."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._work: Work | None = None

    async def attempt(self, item: Item) -> Outcome | str:
        """The outcome, or the message of what ends the run; errors lose their kind on the way."""
        try:
            if self._work is None:
                self._work = self._job.open()
            return await attempted(self._work, item)
        except (ConfigError, MissingExtra) as error:
            return str(error)


def _told(outcome: Any) -> Outcome:  # noqa: ANN401
    if isinstance(outcome, str):
        raise ConfigError(outcome)
    found: Outcome = outcome
    return found
