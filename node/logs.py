"""The log: one JSON object on a line, on standard error, with fields from a fixed list.

No address of a visitor, no query, no personal word can get in by accident: what is not on the list
is left out, and control characters cannot break a line.
"""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = (
    "actor_host",
    "attempts",
    "code",
    "count",
    "detail",
    "digest_agrees",
    "host",
    "inbox_host",
    "object",
    "path",
    "peer",
    "status",
    "verb",
)
_LONGEST = 2000


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage()[:_LONGEST],
        }
        for field in FIELDS:
            value = getattr(record, field, None)
            if value is not None:
                entry[field] = value[:_LONGEST] if isinstance(value, str) else value
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)[-8 * _LONGEST :]
        return json.dumps(entry, ensure_ascii=True, default=str)


def configure(level: str = "INFO") -> None:
    """Sends everything, uvicorn's messages included, to standard error as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("echoppe").setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
