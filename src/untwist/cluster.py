"""The machines that work is spread over: the cores of this one, or a Ray.

Leaves out: what the work is; that is the business of whoever spreads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from socket import create_connection
from typing import Any, Literal

from untwist.errors import ConfigError, MissingExtra

Engine = Literal["local", "ray"]

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Environment of a process that is one of many."""

_UNREACHED = "Ray cannot be reached: look at RAY_ADDRESS and at Ray's token, or unset RAY_ADDRESS"


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_ray() -> Any:  # noqa: ANN401
    """The module `ray`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise MissingExtra("running on Ray", "ray") from error


@contextmanager
def ray_session(workers: int = 0) -> Iterator[Any]:
    """Ray, connected: the one that this process uses, else that of RAY_ADDRESS, else a local one.

    Args:
        workers: processors of a local Ray; 0 is all.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: the cluster cannot be reached.
    """
    ray = load_ray()
    mine = not ray.is_initialized()
    try:
        if mine:
            _start(ray, workers)
        yield ray
    finally:
        if mine:
            ray.shutdown()


@contextmanager
def inherited(settings: Mapping[str, str]) -> Iterator[None]:
    """Environment of the processes that are started within; libraries read it when they load."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start(ray: Any, workers: int) -> None:  # noqa: ANN401
    """Connects to the cluster that is named, else starts a Ray that reports to nobody."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "warning"}
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address:
            _knock(address)
            ray.init(**quiet)
            return
        with inherited({**ONE_THREAD, "RAY_USAGE_STATS_ENABLED": "0"}):
            ray.init("local", num_cpus=workers or cores(), include_dashboard=False, **quiet)
    except (ConnectionError, ray.exceptions.RayError) as error:
        raise ConfigError(_UNREACHED) from error


def _knock(address: str) -> None:
    """Whether anyone is there: Ray itself would ask an absent cluster again for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if port.isdigit():
            create_connection((host.strip("[]"), int(port)), timeout=10.0).close()
    except OSError as error:
        raise ConfigError(_UNREACHED) from error
