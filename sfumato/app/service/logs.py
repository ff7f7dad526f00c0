"""The log of the service: one JSON object a line, on stderr. What is logged are facts by name: ids, verdicts, seconds,
answers; never a secret, a body, a query or the name of a file.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from sfumato.text import json_line

_OURS = "sfumato.service"
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """`time`, `level`, `event`, and what was told with it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info:
            line["fault"] = "".join(traceback.format_exception(*record.exc_info))
        return json_line(line)


def begin_log(stream: TextIO | None = None) -> logging.Handler:
    """From now on what the service and its server say goes to `stream` (stderr). Hand it to `end_log` at the end."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in ((_OURS, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    return handler


def end_log(handler: logging.Handler) -> None:
    for name in (_OURS, "uvicorn"):
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True
