"""Tells the agent how far a task is, as often as it makes sense."""
from __future__ import annotations

import math
import threading
import time
from typing import Any, Dict, Optional

from openscan_firmware.models.task import Task, TaskProgress
from openscan_host.wire import Wire

TELL_S = 0.05  # between two lines; the newest wins
SAVE_S = 1.0  # between two checkpoints, which cost a write to the disk each
MESSAGE_MAX = 1000


class Progress:
    """Watches a task.  With saving, its progress is its checkpoint too."""

    def __init__(self, wire: Wire, task: Task, saving: bool):
        self._wire = wire
        self._task = task
        self._saving = saving
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._told = self._saved = self._now()
        self._saved_at = -math.inf
        task.watch(self._note)
        threading.Thread(target=self._work, daemon=True).start()

    def flush(self) -> None:
        """Tells and saves what has not been told and saved yet."""
        with self._lock:
            self._tell()
            self._save()

    def _note(self) -> None:
        self._changed.set()

    def _work(self) -> None:
        while True:
            self._changed.wait(timeout=self._until_save())
            self._changed.clear()
            with self._lock:
                self._tell()
                if time.monotonic() - self._saved_at >= SAVE_S:
                    self._save()
            time.sleep(TELL_S)

    def _until_save(self) -> Optional[float]:
        if not self._saving or self._saved == self._told:
            return None
        return max(0.0, self._saved_at + SAVE_S - time.monotonic())

    def _tell(self) -> None:
        now = self._now()
        if now != self._told:
            self._told = now
            self._wire.send("progress", **now)

    def _save(self) -> None:
        if self._saving and self._saved != self._told:
            self._saved = self._told
            self._saved_at = time.monotonic()
            self._wire.send("checkpoint", state={"progress": self._saved})

    def _now(self) -> Dict[str, Any]:
        progress = self._task.progress
        return {"current": _number(progress.current), "total": _number(progress.total),
                "message": str(progress.message)[:MESSAGE_MAX]}


def of_checkpoint(state: Any) -> Optional[TaskProgress]:
    """The progress that _save() wrote down."""
    saved = state.get("progress") if isinstance(state, dict) else None
    return TaskProgress(**saved) if saved else None


def _number(value: Any) -> float:
    """Task code may assign anything; what is no number counts as 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
