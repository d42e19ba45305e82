"""Reports a task's progress to the agent, at a limited rate."""
from __future__ import annotations

import math
import threading
import time
from typing import Any, Dict, Optional

from openscan_firmware.models.task import Task, TaskProgress
from openscan_host.wire import Wire

SEND_INTERVAL_S = 0.05  # between two lines; only the newest progress is sent
SAVE_INTERVAL_S = 1.0  # between two checkpoints, since each is written to disk
MESSAGE_MAX = 1000


class Progress:
    """Watches a task's progress.  With saving, the progress is also its checkpoint."""

    def __init__(self, wire: Wire, task: Task, saving: bool):
        self._wire = wire
        self._task = task
        self._saving = saving
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._sent = self._saved = self._now()
        self._saved_at = -math.inf
        task.watch(self._on_change)
        threading.Thread(target=self._work, daemon=True).start()

    def flush(self) -> None:
        """Sends and saves the latest progress now."""
        with self._lock:
            self._send()
            self._save()

    def _on_change(self) -> None:
        self._changed.set()

    def _work(self) -> None:
        while True:
            self._changed.wait(timeout=self._until_save())
            self._changed.clear()
            with self._lock:
                self._send()
                if time.monotonic() - self._saved_at >= SAVE_INTERVAL_S:
                    self._save()
            time.sleep(SEND_INTERVAL_S)

    def _until_save(self) -> Optional[float]:
        if not self._saving or self._saved == self._sent:
            return None
        return max(0.0, self._saved_at + SAVE_INTERVAL_S - time.monotonic())

    def _send(self) -> None:
        now = self._now()
        if now != self._sent:
            self._sent = now
            self._wire.send("progress", **now)

    def _save(self) -> None:
        if self._saving and self._saved != self._sent:
            self._saved = self._sent
            self._saved_at = time.monotonic()
            self._wire.send("checkpoint", state={"progress": self._saved})

    def _now(self) -> Dict[str, Any]:
        progress = self._task.progress
        return {"current": _number(progress.current), "total": _number(progress.total),
                "message": str(progress.message)[:MESSAGE_MAX]}


def from_checkpoint(state: Any) -> Optional[TaskProgress]:
    """Restores the progress that _save() has saved."""
    saved = state.get("progress") if isinstance(state, dict) else None
    return TaskProgress(**saved) if saved else None


def _number(value: Any) -> float:
    """Task code may assign anything; a value that is not a number counts as 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
