"""The lines of JSON between a task and the agent."""
from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from typing import Any, Dict, Iterator, NoReturn, Optional

from openscan_host.plain import to_json

LINE_MAX = 256 * 1024


class Refused(Exception):
    """The agent said no: its code and its sentence."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Wire:
    """Both directions; any thread may send and ask."""

    current: Optional[Wire] = None  # that of the run which this process is for

    def __init__(self, reading: int, writing: int):
        self._reading = os.fdopen(reading, "rb")
        self._writing = writing
        self._sending = threading.Lock()
        self._open: Dict[int, Future] = {}  # requests without an answer; under _sending
        self._asked = 0

    def send(self, kind: str, **members: Any) -> None:
        line = _line(kind, members)
        with self._sending:
            self._write(line)

    def ask(self, kind: str, **members: Any) -> Future:
        """Sends a request; the future gets the answer's value, or Refused."""
        answer: Future = Future()
        with self._sending:
            self._asked += 1
            line = _line(kind, {"request": self._asked, **members})
            self._open[self._asked] = answer
            self._write(line)
        return answer

    def read(self) -> Optional[Dict[str, Any]]:
        """The next line, or None when the agent has gone."""
        line = self._reading.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def messages(self) -> Iterator[Dict[str, Any]]:
        """All lines that are not answers; those go to who asked."""
        while True:
            message = self.read()
            if message is None:
                return
            if message.get("type") == "answer":
                self._settle(message)
            else:
                yield message

    def _settle(self, message: Dict[str, Any]) -> None:
        with self._sending:
            answer = self._open.pop(message.get("request"), None)
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
            leave(1)  # nobody listens any more


def claim_streams() -> Wire:
    """Keeps standard input and output for the wire.  Task code, and what it starts, finds an
    empty input, and an output that goes to the task's log as standard error does."""
    wire = Wire(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return wire


def leave(code: int) -> NoReturn:
    """Ends the process without waiting for threads that task code has left behind."""
    os._exit(code)


def _line(kind: str, members: Dict[str, Any]) -> bytes:
    line = to_json({"type": kind, **members}).encode() + b"\n"
    if len(line) > LINE_MAX:
        raise ValueError(f"{kind} has {len(line)} bytes; {LINE_MAX} are allowed")
    return line
