"""How does the service write its log? One line per event, JSON where a program reads it.

Keys, session tokens and passwords of database addresses are blotted out of every line, whoever
wrote it: the last fence, for texts of libraries and for tracebacks.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

current_request_id: ContextVar[str] = ContextVar("request_id", default="")

_SECRETS = (
    (re.compile(r"(wuqu_(?:[0-9a-f]{8}|session)_)[A-Za-z0-9_-]{16,}"), r"\1***"),
    (
        re.compile(r"(?i)(authorization|x-api-key|cookie|bearer)([\"']?[=:\s]+)[^\s\"',;]{8,}"),
        r"\1\2***",
    ),
    (re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+@"), r"\1***@"),
)


def without_secrets(text: str) -> str:
    """Return a text without the secrets in it.

    >>> without_secrets("postgresql://gis:geheim@db/wuqu")
    'postgresql://gis:***@db/wuqu'
    """
    for pattern, blot in _SECRETS:
        text = pattern.sub(blot, text)
    return text


class TextFormatter(logging.Formatter):
    """Lines for people at a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with its traceback, without secrets."""
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request id, and more fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if request_id := current_request_id.get():
            row["request_id"] = request_id
        row |= getattr(record, "fields", {})
        if record.exc_info:
            row["traceback"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(row, ensure_ascii=False, default=str)


class WithoutSecrets(logging.Filter):
    """Blots out secrets where another program chose the handlers, such as ``uvicorn`` itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep it."""
        record.msg, record.args = without_secrets(record.getMessage()), None
        return True


class _AccessWithoutSecrets(logging.Filter):
    """The same for uvicorn's own lines of requests, whose formatter wants its arguments apart."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(a.partition("?")[0]) if isinstance(a, str) else a
                for a in record.args
            )
        return True


_FILTERS: dict[str, logging.Filter] = {
    "uvicorn.error": WithoutSecrets(),
    "uvicorn.access": _AccessWithoutSecrets(),
}


def guard_loggers() -> None:
    """Put the filters on; a server that was started around ``wuqu serve`` has its own handlers."""
    for name, fence in _FILTERS.items():
        logging.getLogger(name).addFilter(fence)


def log_config(how: str) -> dict[str, Any]:
    """Return the configuration of the log of ``wuqu serve``; everything goes to stderr.

    Parameters
    ----------
    how
        ``text``, ``json``, or ``auto``: text at a terminal, JSON elsewhere.
    """
    is_text = how == "text" or (how == "auto" and sys.stderr.isatty())
    formatter = TextFormatter if is_text else JsonFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": "INFO"} for name in ("uvicorn", "wuqu")},
    }
