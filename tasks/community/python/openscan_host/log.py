"""Forwards the log records of task code to the task's log."""
from __future__ import annotations

import logging
import time

from openscan_host.wire import Wire

LINES_PER_SECOND = 100  # more are only counted


class WireLog(logging.Handler):
    def __init__(self, wire: Wire):
        super().__init__()
        self._wire = wire
        self._second = 0
        self._lines = 0
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._report_dropped()
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > LINES_PER_SECOND:
            self._dropped += 1
        else:
            self._wire.send("log", level=_level(record.levelno), message=self.format(record))

    def flush(self) -> None:
        with self.lock:  # logging.Handler's
            self._report_dropped()

    def _report_dropped(self) -> None:
        if self._dropped:
            self._wire.send("log", level="warn",
                            message=f"{self._dropped} more lines in one second")
            self._dropped = 0


def _level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"
