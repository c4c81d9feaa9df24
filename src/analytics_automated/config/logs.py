"""Log lines: one event a line, with the ids that it is about as fields."""

import datetime as dt
import json
import logging
from typing import Any

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller passed as `extra`."""
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO logger: message key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and below it the traceback where there is one."""
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and message, then the fields; `exception` holds a traceback."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Outages(logging.Filter):
    """A service that is away is told in a line: nobody needs to know where in a library that was noticed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for what was told already."""
        if record.name == "django.request":
            return getattr(record, "status_code", None) != 503
        error = record.exc_info[1] if record.exc_info else None
        if record.name in {"celery.beat", "celery.worker.consumer.consumer"} and error is not None:
            if record.name == "celery.beat":  # which writes its stack into the message
                record.msg, record.args = "a message could not be sent: %s", (error,)
            record.exc_info = record.exc_text = None
        return True


def formatter(style: str = "text") -> logging.Formatter:
    """The formatter of `AA_LOG_FORMAT`."""
    return JsonFormatter() if style == "json" else TextFormatter()
