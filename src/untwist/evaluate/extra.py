"""The way to scikit-learn, an extra: opened by the function that needs it, never by the door."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from untwist.errors import MissingExtra


def sklearn_metrics() -> ModuleType:
    """The module `sklearn.metrics`.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        return import_module("sklearn.metrics")
    except ImportError as error:
        raise MissingExtra("honest scores", "eval") from error
