"""Exchanges lines of JSON with the agent."""
from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from typing import Any, Dict, Iterator, NoReturn, Optional

from openscan_host.jsonable import to_json

LINE_MAX = 256 * 1024


class Refused(Exception):
    """The agent refused a request, with a code and a sentence."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Wire:
    """The connection to the agent.  Any thread may send lines and requests."""

    current: Optional[Wire] = None  # the one of this process's run

    def __init__(self, reading: int, writing: int):
        self._reading = os.fdopen(reading, "rb")
        self._writing = writing
        self._sending = threading.Lock()
        self._pending: Dict[int, Future] = {}  # requests not answered yet; guarded by _sending
        self._last_request = 0

    def send(self, kind: str, **members: Any) -> None:
        line = _line(kind, members)
        with self._sending:
            self._write(line)

    def ask(self, kind: str, **members: Any) -> Future:
        """Sends a request; the future gets the answer's value, or Refused."""
        answer: Future = Future()
        with self._sending:
            self._last_request += 1
            line = _line(kind, {"request": self._last_request, **members})
            self._pending[self._last_request] = answer
            self._write(line)
        return answer

    def read(self) -> Optional[Dict[str, Any]]:
        """The next line, or None when the agent is gone."""
        line = self._reading.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def messages(self) -> Iterator[Dict[str, Any]]:
        """All lines that are not answers; an answer completes the future of its request."""
        while True:
            message = self.read()
            if message is None:
                return
            if message.get("type") == "answer":
                self._complete(message)
            else:
                yield message

    def _complete(self, message: Dict[str, Any]) -> None:
        with self._sending:
            answer = self._pending.pop(message.get("request"), None)
        if answer is None or not answer.set_running_or_notify_cancel():
            return
        if message.get("ok"):
            answer.set_result(message.get("value"))
        else:
            answer.set_exception(Refused(message.get("code") or "internal",
                                         message.get("message") or "the agent refused"))

    def _write(self, line: bytes) -> None:
        try:
            while line:
                line = line[os.write(self._writing, line):]
        except OSError:
            exit_now(1)  # the agent is gone


def reserve_streams() -> Wire:
    """Reserves standard input and output for the wire.  Task code and its child processes get an
    empty standard input, and a standard output that goes to the task's log."""
    wire = Wire(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return wire


def exit_now(code: int) -> NoReturn:
    """Exits without waiting for threads that task code has started."""
    os._exit(code)


def _line(kind: str, members: Dict[str, Any]) -> bytes:
    line = to_json({"type": kind, **members}).encode() + b"\n"
    if len(line) > LINE_MAX:
        raise ValueError(f"{kind} has {len(line)} bytes; {LINE_MAX} are allowed")
    return line
