"""What a server writes down of itself: which error, where in the program; never what it says.

The message of an error may hold what somebody wrote, and so may the values of a frame.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Terse(logging.Formatter):
    """Errors as their kinds and the lines that they came through."""

    def formatException(self, ei: _Raised) -> str:
        """One line for the kind, one for each place."""
        kind, _, trace = ei
        places = [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)
        ]
        return "\n".join([*places, kind.__name__ if kind else ""])

    def format(self, record: logging.LogRecord) -> str:
        """A record; where an error comes with it, without the text that goes along."""
        record.exc_text = None
        if record.exc_info:
            record = logging.makeLogRecord({**record.__dict__, "args": (), "msg": "an error"})
        return super().format(record)


def config(level: str = "WARNING") -> dict[str, Any]:
    """For logging.config: everything of this level to stderr, in this form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"terse": {"()": Terse, "fmt": "%(asctime)s %(levelname)s %(message)s"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "terse",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
    }
