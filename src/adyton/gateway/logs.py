"""Structured logs: one JSON object a line on stderr.

Our own records are events with fields. Of anybody else's, only the logger, the level and an error's
type are kept: a library's text may quote a body, a header or a statement's parameters.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

__all__ = ["JsonLines", "configure", "place_of"]

_OURS: Final = "adyton"
# What every record has; the rest came as ``extra``.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.partition(".")[0] == _OURS:
            line["event"] = record.msg
            line.update((k, v) for k, v in vars(record).items() if k not in _STANDARD)
        else:
            line["event"] = "library"
        if record.exc_info and record.exc_info[1] is not None:
            line["error_type"] = type(record.exc_info[1]).__name__
        return json.dumps(line, ensure_ascii=False, default=lambda value: type(value).__name__)


def configure(stream: TextIO | None = None) -> None:
    """Send every logger's records to ``stream`` (stderr) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.INFO)


def place_of(error: BaseException) -> str:
    """Return where ``error`` was raised, as module and line: all that may be told of it."""
    traceback = error.__traceback__
    place = ""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "?")
        place = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
