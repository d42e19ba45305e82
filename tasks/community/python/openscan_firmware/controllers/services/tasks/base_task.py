"""The base class of task classes; replaces OpenScan3's module of this name."""
from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Callable, Sequence

from openscan_firmware.models.task import Task, TaskProgress


class BaseTask(ABC):
    """One run of a task.

    run() is a coroutine that returns the result, an async generator that yields TaskProgress
    and sets self._task_model.result, or, with is_blocking, a plain function.
    """

    is_exclusive: bool = False
    is_blocking: bool = False

    # Ignored by OpenScan3: see the agent's README on community tasks.
    resumable: bool = False
    uses: Sequence[str] = ()

    _cancel_noticed: bool = False  # run() has noticed the cancel
    _paused_callback: Callable[[], None] = staticmethod(lambda: None)  # called when run() pauses

    def __init__(self, task_model: Task):
        self._task_model = task_model
        self._stop_event = asyncio.Event()
        self._pause_event = asyncio.Event()  # set: not paused
        self._pause_event.set()

    @property
    def id(self) -> str:
        return self._task_model.id

    @property
    def name(self) -> str:
        return self._task_model.name

    @abstractmethod
    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """The work."""

    def pause(self) -> None:
        """Asks run() to pause at its next wait_for_pause()."""
        self._pause_event.clear()

    def resume(self) -> None:
        self._pause_event.set()

    def is_paused(self) -> bool:
        return not self._pause_event.is_set()

    async def wait_for_pause(self) -> None:
        """Call between two steps: waits while the task is paused."""
        while self.is_paused():
            self._paused_callback()
            await self._pause_event.wait()

    def cancel(self) -> None:
        """Asks run() to end, also while it is paused."""
        self._stop_event.set()
        self._pause_event.set()

    def is_cancelled(self) -> bool:
        self._cancel_noticed = self._cancel_noticed or self._stop_event.is_set()
        return self._stop_event.is_set()

    def _update_progress(self, current: float, total: float, message: str = "") -> None:
        self._task_model.progress = TaskProgress(current=current, total=total,
                                                 message=message)
